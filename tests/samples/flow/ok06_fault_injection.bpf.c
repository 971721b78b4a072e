// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T06: a chaos-testing tool: which call fails, how often and with which errno is configured in maps.
#include "sample.h"

LICENSE;

struct fault {
	u32 every, count;
	s64 error;
};
HASH(faults, u32, struct fault, 64);
u64 injected;

SEC("kprobe/should_failslab")
int inject_fault(struct pt_regs *ctx)
{
	u32 pid = tgid();
	struct fault *f = bpf_map_lookup_elem(&faults, &pid);

	if (!f || !f->every)
		return 0;
	if (++f->count % f->every)
		return 0;
	__sync_fetch_and_add(&injected, 1);
	bpf_override_return(ctx, f->error);
	return 0;
}
