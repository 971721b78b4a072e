// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The process whose call it is. Its memory is opened, and only then is the notification asked whether it is still pending: from there
 * on the descriptors here are of the right process, whatever becomes of its number.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "auditor/broker/broker.h"
#include "common/cleanup.h"

#define CAP_BIT(cap) (1ULL << (cap))

static int still_pending(const struct broker_target *t)
{
	return ioctl(t->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &t->id) < 0 ? -ENOENT : 0;
}

static int read_status(struct broker_target *t)
{
	_cleanup_fclose_ FILE *f = NULL;
	unsigned long long caps = 0;
	char path[64], line[256];
	unsigned int uid = ~0u;

	snprintf(path, sizeof(path), "/proc/%d/status", t->tid);
	f = fopen(path, "re");
	if (!f)
		return -ENOENT;
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "Tgid: %d", &t->tgid);
		sscanf(line, "Uid: %*u %u", &uid);
		sscanf(line, "CapEff: %llx", &caps);
		if (sscanf(line, "Name: %16[^\n]", t->comm) != 1)
			continue;
	}
	t->uid = uid;
	t->capable = caps & (CAP_BIT(CAP_BPF) | CAP_BIT(CAP_SYS_ADMIN));
	return t->tgid > 0 ? 0 : -ENOENT;
}

/* Capabilities count only in the user namespace that the supervisor is in. */
static bool same_userns(const struct broker_target *t)
{
	struct stat own, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", t->tid);
	return !stat("/proc/self/ns/user", &own) && !stat(path, &theirs) && own.st_dev == theirs.st_dev && own.st_ino == theirs.st_ino;
}

int broker_target_open(int listener, uint64_t id, pid_t tid, bool compat, struct broker_target *ret)
{
	struct broker_target *t = ret;
	char path[64];
	struct stat st;
	ssize_t n;
	int r;

	*t = (struct broker_target){ .id = id, .listener = listener, .tid = tid, .compat = compat, .memory = -1, .pidfd = -1 };
	r = read_status(t);
	if (r)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/mem", tid);
	t->memory = open(path, O_RDONLY | O_CLOEXEC);
	t->pidfd = (int)syscall(SYS_pidfd_open, t->tgid, 0);
	if (t->memory < 0 || t->pidfd < 0)
		return errno == ENOENT || errno == ESRCH ? -ENOENT : -errno;
	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	if (!stat(path, &st)) {
		t->exe_dev = (uint32_t)(major(st.st_dev) << 20 | minor(st.st_dev));
		t->exe_ino = st.st_ino;
	}
	n = readlink(path, t->exe, sizeof(t->exe) - 1);
	t->exe[n > 0 ? n : 0] = 0;
	t->capable &= same_userns(t);
	return still_pending(t);
}

void broker_target_close(struct broker_target *t)
{
	bw_closep(&t->memory);
	bw_closep(&t->pidfd);
}

int broker_read(const struct broker_target *t, uint64_t address, void *ret, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = pread(t->memory, (char *)ret + at, len - at, (off_t)(address + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EFAULT;
		at += (size_t)n;
	}
	return 0;
}

int broker_write(const struct broker_target *t, uint64_t address, const void *data, size_t len)
{
	struct iovec local = { (void *)data, len }, remote = { (void *)(uintptr_t)address, len };
	int r = still_pending(t);

	if (r)
		return r;
	return process_vm_writev(t->tid, &local, 1, &remote, 1, 0) == (ssize_t)len ? 0 : -EFAULT;
}

int broker_read_string(const struct broker_target *t, uint64_t address, char *ret, size_t size)
{
	size_t at = 0;

	/* By pages: what follows the string need not be mapped. */
	while (at < size) {
		size_t n = 4096 - (address + at) % 4096;

		if (n > size - at)
			n = size - at;
		if (broker_read(t, address + at, ret + at, n) < 0)
			return -EFAULT;
		if (memchr(ret + at, 0, n))
			return 0;
		at += n;
	}
	return -ENAMETOOLONG;
}

int broker_dup(const struct broker_target *t, int fd)
{
	int r = (int)syscall(SYS_pidfd_getfd, t->pidfd, fd, 0);

	return r < 0 ? -errno : r;
}

int broker_give(const struct broker_target *t, int fd)
{
	struct seccomp_notif_addfd add = { .id = t->id, .srcfd = (uint32_t)fd, .newfd_flags = O_CLOEXEC };
	int r = ioctl(t->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	return r < 0 ? -errno : r;
}
