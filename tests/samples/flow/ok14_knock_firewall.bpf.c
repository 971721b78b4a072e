// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T14: a firewall with port knocking; what did not knock is dropped, the ports are its administrator's.
#include "net.h"

LICENSE;

HASH(knock_stage, __be32, u32, 4096);
const volatile u16 first_port = 7001, second_port = 8002, guarded_port = 22;

SEC("xdp")
int knock_firewall(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	__be32 saddr;
	u32 *was, stage;
	u16 port;

	if (!ip)
		return XDP_PASS;
	tcp = tcp4(ip, end);
	if (!tcp)
		return XDP_PASS;
	saddr = ip->saddr;
	port = bpf_ntohs(tcp->dest);
	was = bpf_map_lookup_elem(&knock_stage, &saddr);
	stage = was ? *was : 0;
	if (port == guarded_port)
		return stage == 2 ? XDP_PASS : XDP_DROP;
	if (port == first_port)
		stage = 1;
	else if (port == second_port && stage == 1)
		stage = 2;
	else
		return XDP_PASS;
	bpf_map_update_elem(&knock_stage, &saddr, &stage, BPF_ANY);
	return XDP_DROP;
}
