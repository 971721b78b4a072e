// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-cflags: -mcpu=v2
// T26 twin: a policy that keeps one service off the network, and says so: not permitted.
#include "kernel_types.h"

LICENSE;

SEC("lsm/socket_connect")
int BPF_PROG(lsm_deny_names, struct socket *sock, void *address, int len, int ret)
{
	char comm[16];

	if (ret)
		return ret;
	bpf_get_current_comm(comm, sizeof(comm));
	if (!bpf_strncmp(comm, 8, "oldbatch"))
		return -EPERM_;
	return 0;
}
