// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T16: an overlay network: tunnel keys from a map, redirect to the tunnel device.
#include "net.h"

LICENSE;

struct remote {
	u32 ip, vni, ifindex;
};
HASH(endpoints, __be32, struct remote, 16384);

SEC("tc")
int to_overlay(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct bpf_tunnel_key key = {};
	struct remote *r;
	__be32 daddr;

	if (!ip)
		return TC_ACT_OK;
	daddr = ip->daddr;
	r = bpf_map_lookup_elem(&endpoints, &daddr);
	if (!r)
		return TC_ACT_OK;
	key.tunnel_id = r->vni;
	key.remote_ipv4 = r->ip;
	key.tunnel_ttl = 64;
	if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX))
		return TC_ACT_SHOT;
	return bpf_redirect(r->ifindex, 0);
}
