// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the object reader's golden test: struct_ops. clang 14. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct sock;
struct tcp_congestion_ops {
	unsigned int (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, unsigned int ack, unsigned int acked);
	void (*init)(struct sock *sk);
	char name[16];
	void *owner;
};

SEC("struct_ops/golden_ssthresh")
unsigned int golden_ssthresh(unsigned long long *ctx)
{
	return 2;
}

SEC("struct_ops.s/golden_init")
void golden_init(unsigned long long *ctx)
{
}

SEC(".struct_ops")
struct tcp_congestion_ops golden = {
	.ssthresh = (void *)golden_ssthresh,
	.init = (void *)golden_init,
	.name = "golden",
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops golden_link = {
	.ssthresh = (void *)golden_ssthresh,
	.name = "golden_link",
};

char LICENSE[] SEC("license") = "GPL";
