// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/policy_host.h"

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"

#define NSEC 1000000000LL
/* Clocks of file systems may stand still for so long: a change in that time would not show. */
#define COARSE_NS 20000000LL
#define CONTENT_TRIES 3

static int host_loader(void *ctx, const char *path, uint32_t *ret_dev, uint64_t *ret_ino)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_dev = major(st.st_dev) << 20 | minor(st.st_dev);
	*ret_ino = st.st_ino;
	return 0;
}

/* attach_btf_id as the kernel's verifier reads it: a function, "btf_trace_NAME" for tp_btf, a struct for struct_ops. */
static int host_target(void *ctx, const char *name, uint32_t prog_type, uint32_t attach_type, uint32_t *ret_btf_id)
{
	const struct bw_policy_host *host = ctx;
	char trace[256];
	int id = -ENOENT;

	if (!host->btf)
		return -ENOSYS;
	if (prog_type == BPF_PROG_TYPE_STRUCT_OPS)
		id = btf__find_by_name_kind(host->btf, name, BTF_KIND_STRUCT);
	else if (attach_type != BPF_TRACE_RAW_TP)
		id = btf__find_by_name_kind(host->btf, name, BTF_KIND_FUNC);
	if (id < 0 && prog_type == BPF_PROG_TYPE_LSM) {
		snprintf(trace, sizeof(trace), "bpf_lsm_%s", name);
		id = btf__find_by_name_kind(host->btf, trace, BTF_KIND_FUNC);
	}
	if (id < 0) {
		snprintf(trace, sizeof(trace), "btf_trace_%s", name);
		id = btf__find_by_name_kind(host->btf, strncmp(name, "btf_trace_", 10) ? trace : name, BTF_KIND_TYPEDEF);
	}
	if (id < 0)
		return id;
	*ret_btf_id = (uint32_t)id;
	return 0;
}

static int host_kfunc(void *ctx, const char *name, uint32_t *ret_btf_id)
{
	const struct bw_policy_host *host = ctx;
	int id = host->btf ? btf__find_by_name_kind(host->btf, name, BTF_KIND_FUNC) : -ENOSYS;

	if (id < 0)
		return id;
	*ret_btf_id = (uint32_t)id;
	return 0;
}

static int64_t changed_ns(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * NSEC + st->st_ctim.tv_nsec;
}

/* fs-verity, SHA-256: what the kernel itself vouches for. */
static void read_verity(int fd, struct bw_loader_content *ret)
{
	union {
		struct fsverity_digest d;
		uint8_t room[sizeof(struct fsverity_digest) + 64];
	} u = { .d = { .digest_size = 64 } };

	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &u.d) < 0 || u.d.digest_algorithm != FS_VERITY_HASH_ALG_SHA256 || u.d.digest_size != sizeof(ret->verity))
		return;
	memcpy(ret->verity, u.d.digest, sizeof(ret->verity));
	ret->has_verity = 1;
}

static int hash_file(int fd, uint8_t *ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int len = 32;
	uint64_t total = 0;
	int r = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

	while (!r) {
		char piece[65536];
		ssize_t n = pread(fd, piece, sizeof(piece), (off_t)total);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		else if (n > 0 && (total += (uint64_t)n) > BW_MAX_OBJECT_SIZE)
			r = -EFBIG;
		else if (n > 0 && EVP_DigestUpdate(ctx, piece, (size_t)n) != 1)
			r = -ENOMEM;
		if (n == 0)
			break;
	}
	if (!r && EVP_DigestFinal_ex(ctx, ret, &len) != 1)
		r = -ENOMEM;
	EVP_MD_CTX_free(ctx);
	return r;
}

int bw_policy_host_content(const char *path, struct bw_loader_content *ret)
{
	struct bw_loader_content c = { 0 };
	struct stat before, after;
	int fd, r = -EAGAIN;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	for (int i = 0; i < CONTENT_TRIES && r == -EAGAIN; i++) {
		struct timespec now;

		/* What was written through a mapping shows in the time of change once it is written back. */
		fdatasync(fd);
		if (fstat(fd, &before) < 0 || !S_ISREG(before.st_mode)) {
			r = -EINVAL;
			break;
		}
		clock_gettime(CLOCK_REALTIME, &now);
		if ((int64_t)now.tv_sec * NSEC + now.tv_nsec - changed_ns(&before) < COARSE_NS)
			nanosleep(&(struct timespec){ .tv_nsec = 2 * COARSE_NS }, NULL);
		r = hash_file(fd, c.sha256);
		if (!r && (fstat(fd, &after) < 0 || changed_ns(&after) != changed_ns(&before)))
			r = -EAGAIN;
	}
	if (!r) {
		read_verity(fd, &c);
		c.changed_ns = (uint64_t)changed_ns(&before);
		*ret = c;
	}
	close(fd);
	return r;
}

static int host_content(void *ctx, const char *path, struct bw_loader_content *ret)
{
	return bw_policy_host_content(path, ret);
}

void bw_policy_host_namespaces(uint32_t *ret_mnt, uint32_t *ret_pid)
{
	struct stat st;

	*ret_mnt = stat("/proc/1/ns/mnt", &st) < 0 ? 0 : (uint32_t)st.st_ino;
	*ret_pid = stat("/proc/1/ns/pid", &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

bool bw_policy_host_sees_changes(const struct btf *btf)
{
	static const char *const names[] = { "i_ctime_sec", "__i_ctime", "i_ctime" };
	int id = btf ? btf__find_by_name_kind(btf, "inode", BTF_KIND_STRUCT) : -1;
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	const struct btf_member *m = t ? btf_members(t) : NULL;

	for (int i = 0; t && i < btf_vlen(t); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			if (!strcmp(btf__name_by_offset(btf, m[i].name_off), names[k]))
				return true;
	return false;
}

struct bw_policy_env bw_policy_host_env(struct bw_policy_host *host)
{
	struct bw_policy_env env = { .ctx = host, .loader = host_loader, .target = host_target, .kfunc = host_kfunc };

	env.loader_content = host_content;
	env.sees_changes = bw_policy_host_sees_changes(host->btf);
	bw_policy_host_namespaces(&env.mnt_ns, &env.pid_ns);
	return env;
}
