// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Maps that are mapped into memory, and what processes do that have read a labelled map: connect, send, write files, make
 * children. At the LSM hooks; children by a tracepoint, in every tier.
 */
#include "bpf/egress.bpf.h"

static __always_inline int on_mmap(struct file *file, u64 prot)
{
	u32 zero = 0;
	struct bw_guard_self *self;

	if (!file)
		return 0;
	self = bpf_map_lookup_elem(&bw_self, &zero);
	if (!self || !self->map_fops || (u64)BPF_CORE_READ(file, f_op) != self->map_fops)
		return 0;
	access_note(BPF_CORE_READ(file, private_data), prot & 2 /* PROT_WRITE */ ? BW_MAP_MMAP_WRITE : BW_MAP_MMAP, BW_HOOK_MMAP_FILE);
	return 0;
}

static __always_inline int on_connect(u64 address, u32 len)
{
	struct bw_carrier *c = carrier_current();
	struct bw_scratch *s;

	if (!c)
		return 0;
	s = egress_begin(c, BW_HOOK_CONNECT, BW_EGRESS_CONNECT);
	if (!s)
		return 0;
	egress_address(s, address, len, false);
	return egress_finish(s, c) ? refusal() : 0;
}

static __always_inline int on_sendmsg(struct msghdr *msg)
{
	struct bw_carrier *c = carrier_current();
	struct bw_scratch *s;
	void *name;

	if (!c)
		return 0;
	/* On a connection its connect() has said where. */
	name = BPF_CORE_READ(msg, msg_name);
	if (!name)
		return 0;
	s = egress_begin(c, BW_HOOK_SENDMSG, BW_EGRESS_SEND);
	if (!s)
		return 0;
	egress_address(s, (u64)name, (u32)BPF_CORE_READ(msg, msg_namelen), false);
	return egress_finish(s, c) ? refusal() : 0;
}

static __always_inline int on_open(struct file *file)
{
	struct bw_carrier *c = carrier_current();

	return c && egress_file(file, c, BW_HOOK_FILE_OPEN) ? refusal() : 0;
}

REFUSE_HOOK(mmap, "mmap_file", on_mmap((struct file *)ctx[0], ctx[1]))
REFUSE_HOOK(connect, "socket_connect", on_connect(ctx[1], (u32)ctx[2]))
REFUSE_HOOK(sendmsg, "socket_sendmsg", on_sendmsg((struct msghdr *)ctx[1]))
REFUSE_HOOK(open, "file_open", on_open((struct file *)ctx[0]))

SEC("raw_tp/sched_process_fork")
int bw_fork(u64 *ctx)
{
	return on_fork((struct task_struct *)ctx[1]);
}
