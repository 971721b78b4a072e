// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T06: kill() aimed at one process fails with a constant errno.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

HASH(immortal, int, u8, 64);

SEC("kprobe/__x64_sys_kill")
int no_kill(struct pt_regs *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->di;
	int pid = 0;
	u64 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), &regs->di);
	pid = v;
	if (bpf_map_lookup_elem(&immortal, &pid) && sample_armed)
		bpf_override_return(ctx, -3);
	return 0;
}
