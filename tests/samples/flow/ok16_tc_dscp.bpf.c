// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T16: marks the DSCP of traffic by cgroup class and mends the IP checksum.
#include "net.h"

LICENSE;

HASH(class_dscp, u32, u8, 256);

SEC("tc")
int set_dscp(struct __sk_buff *skb)
{
	u32 class = bpf_get_cgroup_classid(skb);
	u8 *dscp = bpf_map_lookup_elem(&class_dscp, &class), old = 0, new;

	if (!dscp || bpf_skb_load_bytes(skb, IP_OFF + 1, &old, 1))
		return TC_ACT_OK;
	new = (old & 3) | (*dscp << 2);
	bpf_l3_csum_replace(skb, IP_OFF + offsetof(struct iphdr, check), bpf_htons(old), bpf_htons(new), 2);
	bpf_skb_store_bytes(skb, IP_OFF + 1, &new, 1, 0);
	return TC_ACT_OK;
}
