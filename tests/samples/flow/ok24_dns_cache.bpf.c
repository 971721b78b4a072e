// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T24: answers that passed are kept, and put into queries for the same name.
#include "net.h"

LICENSE;

struct question {
	char name[32];
};
struct answer {
	u64 expires;
	__be32 addr;
	u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct question);
	__type(value, struct answer);
} cache SEC(".maps");

SEC("tc")
int dns_learn(struct __sk_buff *skb)
{
	__be16 port = 0;
	struct question q = {};
	struct answer a = {};

	bpf_skb_load_bytes(skb, L4_OFF, &port, 2);
	if (port != bpf_htons(53))
		return TC_ACT_OK;
	bpf_skb_load_bytes(skb, UDP_PAYLOAD_OFF + 12, q.name, sizeof(q.name));
	bpf_skb_load_bytes(skb, UDP_PAYLOAD_OFF + 60, &a.addr, sizeof(a.addr));
	a.expires = bpf_ktime_get_ns() + 60000000000ull;
	bpf_map_update_elem(&cache, &q, &a, BPF_ANY);
	return TC_ACT_OK;
}

SEC("xdp")
int dns_answer(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct udphdr *udp;
	struct dnshdr *dns;
	struct answer *a;
	struct question q;
	__be32 addr;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp || udp->dest != bpf_htons(53))
		return XDP_PASS;
	dns = (void *)(udp + 1);
	if ((void *)(dns + 1) + 64 > end)
		return XDP_PASS;
	__builtin_memcpy(q.name, dns + 1, sizeof(q.name));
	a = bpf_map_lookup_elem(&cache, &q);
	if (!a || a->expires < bpf_ktime_get_ns())
		return XDP_PASS;
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	dns->flags |= bpf_htons(0x8000);
	dns->ancount = bpf_htons(1);
	*(__be32 *)((void *)(dns + 1) + 48) = a->addr;
	udp->check = 0;
	return XDP_TX;
}
