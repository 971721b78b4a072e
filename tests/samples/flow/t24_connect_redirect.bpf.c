// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T24: who asks any resolver asks another one, whose address is written into the code (192.0.2.53, for documentation only).
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

SEC("cgroup/sendmsg4")
int resolver_elsewhere(struct bpf_sock_addr *ctx)
{
	if (ctx->user_port == bpf_htons(53) && sample_armed)
		ctx->user_ip4 = bpf_htonl(0xc0000235);
	return 1;
}
