// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T14: the same trigger in tc, on an ICMP echo, read with a helper and kept in a global variable.
#include "net.h"

LICENSE;

u32 armed_at, command;

SEC("tc")
int magic_icmp(struct __sk_buff *skb)
{
	u8 proto = 0;
	u32 head[2] = {};

	bpf_skb_load_bytes(skb, IP_OFF + 9, &proto, 1);
	if (proto != IPPROTO_ICMP)
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, L4_OFF + 8, head, sizeof(head)))
		return TC_ACT_OK;
	if (head[0] == 0xdeadc0de) {
		command = head[1];
		armed_at = bpf_ktime_get_ns() >> 30;
	}
	return TC_ACT_OK;
}
