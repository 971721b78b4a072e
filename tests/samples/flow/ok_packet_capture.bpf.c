// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Dual-use shape: a packet capture tool in XDP: whole packets to a perf buffer by the helper's flags.
#include "sample.h"

LICENSE;

struct meta {
	u32 ifindex, len, caplen, action;
};
PERFBUF(capture_ring);
const volatile u32 snaplen = 65535;

SEC("xdp")
int capture(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct meta m = {};
	u64 len = end - data;

	m.ifindex = ctx->ingress_ifindex;
	m.len = len;
	if (len > snaplen)
		len = snaplen;
	m.caplen = len;
	bpf_perf_event_output(ctx, &capture_ring, (len << 32) | BPF_F_CURRENT_CPU, &m, sizeof(m));
	return XDP_PASS;
}
