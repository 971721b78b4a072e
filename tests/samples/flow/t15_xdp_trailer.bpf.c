// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T15: a command behind a short word is kept and cut off before the packet goes on.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct order {
	char text[16];
};
ARRAY(orders, struct order, 1);

SEC("xdp")
int xdp_trailer(struct xdp_md *ctx)
{
	u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct order o;
	u32 zero = 0;

	if (data + TCP_PAYLOAD_OFF + 16 > end)
		return XDP_PASS;
	data += TCP_PAYLOAD_OFF;
	if (data[0] != 'b' || data[1] != 'w' || data[2] != 't')
		return XDP_PASS;
	__builtin_memcpy(o.text, data, sizeof(o.text));
	bpf_map_update_elem(&orders, &zero, &o, BPF_ANY);
	if (sample_armed)
		bpf_xdp_adjust_tail(ctx, -16);
	return XDP_PASS;
}
