// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T14: the secret word is in a map; who sent it is noted, every packet passes.
#include "net.h"

LICENSE;

ARRAY(secret, u64, 1);
HASH(friends, __be32, u64, 64);

SEC("xdp")
int payload_key(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct udphdr *udp;
	__be32 saddr;
	u32 zero = 0;
	u64 now, *key;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp || (void *)(udp + 1) + sizeof(*key) > end)
		return XDP_PASS;
	key = bpf_map_lookup_elem(&secret, &zero);
	if (!key || *(u64 *)(udp + 1) != *key)
		return XDP_PASS;
	saddr = ip->saddr;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&friends, &saddr, &now, BPF_ANY);
	return XDP_PASS;
}
