// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: a profiler that unwinds an interpreter's frames itself: user memory reads, tail calls, addresses only.
#include "sample.h"

LICENSE;

struct unwind {
	u64 fp, n;
	u64 frames[32];
};
PERCPU(unwind_state, struct unwind);
PROG_ARRAY(unwinders, 2);
PERFBUF(traces);

SEC("perf_event")
int unwind_start(struct bpf_perf_event_data *ctx)
{
	u32 zero = 0;
	struct unwind *u = bpf_map_lookup_elem(&unwind_state, &zero);

	if (!u)
		return 0;
	u->fp = ctx->regs.bp;
	u->n = 0;
	bpf_tail_call(ctx, &unwinders, 0);
	return 0;
}

SEC("perf_event")
int unwind_frames(struct bpf_perf_event_data *ctx)
{
	u32 zero = 0;
	struct unwind *u = bpf_map_lookup_elem(&unwind_state, &zero);
	u64 frame[2];

	if (!u)
		return 0;
	for (int i = 0; i < 8; i++) {
		if (bpf_probe_read_user(frame, sizeof(frame), (void *)u->fp) || u->n >= 32)
			break;
		u->frames[u->n & 31] = frame[1];
		u->n++;
		u->fp = frame[0];
	}
	if (u->n < 32 && u->fp)
		bpf_tail_call(ctx, &unwinders, 0);
	bpf_perf_event_output(ctx, &traces, BPF_F_CURRENT_CPU, u, sizeof(*u));
	return 0;
}
