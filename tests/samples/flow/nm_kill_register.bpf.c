// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near miss: the value is destroyed in the register (xor with itself, and zero, times zero) before it is put out.
#include "sample.h"

LICENSE;

RINGBUF(out, 4096);

static __always_inline u64 word(const void *p)
{
	u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), p);
	return v;
}

static __always_inline int put(u64 v)
{
	return bpf_ringbuf_output(&out, &v, sizeof(v), 0);
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(xor_self, void *ssl, const void *buf)
{
	u64 v = word(buf);

	asm volatile("%0 ^= %0" : "+r"(v));
	return put(v) < 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(and_zero, void *ssl, const void *buf)
{
	u64 v = word(buf);

	asm volatile("%0 &= 0" : "+r"(v));
	return put(v) < 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(times_zero, void *ssl, const void *buf)
{
	u64 v = word(buf);

	asm volatile("%0 *= 0" : "+r"(v));
	return put(v) < 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(sub_self, void *ssl, const void *buf)
{
	u64 v = word(buf);

	asm volatile("%0 -= %0" : "+r"(v));
	return put(v) < 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(xor_other, void *ssl, const void *buf)
{
	u64 v = word(buf), k = bpf_ktime_get_ns();

	asm volatile("%0 ^= %1" : "+r"(v) : "r"(k));
	return put(v) < 0;
}
