// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T15: a dispatcher that tail-calls chained programs of its own; metadata between them in XDP's meta area.
#include "net.h"

LICENSE;

PROG_ARRAY(chain, 10);
struct meta {
	u32 mark;
};
PERCPU(stage_count, u64);

SEC("xdp")
int dispatch(struct xdp_md *ctx)
{
	struct meta *m;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*m)))
		return XDP_PASS;
	m = (void *)(long)ctx->data_meta;
	if ((void *)(m + 1) > (void *)(long)ctx->data)
		return XDP_PASS;
	m->mark = ctx->rx_queue_index;
	bpf_tail_call(ctx, &chain, 0);
	return XDP_PASS;
}

SEC("xdp")
int stage_one(struct xdp_md *ctx)
{
	u32 zero = 0;
	u64 *n = bpf_map_lookup_elem(&stage_count, &zero);

	if (n)
		*n += 1;
	bpf_tail_call(ctx, &chain, 1);
	return XDP_PASS;
}
