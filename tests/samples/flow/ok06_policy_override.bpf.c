// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T06: a policy enforcer that refuses system calls with the errno its rule names.
#include "sample.h"

LICENSE;

struct rule {
	s32 error;
	u32 flags;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, u64);
	__type(value, struct rule);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} override_rules SEC(".maps");
ARRAY(stats, u64, 4);

SEC("kprobe/__x64_sys_finit_module")
int policy_module(struct pt_regs *ctx)
{
	u64 cg = bpf_get_current_cgroup_id(), *n;
	struct rule *r = bpf_map_lookup_elem(&override_rules, &cg);
	u32 idx = 0;

	n = bpf_map_lookup_elem(&stats, &idx);
	if (n)
		__sync_fetch_and_add(n, 1);
	if (r && (r->flags & 1))
		bpf_override_return(ctx, r->error);
	return 0;
}
