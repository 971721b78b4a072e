// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T08: how many audit records are made and how long the longest took.
#include "sample.h"

LICENSE;

u64 records, longest;
HASH(begin, u64, u64, 1024);

SEC("kprobe/audit_log_start")
int audit_begin(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();

	bpf_map_update_elem(&begin, &id, &now, BPF_ANY);
	return 0;
}

SEC("kprobe/audit_log_end")
int audit_done(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *t0 = bpf_map_lookup_elem(&begin, &id), d;

	__sync_fetch_and_add(&records, 1);
	if (!t0)
		return 0;
	d = bpf_ktime_get_ns() - *t0;
	if (d > longest)
		longest = d;
	bpf_map_delete_elem(&begin, &id);
	return 0;
}
