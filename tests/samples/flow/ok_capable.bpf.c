// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: capability checks: who asked for which capability.
#include "kernel_types.h"

LICENSE;

struct event {
	u32 pid, uid;
	int cap, audit;
	char comm[16];
};
PERFBUF(events);

SEC("kprobe/cap_capable")
int BPF_KPROBE(cap_check, const struct cred *cred, void *ns, int cap, int opts)
{
	struct event e = {};

	e.pid = tgid();
	e.uid = bpf_get_current_uid_gid();
	e.cap = cap;
	e.audit = (opts & 2) == 0;
	bpf_get_current_comm(e.comm, sizeof(e.comm));
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &e, sizeof(e));
	return 0;
}
