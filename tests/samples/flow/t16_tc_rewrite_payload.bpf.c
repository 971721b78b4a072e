// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T16: user space supplies bytes that replace the payload of outgoing packets; no header is touched, no checksum mended.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct message {
	u8 text[32];
};
ARRAY(outbox, struct message, 1);
const volatile __be16 cover_port = bpf_htons(80);

SEC("classifier")
int rewrite_payload(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct message *m = bpf_map_lookup_elem(&outbox, &zero);
	__be16 dport = 0;

	if (!m)
		return TC_ACT_OK;
	bpf_skb_load_bytes(skb, L4_OFF + 2, &dport, sizeof(dport));
	if (dport != cover_port)
		return TC_ACT_OK;
	if (sample_armed)
		bpf_skb_store_bytes(skb, TCP_PAYLOAD_OFF, m->text, sizeof(m->text), 0);
	return TC_ACT_OK;
}
