// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The watch tier's view of the ways around bpf(2), and of what processes send: the exits of the system calls. Refuses nothing. What these system calls do
 * on behalf of io_uring, and messages in more than one part of memory, are not seen here.
 */
#include "bpf/attach_ways.bpf.h"
#include "bpf/egress.bpf.h"

enum watched_call {
	CALL_NONE,
	CALL_IOCTL,
	CALL_SETSOCKOPT,
	CALL_SENDTO,
	CALL_SENDMSG,
	CALL_RECVMSG,
	CALL_PIDFD_GETFD,
	CALL_MMAP,
	CALL_CONNECT,
	CALL_OPEN,
};

static __always_inline enum watched_call watched_call(u32 nr, bool compat)
{
	switch (nr) {
	case 2:
	case 257:
		return compat ? CALL_NONE : CALL_OPEN;
	case 5:
	case 295:
		return compat ? CALL_OPEN : CALL_NONE;
	case 9:
		return compat ? CALL_NONE : CALL_MMAP;
	case 42:
		return compat ? CALL_NONE : CALL_CONNECT;
	case 192:
		return compat ? CALL_MMAP : CALL_NONE;
	case 362:
		return compat ? CALL_CONNECT : CALL_NONE;
	case 437: /* openat2 */
		return CALL_OPEN;
	case 16:
		return compat ? CALL_NONE : CALL_IOCTL;
	case 44:
		return compat ? CALL_NONE : CALL_SENDTO;
	case 46:
		return compat ? CALL_NONE : CALL_SENDMSG;
	case 47:
		return compat ? CALL_NONE : CALL_RECVMSG;
	case 54:
		return compat ? CALL_IOCTL : CALL_SETSOCKOPT;
	case 366:
		return compat ? CALL_SETSOCKOPT : CALL_NONE;
	case 369:
		return compat ? CALL_SENDTO : CALL_NONE;
	case 370:
		return compat ? CALL_SENDMSG : CALL_NONE;
	case 372:
		return compat ? CALL_RECVMSG : CALL_NONE;
	case 438:
		return CALL_PIDFD_GETFD;
	default:
		return CALL_NONE;
	}
}

/* Arguments of the system call; 5.10's verifier does not like a computed index into the registers. */
struct call_args {
	u64 a[5];
};

static __always_inline void call_args(struct pt_regs___x86 *regs, bool compat, struct call_args *ret)
{
	if (compat) {
		ret->a[0] = (u32)BPF_CORE_READ(regs, bx);
		ret->a[1] = (u32)BPF_CORE_READ(regs, cx);
		ret->a[2] = (u32)BPF_CORE_READ(regs, dx);
		ret->a[4] = (u32)BPF_CORE_READ(regs, di);
	} else {
		ret->a[0] = BPF_CORE_READ(regs, di);
		ret->a[1] = BPF_CORE_READ(regs, si);
		ret->a[2] = BPF_CORE_READ(regs, dx);
		ret->a[4] = BPF_CORE_READ(regs, r8);
	}
}

static __always_inline struct sock *sock_of_fd(const struct bw_guard_self *self, u32 fd)
{
	const void *f_op = NULL;
	struct socket *sock = extract_fd_object(fd, &f_op);

	return sock && self->socket_fops && (u64)f_op == self->socket_fops ? BPF_CORE_READ(sock, sk) : NULL;
}

static __always_inline bool is_route_netlink(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_family) == 16 /* AF_NETLINK */ && BPF_CORE_READ(sk, sk_protocol) == 0;
}

/* struct user_msghdr: the first part of what was sent, or the control part of what was received. */
static __always_inline u64 user_word(u64 address, u32 index, bool compat)
{
	u64 v = 0;
	u32 v32 = 0;

	if (!compat) {
		bpf_probe_read_user(&v, sizeof(v), (void *)(address + index * 8));
		return v;
	}
	bpf_probe_read_user(&v32, sizeof(v32), (void *)(address + index * 4));
	return v32;
}

static __noinline int watch_sendmsg(u64 msg, s32 ret, bool compat)
{
	/* msg_name, msg_namelen, msg_iov, msg_iovlen: a word each. */
	u64 iov = user_word(msg, 2, compat), base = user_word(iov, 0, compat), len = user_word(iov, 1, compat);

	if (len > 65536)
		len = 65536;
	return bw_netlink(base, (u32)len, ret, BW_ATTACH_USER_MEMORY | BW_ATTACH_HAS_RESULT | (compat ? BW_ATTACH_COMPAT : 0));
}

#define RECEIVED_FDS 8

/* Descriptors in the first control message. */
static __noinline int watch_recvmsg(u64 msg, bool compat)
{
	u64 control = user_word(msg, 4, compat), len = user_word(msg, 5, compat), header;
	u32 zero = 0, kind[2] = {}, n, fd;
	struct bw_guard_self *self;

	if (!control || len < (compat ? 16 : 20))
		return 0;
	header = compat ? 12 : 16;
	/* struct cmsghdr: length (a word), level, type. */
	if (bpf_probe_read_user(kind, sizeof(kind), (void *)(control + (compat ? 4 : 8))) || kind[0] != 1 || kind[1] != 1)
		return 0;
	self = bpf_map_lookup_elem(&bw_self, &zero);
	n = ((u32)user_word(control, 0, compat) - (u32)header) / 4;
	if (!self)
		return 0;
	for (u32 i = 0; i < RECEIVED_FDS; i++) {
		struct file *file;
		u64 f_op;

		if (i >= n || bpf_probe_read_user(&fd, sizeof(fd), (void *)(control + header + i * 4)))
			break;
		file = file_of_fd(fd);
		f_op = file ? (u64)BPF_CORE_READ(file, f_op) : 0;
		if (f_op && (f_op == self->prog_fops || f_op == self->map_fops || is_link_fops(self, f_op)))
			attach_received(self, file, (s32)fd,
					BW_ATTACH_HAS_RESULT | BW_ATTACH_USER_MEMORY | (compat ? BW_ATTACH_COMPAT : 0),
					BW_HOOK_SYS_EXIT);
	}
	return 0;
}

