// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: process ends, with age and code.
#include "kernel_types.h"

LICENSE;

struct event {
	u64 start, end;
	u32 pid, ppid;
	u32 sig;
	int code;
	char comm[16];
};
RINGBUF(events, 1 << 16);

SEC("tracepoint/sched/sched_process_exit")
int exit_event(void *ctx)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	int code;

	if (!e)
		return 0;
	code = BPF_CORE_READ(t, exit_code);
	e->start = BPF_CORE_READ(t, start_time);
	e->end = bpf_ktime_get_ns();
	e->pid = tgid();
	e->ppid = BPF_CORE_READ(t, real_parent, tgid);
	e->code = code >> 8;
	e->sig = code & 0xff;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_ringbuf_submit(e, 0);
	return 0;
}
