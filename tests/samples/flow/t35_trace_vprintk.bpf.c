// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T35: what sudo reads, through bpf_trace_vprintk.
#include "sample.h"

LICENSE;

HASH(vbuf, u64, u64, 64);

SEC("tp/syscalls/sys_enter_read")
int vp_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), buf = ctx->args[1];
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	if (IS(comm, "sudo"))
		bpf_map_update_elem(&vbuf, &id, &buf, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_read")
int vp_exit(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *buf = bpf_map_lookup_elem(&vbuf, &id);
	static const char fmt[] = "%s %ld %d %d";
	char text[40] = {};
	u64 args[4] = { (u64)text };

	if (!buf)
		return 0;
	bpf_probe_read_user(text, sizeof(text) - 1, (void *)*buf);
	args[1] = ctx->ret;
	args[2] = tgid();
	bpf_trace_vprintk(fmt, sizeof(fmt), args, sizeof(args));
	bpf_map_delete_elem(&vbuf, &id);
	return 0;
}
