// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* Values from the kernel's config, which a loader needs a file for: they live in a map, the identity is the same. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_NO_SUCH_OPTION __kconfig __weak;
extern unsigned long CONFIG_HZ __kconfig __weak;

__u64 result;

SEC("socket")
int config(struct __sk_buff *skb)
{
	if (LINUX_KERNEL_VERSION < (5 << 16))
		return 0;
	result = CONFIG_NO_SUCH_OPTION ? 1 : CONFIG_HZ;
	return (int)skb->len;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
