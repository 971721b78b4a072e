// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near misses: a read of length 0, an output of length 0, and a packet output whose flags ask for no packet bytes.
#include "sample.h"

LICENSE;

RINGBUF(out, 4096);
PERFBUF(pout);

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(read_nothing, void *ssl, const void *buf)
{
	char t[16] = {};
	u32 zero = 0;

	asm volatile("" : "+r"(t[0]));
	bpf_probe_read_user(t, zero, buf);
	bpf_ringbuf_output(&out, t, sizeof(t), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(put_nothing, void *ssl, const void *buf)
{
	char t[16] = {};

	bpf_probe_read_user(t, sizeof(t), buf);
	bpf_ringbuf_output(&out, t, 0, 0);
	return 0;
}

SEC("tc")
int no_packet_bytes(struct __sk_buff *skb)
{
	u32 len = skb->len;

	bpf_perf_event_output(skb, &pout, BPF_F_CURRENT_CPU, &len, sizeof(len));
	return 0;
}

SEC("tc")
int some_packet_bytes(struct __sk_buff *skb)
{
	u32 len = skb->len;

	bpf_perf_event_output(skb, &pout, BPF_F_CURRENT_CPU | 256ULL << 32, &len, sizeof(len));
	return 0;
}
