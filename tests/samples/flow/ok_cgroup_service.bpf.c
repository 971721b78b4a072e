// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: a service's address is replaced by one of its backends, from a map; the answer of a resolver gets its name back.
#include "sample.h"

LICENSE;

struct address {
	u32 ip, port;
};
HASH(backends, struct address, struct address, 4096);
HASH(services, struct address, struct address, 4096);

SEC("cgroup/connect4")
int service_connect(struct bpf_sock_addr *ctx)
{
	struct address key = { ctx->user_ip4, ctx->user_port }, *to = bpf_map_lookup_elem(&backends, &key);

	if (to) {
		ctx->user_ip4 = to->ip;
		ctx->user_port = to->port;
	}
	return 1;
}

SEC("cgroup/recvmsg4")
int service_answer(struct bpf_sock_addr *ctx)
{
	struct address key = { ctx->user_ip4, ctx->user_port }, *from = bpf_map_lookup_elem(&services, &key);

	if (from) {
		ctx->user_ip4 = from->ip;
		ctx->user_port = from->port;
	}
	return 1;
}
