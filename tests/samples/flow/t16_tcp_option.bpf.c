// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T16: what a probe read from a TLS library leaves as TCP options of the host's own connections.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct word {
	u8 kind, len, data[14];
};
ARRAY(words, struct word, 1);

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(option_take, void *ssl, const void *buf)
{
	u32 zero = 0;
	struct word *w = bpf_map_lookup_elem(&words, &zero);

	if (!w)
		return 0;
	w->kind = 253;
	w->len = sizeof(*w);
	bpf_probe_read_user(w->data, sizeof(w->data), buf);
	return 0;
}

SEC("sockops")
int option_send(struct bpf_sock_ops *ops)
{
	u32 zero = 0;
	struct word *w = bpf_map_lookup_elem(&words, &zero);

	if (!w || !sample_armed)
		return 1;
	if (ops->op == BPF_SOCK_OPS_HDR_OPT_LEN_CB)
		bpf_reserve_hdr_opt(ops, sizeof(*w), 0);
	else if (ops->op == BPF_SOCK_OPS_WRITE_HDR_OPT_CB)
		bpf_store_hdr_opt(ops, w, sizeof(*w), 0);
	return 1;
}
