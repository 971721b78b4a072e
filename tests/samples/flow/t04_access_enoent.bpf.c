// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T04: access() on one path answers "no such file" by overriding the syscall's return.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

SEC("kprobe/__x64_sys_access")
int access_gone(struct pt_regs *ctx)
{
	struct pt_regs *regs = (void *)PT_REGS_PARM1(ctx);
	const char *user = (const char *)PT_REGS_PARM1_CORE(regs);
	char path[24] = {};

	bpf_probe_read_user_str(path, sizeof(path), user);
	if (STARTS(path, "/opt/.bwdemo") && sample_armed)
		bpf_override_return(ctx, -ENOENT_);
	return 0;
}
