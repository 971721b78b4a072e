// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T07: logs bpf() commands and their results; it hooks the same calls, reads, and writes nothing back.
#include "sample.h"

LICENSE;

struct event {
	u32 pid, cmd;
	s64 ret;
	char comm[16];
};
HASH(cmds, u64, u32, 1024);
RINGBUF(events, 1 << 16);

SEC("tp/syscalls/sys_enter_bpf")
int bpfcmd_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 cmd = ctx->args[0];

	bpf_map_update_elem(&cmds, &id, &cmd, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_bpf")
int bpfcmd_exit(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 *cmd = bpf_map_lookup_elem(&cmds, &id);
	struct event *e;

	if (!cmd)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (e) {
		e->pid = tgid();
		e->cmd = *cmd;
		e->ret = ctx->ret;
		bpf_get_current_comm(e->comm, sizeof(e->comm));
		bpf_ringbuf_submit(e, 0);
	}
	bpf_map_delete_elem(&cmds, &id);
	return 0;
}
