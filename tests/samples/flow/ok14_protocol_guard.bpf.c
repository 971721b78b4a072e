// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T14: a game server's guard; what does not begin with the protocol's word is dropped.
#include "net.h"

LICENSE;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __be32);
	__type(value, u64);
} players SEC(".maps");

SEC("xdp")
int protocol_guard(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct udphdr *udp;
	__be32 saddr;
	u32 *word;
	u64 now;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp || udp->dest != bpf_htons(27015))
		return XDP_PASS;
	word = (void *)(udp + 1);
	if ((void *)(word + 1) > end)
		return XDP_DROP;
	saddr = ip->saddr;
	if (*word != 0x67616d65)
		return bpf_map_lookup_elem(&players, &saddr) ? XDP_PASS : XDP_DROP;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&players, &saddr, &now, BPF_ANY);
	return XDP_PASS;
}
