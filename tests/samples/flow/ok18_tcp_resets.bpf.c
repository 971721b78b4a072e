// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T18: reports received resets with both ends, for an operations dashboard.
#include "sample.h"

LICENSE;

struct reset {
	u64 common;
	const void *skaddr;
	u16 sport, dport, family;
	u8 saddr[4], daddr[4];
};
struct event {
	u16 sport, dport;
	u8 saddr[4], daddr[4];
};
RINGBUF(resets, 1 << 14);

SEC("tracepoint/tcp/tcp_receive_reset")
int tcp_reset(struct reset *ctx)
{
	struct event *e = bpf_ringbuf_reserve(&resets, sizeof(*e), 0);

	if (!e)
		return 0;
	e->sport = ctx->sport;
	e->dport = ctx->dport;
	__builtin_memcpy(e->saddr, ctx->saddr, 4);
	__builtin_memcpy(e->daddr, ctx->daddr, 4);
	bpf_ringbuf_submit(e, 0);
	return 0;
}
