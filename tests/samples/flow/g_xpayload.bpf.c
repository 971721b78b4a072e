// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Planted flows from packet-payload (xdp) through each channel in several carriers. Written by generate.py.
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

SEC("xdp")
int xpayload_ringbuf_stack(struct xdp_md *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b, pkt, 16);
	}
	bpf_ringbuf_output(&g_ring, b, 16, 0);
	return 0;
}

SEC("xdp")
int no_xpayload_ringbuf_stack(struct xdp_md *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b, pkt, 16);
	}
	__builtin_memset(b, 0, 16);
	bpf_ringbuf_output(&g_ring, b, 16, 0);
	return 0;
}

HASH(c_xpayload_ringbuf_map_value, u32, struct rec, 64);

SEC("xdp")
int xpayload_ringbuf_map_value(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	bpf_map_update_elem(&c_xpayload_ringbuf_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_xpayload_ringbuf_map_value, &zero);
	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

static struct rec c_xpayload_ringbuf_global;

SEC("xdp")
int xpayload_ringbuf_global(struct xdp_md *ctx)
{
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(c_xpayload_ringbuf_global.b, pkt, 16);
	}
	bpf_ringbuf_output(&g_ring, c_xpayload_ringbuf_global.b, 16, 0);
	return 0;
}

static __noinline void xpayload_ringbuf_subprogram_put(struct xdp_md *ctx, u8 *p)
{
	bpf_ringbuf_output(&g_ring, p, 16, 0);
}

SEC("xdp")
int xpayload_ringbuf_subprogram(struct xdp_md *ctx)
{
	struct rec b = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	xpayload_ringbuf_subprogram_put(ctx, b.b);
	return 0;
}

static __noinline void no_xpayload_ringbuf_subprogram_put(struct xdp_md *ctx, u8 *p)
{
	bpf_ringbuf_output(&g_ring, p, 16, 0);
}

SEC("xdp")
int no_xpayload_ringbuf_subprogram(struct xdp_md *ctx)
{
	struct rec b = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	__builtin_memset(b.b, 0, 16);
	no_xpayload_ringbuf_subprogram_put(ctx, b.b);
	return 0;
}

struct xpayload_ringbuf_callback_st {
	struct rec r;
	u64 uaddr;
};

static long xpayload_ringbuf_callback_cb(u32 i, void *arg)
{
	struct xpayload_ringbuf_callback_st *st = arg;

	bpf_ringbuf_output(&g_ring, st->r.b, 16, 0);
	return 1;
}

SEC("xdp")
int xpayload_ringbuf_callback(struct xdp_md *ctx)
{
	struct xpayload_ringbuf_callback_st st = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(st.r.b, pkt, 16);
	}
	bpf_loop(1, xpayload_ringbuf_callback_cb, &st, 0);
	return 0;
}

struct no_xpayload_ringbuf_callback_st {
	struct rec r;
	u64 uaddr;
};

static long no_xpayload_ringbuf_callback_cb(u32 i, void *arg)
{
	struct no_xpayload_ringbuf_callback_st *st = arg;

	bpf_ringbuf_output(&g_ring, st->r.b, 16, 0);
	return 1;
}

SEC("xdp")
int no_xpayload_ringbuf_callback(struct xdp_md *ctx)
{
	struct no_xpayload_ringbuf_callback_st st = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(st.r.b, pkt, 16);
	}
	__builtin_memset(st.r.b, 0, 16);
	bpf_loop(1, no_xpayload_ringbuf_callback_cb, &st, 0);
	return 0;
}

PERCPU(c_xpayload_ringbuf_tail_call, struct rec);

int xpayload_ringbuf_tail_call_b(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__array(values, int(struct xdp_md *ctx));
} t_xpayload_ringbuf_tail_call SEC(".maps") = {
	.values = { [0] = (void *)&xpayload_ringbuf_tail_call_b },
};

SEC("xdp")
int xpayload_ringbuf_tail_call(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_ringbuf_tail_call, &zero);

	if (!v)
		return 0;
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(v->b, pkt, 16);
	}
	bpf_tail_call(ctx, &t_xpayload_ringbuf_tail_call, 0);
	return 0;
}

SEC("xdp")
int xpayload_ringbuf_tail_call_b(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_ringbuf_tail_call, &zero);

	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

SEC("xdp")
int xpayload_ringbuf_dynptr(struct xdp_md *ctx)
{
	struct bpf_dynptr d;
	struct rec b = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	bpf_ringbuf_reserve_dynptr(&g_ring, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

PERCPU(c_xpayload_ringbuf_percpu, struct rec);

SEC("xdp")
int xpayload_ringbuf_percpu(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_ringbuf_percpu, &zero);

	if (!v)
		return 0;
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(v->b, pkt, 16);
	}
	bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

HASH(c_xpayload_ringbuf_map_key, struct rec, u8, 64);

static long xpayload_ringbuf_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	bpf_ringbuf_output(&g_ring, key->b, 16, 0);
	return 0;
}

