// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T35: a developer's probe that prints numbers to the trace pipe.
#include "kernel_types.h"

LICENSE;

SEC("tp/sched/sched_process_exit")
int print_exit(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	bpf_printk("exit pid=%d code=%d", tgid(), BPF_CORE_READ(t, exit_code));
	return 0;
}
