// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: a TCP congestion control as struct_ops.
#include "kernel_types.h"

LICENSE;

struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
};

SEC("struct_ops/simple_ssthresh")
u32 BPF_PROG(simple_ssthresh, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	return tp->snd_cwnd > 4 ? tp->snd_cwnd / 2 : 2;
}

SEC("struct_ops/simple_cong_avoid")
void BPF_PROG(simple_cong_avoid, struct sock *sk, u32 ack, u32 acked)
{
}

SEC("struct_ops/simple_undo_cwnd")
u32 BPF_PROG(simple_undo_cwnd, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC(".struct_ops")
struct tcp_congestion_ops simple_cc = {
	.ssthresh = (void *)simple_ssthresh,
	.cong_avoid = (void *)simple_cong_avoid,
	.undo_cwnd = (void *)simple_undo_cwnd,
	.name = "bw_simple",
};
