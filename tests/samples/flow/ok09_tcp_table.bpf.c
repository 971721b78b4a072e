// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T09: dumps the TCP socket table through an iterator.
#include "kernel_types.h"

LICENSE;

struct row {
	u32 saddr, daddr;
	u16 sport, dport;
	u32 uid;
};

SEC("iter/tcp")
int dump_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct row r = {};

	if (!sk)
		return 0;
	r.saddr = sk->skc_rcv_saddr;
	r.daddr = sk->skc_daddr;
	r.sport = sk->skc_num;
	r.dport = bpf_ntohs(sk->skc_dport);
	r.uid = ctx->uid;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
