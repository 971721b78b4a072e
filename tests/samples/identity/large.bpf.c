// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* A program of 4,000 instructions: hashing has to go over many blocks. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("socket")
int large(struct __sk_buff *skb)
{
	__u64 x = skb->len;

	asm volatile(".rept 1332\n"
		     "%0 *= 31\n"
		     "%0 += 17\n"
		     "%0 ^= 255\n"
		     ".endr\n"
		     "%0 += 1\n"
		     "%0 += 2\n"
		     : "+r"(x));
	return (int)x;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
