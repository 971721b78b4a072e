// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Dual-use twin of T12: commands entered in bash, from readline's return value.
#include "sample.h"

LICENSE;

struct event {
	u32 pid;
	char str[80];
};
PERFBUF(events);

SEC("uretprobe//bin/bash:readline")
int BPF_KRETPROBE(printret, const void *ret)
{
	struct event e = {};
	char comm[16];

	if (!ret)
		return 0;
	bpf_get_current_comm(&comm, sizeof(comm));
	if (comm[0] != 'b' || comm[1] != 'a' || comm[2] != 's' || comm[3] != 'h' || comm[4] != 0)
		return 0;
	e.pid = tgid();
	bpf_probe_read_user_str(&e.str, sizeof(e.str), ret);
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &e, sizeof(e));
	return 0;
}
