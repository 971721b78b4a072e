// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: byte and packet counters per cgroup, as a service manager's IP accounting does.
#include "sample.h"

LICENSE;

struct counter {
	u64 packets, bytes;
};
HASH(accounting, u64, struct counter, 1024);

static __always_inline int account(struct __sk_buff *skb, u64 dir)
{
	u64 k = bpf_skb_cgroup_id(skb) << 1 | dir;
	struct counter fresh = { 1, skb->len }, *c = bpf_map_lookup_elem(&accounting, &k);

	if (!c) {
		bpf_map_update_elem(&accounting, &k, &fresh, BPF_NOEXIST);
	} else {
		__sync_fetch_and_add(&c->packets, 1);
		__sync_fetch_and_add(&c->bytes, skb->len);
	}
	return 1;
}

SEC("cgroup_skb/egress")
int egress_count(struct __sk_buff *skb)
{
	return account(skb, 1);
}

SEC("cgroup_skb/ingress")
int ingress_count(struct __sk_buff *skb)
{
	return account(skb, 0);
}
