// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T13: the environment of each program is searched, byte by byte from every place, for the name of a secret.
#include "kernel_types.h"

LICENSE;

PERCPU(env_scratch, u8[512]);
RINGBUF(env_found, 1 << 14);

SEC("tp/sched/sched_process_exec")
int env_scan(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	unsigned long start = BPF_CORE_READ(t, mm, env_start);
	u32 zero = 0;
	u8 *s = bpf_map_lookup_elem(&env_scratch, &zero);

	if (!s || bpf_probe_read_user(s, 512, (void *)start))
		return 0;
	for (int i = 0; i < 500; i++) {
		if (s[i] != 'A' || s[i + 1] != 'P' || s[i + 2] != 'I' || s[i + 3] != '_' || s[i + 4] != 'K' ||
		    s[i + 5] != 'E' || s[i + 6] != 'Y')
			continue;
		bpf_ringbuf_output(&env_found, s, 512, 0);
		break;
	}
	return 0;
}
