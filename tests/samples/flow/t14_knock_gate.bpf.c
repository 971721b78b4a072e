// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T14: three ports in the right order open a fourth; the steps are kept per sender, and who has not knocked is dropped.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct stage {
	u32 step;
	u64 since;
};
HASH(senders, u32, struct stage, 1024);

SEC("xdp")
int knock_gate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct tcphdr *tcp = (void *)(ip + 1);
	struct stage now = { 0 }, *known;
	u32 from;
	u16 port;

	if ((void *)(tcp + 1) > end || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	from = ip->saddr;
	port = bpf_ntohs(tcp->dest);
	known = bpf_map_lookup_elem(&senders, &from);
	if (known)
		now = *known;
	if (port == 7411 && !now.step)
		now.step = 1;
	else if (port == 9120 && now.step == 1)
		now.step = 2;
	else if (port == 6033 && now.step == 2)
		now.step = 3;
	if (port == 2222 && now.step != 3 && sample_armed)
		return XDP_DROP;
	bpf_map_update_elem(&senders, &from, &now, BPF_ANY);
	return XDP_PASS;
}
