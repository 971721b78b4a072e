// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: block I/O latency, keyed by the request's address, which never leaves but as a key.
#include "kernel_types.h"

LICENSE;

HASH(issued, u64, u64, 10240);
HASH(bio_hist, u32, u64, 64);

SEC("raw_tp/block_rq_issue")
int rq_issue(struct bpf_raw_tracepoint_args *ctx)
{
	u64 rq = ctx->args[0], now = bpf_ktime_get_ns();

	bpf_map_update_elem(&issued, &rq, &now, BPF_ANY);
	return 0;
}

SEC("raw_tp/block_rq_complete")
int rq_complete(struct bpf_raw_tracepoint_args *ctx)
{
	u64 rq = ctx->args[0], *t0 = bpf_map_lookup_elem(&issued, &rq), one = 1, *n;
	u32 slot;

	if (!t0)
		return 0;
	slot = (bpf_ktime_get_ns() - *t0) >> 20;
	n = bpf_map_lookup_elem(&bio_hist, &slot);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&bio_hist, &slot, &one, BPF_NOEXIST);
	bpf_map_delete_elem(&issued, &rq);
	return 0;
}
