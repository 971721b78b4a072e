// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T25: answers ICMP echo in XDP, the textbook example of XDP_TX.
#include "net.h"
#include <linux/icmp.h>

LICENSE;

SEC("xdp")
int echo_reply(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct ethhdr *eth = data;
	struct icmphdr *icmp;
	u8 mac[ETH_ALEN];
	__be32 a;
	u32 sum;

	if (!ip || ip->protocol != IPPROTO_ICMP)
		return XDP_PASS;
	icmp = (void *)(ip + 1);
	if ((void *)(icmp + 1) > end || icmp->type != ICMP_ECHO)
		return XDP_PASS;
	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	a = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = a;
	icmp->type = ICMP_ECHOREPLY;
	sum = (u16)~icmp->checksum;
	sum += (u16)~bpf_htons(ICMP_ECHO << 8);
	sum = (sum & 0xffff) + (sum >> 16);
	icmp->checksum = ~(sum + (sum >> 16));
	return XDP_TX;
}
