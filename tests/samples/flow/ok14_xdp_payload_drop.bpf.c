// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T14: an attack signature in UDP payloads is dropped and counted: a literal is compared, then DROP.
#include "net.h"

LICENSE;

u64 dropped;

SEC("xdp")
int payload_drop(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct udphdr *udp;
	u32 *p;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp || udp->source != bpf_htons(11211))
		return XDP_PASS;
	p = (void *)(udp + 1);
	if ((void *)(p + 2) > end)
		return XDP_PASS;
	if (p[1] == bpf_htonl(0x00010000)) {
		__sync_fetch_and_add(&dropped, 1);
		return XDP_DROP;
	}
	return XDP_PASS;
}
