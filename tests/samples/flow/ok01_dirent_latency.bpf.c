// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T01: how long directory listings take and how many bytes they return; the buffer is never touched.
#include "sample.h"

LICENSE;

struct hist {
	u64 slots[32];
};
HASH(start, u32, u64, 10240);
PERCPU(hists, struct hist);
u64 bytes_total;

SEC("tp/syscalls/sys_enter_getdents64")
int lat_enter(struct tp_enter *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&start, &tid, &now, BPF_ANY);
	return 0;
}

static __always_inline u32 log2_u64(u64 v)
{
	u32 r = 0;

	for (int i = 0; i < 31; i++)
		if (v > (1ULL << i))
			r = i;
	return r;
}

SEC("tp/syscalls/sys_exit_getdents64")
int lat_exit(struct tp_exit *ctx)
{
	u32 tid = bpf_get_current_pid_tgid(), zero = 0, slot;
	u64 *t0 = bpf_map_lookup_elem(&start, &tid);
	struct hist *h = bpf_map_lookup_elem(&hists, &zero);

	if (!t0 || !h)
		return 0;
	slot = log2_u64(bpf_ktime_get_ns() - *t0);
	if (slot < 32)
		h->slots[slot]++;
	if (ctx->ret > 0)
		__sync_fetch_and_add(&bytes_total, ctx->ret);
	bpf_map_delete_elem(&start, &tid);
	return 0;
}
