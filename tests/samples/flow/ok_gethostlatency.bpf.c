// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: which names are resolved and how long it takes.
#include "sample.h"

LICENSE;

struct event {
	u64 ts;
	u32 pid;
	char comm[16];
	char host[80];
};
HASH(lookups, u32, struct event, 1024);
PERFBUF(events);

SEC("uprobe/libc.so.6:getaddrinfo")
int BPF_KPROBE(lookup_begin, const char *node)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct event e = {};

	if (!node)
		return 0;
	e.ts = bpf_ktime_get_ns();
	e.pid = tgid();
	bpf_get_current_comm(e.comm, sizeof(e.comm));
	bpf_probe_read_user_str(e.host, sizeof(e.host), node);
	bpf_map_update_elem(&lookups, &tid, &e, BPF_ANY);
	return 0;
}

SEC("uretprobe/libc.so.6:getaddrinfo")
int lookup_end(struct pt_regs *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct event *e = bpf_map_lookup_elem(&lookups, &tid);

	if (!e)
		return 0;
	e->ts = bpf_ktime_get_ns() - e->ts;
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, e, sizeof(*e));
	bpf_map_delete_elem(&lookups, &tid);
	return 0;
}
