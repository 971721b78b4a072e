// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near misses: a length, a yes or no, a count: nothing of the data itself. A checksum is data: that is a (derived) flow.
#include "net.h"

LICENSE;

RINGBUF(out, 4096);
u64 matches;

SEC("uretprobe/libssl.so.3:SSL_read")
int BPF_KRETPROBE(length_only, int ret)
{
	u32 n = ret;

	bpf_ringbuf_output(&out, &n, sizeof(n), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(yes_or_no, void *ssl, const void *buf)
{
	char t[16] = {};
	u8 yes = 0;

	bpf_probe_read_user(t, sizeof(t), buf);
	if (STARTS(t, "POST "))
		yes = 1;
	asm volatile("" : "+r"(yes));
	bpf_ringbuf_output(&out, &yes, sizeof(yes), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(count_only, void *ssl, const void *buf)
{
	char t[16] = {};

	bpf_probe_read_user(t, sizeof(t), buf);
	if (STARTS(t, "POST "))
		__sync_fetch_and_add(&matches, 1);
	return 0;
}

SEC("tc")
int checksum(struct __sk_buff *skb)
{
	__be32 t[4] = {};
	s64 sum;

	if (bpf_skb_load_bytes(skb, UDP_PAYLOAD_OFF, t, sizeof(t)))
		return 0;
	sum = bpf_csum_diff(NULL, 0, t, sizeof(t), 0);
	bpf_ringbuf_output(&out, &sum, sizeof(sum), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(string_length, void *ssl, const void *buf)
{
	char t[64];
	s32 n = bpf_probe_read_user_str(t, sizeof(t), buf);

	bpf_ringbuf_output(&out, &n, sizeof(n), 0);
	return 0;
}
