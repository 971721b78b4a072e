// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T01: a single fexit program: the arguments are still there at the return, so no map is needed.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

u64 seen;

static __noinline int entry_is_ours(const char *name)
{
	char n[8] = {};

	bpf_probe_read_user_str(n, sizeof(n), name);
	return STARTS(n, "bwdemo");
}

SEC("fexit/__x64_sys_getdents64")
int BPF_PROG(dirent_fexit, const struct pt_regs *regs, long ret)
{
	char *buf = (char *)BPF_CORE_READ(regs, si);
	u16 len = 0, gone;

	if (ret < 48)
		return 0;
	bpf_probe_read_user(&len, sizeof(len), buf + 16);
	if (entry_is_ours(buf + 19 + len)) {
		gone = ret;
		seen++;
		if (sample_armed)
			bpf_probe_write_user(buf + 16, &gone, sizeof(gone));
	}
	return 0;
}
