// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: a sampling profiler: stack ids per process, numeric frames only.
#include "sample.h"

LICENSE;

struct key {
	u32 pid;
	s32 kstack, ustack;
	char comm[16];
};
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16384);
	__uint(key_size, sizeof(u32));
	__uint(value_size, 127 * sizeof(u64));
} stackmap SEC(".maps");
HASH(counts, struct key, u64, 40960);

SEC("perf_event")
int do_perf_event(struct bpf_perf_event_data *ctx)
{
	struct key k = {};
	u64 one = 1, *n;

	k.pid = tgid();
	if (!k.pid)
		return 0;
	bpf_get_current_comm(k.comm, sizeof(k.comm));
	k.kstack = bpf_get_stackid(ctx, &stackmap, 0);
	k.ustack = bpf_get_stackid(ctx, &stackmap, BPF_F_USER_STACK);
	n = bpf_map_lookup_elem(&counts, &k);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &k, &one, BPF_NOEXIST);
	return 0;
}
