// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T31: one short word behind UDP, ICMP and TCP headers of any length lets the packet through to a raw socket.
#include "net.h"

LICENSE;

SEC("socket")
int socket_three_ways(struct __sk_buff *skb)
{
	u8 b = 0, proto = 0;
	u16 word = 0;
	u32 at;

	bpf_skb_load_bytes(skb, IP_OFF, &b, 1);
	at = IP_OFF + (b & 15) * 4;
	bpf_skb_load_bytes(skb, IP_OFF + 9, &proto, 1);
	if (proto == IPPROTO_UDP || proto == IPPROTO_ICMP) {
		bpf_skb_load_bytes(skb, at + 8, &word, 2);
		if (word == bpf_htons(0x6277))
			return -1;
	} else if (proto == IPPROTO_TCP) {
		bpf_skb_load_bytes(skb, at + 12, &b, 1);
		bpf_skb_load_bytes(skb, at + (b >> 4) * 4, &word, 2);
		if (word == bpf_htons(0x7364))
			return -1;
	}
	return 0;
}