SEC("xdp")
int xpayload_ringbuf_map_key(struct xdp_md *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = 0;

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	bpf_map_update_elem(&c_xpayload_ringbuf_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_xpayload_ringbuf_map_key, xpayload_ringbuf_map_key_cb, &uaddr, 0);
	return 0;
}

PERCPU(c_xpayload_ringbuf_cross, struct rec);

SEC("xdp")
int xpayload_ringbuf_cross(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_ringbuf_cross, &zero);

	if (!v)
		return 0;
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(v->b, pkt, 16);
	}
	return 0;
}

SEC("xdp")
int xpayload_ringbuf_cross_b(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_ringbuf_cross, &zero);

	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

SEC("xdp")
int xpayload_ringbuf_mem(struct xdp_md *ctx)
{
	u8 *r = bpf_ringbuf_reserve(&g_ring, 16, 0);

	if (!r)
		return 0;
	__builtin_memset(r, 0, 16);
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) { bpf_ringbuf_discard(r, 0);
		return XDP_PASS;
		} __builtin_memcpy(r, pkt, 16);
	}
	bpf_ringbuf_submit(r, 0);
	return 0;
}

SEC("xdp")
int no_xpayload_ringbuf_mem(struct xdp_md *ctx)
{
	u8 *r = bpf_ringbuf_reserve(&g_ring, 16, 0);

	if (!r)
		return 0;
	__builtin_memset(r, 0, 16);
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) { bpf_ringbuf_discard(r, 0);
		return XDP_PASS;
		} __builtin_memcpy(r, pkt, 16);
	}
	__builtin_memset(r, 0, 16);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

static __noinline void xpayload_perf_subprogram_put(struct xdp_md *ctx, u8 *p)
{
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, p, 16);
}

SEC("xdp")
int xpayload_perf_subprogram(struct xdp_md *ctx)
{
	struct rec b = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	xpayload_perf_subprogram_put(ctx, b.b);
	return 0;
}

static __noinline void no_xpayload_perf_subprogram_put(struct xdp_md *ctx, u8 *p)
{
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, p, 16);
}

SEC("xdp")
int no_xpayload_perf_subprogram(struct xdp_md *ctx)
{
	struct rec b = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	__builtin_memset(b.b, 0, 16);
	no_xpayload_perf_subprogram_put(ctx, b.b);
	return 0;
}

HASH(c_xpayload_perf_tail_call, u32, struct rec, 4);

int xpayload_perf_tail_call_b(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__array(values, int(struct xdp_md *ctx));
} t_xpayload_perf_tail_call SEC(".maps") = {
	.values = { [0] = (void *)&xpayload_perf_tail_call_b },
};

SEC("xdp")
int xpayload_perf_tail_call(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec b = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	bpf_map_update_elem(&c_xpayload_perf_tail_call, &zero, &b, BPF_ANY);
	bpf_tail_call(ctx, &t_xpayload_perf_tail_call, 0);
	return 0;
}

SEC("xdp")
int xpayload_perf_tail_call_b(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_perf_tail_call, &zero);

	if (v)
		bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, v->b, 16);
	return 0;
}

PERCPU(c_xpayload_perf_dynptr, struct rec);

SEC("xdp")
int xpayload_perf_dynptr(struct xdp_md *ctx)
{
	struct bpf_dynptr d;
	u32 zero = 0;
	struct rec b = {};
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_perf_dynptr, &zero);

	if (!v)
		return 0;
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	bpf_dynptr_from_mem(v, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	__builtin_memset(&b, 0, sizeof(b));
	bpf_dynptr_read(b.b, 16, &d, 0, 0);
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, b.b, 16);
	return 0;
}

PERCPU(c_xpayload_map_dynptr, struct rec);

SEC("xdp")
int xpayload_map_dynptr(struct xdp_md *ctx)
{
	struct bpf_dynptr d;
	u32 zero = 0;
	struct rec b = {};
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_map_dynptr, &zero);

	if (!v)
		return 0;
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	bpf_dynptr_from_mem(v, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	__builtin_memset(&b, 0, sizeof(b));
	bpf_dynptr_read(b.b, 16, &d, 0, 0);
	bpf_map_update_elem(&g_map, &g_zero, b.b, BPF_ANY);
	return 0;
}

PERCPU(c_xpayload_map_percpu, struct rec);

