// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T06: a write system call pretends to have written: fmod_ret answers with a constant for the chosen tasks.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

HASH(muted, u32, u8, 64);

SEC("fmod_ret/__x64_sys_write")
int BPF_PROG(mute_write, const struct pt_regs *regs, int ret)
{
	u32 pid = tgid();

	if (!bpf_map_lookup_elem(&muted, &pid))
		return 0;
	return sample_armed ? 64 : 0;
}
