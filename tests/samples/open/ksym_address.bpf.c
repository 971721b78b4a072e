// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* Has no identity before it is loaded: the loader writes the address of a kernel symbol into the instructions. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern const void jiffies_64 __ksym;

__u64 where;

SEC("socket")
int with_address(struct __sk_buff *skb)
{
	where = (__u64)&jiffies_64;
	return 0;
}

SEC("socket")
int without_address(struct __sk_buff *skb)
{
	return (int)skb->len;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
