// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T25: a round-robin balancer counts, too, but what it writes comes from the table of its servers.
#include "net.h"

LICENSE;

ARRAY(servers, __be32, 256);
const volatile u32 n_servers = 1;
u32 turn;

SEC("xdp")
int round_robin(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	u32 at = __sync_fetch_and_add(&turn, 1) % (n_servers ? n_servers : 1);
	__be32 *to;

	if (!ip)
		return XDP_PASS;
	to = bpf_map_lookup_elem(&servers, &at);
	if (!to)
		return XDP_DROP;
	ip->id = bpf_htons(turn);
	ip->daddr = *to;
	return XDP_TX;
}
