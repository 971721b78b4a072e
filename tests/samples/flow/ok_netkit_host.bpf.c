// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: the host side of a container's device: neighbour addresses are filled in and the packet redirected.
#include "net.h"

LICENSE;

struct ep {
	u32 ifindex;
	u8 mac[ETH_ALEN], host_mac[ETH_ALEN];
};
HASH(local_endpoints, __be32, struct ep, 4096);

SEC("tc")
int to_container(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct ep *e;
	__be32 daddr;

	if (!ip)
		return TC_ACT_OK;
	daddr = ip->daddr;
	e = bpf_map_lookup_elem(&local_endpoints, &daddr);
	if (!e)
		return TC_ACT_OK;
	if (bpf_skb_store_bytes(skb, 0, e->mac, ETH_ALEN, 0) || bpf_skb_store_bytes(skb, ETH_ALEN, e->host_mac, ETH_ALEN, 0))
		return TC_ACT_SHOT;
	return bpf_redirect_peer(e->ifindex, 0);
}
