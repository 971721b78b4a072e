// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* A program array, filled by the loader with programs of the same object. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int tail_drop(struct xdp_md *ctx);
int tail_pass(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *ctx));
} programs SEC(".maps") = {
	.values = {
		[0] = &tail_pass,
		[2] = &tail_drop,
	},
};

SEC("xdp")
int tail_drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int tail_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int tail_entry(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &programs, ctx->rx_queue_index & 3);
	return XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
