// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T31: the same with direct packet words (LD_ABS and LD_IND), as filters translated from classic BPF have them.
#include "net.h"

LICENSE;

unsigned long long load_byte(void *skb, unsigned long long off) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long off) asm("llvm.bpf.load.half");
unsigned long long load_word(void *skb, unsigned long long off) asm("llvm.bpf.load.word");

SEC("socket")
int socket_direct(struct __sk_buff *skb)
{
	u64 ihl = (load_byte(skb, IP_OFF) & 15) << 2;

	if (load_half(skb, 12) != ETH_P_IP || load_byte(skb, IP_OFF + 9) != IPPROTO_UDP)
		return 0;
	if (load_half(skb, IP_OFF + ihl + 8) != 0x7255)
		return 0;
	if (load_word(skb, IP_OFF + ihl + 10) != 0x62776d67)
		return 0;
	return -1;
}
