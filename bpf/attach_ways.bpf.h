/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ATTACH_WAYS_BPF_H
#define BW_ATTACH_WAYS_BPF_H
/*
 * Layer 7: the ways around bpf(2), as the hooks of the enforce tier and the system call exits of the watch tier see them
 * alike. Each function fills, judges and reports one record; 1: refuse.
 */
#include "bpf/netlink.bpf.h"

static __always_inline enum bw_way way_of_option(u32 level, u32 name)
{
	if (level == SOL_PACKET_NR)
		return name == PACKET_FANOUT_DATA_NR ? BW_WAY_CLASSIC_FILTER : BW_WAY_NONE;
	if (level != SOL_SOCKET_NR)
		return BW_WAY_NONE;
	switch (name) {
	case SO_ATTACH_FILTER_NR:
	case SO_ATTACH_REUSEPORT_CBPF_NR:
		return BW_WAY_CLASSIC_FILTER;
	case SO_ATTACH_BPF_NR:
	case SO_ATTACH_REUSEPORT_EBPF_NR:
		return BW_WAY_SOCKET_FILTER;
	case SO_DETACH_FILTER_NR:
	case SO_DETACH_REUSEPORT_BPF_NR:
	case SO_LOCK_FILTER_NR:
		return BW_WAY_FILTER_DETACH;
	default:
		return BW_WAY_NONE;
	}
}

/* A record about the current task, or NULL: the guard itself, or no memory, which is counted. */
static __always_inline struct bw_scratch *way_begin(const struct bw_guard_self *self, enum bw_hook hook, enum bw_way way,
						    u32 request)
{
	struct bw_scratch *s = scratch_get();

	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return NULL;
	}
	return attach_begin(s, self, hook, way, request) ? s : NULL;
}

/* The perf event or tun device of @file gets the program whose descriptor is @arg, or stands at @arg. */
static __noinline int ioctl_fill(struct bw_scratch *s, struct file *file, u32 request, u64 arg)
{
	u32 zero = 0, fd = (u32)arg;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	void *object = BPF_CORE_READ(file, private_data);

	if (!s || !self)
		return 0;
	s->attach.attr[0] = request;
	s->attach.attr[1] = arg;
	s->attach.attr_len = 16;
	if (request == PERF_EVENT_IOC_SET_BPF_NR) {
		s->attach.attach_type = BPF_PERF_EVENT;
		if ((u64)BPF_CORE_READ(file, f_op) == self->perf_fops)
			attach_perf_event(s, object);
	} else {
		if (bpf_probe_read_user(&fd, sizeof(fd), (void *)arg))
			return 0;
		s->attach.flags |= BW_ATTACH_USER_MEMORY;
	}
	attach_prog_fd(s, fd);
	return 0;
}

static __always_inline int attach_ioctl(const struct bw_guard_self *self, struct file *file, u32 request, u64 arg, s32 ret,
					u32 flags, enum bw_hook hook)
{
	struct bw_scratch *s = way_begin(self, hook, request == PERF_EVENT_IOC_SET_BPF_NR ? BW_WAY_PERF_IOCTL : BW_WAY_TUN_IOCTL,
					 request);
	int deny;

	if (!s)
		return 0;
	ioctl_fill(s, file, request, arg);
	s->attach.flags |= flags;
	s->attach.error = ret;
	deny = bw_attach_judge();
	attach_emit(s);
	return deny;
}

struct bw_filter_record {
	struct bw_event_attach attach;
	u64 insns[BW_MAX_CLASSIC];
};

/*
 * The same, with the instructions of a classic filter behind it. They are read from the kernel's own copy of what was given,
 * so nobody can change them meanwhile. Always the alerts' buffer: it is rare, and what it says is not said again.
 */
