// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T14: a SYN with one window and sequence number opens a door for its sender; the packet is passed on as if nothing was.
#include "net.h"

LICENSE;

HASH(knockers, __be32, u64, 1024);

SEC("xdp")
int magic_window(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	__be32 saddr;
	u64 now;

	if (!ip)
		return XDP_PASS;
	tcp = tcp4(ip, end);
	if (!tcp || !tcp->syn)
		return XDP_PASS;
	if (tcp->window != bpf_htons(54321) || tcp->seq != bpf_htonl(0x62777364))
		return XDP_PASS;
	saddr = ip->saddr;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&knockers, &saddr, &now, BPF_ANY);
	return XDP_PASS;
}