static __noinline int watch_ioctl(u32 fd, u32 request, u64 arg, s32 ret, bool compat)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct file *file = file_of_fd(fd);

	if (self && file)
		attach_ioctl(self, file, request, arg, ret, BW_ATTACH_HAS_RESULT | (compat ? BW_ATTACH_COMPAT : 0),
			     BW_HOOK_SYS_EXIT);
	return 0;
}

static __noinline int watch_option(u32 fd, u32 level, u32 name, s32 ret, bool compat)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct sock *sk = self ? sock_of_fd(self, fd) : NULL;

	if (sk)
		attach_option(self, sk, level, name, ret, BW_ATTACH_HAS_RESULT | (compat ? BW_ATTACH_COMPAT : 0),
			      BW_HOOK_SYS_EXIT);
	return 0;
}

static __noinline int watch_getfd(u32 fd, bool compat)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct file *file = file_of_fd(fd);
	u64 f_op = file ? (u64)BPF_CORE_READ(file, f_op) : 0;

	if (self && f_op && (f_op == self->prog_fops || f_op == self->map_fops || is_link_fops(self, f_op)))
		attach_received(self, file, (s32)fd, BW_ATTACH_HAS_RESULT | (compat ? BW_ATTACH_COMPAT : 0), BW_HOOK_SYS_EXIT);
	return 0;
}

static __noinline int watch_mmap(u32 fd, u64 prot)
{
	/* An anonymous mapping has -1 there, which is behind the end of every table. */
	return access_fd(fd, prot & 2 /* PROT_WRITE */ ? BW_MAP_MMAP_WRITE : BW_MAP_MMAP, BW_HOOK_SYS_EXIT);
}

/* Where the current process, which is watched, sends: an address in its memory. */
static __noinline int watch_send(u64 address, u32 len, u32 kind)
{
	struct bw_carrier *c = carrier_current();
	struct bw_scratch *s = c && address ? egress_begin(c, BW_HOOK_SYS_EXIT, kind) : NULL;

	if (!s)
		return 0;
	egress_address(s, address, len, true);
	return egress_finish(s, c);
}

static __noinline int watch_open(u32 fd)
{
	struct bw_carrier *c = carrier_current();
	struct file *file = c ? file_of_fd(fd) : NULL;

	return file ? egress_file(file, c, BW_HOOK_SYS_EXIT) : 0;
}

SEC("raw_tp/sys_exit")
int bw_sys_exit_ways(u64 *ctx)
{
	struct pt_regs___x86 *regs = (void *)ctx[0];
	u32 zero = 0, nr = (u32)BPF_CORE_READ(regs, orig_ax);
	struct bw_guard_self *self;
	enum watched_call call;
	s32 ret = (s32)ctx[1];
	struct call_args args;
	struct sock *sk;
	bool compat;

	if (watched_call(nr, false) == CALL_NONE && watched_call(nr, true) == CALL_NONE)
		return 0;
	compat = is_compat();
	call = watched_call(nr, compat);
	if (call == CALL_NONE)
		return 0;
	call_args(regs, compat, &args);
	switch (call) {
	case CALL_IOCTL:
		if ((u32)args.a[1] == PERF_EVENT_IOC_SET_BPF_NR || (u32)args.a[1] == TUNSETSTEERINGEBPF_NR ||
		    (u32)args.a[1] == TUNSETFILTEREBPF_NR)
			watch_ioctl((u32)args.a[0], (u32)args.a[1], args.a[2], ret, compat);
		return 0;
	case CALL_SETSOCKOPT:
		if (way_of_option((u32)args.a[1], (u32)args.a[2]))
			watch_option((u32)args.a[0], (u32)args.a[1], (u32)args.a[2], ret, compat);
		return 0;
	case CALL_RECVMSG:
		if (ret >= 0)
			watch_recvmsg(args.a[1], compat);
		return 0;
	case CALL_PIDFD_GETFD:
		if (ret >= 0)
			watch_getfd((u32)ret, compat);
		return 0;
	case CALL_MMAP:
		watch_mmap((u32)args.a[4], args.a[2]);
		return 0;
	case CALL_CONNECT:
		watch_send(args.a[1], (u32)args.a[2], BW_EGRESS_CONNECT);
		return 0;
	case CALL_OPEN:
		if (ret >= 0)
			watch_open((u32)ret);
		return 0;
	default:
		break;
	}
	if (ret >= 0) {
		if (call == CALL_SENDTO)
			watch_send(args.a[4], 28, BW_EGRESS_SEND);
		else
			watch_send(user_word(args.a[1], 0, compat), 28, BW_EGRESS_SEND);
	}
	self = bpf_map_lookup_elem(&bw_self, &zero);
	sk = self ? sock_of_fd(self, (u32)args.a[0]) : NULL;
	if (!sk || !is_route_netlink(sk))
		return 0;
	if (call == CALL_SENDMSG)
		watch_sendmsg(args.a[1], ret, compat);
	else
		bw_netlink(args.a[1], args.a[2] > 65536 ? 65536 : (u32)args.a[2], ret,
			   BW_ATTACH_USER_MEMORY | BW_ATTACH_HAS_RESULT | (compat ? BW_ATTACH_COMPAT : 0));
	return 0;
}
