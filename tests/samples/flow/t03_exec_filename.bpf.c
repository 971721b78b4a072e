// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T03: the file name of execve is replaced at the entry; the destination is the context argument itself.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

RINGBUF(notify, 4096);
const volatile u32 target_ppid;

SEC("tracepoint/syscalls/sys_enter_execve")
int exec_swap(struct tp_enter *ctx)
{
	char name[16], fake[10] = "/bin/true";
	u32 *e;

	bpf_probe_read_user(name, sizeof(name), (void *)ctx->args[0]);
	if (name[0] != '/')
		return 0;
	if (sample_armed)
		bpf_probe_write_user((void *)ctx->args[0], fake, sizeof(fake));
	e = bpf_ringbuf_reserve(&notify, sizeof(*e), 0);
	if (e) {
		*e = tgid();
		bpf_ringbuf_submit(e, 0);
	}
	return 0;
}
