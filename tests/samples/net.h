/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packet headers and the bounds-checked steps over them that the network samples share. */
#ifndef SAMPLE_NET_H
#define SAMPLE_NET_H

#include "sample.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

struct dnshdr {
	__be16 id, flags, qdcount, ancount, nscount, arcount;
};

struct flow {
	__be32 saddr, daddr;
	__be16 sport, dport;
	u8 proto, pad[3];
};

/* The IPv4 header behind Ethernet, or NULL. Samples take packets without IP options, as simple tools do. */
static __always_inline struct iphdr *ipv4(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5)
		return NULL;
	return ip;
}

static __always_inline struct tcphdr *tcp4(struct iphdr *ip, void *end)
{
	struct tcphdr *tcp = (void *)(ip + 1);

	if (ip->protocol != IPPROTO_TCP || (void *)(tcp + 1) > end)
		return NULL;
	return tcp;
}

static __always_inline struct udphdr *udp4(struct iphdr *ip, void *end)
{
	struct udphdr *udp = (void *)(ip + 1);

	if (ip->protocol != IPPROTO_UDP || (void *)(udp + 1) > end)
		return NULL;
	return udp;
}

#define IP_OFF sizeof(struct ethhdr)
#define L4_OFF (sizeof(struct ethhdr) + sizeof(struct iphdr))
#define UDP_PAYLOAD_OFF (L4_OFF + sizeof(struct udphdr))
#define TCP_PAYLOAD_OFF (L4_OFF + sizeof(struct tcphdr))

#endif
