// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: off-CPU time per task and stack.
#include "kernel_types.h"

LICENSE;

HASH(off_start, u32, u64, 10240);
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 1024);
	__uint(key_size, sizeof(u32));
	__uint(value_size, 127 * sizeof(u64));
} stacks SEC(".maps");
struct off_key {
	u32 pid;
	s32 stack;
};
HASH(off_time, struct off_key, u64, 10240);

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 now = bpf_ktime_get_ns(), *t0, d, *sum;
	u32 pid = prev->pid;
	struct off_key k = {};

	if (pid)
		bpf_map_update_elem(&off_start, &pid, &now, BPF_ANY);
	k.pid = next->pid;
	t0 = bpf_map_lookup_elem(&off_start, &k.pid);
	if (!t0)
		return 0;
	d = now - *t0;
	bpf_map_delete_elem(&off_start, &k.pid);
	k.stack = bpf_get_stackid(ctx, &stacks, 0);
	sum = bpf_map_lookup_elem(&off_time, &k);
	if (sum)
		__sync_fetch_and_add(sum, d);
	else
		bpf_map_update_elem(&off_time, &k, &d, BPF_NOEXIST);
	return 0;
}
