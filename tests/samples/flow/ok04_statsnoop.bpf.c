// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T04: stat calls, their paths and results.
#include "sample.h"

LICENSE;

struct event {
	u32 pid;
	int ret;
	char comm[16];
	char path[128];
};
HASH(values, u32, const char *, 4096);
RINGBUF(events, 1 << 18);

SEC("tp/syscalls/sys_enter_newfstatat")
int st_enter(struct tp_enter *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	const char *p = (const char *)ctx->args[1];

	bpf_map_update_elem(&values, &tid, &p, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_newfstatat")
int st_exit(struct tp_exit *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	const char **p = bpf_map_lookup_elem(&values, &tid);
	struct event *e;

	if (!p)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (e) {
		e->pid = tgid();
		e->ret = ctx->ret;
		bpf_get_current_comm(e->comm, sizeof(e->comm));
		bpf_probe_read_user_str(e->path, sizeof(e->path), *p);
		bpf_ringbuf_submit(e, 0);
	}
	bpf_map_delete_elem(&values, &tid);
	return 0;
}
