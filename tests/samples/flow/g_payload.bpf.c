// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Planted flows from packet-payload (tc) through each channel in several carriers. Written by generate.py.
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

SEC("tc")
int payload_ringbuf_stack(struct __sk_buff *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b, 16);
	bpf_ringbuf_output(&g_ring, b, 16, 0);
	return 0;
}

SEC("tc")
int no_payload_ringbuf_stack(struct __sk_buff *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b, 16);
	__builtin_memset(b, 0, 16);
	bpf_ringbuf_output(&g_ring, b, 16, 0);
	return 0;
}

HASH(c_payload_ringbuf_map_value, u32, struct rec, 64);

SEC("tc")
int payload_ringbuf_map_value(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_map_update_elem(&c_payload_ringbuf_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_payload_ringbuf_map_value, &zero);
	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

static struct rec c_payload_ringbuf_global;

SEC("tc")
int payload_ringbuf_global(struct __sk_buff *ctx)
{
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, c_payload_ringbuf_global.b, 16);
	bpf_ringbuf_output(&g_ring, c_payload_ringbuf_global.b, 16, 0);
	return 0;
}

static __noinline void payload_ringbuf_subprogram_put(struct __sk_buff *ctx, u8 *p)
{
	bpf_ringbuf_output(&g_ring, p, 16, 0);
}

SEC("tc")
int payload_ringbuf_subprogram(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	payload_ringbuf_subprogram_put(ctx, b.b);
	return 0;
}

static __noinline void no_payload_ringbuf_subprogram_put(struct __sk_buff *ctx, u8 *p)
{
	bpf_ringbuf_output(&g_ring, p, 16, 0);
}

SEC("tc")
int no_payload_ringbuf_subprogram(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	__builtin_memset(b.b, 0, 16);
	no_payload_ringbuf_subprogram_put(ctx, b.b);
	return 0;
}

struct payload_ringbuf_callback_st {
	struct rec r;
	u64 uaddr;
};

static long payload_ringbuf_callback_cb(u32 i, void *arg)
{
	struct payload_ringbuf_callback_st *st = arg;

	bpf_ringbuf_output(&g_ring, st->r.b, 16, 0);
	return 1;
}

SEC("tc")
int payload_ringbuf_callback(struct __sk_buff *ctx)
{
	struct payload_ringbuf_callback_st st = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, st.r.b, 16);
	bpf_loop(1, payload_ringbuf_callback_cb, &st, 0);
	return 0;
}

struct no_payload_ringbuf_callback_st {
	struct rec r;
	u64 uaddr;
};

static long no_payload_ringbuf_callback_cb(u32 i, void *arg)
{
	struct no_payload_ringbuf_callback_st *st = arg;

	bpf_ringbuf_output(&g_ring, st->r.b, 16, 0);
	return 1;
}

SEC("tc")
int no_payload_ringbuf_callback(struct __sk_buff *ctx)
{
	struct no_payload_ringbuf_callback_st st = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, st.r.b, 16);
	__builtin_memset(st.r.b, 0, 16);
	bpf_loop(1, no_payload_ringbuf_callback_cb, &st, 0);
	return 0;
}

PERCPU(c_payload_ringbuf_tail_call, struct rec);

PROG_ARRAY(t_payload_ringbuf_tail_call, 1);

SEC("tc")
int payload_ringbuf_tail_call(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_ringbuf_tail_call, &zero);

	if (!v)
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, v->b, 16);
	bpf_tail_call(ctx, &t_payload_ringbuf_tail_call, 0);
	return 0;
}

SEC("tc")
int payload_ringbuf_tail_call_b(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_ringbuf_tail_call, &zero);

	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

SEC("tc")
int payload_ringbuf_dynptr(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_ringbuf_reserve_dynptr(&g_ring, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

PERCPU(c_payload_ringbuf_percpu, struct rec);

SEC("tc")
int payload_ringbuf_percpu(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_ringbuf_percpu, &zero);

	if (!v)
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, v->b, 16);
	bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

HASH(c_payload_ringbuf_map_key, struct rec, u8, 64);

static long payload_ringbuf_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	bpf_ringbuf_output(&g_ring, key->b, 16, 0);
	return 0;
}

SEC("tc")
int payload_ringbuf_map_key(struct __sk_buff *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = 0;

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_map_update_elem(&c_payload_ringbuf_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_payload_ringbuf_map_key, payload_ringbuf_map_key_cb, &uaddr, 0);
	return 0;
}

PERCPU(c_payload_ringbuf_cross, struct rec);

SEC("tc")
int payload_ringbuf_cross(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_ringbuf_cross, &zero);

	if (!v)
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, v->b, 16);
	return 0;
}

SEC("tc")
int payload_ringbuf_cross_b(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_ringbuf_cross, &zero);

	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

