// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: steers a range of ports to one listening socket.
#include "sample.h"

LICENSE;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} target SEC(".maps");
const volatile u16 port_low = 7000, port_high = 7999;

SEC("sk_lookup")
int steer(struct bpf_sk_lookup *ctx)
{
	struct bpf_sock *sk;
	u32 zero = 0;
	long err;

	if (ctx->local_port < port_low || ctx->local_port > port_high)
		return SK_PASS;
	sk = bpf_map_lookup_elem(&target, &zero);
	if (!sk)
		return SK_PASS;
	err = bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return err ? SK_DROP : SK_PASS;
}
