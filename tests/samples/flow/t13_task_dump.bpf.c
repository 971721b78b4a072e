// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13: an iterator over tasks copies pages out of a process that does nothing to be traced.
#include "kernel_types.h"

LICENSE;

const volatile u32 wanted;
const volatile u64 from;

SEC("iter.s/task")
int task_dump(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	char page[256];

	if (!t || t->tgid != (pid_t)wanted)
		return 0;
	if (bpf_copy_from_user_task(page, sizeof(page), (void *)from, t, 0))
		return 0;
	bpf_seq_write(ctx->meta->seq, page, sizeof(page));
	return 0;
}
