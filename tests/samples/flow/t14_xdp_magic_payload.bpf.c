// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T14: a UDP payload that starts with a literal wakes the user-space part through a ring buffer; always XDP_PASS.
#include "net.h"

LICENSE;

struct wake {
	__be32 from;
	u8 command[16];
};
RINGBUF(wakeups, 4096);

SEC("xdp")
int magic_payload(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct udphdr *udp;
	struct wake *w;
	u8 *p;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp)
		return XDP_PASS;
	p = (void *)(udp + 1);
	if ((void *)(p + 24) > end)
		return XDP_PASS;
	if (!STARTS((char *)p, "BWSAMPLE"))
		return XDP_PASS;
	w = bpf_ringbuf_reserve(&wakeups, sizeof(*w), 0);
	if (!w)
		return XDP_PASS;
	w->from = ip->saddr;
	__builtin_memcpy(w->command, p + 8, sizeof(w->command));
	bpf_ringbuf_submit(w, 0);
	return XDP_PASS;
}
