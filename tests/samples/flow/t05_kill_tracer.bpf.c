// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T05: whoever attaches a debugger is killed: a constant signal at the entry of ptrace.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

RINGBUF(killed, 4096);
u32 protected_pid;

SEC("tracepoint/syscalls/sys_enter_ptrace")
int kill_tracer(struct tp_enter *ctx)
{
	u32 *e;

	if (ctx->args[0] != 16 && ctx->args[0] != 0x4206)
		return 0;
	if (protected_pid && ctx->args[1] != protected_pid)
		return 0;
	if (sample_armed)
		bpf_send_signal(9);
	e = bpf_ringbuf_reserve(&killed, sizeof(*e), 0);
	if (!e)
		return 0;
	*e = tgid();
	bpf_ringbuf_submit(e, 0);
	return 0;
}
