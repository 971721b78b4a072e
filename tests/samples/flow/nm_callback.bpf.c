// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near miss in callbacks: the plaintext is in the caller's frame, the loop's context is another variable.
#include "sample.h"

LICENSE;

RINGBUF(out, 4096);
struct sum {
	u64 n, total;
	char text[32];
};

static long add(u32 i, void *ctx)
{
	struct sum *s = ctx;

	s->n++;
	s->total += i;
	return 0;
}

static long add_text(u32 i, void *ctx)
{
	struct sum *s = ctx;

	s->total += s->text[i & 31];
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(cb_counts, void *ssl, const void *buf)
{
	struct sum s = {};

	bpf_probe_read_user(s.text, sizeof(s.text), buf);
	bpf_loop(32, add, &s, 0);
	bpf_ringbuf_output(&out, &s, offsetof(struct sum, text), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(cb_sums, void *ssl, const void *buf)
{
	struct sum s = {};

	bpf_probe_read_user(s.text, sizeof(s.text), buf);
	bpf_loop(32, add_text, &s, 0);
	bpf_ringbuf_output(&out, &s, offsetof(struct sum, text), 0);
	return 0;
}
