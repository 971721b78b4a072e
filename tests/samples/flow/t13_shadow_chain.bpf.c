// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13: what is read from one file, found by its name two programs earlier; the name is compared by a function of its own.
#include "sample.h"

LICENSE;

HASH(open_fd, u64, u32, 64);
HASH(read_to, u64, u64, 64);
RINGBUF(taken, 4096);

static __noinline int is_shadow(const char *name)
{
	char b[16] = {};

	bpf_probe_read_user_str(b, sizeof(b), name);
	return IS(b, "/etc/shadow") ? 1 : 0;
}

SEC("tracepoint/syscalls/sys_enter_openat")
int chain_open(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 none = -1;

	if (is_shadow((const char *)ctx->args[1]))
		bpf_map_update_elem(&open_fd, &id, &none, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_openat")
int chain_opened(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 *fd = bpf_map_lookup_elem(&open_fd, &id);

	if (fd)
		*fd = ctx->ret;
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_read")
int chain_read(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), to = ctx->args[1];
	u32 *fd = bpf_map_lookup_elem(&open_fd, &id);

	if (fd && *fd == (u32)ctx->args[0])
		bpf_map_update_elem(&read_to, &id, &to, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_read")
int chain_done(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *to = bpf_map_lookup_elem(&read_to, &id);
	char *out;

	if (!to)
		return 0;
	out = bpf_ringbuf_reserve(&taken, 128, 0);
	if (!out)
		return 0;
	bpf_probe_read_user(out, 128, (void *)*to);
	bpf_ringbuf_submit(out, 0);
	return 0;
}
