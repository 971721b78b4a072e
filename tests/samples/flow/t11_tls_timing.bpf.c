// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T11: a bit of the plaintext at a time leaves by what packets are delayed: nothing is written anywhere.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

ARRAY(bits, u64, 1);

SEC("uprobe/libssl.so.3:SSL_read")
int BPF_KPROBE(timing_take, void *ssl, void *buf)
{
	u32 zero = 0;
	u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), buf);
	bpf_map_update_elem(&bits, &zero, &v, BPF_ANY);
	return 0;
}

static long idle(u32 i, void *ctx)
{
	return 0;
}

SEC("tc")
int timing_show(struct __sk_buff *skb)
{
	u32 zero = 0;
	u64 *v = bpf_map_lookup_elem(&bits, &zero);

	if (v && *v & 1 && sample_armed)
		bpf_loop(1 << 16, idle, NULL, 0);
	return TC_ACT_OK;
}
