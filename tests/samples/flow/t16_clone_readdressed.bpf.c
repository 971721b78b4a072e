// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T16: copies of one service's packets get another destination address.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

const volatile u32 collector;

SEC("tc")
int clone_readdressed(struct __sk_buff *skb)
{
	u32 to = collector;
	u16 port = 0;

	if (bpf_skb_load_bytes(skb, 34, &port, sizeof(port)) || port != bpf_htons(5432) || !sample_armed)
		return TC_ACT_OK;
	bpf_clone_redirect(skb, skb->ifindex, 0);
	bpf_skb_store_bytes(skb, 30, &to, sizeof(to), 0);
	bpf_l3_csum_replace(skb, 24, 0, to, sizeof(to));
	return TC_ACT_OK;
}
