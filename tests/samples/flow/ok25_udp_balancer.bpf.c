// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T25 twin: datagrams go to the server that their connection id names; the checksum is switched off, not mended.
#include "net.h"

LICENSE;

HASH(servers, u32, u32, 1024);

SEC("xdp")
int udp_balancer(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);
	u32 *connection = (void *)(udp + 1), id, *server;

	if ((void *)(connection + 1) > end || ip->protocol != IPPROTO_UDP || udp->dest != bpf_htons(443))
		return XDP_PASS;
	id = *connection;
	server = bpf_map_lookup_elem(&servers, &id);
	if (!server)
		return XDP_PASS;
	ip->daddr = *server;
	udp->check = 0;
	return XDP_TX;
}
