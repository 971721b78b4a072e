// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* What the loader finds out about the kernel lives in a map: the identity is the same on all. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool LINUX_HAS_BPF_COOKIE __kconfig __weak;

__u64 result;

SEC("socket")
int kconfig(struct __sk_buff *skb)
{
	if (LINUX_KERNEL_VERSION < (5 << 16))
		return 0;
	result = LINUX_HAS_BPF_COOKIE ? 1 : LINUX_KERNEL_VERSION;
	return (int)skb->len;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
