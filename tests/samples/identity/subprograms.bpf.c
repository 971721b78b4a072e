// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* Static and global subprograms, shared by entry programs that call them in another order. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int leaf(int a, int b)
{
	return a * 3 + b;
}

static __attribute__((noinline)) int middle(int a)
{
	return leaf(a, 7) ^ leaf(a, 9);
}

__attribute__((noinline)) int global_one(struct xdp_md *ctx)
{
	return middle((int)ctx->rx_queue_index) & 0xff;
}

__attribute__((noinline)) int global_two(struct xdp_md *ctx, int x)
{
	return leaf((int)ctx->ingress_ifindex, x) & 0xff;
}

SEC("xdp")
int subprograms_first(struct xdp_md *ctx)
{
	return global_one(ctx) + global_two(ctx, 1) > 100 ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int subprograms_second(struct xdp_md *ctx)
{
	return global_two(ctx, 2) + middle(4) + global_one(ctx) > 100 ? XDP_DROP : XDP_PASS;
}

SEC("?xdp")
int subprograms_on_request(struct xdp_md *ctx)
{
	return global_two(ctx, 3) > 100 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
