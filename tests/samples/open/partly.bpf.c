// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* One program that no kernel can load beside one that can; a program for a program; one whose section says nothing. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("lsm/no_such_hook")
int unloadable(void *ctx)
{
	return 0;
}

SEC("xdp")
int loadable(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("freplace/some_function")
int replacement(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("my_own_section")
int untyped(void *ctx)
{
	return 3;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
