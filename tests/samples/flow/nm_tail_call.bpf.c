// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near miss: a tail call hands over no stack and no registers but the context: what A read there, B does not put out.
#include "sample.h"

LICENSE;

PROG_ARRAY(next, 1);
RINGBUF(out, 4096);

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(tail_a, void *ssl, const void *buf)
{
	char t[64] = {};

	bpf_probe_read_user(t, sizeof(t), buf);
	if (t[0] == 'G')
		bpf_tail_call(ctx, &next, 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int tail_b(struct pt_regs *ctx)
{
	u64 t[8] = { bpf_ktime_get_ns() };

	bpf_ringbuf_output(&out, t, sizeof(t), 0);
	return 0;
}
