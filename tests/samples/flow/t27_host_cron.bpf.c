// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T27: from a container, the host's cron is fed a line: comm, an absolute host path and the mount namespace are compared.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

HASH(cron_fd, u32, int, 16);
HASH(cron_buf, u32, u64, 16);
const volatile u32 our_mntns;

static __always_inline bool on_host(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	char comm[16] = {};

	if (BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum) == our_mntns)
		return false;
	bpf_get_current_comm(comm, sizeof(comm));
	return IS(comm, "cron") || IS(comm, "crond");
}

SEC("tp/syscalls/sys_enter_openat")
int cron_open(struct tp_enter *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	char path[24] = {};
	int pending = -1;

	if (!on_host())
		return 0;
	bpf_probe_read_user_str(path, sizeof(path), (void *)ctx->args[1]);
	if (IS(path, "/etc/crontab") || STARTS(path, "/var/spool/cron"))
		bpf_map_update_elem(&cron_fd, &tid, &pending, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_openat")
int cron_opened(struct tp_exit *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	int *fd = bpf_map_lookup_elem(&cron_fd, &tid);

	if (fd && *fd == -1)
		*fd = ctx->ret;
	return 0;
}

SEC("tp/syscalls/sys_enter_read")
int cron_read(struct tp_enter *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	int *fd = bpf_map_lookup_elem(&cron_fd, &tid);
	u64 buf = ctx->args[1];

	if (fd && *fd == (int)ctx->args[0])
		bpf_map_update_elem(&cron_buf, &tid, &buf, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_read")
int cron_feed(struct tp_exit *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	u64 *buf = bpf_map_lookup_elem(&cron_buf, &tid);
	char line[32] = "# bpfwarden sample, a comment\n";

	if (!buf)
		return 0;
	if (ctx->ret >= (long)sizeof(line) && sample_armed)
		bpf_probe_write_user((void *)*buf, line, sizeof(line));
	bpf_map_delete_elem(&cron_buf, &tid);
	return 0;
}
