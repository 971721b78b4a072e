// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T18: a histogram of TCP round-trip times per port, from the kernel's own tracepoint.
#include "kernel_types.h"

LICENSE;

struct hist {
	u64 slots[28];
};
HASH(rtt, u16, struct hist, 1024);
static const struct hist none;

SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(tcp_rtt, struct sock *sk)
{
	u16 port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	u32 srtt = BPF_CORE_READ((struct tcp_sock *)sk, srtt_us) >> 3, slot = 0;
	struct hist *h = bpf_map_lookup_elem(&rtt, &port);

	if (!h) {
		bpf_map_update_elem(&rtt, &port, &none, BPF_NOEXIST);
		h = bpf_map_lookup_elem(&rtt, &port);
		if (!h)
			return 0;
	}
	for (int i = 0; i < 27; i++)
		slot += (srtt >> i) > 1;
	if (slot < 28)
		__sync_fetch_and_add(&h->slots[slot], 1);
	return 0;
}
