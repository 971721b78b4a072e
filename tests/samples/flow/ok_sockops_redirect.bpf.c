// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: a sidecar's socket acceleration: sockops learns local connections, sk_msg redirects between them.
#include "net.h"

LICENSE;

struct skey {
	__be32 sip, dip;
	u32 sport, dport;
};
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65535);
	__type(key, struct skey);
	__type(value, u64);
} sock_ops_map SEC(".maps");

SEC("sockops")
int sockops_learn(struct bpf_sock_ops *ops)
{
	struct skey k = {};

	if (ops->family != 2)
		return 0;
	k.sip = ops->local_ip4;
	k.dip = ops->remote_ip4;
	k.sport = ops->local_port;
	k.dport = bpf_ntohl(ops->remote_port);
	if (ops->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB || ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		bpf_sock_hash_update(ops, &sock_ops_map, &k, BPF_NOEXIST);
	return 0;
}

SEC("sk_msg")
int msg_redirect(struct sk_msg_md *msg)
{
	struct skey k = {};

	k.sip = msg->remote_ip4;
	k.dip = msg->local_ip4;
	k.sport = bpf_ntohl(msg->remote_port);
	k.dport = msg->local_port;
	bpf_msg_redirect_hash(msg, &sock_ops_map, &k, BPF_F_INGRESS);
	return SK_PASS;
}
