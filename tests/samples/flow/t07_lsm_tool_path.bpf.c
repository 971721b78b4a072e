// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-cflags: -mcpu=v2
// T07: the tool that lists BPF programs cannot be started, by its path; a helper compares.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

SEC("lsm/bprm_check_security")
int BPF_PROG(lsm_tool_path, struct linux_binprm *bprm, int ret)
{
	char path[32] = {};

	if (ret)
		return ret;
	bpf_probe_read_kernel_str(path, sizeof(path), bprm->filename);
	if (!bpf_strncmp(path, 18, "/usr/sbin/bpftool") && sample_armed)
		return -EPERM_;
	return 0;
}
