// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: reports out-of-memory kills.
#include "kernel_types.h"

LICENSE;

struct event {
	u32 fpid, tpid;
	u64 pages;
	char fcomm[16], tcomm[16];
};
PERFBUF(events);

SEC("kprobe/oom_kill_process")
int BPF_KPROBE(oom_kill, struct oom_control *oc, const char *message)
{
	struct event e = {};

	e.fpid = tgid();
	e.tpid = BPF_CORE_READ(oc, chosen, tgid);
	e.pages = BPF_CORE_READ(oc, totalpages);
	bpf_get_current_comm(e.fcomm, sizeof(e.fcomm));
	bpf_probe_read_kernel(e.tcomm, sizeof(e.tcomm), BPF_CORE_READ(oc, chosen, comm));
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &e, sizeof(e));
	return 0;
}
