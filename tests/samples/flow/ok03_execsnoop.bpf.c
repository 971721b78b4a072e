// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T03: which programs start, with their first arguments.
#include "kernel_types.h"

LICENSE;

#define MAXARG 8
#define ARGLEN 64

struct event {
	u32 pid, ppid;
	int retval;
	u32 argc, size;
	char comm[16];
	char args[MAXARG * ARGLEN];
};
HASH(execs, u32, struct event, 1024);
PERFBUF(events);
static const struct event empty;

SEC("tracepoint/syscalls/sys_enter_execve")
int exec_enter(struct tp_enter *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	const char *const *argv = (void *)ctx->args[1];
	u32 pid = bpf_get_current_pid_tgid();
	const char *arg = NULL;
	struct event *e;
	long n;

	if (bpf_map_update_elem(&execs, &pid, &empty, BPF_NOEXIST))
		return 0;
	e = bpf_map_lookup_elem(&execs, &pid);
	if (!e)
		return 0;
	e->pid = tgid();
	e->ppid = BPF_CORE_READ(task, real_parent, tgid);
	for (int i = 0; i < MAXARG; i++) {
		bpf_probe_read_user(&arg, sizeof(arg), &argv[i]);
		if (!arg)
			break;
		n = bpf_probe_read_user_str(&e->args[i * ARGLEN], ARGLEN, arg);
		if (n < 0)
			break;
		e->argc++;
		e->size += n;
	}
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_execve")
int exec_exit(struct tp_exit *ctx)
{
	u32 pid = bpf_get_current_pid_tgid();
	struct event *e = bpf_map_lookup_elem(&execs, &pid);

	if (!e)
		return 0;
	e->retval = ctx->ret;
	bpf_get_current_comm(&e->comm, sizeof(e->comm));
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, e, sizeof(*e));
	bpf_map_delete_elem(&execs, &pid);
	return 0;
}
