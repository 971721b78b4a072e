// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T07 twin: nobody but the host's agent may load programs.
#include "kernel_types.h"

LICENSE;

SEC("lsm/bpf")
int BPF_PROG(lsm_agents_only, int cmd, void *attr, unsigned int size)
{
	char comm[16];

	if (cmd != BPF_PROG_LOAD)
		return 0;
	bpf_get_current_comm(comm, sizeof(comm));
	if (!bpf_strncmp(comm, 6, "auditd"))
		return 0;
	return -EPERM_;
}
