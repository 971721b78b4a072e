// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T31: a socket filter that only counts bytes per protocol and drops its own copies.
#include "net.h"

LICENSE;

ARRAY(proto_bytes, u64, 256);

SEC("socket")
int sock_stats(struct __sk_buff *skb)
{
	u32 proto = 0;
	u8 p = 0;
	u64 *n;

	bpf_skb_load_bytes(skb, IP_OFF + 9, &p, 1);
	proto = p;
	n = bpf_map_lookup_elem(&proto_bytes, &proto);
	if (n)
		__sync_fetch_and_add(n, skb->len);
	return 0;
}
