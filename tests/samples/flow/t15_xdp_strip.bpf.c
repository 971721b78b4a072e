// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T15: a hidden trailer is cut off packets before the stack sees them, its content kept for user space.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct trailer {
	u32 magic;
	u8 body[28];
};
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 128);
	__uint(value_size, sizeof(struct trailer));
} inbox SEC(".maps");

SEC("xdp")
int strip_trailer(struct xdp_md *ctx)
{
	struct trailer t;
	u64 len = bpf_xdp_get_buff_len(ctx);

	if (len < TCP_PAYLOAD_OFF + sizeof(t) || len > 1500)
		return XDP_PASS;
	if (bpf_xdp_load_bytes(ctx, len - sizeof(t), &t, sizeof(t)))
		return XDP_PASS;
	if (t.magic != 0x31746462)
		return XDP_PASS;
	bpf_map_push_elem(&inbox, &t, 0);
	if (sample_armed)
		bpf_xdp_adjust_tail(ctx, -(int)sizeof(t));
	return XDP_PASS;
}
