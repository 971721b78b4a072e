// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T24: time between DNS question and answer, keyed by transaction id and addresses.
#include "net.h"

LICENSE;

struct key {
	__be32 client;
	__be16 port, id;
};
HASH(asked, struct key, u64, 8192);
HASH(latency_ms, u32, u64, 128);

SEC("tc")
int dns_latency(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	u64 now = bpf_ktime_get_ns(), *t0, one = 1, *n;
	struct udphdr *udp;
	struct dnshdr *dns;
	struct key k = {};
	u32 ms;

	if (!ip)
		return TC_ACT_OK;
	udp = udp4(ip, end);
	if (!udp)
		return TC_ACT_OK;
	dns = (void *)(udp + 1);
	if ((void *)(dns + 1) > end)
		return TC_ACT_OK;
	k.id = dns->id;
	if (udp->dest == bpf_htons(53)) {
		k.client = ip->saddr;
		k.port = udp->source;
		bpf_map_update_elem(&asked, &k, &now, BPF_ANY);
	} else if (udp->source == bpf_htons(53)) {
		k.client = ip->daddr;
		k.port = udp->dest;
		t0 = bpf_map_lookup_elem(&asked, &k);
		if (!t0)
			return TC_ACT_OK;
		ms = (now - *t0) / 1000000;
		n = bpf_map_lookup_elem(&latency_ms, &ms);
		if (n)
			__sync_fetch_and_add(n, 1);
		else
			bpf_map_update_elem(&latency_ms, &ms, &one, BPF_NOEXIST);
		bpf_map_delete_elem(&asked, &k);
	}
	return TC_ACT_OK;
}
