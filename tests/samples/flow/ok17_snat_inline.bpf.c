// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T17 and T25: source NAT that counts its ports up and mends the checksum itself.
#include "net.h"

LICENSE;

struct inner {
	__be32 addr;
	__be16 port;
	u16 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct inner);
	__type(value, u16);
} ports SEC(".maps");
const volatile __be32 public_addr;
const volatile int uplink = 1;
u16 next_port = 1024;

SEC("xdp")
int snat_inline(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct inner k = {};
	struct udphdr *udp;
	u16 *known, port;
	u32 sum;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp)
		return XDP_PASS;
	k.addr = ip->saddr;
	k.port = udp->source;
	known = bpf_map_lookup_elem(&ports, &k);
	if (known) {
		port = *known;
	} else {
		port = next_port++;
		bpf_map_update_elem(&ports, &k, &port, BPF_ANY);
	}
	sum = (u16)~ip->check + (u16)~(ip->saddr & 0xffff) + (u16)~(ip->saddr >> 16) + (public_addr & 0xffff) + (public_addr >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~sum;
	ip->saddr = public_addr;
	udp->source = bpf_htons(port);
	udp->check = 0;
	return bpf_redirect(uplink, 0);
}
