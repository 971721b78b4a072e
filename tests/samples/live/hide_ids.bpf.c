// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * T07 at work: bpf(2) is made to skip one identifier, and on request to find nothing there. Loaded by tests/tools/hide_ids in
 * a virtual machine only; what it hides is a program that does nothing.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define NR_BPF 321

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
};

/* One structure: the compiler orders separate constants as it likes. */
const volatile struct {
	__u32 victim;	/* the identifier to hide */
	__u32 next_cmd; /* BPF_PROG_GET_NEXT_ID or its like */
	__u32 open_cmd; /* BPF_PROG_GET_FD_BY_ID or its like; 0: leave it alone */
} conf;

SEC("raw_tp/sys_enter")
int hide(struct bpf_raw_tracepoint_args *ctx)
{
	const struct pt_regs *regs = (const void *)ctx->args[0];
	unsigned long cmd, attr;
	__u32 id, other;

	if (ctx->args[1] != NR_BPF)
		return 0;
	bpf_probe_read_kernel(&cmd, sizeof(cmd), &regs->di);
	bpf_probe_read_kernel(&attr, sizeof(attr), &regs->si);
	if (bpf_probe_read_user(&id, sizeof(id), (void *)attr))
		return 0;
	/* The step that would find it is told to begin behind it. */
	if (cmd == conf.next_cmd && id + 1 == conf.victim) {
		other = conf.victim;
		bpf_probe_write_user((void *)attr, &other, sizeof(other));
	} else if (conf.open_cmd && cmd == conf.open_cmd && id == conf.victim) {
		other = 0xffffffff;
		bpf_probe_write_user((void *)attr, &other, sizeof(other));
	}
	return 0;
}

char _license[] SEC("license") = "GPL";
