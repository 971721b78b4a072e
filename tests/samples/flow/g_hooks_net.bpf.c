// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Source classes reached from network hooks. Written by generate.py.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct rec {
	u8 b[16] __attribute__((aligned(8)));
};
RINGBUF(g_ring, 1 << 16);
PERFBUF(g_perf);
HASH(g_map, u32, struct rec, 16);
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, struct rec);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} g_pinned SEC(".maps");
static const u32 g_zero __attribute__((unused));

SEC("socket")
int sock_payload(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tc")
int cls_payload(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("action")
int act_payload(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("cgroup_skb/egress")
int cg_payload(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF - IP_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 1;
}

SEC("tc")
int direct_payload(struct __sk_buff *ctx)
{
	u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
	struct rec b = {};

	if ((void *)(pkt + 16) > (void *)(long)ctx->data_end)
		return 0;
	__builtin_memcpy(b.b, pkt, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("xdp")
int xdp_load_payload(struct xdp_md *ctx)
{
	struct rec b = {};

	bpf_xdp_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return XDP_PASS;
}

SEC("socket")
int sock_header(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, IP_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tc")
int cls_header(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, IP_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("action")
int act_header(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, IP_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("cgroup_skb/egress")
int cg_header(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, IP_OFF - IP_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 1;
}

SEC("tc")
int direct_header(struct __sk_buff *ctx)
{
	u8 *pkt = (void *)(long)ctx->data + IP_OFF;
	struct rec b = {};

	if ((void *)(pkt + 16) > (void *)(long)ctx->data_end)
		return 0;
	__builtin_memcpy(b.b, pkt, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("xdp")
int xdp_load_header(struct xdp_md *ctx)
{
	struct rec b = {};

	bpf_xdp_load_bytes(ctx, IP_OFF, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return XDP_PASS;
}

SEC("sk_msg")
int msg_data(struct sk_msg_md *ctx)
{
	u8 *p = ctx->data;
	struct rec b = {};

	if ((void *)(p + 16) > ctx->data_end)
		return SK_PASS;
	__builtin_memcpy(b.b, p, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 1;
}

SEC("sk_skb/stream_verdict")
int skb_verdict(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, 0, b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 1;
}

SEC("cgroup/connect4")
int connect_addr(struct bpf_sock_addr *ctx)
{
	struct rec b = {};

	*(u32 *)b.b = ctx->user_ip4;
	*(u32 *)(b.b + 4) = ctx->user_port;
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 1;
}

SEC("sockops")
int sockops_addr(struct bpf_sock_ops *ctx)
{
	struct rec b = {};

	*(u32 *)b.b = ctx->remote_ip4;
	*(u32 *)(b.b + 4) = ctx->remote_port;
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tc")
int tuple_ctx(struct __sk_buff *ctx)
{
	struct rec b = {};

	*(u32 *)b.b = ctx->protocol;
	bpf_skb_load_bytes_relative(ctx, 12, b.b + 4, 8, BPF_HDR_START_NET);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tc")
int dns_question(struct __sk_buff *ctx)
{
	__be16 port = 0;
	struct rec b = {};

	bpf_skb_load_bytes(ctx, L4_OFF + 2, &port, 2);
	if (port != bpf_htons(53))
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF + sizeof(struct dnshdr), b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}
