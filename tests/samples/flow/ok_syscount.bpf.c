// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: system calls counted per number and process.
#include "sample.h"

LICENSE;

struct key {
	u32 pid, nr;
};
HASH(counts, struct key, u64, 10240);

SEC("raw_tp/sys_exit")
int syscount(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];
	struct key k = { tgid(), BPF_CORE_READ(regs, orig_ax) };
	u64 one = 1, *n = bpf_map_lookup_elem(&counts, &k);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &k, &one, BPF_NOEXIST);
	return 0;
}
