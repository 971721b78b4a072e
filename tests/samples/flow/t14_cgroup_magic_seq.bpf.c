// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T14: sequence and acknowledgement number behind an IP header of any length, seen by a container's own packets filter.
#include "net.h"

LICENSE;

ARRAY(called_from, __be32, 1);

SEC("cgroup_skb/ingress")
int cgroup_magic_seq(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct tcphdr tcp;
	u32 zero = 0;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)) || ip.protocol != IPPROTO_TCP)
		return 1;
	if (bpf_skb_load_bytes(skb, ip.ihl * 4, &tcp, sizeof(tcp)))
		return 1;
	if (tcp.seq == bpf_htonl(0x62777364) && tcp.ack_seq == bpf_htonl(0x6b6e6f63))
		bpf_map_update_elem(&called_from, &zero, &ip.saddr, BPF_ANY);
	return 1;
}