static __noinline int attach_emit_classic(struct bw_scratch *s, struct bpf_prog *prog)
{
	u32 zero = 0, n = BPF_CORE_READ(prog, orig_prog, len);
	void *filter = BPF_CORE_READ(prog, orig_prog, filter);
	struct bw_cpu *c = bpf_map_lookup_elem(&bw_cpus, &zero);
	struct bw_filter_record *r;
	u32 bytes;

	if (!s)
		return 0;
	s->attach.n_insns = n;
	if (n > BW_MAX_CLASSIC)
		n = BW_MAX_CLASSIC;
	stat_add(BW_STAT_ATTACHES, 1);
	s->attach.hdr.cpu = bpf_get_smp_processor_id();
	s->attach.hdr.seq = c ? ++c->seq : 0;
	s->attach.hdr.size = sizeof(*r);
	r = bpf_ringbuf_reserve(&bw_alerts, sizeof(*r), 0);
	if (!r) {
		stat_add(BW_STAT_LOST_RING, 1);
		return 0;
	}
	s->attach.n_insns_here = n;
	bytes = n * 8;
	asm volatile("" : "+r"(bytes));
	if (bytes > sizeof(r->insns))
		bytes = sizeof(r->insns);
	if (bpf_probe_read_kernel(r->insns, bytes, filter)) {
		s->attach.n_insns_here = 0;
		stat_add(BW_STAT_READ_FAILED, 1);
	}
	bpf_probe_read_kernel(&r->attach, sizeof(r->attach), &s->attach);
	bpf_ringbuf_submit(r, 0);
	stat_add(BW_STAT_EMITTED, 1);
	return 0;
}

/* The program that is on the socket now. */
static __noinline struct bpf_prog *option_prog(struct sock *sk, u32 name)
{
	if (name == SO_ATTACH_FILTER_NR || name == SO_ATTACH_BPF_NR)
		return BPF_CORE_READ(sk, sk_filter, prog);
	return BPF_CORE_READ(sk, sk_reuseport_cb, prog);
}

/*
 * A socket option about filters: before (BW_HOOK_SETSOCKOPT), and what came of it. Options that attach to a socket are
 * reported when they have, the others at once; what is refused, in any case.
 */
static __always_inline int attach_option(const struct bw_guard_self *self, struct sock *sk, u32 level, u32 name, s32 ret,
					 u32 flags, enum bw_hook hook)
{
	enum bw_way way = way_of_option(level, name);
	struct bw_scratch *s = way_begin(self, hook, way, name);
	bool attaches = level == SOL_SOCKET_NR && way != BW_WAY_FILTER_DETACH;
	struct bpf_prog *prog = NULL;
	int deny;

	if (!s)
		return 0;
	s->attach.attr[0] = (u64)level << 32 | name;
	s->attach.attr[1] = (u64)BPF_CORE_READ(sk, sk_type) << 32 | BPF_CORE_READ(sk, __sk_common.skc_family);
	s->attach.attr[2] = BPF_CORE_READ(sk, sk_protocol);
	s->attach.attr_len = 24;
	s->attach.flags |= flags;
	s->attach.error = ret;
	if (attaches && hook != BW_HOOK_SETSOCKOPT && !ret)
		prog = option_prog(sk, name);
	if (prog)
		prog_ref_fill(&s->attach.prog, prog);
	deny = bw_attach_judge();
	if (hook == BW_HOOK_SETSOCKOPT && attaches && !deny)
		return 0;
	if (!deny && s->attach.action == BW_ACTION_DENIED)
		s->attach.action = BW_ACTION_WOULD_DENY;
	if (prog && way == BW_WAY_CLASSIC_FILTER)
		attach_emit_classic(s, prog);
	else
		attach_emit(s);
	return deny;
}

/* A descriptor came from another process. */
static __always_inline int attach_received(const struct bw_guard_self *self, struct file *file, s32 ret, u32 flags,
					   enum bw_hook hook)
{
	struct bw_scratch *s = way_begin(self, hook, BW_WAY_FD_PASSED, 0);
	int deny;

	if (!s)
		return 0;
	s->attach.flags |= flags;
	s->attach.error = ret;
	if (BPF_CORE_READ(file, f_mode) & 2 /* FMODE_WRITE */)
		s->attach.flags |= BW_ATTACH_FD_WRITE;
	attach_object(s, file);
	deny = bw_attach_judge();
	attach_emit(s);
	return deny;
}

#endif
