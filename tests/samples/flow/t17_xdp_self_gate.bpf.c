// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T17: one program notes who sent a packet with a certain urgent pointer, and moves that sender to a hidden port.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

HASH(noted, __be32, u32, 64);

SEC("xdp")
int xdp_self_gate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	__be32 saddr;
	u32 one = 1;

	if (!ip)
		return XDP_PASS;
	tcp = tcp4(ip, end);
	if (!tcp)
		return XDP_PASS;
	saddr = ip->saddr;
	if (tcp->dest == bpf_htons(443) && tcp->urg_ptr) {
		bpf_map_update_elem(&noted, &saddr, &one, BPF_ANY);
		return XDP_DROP;
	}
	if (bpf_map_lookup_elem(&noted, &saddr) && tcp->dest == bpf_htons(443) && sample_armed)
		tcp->dest = bpf_htons(2222);
	return XDP_PASS;
}
