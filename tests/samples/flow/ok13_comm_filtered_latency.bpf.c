// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T13: one command's read latency: a name set by the user is compared, only times are kept.
#include "sample.h"

LICENSE;

const volatile char target_comm[16] = "postgres";
HASH(begin, u64, u64, 4096);
u64 slots[32];

SEC("tp/syscalls/sys_enter_read")
int read_begin(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	char comm[16] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	for (int i = 0; i < 16; i++) {
		if (comm[i] != target_comm[i])
			return 0;
		if (!comm[i])
			break;
	}
	bpf_map_update_elem(&begin, &id, &now, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_read")
int read_end(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *t0 = bpf_map_lookup_elem(&begin, &id), d;

	if (!t0)
		return 0;
	d = (bpf_ktime_get_ns() - *t0) >> 10;
	if (d > 31)
		d = 31;
	__sync_fetch_and_add(&slots[d & 31], 1);
	bpf_map_delete_elem(&begin, &id);
	return 0;
}
