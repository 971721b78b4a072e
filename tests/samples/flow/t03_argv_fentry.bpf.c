// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T03: fentry on execveat: the second argument string is overwritten through argv.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

HASH(rewrites, u64, u64, 32);

SEC("fentry/__x64_sys_execveat")
int BPF_PROG(argv_swap, const struct pt_regs *regs)
{
	const char **argv = (const char **)BPF_CORE_READ(regs, dx);
	char *arg = NULL;
	u64 word = 0, *with;

	bpf_probe_read_user(&arg, sizeof(arg), argv + 1);
	bpf_probe_read_user(&word, sizeof(word), arg);
	with = bpf_map_lookup_elem(&rewrites, &word);
	if (with && sample_armed)
		bpf_probe_write_user(arg, with, sizeof(*with));
	return 0;
}
