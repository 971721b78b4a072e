// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T14: drops the packets of a well-known scanner and of reflection attacks, and notes their senders.
#include "net.h"

LICENSE;

PERCPU(dropped, u64);
HASH(reflectors, __be32, u64, 4096);

SEC("xdp")
int scan_filter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	struct udphdr *udp;
	__be32 saddr;
	u32 zero = 0;
	u64 now, *n;

	if (!ip)
		return XDP_PASS;
	tcp = tcp4(ip, end);
	if (tcp && tcp->syn && tcp->window == bpf_htons(1024) && ip->id == bpf_htons(54321)) {
		n = bpf_map_lookup_elem(&dropped, &zero);
		if (n)
			*n += 1;
		return XDP_DROP;
	}
	udp = udp4(ip, end);
	if (!udp || (void *)(udp + 1) + 4 > end || udp->source != bpf_htons(389))
		return XDP_PASS;
	if (*(u32 *)(udp + 1) == 0x30840000) {
		saddr = ip->saddr;
		now = bpf_ktime_get_ns();
		bpf_map_update_elem(&reflectors, &saddr, &now, BPF_ANY);
		return XDP_DROP;
	}
	return XDP_PASS;
}
