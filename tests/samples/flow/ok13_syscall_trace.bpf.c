// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T13: a general syscall tracer: number, six arguments, return, and the first bytes of a write.
#include "sample.h"

LICENSE;

struct event {
	u64 id, args[6];
	s64 ret;
	u8 payload[64];
};
HASH(in_flight, u64, struct event, 8192);
RINGBUF(trace, 1 << 20);

SEC("raw_tp/sys_enter")
int trace_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];
	u64 id = bpf_get_current_pid_tgid();
	struct event e = { .id = ctx->args[1] };

	e.args[0] = PT_REGS_PARM1_CORE(regs);
	e.args[1] = PT_REGS_PARM2_CORE(regs);
	e.args[2] = PT_REGS_PARM3_CORE(regs);
	if (e.id == 1)
		bpf_probe_read_user(e.payload, sizeof(e.payload), (void *)e.args[1]);
	bpf_map_update_elem(&in_flight, &id, &e, BPF_ANY);
	return 0;
}

SEC("raw_tp/sys_exit")
int trace_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct event *e = bpf_map_lookup_elem(&in_flight, &id);

	if (!e)
		return 0;
	e->ret = ctx->args[1];
	bpf_ringbuf_output(&trace, e, sizeof(*e), 0);
	bpf_map_delete_elem(&in_flight, &id);
	return 0;
}
