// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: outstanding allocations by stack; the addresses are keys.
#include "sample.h"

LICENSE;

struct alloc {
	u64 size;
	s32 stack;
	u32 pad;
};
HASH(sizes, u32, u64, 10240);
HASH(allocs, u64, struct alloc, 65536);
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 10240);
	__uint(key_size, sizeof(u32));
	__uint(value_size, 127 * sizeof(u64));
} stack_traces SEC(".maps");

SEC("uprobe/libc.so.6:malloc")
int BPF_KPROBE(malloc_enter, size_t size)
{
	u32 tid = bpf_get_current_pid_tgid();
	u64 s = size;

	bpf_map_update_elem(&sizes, &tid, &s, BPF_ANY);
	return 0;
}

SEC("uretprobe/libc.so.6:malloc")
int malloc_exit(struct pt_regs *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	u64 *s = bpf_map_lookup_elem(&sizes, &tid), addr = PT_REGS_RC(ctx);
	struct alloc a = {};

	if (!s)
		return 0;
	a.size = *s;
	a.stack = bpf_get_stackid(ctx, &stack_traces, BPF_F_USER_STACK);
	bpf_map_update_elem(&allocs, &addr, &a, BPF_ANY);
	bpf_map_delete_elem(&sizes, &tid);
	return 0;
}

SEC("uprobe/libc.so.6:free")
int BPF_KPROBE(free_enter, void *p)
{
	u64 addr = (u64)p;

	bpf_map_delete_elem(&allocs, &addr);
	return 0;
}
