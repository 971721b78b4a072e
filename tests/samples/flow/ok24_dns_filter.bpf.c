// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T24: names on a configured list are not resolved: the question is dropped, nothing is rewritten.
#include "net.h"

LICENSE;

struct qname {
	char n[32];
};
HASH(blocked_names, struct qname, u64, 8192);

SEC("xdp")
int dns_filter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct udphdr *udp;
	struct qname q = {};
	char *name;
	u64 *n;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp || udp->dest != bpf_htons(53))
		return XDP_PASS;
	name = (char *)(udp + 1) + sizeof(struct dnshdr);
	for (int i = 0; i < 32; i++) {
		if ((void *)(name + i + 1) > end || !name[i])
			break;
		q.n[i] = name[i];
	}
	n = bpf_map_lookup_elem(&blocked_names, &q);
	if (n) {
		__sync_fetch_and_add(n, 1);
		return XDP_DROP;
	}
	return XDP_PASS;
}
