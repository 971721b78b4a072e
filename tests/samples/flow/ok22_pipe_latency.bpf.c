// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T22: how long readers wait in pipe_read, per command.
#include "sample.h"

LICENSE;

struct key {
	char comm[16];
	u64 slot;
};
HASH(entered, u64, u64, 4096);
HASH(waits, struct key, u64, 4096);

SEC("kprobe/pipe_read")
int wait_enter(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();

	bpf_map_update_elem(&entered, &id, &now, BPF_ANY);
	return 0;
}

SEC("kretprobe/pipe_read")
int wait_exit(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *t0 = bpf_map_lookup_elem(&entered, &id), one = 1, *n;
	struct key k = {};

	if (!t0)
		return 0;
	bpf_get_current_comm(k.comm, sizeof(k.comm));
	k.slot = (bpf_ktime_get_ns() - *t0) >> 20;
	n = bpf_map_lookup_elem(&waits, &k);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&waits, &k, &one, BPF_NOEXIST);
	bpf_map_delete_elem(&entered, &id);
	return 0;
}
