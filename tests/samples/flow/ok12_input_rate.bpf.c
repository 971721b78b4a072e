// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T12: counts input events per type for a power-saving daemon; codes and values are not kept.
#include "kernel_types.h"

LICENSE;

ARRAY(per_type, u64, 32);

SEC("kprobe/input_handle_event")
int BPF_KPROBE(input_count, struct input_dev *dev, unsigned int type)
{
	u64 *n;

	if (type > 31)
		return 0;
	n = bpf_map_lookup_elem(&per_type, &type);
	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}
