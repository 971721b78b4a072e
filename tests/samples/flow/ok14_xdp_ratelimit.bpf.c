// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T14: a rate limiter in XDP, one bucket per source address; writes a map for a packet field and drops.
#include "net.h"

LICENSE;

struct bucket {
	u64 last, tokens;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __be32);
	__type(value, struct bucket);
} buckets SEC(".maps");
const volatile u64 rate_pps = 1000;

SEC("xdp")
int rate_limit(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct bucket *b, fresh = {};
	u64 now = bpf_ktime_get_ns();
	__be32 saddr;

	if (!ip)
		return XDP_PASS;
	saddr = ip->saddr;
	b = bpf_map_lookup_elem(&buckets, &saddr);
	if (!b) {
		fresh.last = now;
		fresh.tokens = rate_pps;
		bpf_map_update_elem(&buckets, &saddr, &fresh, BPF_NOEXIST);
		return XDP_PASS;
	}
	if (now - b->last > 1000000000ULL) {
		b->last = now;
		b->tokens = rate_pps;
	}
	if (!b->tokens)
		return XDP_DROP;
	b->tokens--;
	return XDP_PASS;
}
