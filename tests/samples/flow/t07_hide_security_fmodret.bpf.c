// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T07: security_bpf_prog refuses every fd on programs of the sample's name.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

SEC("fmod_ret/security_bpf_prog")
int BPF_PROG(refuse_prog, struct bpf_prog *prog, int ret)
{
	char name[16] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(prog, aux, name));
	if (STARTS(name, "bwdemo") && sample_armed)
		return -ENOENT_;
	return ret;
}
