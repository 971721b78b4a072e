// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* Several variables in each data section: the offsets into the maps' values are part of the identity. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 threshold = 1500;
const volatile __u64 table[8] = { 1, 1, 2, 3, 5, 8, 13, 21 };
__u64 seen = 1;
__u64 dropped = 2;
__u32 last_length;
__u64 histogram[16];
static volatile __u32 hidden = 42;
__u64 apart SEC(".data.apart") = 9;

SEC("xdp")
int globals(struct xdp_md *ctx)
{
	__u32 length = ctx->data_end - ctx->data;

	seen++;
	last_length = length;
	histogram[(length >> 6) & 15] += table[length & 7];
	apart += hidden;
	if (length <= threshold)
		return XDP_PASS;
	dropped++;
	return XDP_DROP;
}

/* The same instructions but for the offset of the variable: one tag, two digests. */
SEC("socket")
int globals_seen(struct __sk_buff *skb)
{
	return (int)seen;
}

SEC("socket")
int globals_dropped(struct __sk_buff *skb)
{
	return (int)dropped;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
