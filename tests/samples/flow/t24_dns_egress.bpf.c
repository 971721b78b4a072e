// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T24: the other half: the name in outgoing questions is replaced in tc.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct qname {
	char n[16];
};
HASH(rename_to, struct qname, struct qname, 64);

SEC("tc")
int dns_egress(struct __sk_buff *skb)
{
	struct qname q = {}, *to;
	__be16 dport = 0;

	bpf_skb_load_bytes(skb, L4_OFF + 2, &dport, sizeof(dport));
	if (dport != bpf_htons(53))
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, UDP_PAYLOAD_OFF + sizeof(struct dnshdr), &q, sizeof(q)))
		return TC_ACT_OK;
	to = bpf_map_lookup_elem(&rename_to, &q);
	if (to && sample_armed)
		bpf_skb_store_bytes(skb, UDP_PAYLOAD_OFF + sizeof(struct dnshdr), to, sizeof(*to), 0);
	return TC_ACT_OK;
}
