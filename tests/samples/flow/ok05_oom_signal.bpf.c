// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T05: a memory guard: cgroups that user space marked as over their budget get SIGSTOP, a constant signal.
#include "sample.h"

LICENSE;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} over_budget SEC(".maps");
u64 stopped;

SEC("tracepoint/exceptions/page_fault_user")
int budget_stop(void *ctx)
{
	u64 cg = bpf_get_current_cgroup_id();
	u32 *over = bpf_map_lookup_elem(&over_budget, &cg);

	if (!over || !*over)
		return 0;
	__sync_fetch_and_add(&stopped, 1);
	bpf_send_signal(19);
	return 0;
}
