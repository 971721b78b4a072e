// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: hands a queue's packets to an AF_XDP socket, the default program of that library.
#include "sample.h"

LICENSE;

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} xsks_map SEC(".maps");
int refcnt = 1;

SEC("xdp")
int xsk_def_prog(struct xdp_md *ctx)
{
	if (!refcnt)
		return XDP_PASS;
	return bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
}
