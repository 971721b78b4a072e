// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: an inventory of tasks and their open files through iterators.
#include "kernel_types.h"

LICENSE;

SEC("iter/task")
int dump_task(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *t = ctx->task;

	if (!t)
		return 0;
	BPF_SEQ_PRINTF(seq, "%8d %8d %s\n", t->tgid, t->pid, t->comm);
	return 0;
}

SEC("iter/task_file")
int dump_task_file(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *t = ctx->task;
	struct file *f = ctx->file;

	if (!t || !f)
		return 0;
	BPF_SEQ_PRINTF(seq, "%8d %4d %lx\n", t->tgid, ctx->fd, (long)f->f_inode);
	return 0;
}
