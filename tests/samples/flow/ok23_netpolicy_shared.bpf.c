// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T23: cgroup and tc programs of one container network share identity and policy maps.
#include "net.h"

LICENSE;

struct policy_key {
	u32 src, dst;
	__be16 port;
	u16 pad;
};
HASH(identities, __be32, u32, 16384);
HASH(policies, struct policy_key, u8, 16384);
HASH(sock_identity, u64, u32, 16384);

SEC("cgroup/connect4")
int policy_connect(struct bpf_sock_addr *ctx)
{
	u64 cookie = bpf_get_socket_cookie(ctx);
	__be32 daddr = ctx->user_ip4;
	u32 *id = bpf_map_lookup_elem(&identities, &daddr);

	if (id)
		bpf_map_update_elem(&sock_identity, &cookie, id, BPF_ANY);
	return 1;
}

SEC("tc")
int policy_ingress(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct policy_key k = {};
	struct tcphdr *tcp;
	u32 *src, *dst;
	__be32 a;
	u8 *allow;

	if (!ip)
		return TC_ACT_OK;
	tcp = tcp4(ip, end);
	if (!tcp)
		return TC_ACT_OK;
	k.port = tcp->dest;
	a = ip->saddr;
	src = bpf_map_lookup_elem(&identities, &a);
	k.src = src ? *src : 2;
	a = ip->daddr;
	dst = bpf_map_lookup_elem(&identities, &a);
	k.dst = dst ? *dst : 2;
	allow = bpf_map_lookup_elem(&policies, &k);
	return allow && *allow ? TC_ACT_OK : TC_ACT_SHOT;
}
