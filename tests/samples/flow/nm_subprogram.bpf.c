// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near misses across calls: a subprogram that takes the data and returns something else; one that clears its caller's buffer.
#include "sample.h"

LICENSE;

RINGBUF(out, 4096);

static __noinline u64 ignores(const char *text)
{
	if (text[0] == 'G' && text[1] == 'E')
		asm volatile("");
	return bpf_ktime_get_ns();
}

static __noinline u64 uses(const char *text)
{
	return *(u64 *)text + 1;
}

static __noinline void wipes(char *text)
{
	*(u64 *)text = 0;
	*(u64 *)(text + 8) = 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(sub_ignores, void *ssl, const void *buf)
{
	char t[16] __attribute__((aligned(8))) = {};
	u64 v;

	bpf_probe_read_user(t, sizeof(t), buf);
	v = ignores(t);
	bpf_ringbuf_output(&out, &v, sizeof(v), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(sub_uses, void *ssl, const void *buf)
{
	char t[16] __attribute__((aligned(8))) = {};
	u64 v;

	bpf_probe_read_user(t, sizeof(t), buf);
	v = uses(t);
	bpf_ringbuf_output(&out, &v, sizeof(v), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(sub_wipes, void *ssl, const void *buf)
{
	char t[16] __attribute__((aligned(8))) = {};

	bpf_probe_read_user(t, sizeof(t), buf);
	wipes(t);
	bpf_ringbuf_output(&out, t, sizeof(t), 0);
	return 0;
}
