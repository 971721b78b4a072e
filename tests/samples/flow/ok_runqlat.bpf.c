// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: run queue latency as a histogram in global data.
#include "kernel_types.h"

LICENSE;

HASH(woken, u32, u64, 10240);
u64 slots[26];

SEC("tp_btf/sched_wakeup")
int BPF_PROG(wakeup, struct task_struct *p)
{
	u32 pid = p->pid;
	u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&woken, &pid, &now, BPF_ANY);
	return 0;
}

SEC("raw_tp/sched_switch")
int switched(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *next = (void *)ctx->args[2];
	u32 pid = BPF_CORE_READ(next, pid), slot = 0;
	u64 *t0 = bpf_map_lookup_elem(&woken, &pid), d;

	if (!t0)
		return 0;
	d = (bpf_ktime_get_ns() - *t0) / 1000;
	for (int i = 0; i < 25; i++)
		slot += d >> i > 1;
	if (slot < 26)
		__sync_fetch_and_add(&slots[slot], 1);
	bpf_map_delete_elem(&woken, &pid);
	return 0;
}
