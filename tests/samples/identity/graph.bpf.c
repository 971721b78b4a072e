// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
// Functions whose order depends on who lays them out: by first call and depth first (libbpf), by name and breadth first (cilium/ebpf).
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} graph_values SEC(".maps");

__noinline int graph_deep(int x)
{
	__u32 key = 2;
	__u64 *v = bpf_map_lookup_elem(&graph_values, &key);

	return v ? (int)*v + x : x;
}

__noinline int graph_alpha(int x)
{
	return graph_deep(x) + 3;
}

static __noinline int graph_beta(int x)
{
	return graph_deep(x + 1) ^ 5;
}

__noinline int graph_zeta(int x)
{
	return graph_beta(x) + graph_alpha(x) + 7;
}

SEC("tracepoint/syscalls/sys_enter_getpid")
int graph_calls(void *ctx)
{
	int pid = (int)bpf_get_current_pid_tgid();

	return graph_zeta(pid) + graph_alpha(pid) + graph_beta(pid);
}
