// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T12: key codes collected in a queue map from the keyboard handler's return, for a reader that comes later.
#include "sample.h"

LICENSE;

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__uint(value_size, sizeof(u32));
} key_queue SEC(".maps");

SEC("fentry/kbd_event")
int BPF_PROG(kbd_fentry, void *handle, unsigned int type, unsigned int code, int value)
{
	u32 rec = (code << 1) | (value & 1);

	if (type == 1)
		bpf_map_push_elem(&key_queue, &rec, 0);
	return 0;
}
