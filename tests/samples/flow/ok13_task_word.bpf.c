// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13 twin: an iterator over tasks reads one counter that a runtime keeps at a known address.
#include "kernel_types.h"

LICENSE;

const volatile u64 counter_at;

SEC("iter.s/task")
int task_word(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	u32 n = 0;

	if (!t || bpf_copy_from_user_task(&n, sizeof(n), (void *)counter_at, t, 0))
		return 0;
	BPF_SEQ_PRINTF(seq, "%d %u\n", t->tgid, n);
	return 0;
}
