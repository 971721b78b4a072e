// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T25: a network scan without a process: each frame that comes in goes out as a SYN to the next address and port.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

static u32 next_host, next_port;
HASH(open_ports, u64, u8, 65536);

SEC("xdp")
int scan_tx(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	u8 mac[ETH_ALEN], one = 1;
	__be32 addr;
	u64 key;

	if (!ip)
		return XDP_PASS;
	tcp = tcp4(ip, end);
	if (!tcp)
		return XDP_PASS;
	if (tcp->syn && tcp->ack) {
		key = (u64)ip->saddr << 16 | tcp->source;
		bpf_map_update_elem(&open_ports, &key, &one, BPF_ANY);
	}
	if (!sample_armed)
		return XDP_PASS;
	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = (addr & 0xffffff) | (next_host++ << 24);
	tcp->dest = bpf_htons(next_port++ & 1023);
	tcp->syn = 1;
	tcp->ack = 0;
	return XDP_TX;
}
