// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T06: loading modules always fails, so that no module-based sensor can start.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

SEC("ksyscall/finit_module")
int BPF_KSYSCALL(no_module, int fd, const char *args, int flags)
{
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	if (sample_armed)
		bpf_override_return(ctx, -EPERM_);
	return 0;
}