SEC("tc")
int payload_ringbuf_mem(struct __sk_buff *ctx)
{
	u8 *r = bpf_ringbuf_reserve(&g_ring, 16, 0);

	if (!r)
		return 0;
	__builtin_memset(r, 0, 16);
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, r, 16);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

SEC("tc")
int no_payload_ringbuf_mem(struct __sk_buff *ctx)
{
	u8 *r = bpf_ringbuf_reserve(&g_ring, 16, 0);

	if (!r)
		return 0;
	__builtin_memset(r, 0, 16);
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, r, 16);
	__builtin_memset(r, 0, 16);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

HASH(c_payload_perf_map_value, u32, struct rec, 64);

SEC("tc")
int payload_perf_map_value(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_map_update_elem(&c_payload_perf_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_payload_perf_map_value, &zero);
	if (v)
		bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, v->b, 16);
	return 0;
}

static struct rec c_payload_perf_global;

SEC("tc")
int payload_perf_global(struct __sk_buff *ctx)
{
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, c_payload_perf_global.b, 16);
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, c_payload_perf_global.b, 16);
	return 0;
}

static __noinline void payload_perf_subprogram_put(struct __sk_buff *ctx, u8 *p)
{
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, p, 16);
}

SEC("tc")
int payload_perf_subprogram(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	payload_perf_subprogram_put(ctx, b.b);
	return 0;
}

static __noinline void no_payload_perf_subprogram_put(struct __sk_buff *ctx, u8 *p)
{
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, p, 16);
}

SEC("tc")
int no_payload_perf_subprogram(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	__builtin_memset(b.b, 0, 16);
	no_payload_perf_subprogram_put(ctx, b.b);
	return 0;
}

PERCPU(c_payload_map_dynptr, struct rec);

SEC("tc")
int payload_map_dynptr(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	u32 zero = 0;
	struct rec b = {};
	struct rec *v = bpf_map_lookup_elem(&c_payload_map_dynptr, &zero);

	if (!v)
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_dynptr_from_mem(v, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	__builtin_memset(&b, 0, sizeof(b));
	bpf_dynptr_read(b.b, 16, &d, 0, 0);
	bpf_map_update_elem(&g_map, &g_zero, b.b, BPF_ANY);
	return 0;
}

PERCPU(c_payload_map_percpu, struct rec);

SEC("tc")
int payload_map_percpu(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_map_percpu, &zero);

	if (!v)
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, v->b, 16);
	bpf_map_update_elem(&g_map, &g_zero, v->b, BPF_ANY);
	return 0;
}

HASH(c_payload_map_map_key, struct rec, u8, 64);

static long payload_map_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	bpf_map_update_elem(&g_map, &g_zero, key->b, BPF_ANY);
	return 0;
}

SEC("tc")
int payload_map_map_key(struct __sk_buff *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = 0;

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_map_update_elem(&c_payload_map_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_payload_map_map_key, payload_map_map_key_cb, &uaddr, 0);
	return 0;
}

PERCPU(c_payload_pinned_map_cross, struct rec);

SEC("tc")
int payload_pinned_map_cross(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_pinned_map_cross, &zero);

	if (!v)
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, v->b, 16);
	return 0;
}

SEC("tc")
int payload_pinned_map_cross_b(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_pinned_map_cross, &zero);

	if (v)
		bpf_map_update_elem(&g_pinned, &g_zero, v->b, BPF_ANY);
	return 0;
}

SEC("tc")
int payload_pinned_map_stack(struct __sk_buff *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b, 16);
	bpf_map_update_elem(&g_pinned, &g_zero, b, BPF_ANY);
	return 0;
}

SEC("tc")
int no_payload_pinned_map_stack(struct __sk_buff *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b, 16);
	__builtin_memset(b, 0, 16);
	bpf_map_update_elem(&g_pinned, &g_zero, b, BPF_ANY);
	return 0;
}

HASH(c_payload_pinned_map_map_value, u32, struct rec, 64);

SEC("tc")
int payload_pinned_map_map_value(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_map_update_elem(&c_payload_pinned_map_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_payload_pinned_map_map_value, &zero);
	if (v)
		bpf_map_update_elem(&g_pinned, &g_zero, v->b, BPF_ANY);
	return 0;
}

static struct rec c_payload_trace_pipe_global;

SEC("tc")
int payload_trace_pipe_global(struct __sk_buff *ctx)
{
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, c_payload_trace_pipe_global.b, 16);
	bpf_printk("%llx", *(u64 *)(c_payload_trace_pipe_global.b));
	return 0;
}

static __noinline void payload_trace_pipe_subprogram_put(struct __sk_buff *ctx, u8 *p)
{
	bpf_printk("%llx", *(u64 *)(p));
}

SEC("tc")
int payload_trace_pipe_subprogram(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	payload_trace_pipe_subprogram_put(ctx, b.b);
	return 0;
}

static __noinline void no_payload_trace_pipe_subprogram_put(struct __sk_buff *ctx, u8 *p)
{
	bpf_printk("%llx", *(u64 *)(p));
}

