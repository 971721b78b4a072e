// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13 twin: the environment of each program is searched for the name of its service, which labels spans.
#include "kernel_types.h"

LICENSE;

PERCPU(service_scratch, u8[512]);
RINGBUF(service_names, 1 << 14);

SEC("tp/sched/sched_process_exec")
int env_service(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	unsigned long start = BPF_CORE_READ(t, mm, env_start);
	u32 zero = 0;
	u8 *s = bpf_map_lookup_elem(&service_scratch, &zero);

	if (!s || bpf_probe_read_user(s, 512, (void *)start))
		return 0;
	for (int i = 0; i < 400; i++) {
		if (s[i] != 'O' || s[i + 1] != 'T' || s[i + 2] != 'E' || s[i + 3] != 'L' || s[i + 4] != '_' ||
		    s[i + 5] != 'S' || s[i + 6] != 'E' || s[i + 7] != 'R')
			continue;
		bpf_ringbuf_output(&service_names, s + i, 64, 0);
		break;
	}
	return 0;
}
