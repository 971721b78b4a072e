// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: signals sent, by whom and to whom.
#include "sample.h"

LICENSE;

struct event {
	u32 pid, tpid;
	int sig, ret;
	char comm[16];
};
HASH(values, u32, struct event, 10240);
PERFBUF(events);

SEC("tracepoint/syscalls/sys_enter_kill")
int kill_entry(struct tp_enter *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct event e = {};

	e.pid = tgid();
	e.tpid = ctx->args[0];
	e.sig = ctx->args[1];
	bpf_get_current_comm(e.comm, sizeof(e.comm));
	bpf_map_update_elem(&values, &tid, &e, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_kill")
int kill_exit(struct tp_exit *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct event *e = bpf_map_lookup_elem(&values, &tid);

	if (!e)
		return 0;
	e->ret = ctx->ret;
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, e, sizeof(*e));
	bpf_map_delete_elem(&values, &tid);
	return 0;
}
