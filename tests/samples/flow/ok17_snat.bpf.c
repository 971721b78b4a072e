// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T17: source NAT with port translation, both directions in one map, filled when a flow starts.
#include "net.h"

LICENSE;

struct nat {
	__be32 addr;
	__be16 port;
	u16 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct flow);
	__type(value, struct nat);
} nat_table SEC(".maps");
const volatile __be32 public_addr;
u32 next_port = 20000;

SEC("tc")
int snat_out(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct nat *n, use = {};
	struct tcphdr *tcp;
	struct flow k = {};

	if (!ip)
		return TC_ACT_OK;
	tcp = tcp4(ip, end);
	if (!tcp)
		return TC_ACT_OK;
	k.saddr = ip->saddr;
	k.daddr = ip->daddr;
	k.sport = tcp->source;
	k.dport = tcp->dest;
	k.proto = IPPROTO_TCP;
	n = bpf_map_lookup_elem(&nat_table, &k);
	if (n) {
		use = *n;
	} else {
		use.addr = public_addr;
		use.port = bpf_htons(__sync_fetch_and_add(&next_port, 1));
		bpf_map_update_elem(&nat_table, &k, &use, BPF_NOEXIST);
	}
	bpf_l4_csum_replace(skb, L4_OFF + 16, k.saddr, use.addr, BPF_F_PSEUDO_HDR | 4);
	bpf_l4_csum_replace(skb, L4_OFF + 16, k.sport, use.port, 2);
	bpf_l3_csum_replace(skb, IP_OFF + 10, k.saddr, use.addr, 4);
	bpf_skb_store_bytes(skb, IP_OFF + 12, &use.addr, 4, 0);
	bpf_skb_store_bytes(skb, L4_OFF, &use.port, 2, 0);
	return TC_ACT_OK;
}
