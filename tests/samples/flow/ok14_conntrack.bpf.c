// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T14: connection tracking in tc: header fields compared with well-known constants, tuples kept, all pass.
#include "net.h"

LICENSE;

struct entry {
	u64 seen;
	u32 state, packets;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow);
	__type(value, struct entry);
} conntrack SEC(".maps");

SEC("tc")
int track(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct entry *e, fresh = {};
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
	e = bpf_map_lookup_elem(&conntrack, &k);
	if (!e) {
		if (!tcp->syn)
			return TC_ACT_OK;
		fresh.seen = bpf_ktime_get_ns();
		fresh.state = 1;
		bpf_map_update_elem(&conntrack, &k, &fresh, BPF_NOEXIST);
		return TC_ACT_OK;
	}
	e->seen = bpf_ktime_get_ns();
	e->packets++;
	if (tcp->fin || tcp->rst)
		e->state = 3;
	else if (tcp->ack)
		e->state = 2;
	return TC_ACT_OK;
}
