// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T25: answers are bounced with the next port, which a global variable counts.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

u16 next_port = 1;
HASH(answered, __be16, u8, 65536);

SEC("xdp")
int count_ports(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	__be32 addr;
	__be16 port;
	u8 open;

	if (!ip)
		return XDP_PASS;
	tcp = tcp4(ip, end);
	if (!tcp)
		return XDP_PASS;
	port = tcp->source;
	open = !tcp->rst;
	bpf_map_update_elem(&answered, &port, &open, BPF_ANY);
	if (!sample_armed)
		return XDP_PASS;
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	tcp->dest = bpf_htons(next_port++);
	tcp->syn = 1;
	tcp->ack = 0;
	return XDP_TX;
}
