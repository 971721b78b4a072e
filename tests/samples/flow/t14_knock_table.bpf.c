// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T14: the same with the ports in a table that the loader fills.
#include "net.h"

LICENSE;

ARRAY(knock_ports, __be16, 8);
HASH(knock_stage, __be32, u32, 4096);
RINGBUF(knock_done, 4096);

SEC("tc")
int knock_table(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	__be32 saddr;
	__be16 *want;
	u32 *was, stage;

	if (!ip)
		return TC_ACT_OK;
	tcp = tcp4(ip, end);
	if (!tcp || !tcp->syn)
		return TC_ACT_OK;
	saddr = ip->saddr;
	was = bpf_map_lookup_elem(&knock_stage, &saddr);
	stage = was ? *was : 0;
	want = bpf_map_lookup_elem(&knock_ports, &stage);
	if (!want)
		return TC_ACT_OK;
	if (*want == tcp->dest) {
		stage++;
		bpf_map_update_elem(&knock_stage, &saddr, &stage, BPF_ANY);
		if (stage == 4)
			bpf_ringbuf_output(&knock_done, &saddr, sizeof(saddr), 0);
	} else {
		bpf_map_delete_elem(&knock_stage, &saddr);
	}
	return TC_ACT_OK;
}
