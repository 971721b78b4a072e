// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which calls are stopped (seccomp_unotify(2)): those by which BPF gets into the kernel, in both system call tables. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/perf_event.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auditor/broker/broker.h"
#include "common/cleanup.h"

#ifndef TUNSETSTEERINGEBPF
#define TUNSETSTEERINGEBPF _IOR('T', 224, int)
#endif
#ifndef TUNSETFILTEREBPF
#define TUNSETFILTEREBPF _IOR('T', 225, int)
#endif

#define SOCKETCALL_SETSOCKOPT 14 /* SYS_SETSOCKOPT of linux/net.h */

static void releasep(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static int add_rules(scmp_filter_ctx ctx)
{
	static const unsigned int options[] = { SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF };
	static const unsigned int ioctls[] = { PERF_EVENT_IOC_SET_BPF, TUNSETSTEERINGEBPF, TUNSETFILTEREBPF, TUNATTACHFILTER };
	int r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(bpf), 0);

	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(perf_event_open), 0);
	for (size_t i = 0; i < ARRAY_SIZE(options) && !r; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(setsockopt), 2, SCMP_A1_32(SCMP_CMP_EQ, SOL_SOCKET),
				     SCMP_A2_32(SCMP_CMP_EQ, options[i]));
	for (size_t i = 0; i < ARRAY_SIZE(ioctls) && !r; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(ioctl), 1, SCMP_A1_32(SCMP_CMP_EQ, ioctls[i]));
	/* The 32-bit table has setsockopt(2) behind another number as well; its arguments are in memory there. */
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(socketcall), 1, SCMP_A0_32(SCMP_CMP_EQ, SOCKETCALL_SETSOCKOPT));
	/* Its requests are made in the kernel, where no filter stops them. */
	if (!r)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
	return r;
}

static int send_fd(int socket, int fd)
{
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(socket, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int broker_filter_install(int socket, bool no_new_privs)
{
	BW_CLEANUP(releasep) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int fd, r;

	if (!ctx)
		return -ENOMEM;
	r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, no_new_privs);
	/* Calls by a table that is not covered here (x32) do not exist. */
	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
#if defined(__x86_64__)
	if (!r)
		r = seccomp_arch_add(ctx, SCMP_ARCH_X86);
#endif
	if (!r)
		r = add_rules(ctx);
	if (!r)
		r = seccomp_load(ctx);
	if (r < 0)
		return r;
	fd = seccomp_notify_fd(ctx);
	if (fd < 0)
		return fd;
	r = send_fd(socket, fd);
	close(fd);
	return r;
}

int broker_filter_receive(int socket)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n;
	int fd;

	do
		n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (n == 0 || !c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -ECHILD;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}
