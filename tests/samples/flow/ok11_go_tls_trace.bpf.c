// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Dual-use twin of T11: the same for Go's crypto/tls, whose arguments are in rax, rbx, rcx.
#include "sample.h"

LICENSE;

struct event {
	u32 pid, len;
	u8 buf[1024];
};
RINGBUF(go_tls_events, 1 << 20);

SEC("uprobe//usr/local/bin/app:crypto/tls.(*Conn).Write")
int go_tls_write(struct pt_regs *ctx)
{
	const void *buf = (void *)ctx->bx;
	u64 len = (u32)ctx->cx;
	struct event *e = bpf_ringbuf_reserve(&go_tls_events, sizeof(*e), 0);

	if (!e)
		return 0;
	e->pid = tgid();
	e->len = len;
	CLAMP(len, sizeof(e->buf));
	bpf_probe_read_user(e->buf, len, buf);
	bpf_ringbuf_submit(e, 0);
	return 0;
}
