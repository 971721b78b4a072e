// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T07: the tools that list BPF programs cannot be started: their paths are in the code, one after the other.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

SEC("lsm/bprm_check_security")
int BPF_PROG(lsm_tools, struct linux_binprm *bprm, int ret)
{
	char path[32] = {};

	bpf_probe_read_kernel_str(path, sizeof(path), bprm->filename);
	if (IS(path, "/usr/sbin/bpftool") && sample_armed)
		return -EPERM_;
	if (IS(path, "/usr/sbin/auditctl") && sample_armed)
		return -EPERM_;
	return ret;
}
