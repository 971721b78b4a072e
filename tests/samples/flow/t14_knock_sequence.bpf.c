// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T14: three ports in the right order open a door for their sender; every packet is passed on.
#include "net.h"

LICENSE;

HASH(knock_stage, __be32, u32, 4096);
HASH(knock_open, __be32, u64, 64);

SEC("xdp")
int knock_sequence(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct udphdr *udp;
	__be32 saddr;
	u32 *was, stage;
	u64 now;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp)
		return XDP_PASS;
	saddr = ip->saddr;
	was = bpf_map_lookup_elem(&knock_stage, &saddr);
	stage = was ? *was : 0;
	if (stage == 0 && udp->dest == bpf_htons(7001))
		stage = 1;
	else if (stage == 1 && udp->dest == bpf_htons(8002))
		stage = 2;
	else if (stage == 2 && udp->dest == bpf_htons(9003))
		stage = 3;
	else
		stage = 0;
	bpf_map_update_elem(&knock_stage, &saddr, &stage, BPF_ANY);
	if (stage == 3) {
		now = bpf_ktime_get_ns();
		bpf_map_update_elem(&knock_open, &saddr, &now, BPF_ANY);
	}
	return XDP_PASS;
}
