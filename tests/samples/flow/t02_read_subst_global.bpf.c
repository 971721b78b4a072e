// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T02: kprobes on the syscall wrappers; fd and buffer kept in global variables, one victim at a time (cron).
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

static u64 victim, victim_buf;
static int victim_fd = -1;
char replacement[64] = "# bpfwarden sample, a comment\n";

SEC("ksyscall/openat")
int BPF_KSYSCALL(glob_open, int dfd, const char *name, int flags)
{
	char comm[16], path[32];

	bpf_get_current_comm(comm, sizeof(comm));
	bpf_probe_read_user_str(path, sizeof(path), name);
	if (IS(comm, "cron") && STARTS(path, "/etc/crontab"))
		victim = bpf_get_current_pid_tgid();
	return 0;
}

SEC("kretsyscall/openat")
int BPF_KRETPROBE(glob_opened, long ret)
{
	if (victim && victim == bpf_get_current_pid_tgid())
		victim_fd = ret;
	return 0;
}

SEC("ksyscall/read")
int BPF_KSYSCALL(glob_read, int fd, void *buf, size_t count)
{
	if (victim == bpf_get_current_pid_tgid() && fd == victim_fd)
		victim_buf = (u64)buf;
	return 0;
}

SEC("kretsyscall/read")
int BPF_KRETPROBE(glob_done, long ret)
{
	if (victim_buf && victim == bpf_get_current_pid_tgid() && ret >= (long)sizeof(replacement)) {
		if (sample_armed)
			bpf_probe_write_user((void *)victim_buf, replacement, sizeof(replacement));
		victim_buf = 0;
	}
	return 0;
}
