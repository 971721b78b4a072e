// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T25: one marked packet is cloned to one host of a network after another.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

u32 host;

SEC("tc")
int clone_hosts(struct __sk_buff *skb)
{
	u32 from = host;

	if (skb->mark != 0x51 || !sample_armed)
		return TC_ACT_OK;
	for (u32 i = 0; i < 8; i++) {
		__be32 to = bpf_htonl(0x0a000000 + from + i);

		bpf_skb_store_bytes(skb, IP_OFF + 16, &to, sizeof(to), 0);
		bpf_clone_redirect(skb, skb->ifindex, 0);
	}
	host = from + 8;
	return TC_ACT_SHOT;
}
