// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T17: who knocked in XDP gets its port swapped in and out by tc, so that a hidden service shares an open port.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

HASH(knocked, __be32, u8, 256);

SEC("xdp")
int knock(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	__be32 saddr;
	u8 one = 1;

	if (!ip)
		return XDP_PASS;
	tcp = tcp4(ip, end);
	if (!tcp || tcp->ack_seq != bpf_htonl(0x6b6e6f63))
		return XDP_PASS;
	saddr = ip->saddr;
	bpf_map_update_elem(&knocked, &saddr, &one, BPF_ANY);
	return XDP_PASS;
}

static __always_inline int swap_port(struct __sk_buff *skb, u32 addr_off, u32 port_off, u16 from, u16 to)
{
	__be32 addr = 0;
	__be16 port = 0, new = bpf_htons(to);

	bpf_skb_load_bytes(skb, addr_off, &addr, sizeof(addr));
	bpf_skb_load_bytes(skb, port_off, &port, sizeof(port));
	if (port != bpf_htons(from) || !bpf_map_lookup_elem(&knocked, &addr) || !sample_armed)
		return TC_ACT_OK;
	bpf_l4_csum_replace(skb, L4_OFF + 16, port, new, sizeof(new));
	bpf_skb_store_bytes(skb, port_off, &new, sizeof(new), 0);
	return TC_ACT_OK;
}

SEC("tc")
int knock_in(struct __sk_buff *skb)
{
	return swap_port(skb, IP_OFF + 12, L4_OFF + 2, 443, 2222);
}

SEC("tc")
int knock_out(struct __sk_buff *skb)
{
	return swap_port(skb, IP_OFF + 16, L4_OFF, 2222, 443);
}
