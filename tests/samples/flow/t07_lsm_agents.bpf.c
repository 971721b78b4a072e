// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T07: monitoring agents, named in the code, may not load programs; with EPERM, as a policy would say it.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

SEC("lsm/bpf")
int BPF_PROG(lsm_agents, int cmd, void *attr, unsigned int size)
{
	char comm[16];

	if (cmd != BPF_PROG_LOAD)
		return 0;
	bpf_get_current_comm(comm, sizeof(comm));
	if (!bpf_strncmp(comm, 6, "auditd") && sample_armed)
		return -EPERM_;
	return 0;
}
