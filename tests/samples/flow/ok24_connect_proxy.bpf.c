// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T24 twin: every connection goes to the proxy of the host, except the proxy's own, by its name.
#include "sample.h"

LICENSE;

SEC("cgroup/connect4")
int connect_proxy(struct bpf_sock_addr *ctx)
{
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	if (STARTS(comm, "sidecar"))
		return 1;
	ctx->user_ip4 = bpf_htonl(0x7f000001);
	ctx->user_port = bpf_htons(15001);
	return 1;
}
