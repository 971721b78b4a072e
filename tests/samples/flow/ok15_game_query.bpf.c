// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T15 twin: a game server's answer to the public information query is kept, and given by XDP in its place.
#include "net.h"

LICENSE;

struct answer {
	u8 text[64];
};
HASH(answers, u16, struct answer, 64);

SEC("xdp")
int game_query(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct ethhdr *eth = data;
	struct udphdr *udp;
	struct answer *a;
	u8 mac[ETH_ALEN], *p;
	__be32 addr;
	u16 port;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp)
		return XDP_PASS;
	p = (u8 *)(udp + 1);
	if ((void *)(p + sizeof(*a)) > end || *(u32 *)p != 0xffffffff || p[4] != 'T')
		return XDP_PASS;
	port = udp->dest;
	a = bpf_map_lookup_elem(&answers, &port);
	if (!a)
		return XDP_PASS;
	__builtin_memcpy(p, a->text, sizeof(a->text));
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	udp->dest = udp->source;
	udp->source = port;
	udp->check = 0;
	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	return XDP_TX;
}
