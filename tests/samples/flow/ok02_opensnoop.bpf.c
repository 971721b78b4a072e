// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T02: which files are opened, by whom, with what result.
#include "sample.h"

LICENSE;

struct args {
	const char *name;
	int flags;
};
struct event {
	u64 ts;
	u32 pid, uid;
	int ret, flags;
	char comm[16];
	char name[255];
};
HASH(start, u32, struct args, 10240);
PERFBUF(events);
const volatile u32 targ_pid;

SEC("tracepoint/syscalls/sys_enter_openat")
int open_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct args a = { (const char *)ctx->args[1], ctx->args[2] };
	u32 tid = id;

	if (targ_pid && targ_pid != id >> 32)
		return 0;
	bpf_map_update_elem(&start, &tid, &a, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_openat")
int open_exit(struct tp_exit *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct args *a = bpf_map_lookup_elem(&start, &tid);
	struct event e = {};

	if (!a)
		return 0;
	e.ts = bpf_ktime_get_ns();
	e.pid = tgid();
	e.uid = bpf_get_current_uid_gid();
	e.ret = ctx->ret;
	e.flags = a->flags;
	bpf_get_current_comm(&e.comm, sizeof(e.comm));
	bpf_probe_read_user_str(&e.name, sizeof(e.name), a->name);
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &e, sizeof(e));
	bpf_map_delete_elem(&start, &tid);
	return 0;
}
