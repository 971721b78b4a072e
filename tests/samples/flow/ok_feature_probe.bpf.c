// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: what loaders load to learn what a kernel can do.
#include "sample.h"

LICENSE;

SEC("socket")
int probe_trivial(void *ctx)
{
	return 0;
}

SEC("kprobe/sys_probe")
int probe_helper(void *ctx)
{
	return bpf_ktime_get_ns() & 1;
}
