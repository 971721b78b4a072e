// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T25: answers SYNs with cookies in XDP: swaps headers, mends checksums, sends back.
#include "net.h"

LICENSE;

HASH(protected_ports, u16, u8, 64);
ARRAY(values, u64, 4);

static __always_inline u16 fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

SEC("xdp")
int syn_cookie(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct ethhdr *eth = data;
	u16 port, old16;
	struct tcphdr *tcp;
	u32 sum, idx = 0;
	u8 mac[ETH_ALEN];
	s64 cookie;
	__be32 a;
	u64 *n;

	if (!ip)
		return XDP_PASS;
	tcp = tcp4(ip, end);
	if (!tcp || !tcp->syn || tcp->ack || tcp->doff != 5)
		return XDP_PASS;
	port = bpf_ntohs(tcp->dest);
	if (!bpf_map_lookup_elem(&protected_ports, &port))
		return XDP_PASS;
	cookie = bpf_tcp_raw_gen_syncookie_ipv4(ip, tcp, sizeof(*tcp));
	if (cookie < 0)
		return XDP_ABORTED;
	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	a = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = a;
	ip->ttl = 64;
	ip->check = 0;
	ip->check = fold(bpf_csum_diff(NULL, 0, (void *)ip, sizeof(*ip), 0));
	old16 = tcp->source;
	tcp->source = tcp->dest;
	tcp->dest = old16;
	tcp->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + 1);
	tcp->seq = bpf_htonl(cookie);
	tcp->ack = 1;
	tcp->check = 0;
	sum = bpf_csum_diff(NULL, 0, (void *)tcp, sizeof(*tcp), 0);
	sum += bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(*tcp));
	tcp->check = fold(sum);
	n = bpf_map_lookup_elem(&values, &idx);
	if (n)
		__sync_fetch_and_add(n, 1);
	return XDP_TX;
}
