// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Dual-use shape: API visibility: the first bytes of HTTP messages in system call buffers, by method.
#include "sample.h"

LICENSE;

struct message {
	u32 pid, fd, len;
	char head[192];
};
RINGBUF(messages, 1 << 20);

SEC("tracepoint/syscalls/sys_enter_sendto")
int http_send(struct tp_enter *ctx)
{
	char m[8] = {};
	struct message *e;

	bpf_probe_read_user(m, sizeof(m), (void *)ctx->args[1]);
	if (!STARTS(m, "GET ") && !STARTS(m, "POST ") && !STARTS(m, "HTTP/"))
		return 0;
	e = bpf_ringbuf_reserve(&messages, sizeof(*e), 0);
	if (!e)
		return 0;
	e->pid = tgid();
	e->fd = ctx->args[0];
	e->len = ctx->args[2];
	bpf_probe_read_user(e->head, sizeof(e->head), (void *)ctx->args[1]);
	bpf_ringbuf_submit(e, 0);
	return 0;
}
