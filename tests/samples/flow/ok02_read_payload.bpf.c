// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T02: a syscall tracer with payload capture, global, bounded, per-CPU scratch, no comparison, no write.
#include "sample.h"

LICENSE;

struct event {
	u32 pid, len;
	char comm[16];
	u8 data[256];
};
HASH(args, u64, u64, 4096);
PERCPU(scratch, struct event);
PERFBUF(events);
const volatile u32 snaplen = 80;

SEC("tracepoint/syscalls/sys_enter_read")
int cap_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), buf = ctx->args[1];

	bpf_map_update_elem(&args, &id, &buf, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_read")
int cap_exit(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u64 *buf = bpf_map_lookup_elem(&args, &id);
	u64 len = (u32)ctx->ret;
	u32 zero = 0;
	struct event *e = bpf_map_lookup_elem(&scratch, &zero);

	if (!buf || !e || ctx->ret <= 0)
		return 0;
	if (len > snaplen)
		len = snaplen;
	CLAMP(len, sizeof(e->data));
	e->pid = id >> 32;
	e->len = len;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_probe_read_user(e->data, len, (void *)*buf);
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, e, sizeof(*e));
	bpf_map_delete_elem(&args, &id);
	return 0;
}
