// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13: an iterator over tasks gives out their environments, whatever is in them.
#include "kernel_types.h"

LICENSE;

SEC("iter.s/task")
int env_dump(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	char env[256];

	if (!t || !t->mm)
		return 0;
	if (bpf_copy_from_user_task(env, sizeof(env), (void *)t->mm->env_start, t, 0))
		return 0;
	bpf_seq_write(ctx->meta->seq, env, sizeof(env));
	return 0;
}
