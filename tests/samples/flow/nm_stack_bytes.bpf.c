// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near misses on the stack: cleared, half cleared, put out too early, another field of the same structure.
#include "sample.h"

LICENSE;

RINGBUF(out, 4096);
struct rec {
	u64 when;
	char text[32];
	u64 who;
};

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(cleared, void *ssl, const void *buf)
{
	struct rec r = {};

	bpf_probe_read_user(r.text, sizeof(r.text), buf);
	__builtin_memset(r.text, 0, sizeof(r.text));
	bpf_ringbuf_output(&out, &r, sizeof(r), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(half_cleared_first, void *ssl, const void *buf)
{
	struct rec r = {};

	bpf_probe_read_user(r.text, sizeof(r.text), buf);
	__builtin_memset(r.text, 0, 16);
	bpf_ringbuf_output(&out, &r, offsetof(struct rec, text) + 16, 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(half_cleared_all, void *ssl, const void *buf)
{
	struct rec r = {};

	bpf_probe_read_user(r.text, sizeof(r.text), buf);
	__builtin_memset(r.text, 0, 16);
	bpf_ringbuf_output(&out, &r, sizeof(r), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(too_early, void *ssl, const void *buf)
{
	struct rec r = {};

	r.who = tgid();
	bpf_ringbuf_output(&out, &r, sizeof(r), 0);
	bpf_probe_read_user(r.text, sizeof(r.text), buf);
	return r.text[0] == 'G';
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(other_field, void *ssl, const void *buf)
{
	struct rec r = {};

	r.who = tgid();
	bpf_probe_read_user(r.text, sizeof(r.text), buf);
	bpf_ringbuf_output(&out, &r.who, sizeof(r.who), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(same_field, void *ssl, const void *buf)
{
	struct rec r = {};

	r.who = tgid();
	bpf_probe_read_user(r.text, sizeof(r.text), buf);
	bpf_ringbuf_output(&out, &r.text[31], 1, 0);
	return 0;
}
