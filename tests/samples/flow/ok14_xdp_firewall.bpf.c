// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T14: a firewall in XDP: keys are flow tuples, prefixes and ports that user space configures; it drops.
#include "net.h"

LICENSE;

struct lpm_key {
	u32 prefixlen;
	__be32 addr;
};
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lpm_key);
	__type(value, u64);
} blocked_nets SEC(".maps");
HASH(blocked_ports, u16, u64, 1024);
PERCPU(counters, u64);

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct lpm_key k = { .prefixlen = 32 };
	struct tcphdr *tcp;
	u32 zero = 0;
	u64 *n;
	u16 port;

	if (!ip)
		return XDP_PASS;
	k.addr = ip->saddr;
	n = bpf_map_lookup_elem(&blocked_nets, &k);
	if (n) {
		__sync_fetch_and_add(n, 1);
		return XDP_DROP;
	}
	tcp = tcp4(ip, end);
	if (!tcp)
		return XDP_PASS;
	port = bpf_ntohs(tcp->dest);
	n = bpf_map_lookup_elem(&blocked_ports, &port);
	if (n && tcp->syn) {
		__sync_fetch_and_add(n, 1);
		return XDP_DROP;
	}
	n = bpf_map_lookup_elem(&counters, &zero);
	if (n)
		*n += 1;
	return XDP_PASS;
}
