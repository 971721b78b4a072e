// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T15: counts the methods of a text protocol; packets stay as they are.
#include "net.h"

LICENSE;

ARRAY(methods, u64, 4);

SEC("xdp")
int method_count(struct xdp_md *ctx)
{
	u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	u32 which = 0;
	u64 *n;

	if (data + TCP_PAYLOAD_OFF + 16 > end)
		return XDP_PASS;
	data += TCP_PAYLOAD_OFF;
	if (data[0] == 's' && data[1] == 'e' && data[2] == 't')
		which = 1;
	else if (data[0] == 'g' && data[1] == 'e' && data[2] == 't')
		which = 2;
	n = bpf_map_lookup_elem(&methods, &which);
	if (n)
		__sync_fetch_and_add(n, 1);
	return XDP_PASS;
}
