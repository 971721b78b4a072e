// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T11: TLS session secrets: the line OpenSSL would write to a key log is copied out.
#include "sample.h"

LICENSE;

struct line {
	char label[32];
	u8 secret[48];
};
RINGBUF(keys, 1 << 14);

SEC("uprobe/libssl.so.3:ssl_log_secret")
int BPF_KPROBE(tls_secret, void *ssl, const char *label, const u8 *secret, size_t len)
{
	struct line *l = bpf_ringbuf_reserve(&keys, sizeof(*l), 0);

	if (!l)
		return 0;
	bpf_probe_read_user_str(l->label, sizeof(l->label), label);
	bpf_probe_read_user(l->secret, sizeof(l->secret), secret);
	bpf_ringbuf_submit(l, 0);
	return 0;
}
