// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T15: a load balancer that encapsulates IP in IP and sends out again; stages by tail call.
#include "net.h"

LICENSE;

struct backend {
	__be32 addr, local;
	u8 mac[ETH_ALEN];
	u16 pad;
};
struct vip {
	__be32 addr;
	__be16 port;
	u16 proto;
};
HASH(vips, struct vip, u32, 512);
ARRAY(backends, struct backend, 4096);
PROG_ARRAY(lb_stages, 4);

SEC("xdp")
int lb_entry(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);

	if (!ip)
		return XDP_PASS;
	if (ip->protocol == IPPROTO_TCP)
		bpf_tail_call(ctx, &lb_stages, 1);
	return XDP_PASS;
}

static __always_inline u16 csum_fold(u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

SEC("xdp")
int lb_tcp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end), *outer;
	struct ethhdr *eth, old;
	struct backend *b;
	struct tcphdr *tcp;
	struct vip v = {};
	u32 idx, *base;
	u16 len;

	if (!ip)
		return XDP_PASS;
	tcp = tcp4(ip, end);
	if (!tcp)
		return XDP_PASS;
	v.addr = ip->daddr;
	v.port = tcp->dest;
	v.proto = IPPROTO_TCP;
	base = bpf_map_lookup_elem(&vips, &v);
	if (!base)
		return XDP_PASS;
	idx = *base + ((ip->saddr ^ tcp->source) & 15);
	b = bpf_map_lookup_elem(&backends, &idx);
	if (!b)
		return XDP_DROP;
	len = bpf_ntohs(ip->tot_len) + sizeof(*outer);
	__builtin_memcpy(&old, data, sizeof(old));
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*outer)))
		return XDP_DROP;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	eth = data;
	outer = (void *)(eth + 1);
	if ((void *)(outer + 1) > end)
		return XDP_DROP;
	__builtin_memcpy(eth->h_source, old.h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, b->mac, ETH_ALEN);
	eth->h_proto = bpf_htons(ETH_P_IP);
	__builtin_memset(outer, 0, sizeof(*outer));
	outer->version = 4;
	outer->ihl = 5;
	outer->ttl = 64;
	outer->protocol = IPPROTO_IPIP;
	outer->tot_len = bpf_htons(len);
	outer->saddr = b->local;
	outer->daddr = b->addr;
	outer->check = csum_fold(bpf_csum_diff(NULL, 0, (void *)outer, sizeof(*outer), 0));
	return XDP_TX;
}
