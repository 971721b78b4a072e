// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: which ports a unit may bind, from rules in a map.
#include "sample.h"

LICENSE;

HASH(allowed_ports, u32, u8, 128);

SEC("cgroup/bind4")
int bind_policy(struct bpf_sock_addr *ctx)
{
	u32 port = bpf_ntohs(ctx->user_port);

	return bpf_map_lookup_elem(&allowed_ports, &port) ? 1 : 0;
}

SEC("cgroup/sysctl")
int sysctl_policy(struct bpf_sysctl *ctx)
{
	return ctx->write ? 0 : 1;
}
