// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T12: every key press: input_handle_event's arguments go to a perf buffer.
#include "kernel_types.h"

LICENSE;

PERFBUF(keys_out);

struct keypress {
	u64 ts;
	u32 code;
	s32 value;
};

SEC("kprobe/input_handle_event")
int BPF_KPROBE(key_event, struct input_dev *dev, unsigned int type, unsigned int code, int value)
{
	struct keypress k = {};

	if (type != 1)
		return 0;
	k.ts = bpf_ktime_get_ns();
	k.code = code;
	k.value = value;
	bpf_perf_event_output(ctx, &keys_out, BPF_F_CURRENT_CPU, &k, sizeof(k));
	return 0;
}
