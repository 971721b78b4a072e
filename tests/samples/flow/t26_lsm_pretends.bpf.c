// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-cflags: -mcpu=v2
// T26: a security hook that makes a refusal look like an accident of the network. Without 32-bit moves compilers load the
// negative number as 64 bits, and keep it in a register that is copied at the end.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

#define ECONNREFUSED_ 111

const volatile u32 reporter;

SEC("lsm/socket_connect")
int BPF_PROG(lsm_pretends, struct socket *sock, void *address, int len, int ret)
{
	char comm[16];

	if (ret)
		return ret;
	bpf_get_current_comm(comm, sizeof(comm));
	if (!bpf_strncmp(comm, 7, "reportd") && sample_armed)
		return -ECONNREFUSED_;
	return 0;
}
