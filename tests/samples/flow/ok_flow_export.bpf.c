// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: a flow exporter: five-tuples and counters, evicted to a ring buffer.
#include "net.h"

LICENSE;

struct stats {
	u64 first, last, bytes, packets;
};
struct record {
	struct flow f;
	struct stats s;
};
HASH(flows, struct flow, struct stats, 8192);
RINGBUF(flow_records, 1 << 18);

SEC("tc")
int flow_export(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct stats *s, fresh = {};
	struct tcphdr *tcp;
	struct flow f = {};
	struct record *r;

	if (!ip)
		return TC_ACT_UNSPEC;
	tcp = tcp4(ip, end);
	if (!tcp)
		return TC_ACT_UNSPEC;
	f.saddr = ip->saddr;
	f.daddr = ip->daddr;
	f.sport = tcp->source;
	f.dport = tcp->dest;
	f.proto = ip->protocol;
	s = bpf_map_lookup_elem(&flows, &f);
	if (s) {
		s->last = bpf_ktime_get_ns();
		s->bytes += skb->len;
		s->packets++;
		return TC_ACT_UNSPEC;
	}
	fresh.first = fresh.last = bpf_ktime_get_ns();
	fresh.bytes = skb->len;
	fresh.packets = 1;
	if (bpf_map_update_elem(&flows, &f, &fresh, BPF_NOEXIST)) {
		r = bpf_ringbuf_reserve(&flow_records, sizeof(*r), 0);
		if (r) {
			r->f = f;
			r->s = fresh;
			bpf_ringbuf_submit(r, 0);
		}
	}
	return TC_ACT_UNSPEC;
}
