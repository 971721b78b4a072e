// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T16: a container network: service address translation in tc, header fields only, both checksums mended.
#include "net.h"

LICENSE;

struct svc {
	__be32 vip;
	__be16 port;
	u16 pad;
};
struct ep {
	__be32 addr;
	__be16 port;
	u16 ifindex;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct svc);
	__type(value, struct ep);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} cni_services SEC(".maps");

#define CSUM_OFF (L4_OFF + offsetof(struct tcphdr, check))
#define IPCSUM_OFF (IP_OFF + offsetof(struct iphdr, check))

SEC("tc")
int cni_egress(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	struct svc k = {};
	struct ep *ep;
	__be32 old;
	__be16 oldport;

	if (!ip)
		return TC_ACT_OK;
	tcp = tcp4(ip, end);
	if (!tcp)
		return TC_ACT_OK;
	k.vip = old = ip->daddr;
	k.port = oldport = tcp->dest;
	ep = bpf_map_lookup_elem(&cni_services, &k);
	if (!ep)
		return TC_ACT_OK;
	bpf_l4_csum_replace(skb, CSUM_OFF, old, ep->addr, BPF_F_PSEUDO_HDR | sizeof(old));
	bpf_l4_csum_replace(skb, CSUM_OFF, oldport, ep->port, sizeof(oldport));
	bpf_l3_csum_replace(skb, IPCSUM_OFF, old, ep->addr, sizeof(old));
	bpf_skb_store_bytes(skb, IP_OFF + offsetof(struct iphdr, daddr), &ep->addr, sizeof(ep->addr), 0);
	bpf_skb_store_bytes(skb, L4_OFF + offsetof(struct tcphdr, dest), &ep->port, sizeof(ep->port), 0);
	return bpf_redirect(ep->ifindex, 0);
}