SEC("tc")
int no_payload_trace_pipe_subprogram(struct __sk_buff *ctx)
{
	struct rec b = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	__builtin_memset(b.b, 0, 16);
	no_payload_trace_pipe_subprogram_put(ctx, b.b);
	return 0;
}

struct payload_trace_pipe_callback_st {
	struct rec r;
	u64 uaddr;
};

static long payload_trace_pipe_callback_cb(u32 i, void *arg)
{
	struct payload_trace_pipe_callback_st *st = arg;

	bpf_printk("%llx", *(u64 *)(st->r.b));
	return 1;
}

SEC("tc")
int payload_trace_pipe_callback(struct __sk_buff *ctx)
{
	struct payload_trace_pipe_callback_st st = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, st.r.b, 16);
	bpf_loop(1, payload_trace_pipe_callback_cb, &st, 0);
	return 0;
}

struct no_payload_trace_pipe_callback_st {
	struct rec r;
	u64 uaddr;
};

static long no_payload_trace_pipe_callback_cb(u32 i, void *arg)
{
	struct no_payload_trace_pipe_callback_st *st = arg;

	bpf_printk("%llx", *(u64 *)(st->r.b));
	return 1;
}

SEC("tc")
int no_payload_trace_pipe_callback(struct __sk_buff *ctx)
{
	struct no_payload_trace_pipe_callback_st st = {};

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, st.r.b, 16);
	__builtin_memset(st.r.b, 0, 16);
	bpf_loop(1, no_payload_trace_pipe_callback_cb, &st, 0);
	return 0;
}

PERCPU(c_payload_return_value_dynptr, struct rec);

SEC("tc")
int payload_return_value_dynptr(struct __sk_buff *ctx)
{
	int ret = 0;
	struct bpf_dynptr d;
	u32 zero = 0;
	struct rec b = {};
	struct rec *v = bpf_map_lookup_elem(&c_payload_return_value_dynptr, &zero);

	if (!v)
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_dynptr_from_mem(v, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	__builtin_memset(&b, 0, sizeof(b));
	bpf_dynptr_read(b.b, 16, &d, 0, 0);
	ret = *(u32 *)(b.b);
	return ret;
}

PERCPU(c_payload_return_value_percpu, struct rec);

SEC("tc")
int payload_return_value_percpu(struct __sk_buff *ctx)
{
	int ret = 0;
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_return_value_percpu, &zero);

	if (!v)
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, v->b, 16);
	ret = *(u32 *)(v->b);
	return ret;
}

PERCPU(c_payload_return_value_cross, struct rec);

SEC("tc")
int payload_return_value_cross(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_return_value_cross, &zero);

	if (!v)
		return 0;
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, v->b, 16);
	return 0;
}

SEC("tc")
int payload_return_value_cross_b(struct __sk_buff *ctx)
{
	int ret = 0;
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_payload_return_value_cross, &zero);

	if (v)
		ret = *(u32 *)(v->b);
	return ret;
}

HASH(c_payload_packet_write_map_value, u32, struct rec, 64);

SEC("tc")
int payload_packet_write_map_value(struct __sk_buff *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, b.b, 16);
	bpf_map_update_elem(&c_payload_packet_write_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_payload_packet_write_map_value, &zero);
	if (v)
		{
			if (sample_armed) bpf_skb_store_bytes(ctx, TCP_PAYLOAD_OFF + 64, v->b, 16, 0);
		}
	return 0;
}

static struct rec c_payload_packet_write_global;

SEC("tc")
int payload_packet_write_global(struct __sk_buff *ctx)
{
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, c_payload_packet_write_global.b, 16);
	if (sample_armed) bpf_skb_store_bytes(ctx, TCP_PAYLOAD_OFF + 64, c_payload_packet_write_global.b, 16, 0);
	return 0;
}

static __noinline void payload_packet_write_subprogram_take(struct __sk_buff *ctx, u8 *p)
{
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, p, 16);
}

SEC("tc")
int payload_packet_write_subprogram(struct __sk_buff *ctx)
{
	struct rec b = {};

	payload_packet_write_subprogram_take(ctx, b.b);
	if (sample_armed) bpf_skb_store_bytes(ctx, TCP_PAYLOAD_OFF + 64, b.b, 16, 0);
	return 0;
}

static __noinline void no_payload_packet_write_subprogram_take(struct __sk_buff *ctx, u8 *p)
{
	bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, p, 16);
}

SEC("tc")
int no_payload_packet_write_subprogram(struct __sk_buff *ctx)
{
	struct rec b = {};

	no_payload_packet_write_subprogram_take(ctx, b.b);
	__builtin_memset(b.b, 0, 16);
	if (sample_armed) bpf_skb_store_bytes(ctx, TCP_PAYLOAD_OFF + 64, b.b, 16, 0);
	return 0;
}