SEC("xdp")
int xpayload_map_percpu(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_map_percpu, &zero);

	if (!v)
		return 0;
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(v->b, pkt, 16);
	}
	bpf_map_update_elem(&g_map, &g_zero, v->b, BPF_ANY);
	return 0;
}

HASH(c_xpayload_map_map_key, struct rec, u8, 64);

static long xpayload_map_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	bpf_map_update_elem(&g_map, &g_zero, key->b, BPF_ANY);
	return 0;
}

SEC("xdp")
int xpayload_map_map_key(struct xdp_md *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = 0;

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	bpf_map_update_elem(&c_xpayload_map_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_xpayload_map_map_key, xpayload_map_map_key_cb, &uaddr, 0);
	return 0;
}

PERCPU(c_xpayload_pinned_map_cross, struct rec);

SEC("xdp")
int xpayload_pinned_map_cross(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_pinned_map_cross, &zero);

	if (!v)
		return 0;
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(v->b, pkt, 16);
	}
	return 0;
}

SEC("xdp")
int xpayload_pinned_map_cross_b(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_xpayload_pinned_map_cross, &zero);

	if (v)
		bpf_map_update_elem(&g_pinned, &g_zero, v->b, BPF_ANY);
	return 0;
}

SEC("xdp")
int xpayload_pinned_map_stack(struct xdp_md *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b, pkt, 16);
	}
	bpf_map_update_elem(&g_pinned, &g_zero, b, BPF_ANY);
	return 0;
}

SEC("xdp")
int no_xpayload_pinned_map_stack(struct xdp_md *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b, pkt, 16);
	}
	__builtin_memset(b, 0, 16);
	bpf_map_update_elem(&g_pinned, &g_zero, b, BPF_ANY);
	return 0;
}

HASH(c_xpayload_pinned_map_map_value, u32, struct rec, 64);

SEC("xdp")
int xpayload_pinned_map_map_value(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	bpf_map_update_elem(&c_xpayload_pinned_map_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_xpayload_pinned_map_map_value, &zero);
	if (v)
		bpf_map_update_elem(&g_pinned, &g_zero, v->b, BPF_ANY);
	return 0;
}

static struct rec c_xpayload_trace_pipe_global;

SEC("xdp")
int xpayload_trace_pipe_global(struct xdp_md *ctx)
{
	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(c_xpayload_trace_pipe_global.b, pkt, 16);
	}
	bpf_printk("%llx", *(u64 *)(c_xpayload_trace_pipe_global.b));
	return 0;
}

static __noinline void xpayload_trace_pipe_subprogram_put(struct xdp_md *ctx, u8 *p)
{
	bpf_printk("%llx", *(u64 *)(p));
}

SEC("xdp")
int xpayload_trace_pipe_subprogram(struct xdp_md *ctx)
{
	struct rec b = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	xpayload_trace_pipe_subprogram_put(ctx, b.b);
	return 0;
}

static __noinline void no_xpayload_trace_pipe_subprogram_put(struct xdp_md *ctx, u8 *p)
{
	bpf_printk("%llx", *(u64 *)(p));
}

SEC("xdp")
int no_xpayload_trace_pipe_subprogram(struct xdp_md *ctx)
{
	struct rec b = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(b.b, pkt, 16);
	}
	__builtin_memset(b.b, 0, 16);
	no_xpayload_trace_pipe_subprogram_put(ctx, b.b);
	return 0;
}

struct xpayload_trace_pipe_callback_st {
	struct rec r;
	u64 uaddr;
};

static long xpayload_trace_pipe_callback_cb(u32 i, void *arg)
{
	struct xpayload_trace_pipe_callback_st *st = arg;

	bpf_printk("%llx", *(u64 *)(st->r.b));
	return 1;
}

SEC("xdp")
int xpayload_trace_pipe_callback(struct xdp_md *ctx)
{
	struct xpayload_trace_pipe_callback_st st = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(st.r.b, pkt, 16);
	}
	bpf_loop(1, xpayload_trace_pipe_callback_cb, &st, 0);
	return 0;
}

struct no_xpayload_trace_pipe_callback_st {
	struct rec r;
	u64 uaddr;
};

static long no_xpayload_trace_pipe_callback_cb(u32 i, void *arg)
{
	struct no_xpayload_trace_pipe_callback_st *st = arg;

	bpf_printk("%llx", *(u64 *)(st->r.b));
	return 1;
}

SEC("xdp")
int no_xpayload_trace_pipe_callback(struct xdp_md *ctx)
{
	struct no_xpayload_trace_pipe_callback_st st = {};

	{
		u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF;
		if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS;
		__builtin_memcpy(st.r.b, pkt, 16);
	}
	__builtin_memset(st.r.b, 0, 16);
	bpf_loop(1, no_xpayload_trace_pipe_callback_cb, &st, 0);
	return 0;
}
