// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T31: a capture filter, "udp port 67 or 68", fixed header fields, the whole packet is accepted.
#include "net.h"

LICENSE;

unsigned long long load_byte(void *skb, unsigned long long off) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long off) asm("llvm.bpf.load.half");

SEC("socket")
int sock_capture(struct __sk_buff *skb)
{
	u64 ihl, port;

	if (load_half(skb, 12) != ETH_P_IP || load_byte(skb, IP_OFF + 9) != IPPROTO_UDP)
		return 0;
	if (load_half(skb, IP_OFF + 6) & 0x1fff)
		return 0;
	ihl = (load_byte(skb, IP_OFF) & 15) << 2;
	port = load_half(skb, IP_OFF + ihl + 2);
	if (port != 67 && port != 68)
		return 0;
	return 262144;
}
