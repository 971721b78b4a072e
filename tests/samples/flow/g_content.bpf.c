// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Planted flows from file-content (kprobe/vfs_write) through each channel in several carriers. Written by generate.py.
#include "sample.h"

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

SEC("kprobe/vfs_write")
int content_ringbuf_stack(struct pt_regs *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_probe_read_user(b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_ringbuf_output(&g_ring, b, 16, 0);
	return 0;
}

SEC("kprobe/vfs_write")
int no_content_ringbuf_stack(struct pt_regs *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_probe_read_user(b, 16, (void *)PT_REGS_PARM2(ctx));
	__builtin_memset(b, 0, 16);
	bpf_ringbuf_output(&g_ring, b, 16, 0);
	return 0;
}

HASH(c_content_ringbuf_map_value, u32, struct rec, 64);

SEC("kprobe/vfs_write")
int content_ringbuf_map_value(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_ringbuf_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_content_ringbuf_map_value, &zero);
	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

static struct rec c_content_ringbuf_global;

SEC("kprobe/vfs_write")
int content_ringbuf_global(struct pt_regs *ctx)
{
	bpf_probe_read_user(c_content_ringbuf_global.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_ringbuf_output(&g_ring, c_content_ringbuf_global.b, 16, 0);
	return 0;
}

static __noinline void content_ringbuf_subprogram_take(struct pt_regs *ctx, u8 *p)
{
	bpf_probe_read_user(p, 16, (void *)PT_REGS_PARM2(ctx));
}

SEC("kprobe/vfs_write")
int content_ringbuf_subprogram(struct pt_regs *ctx)
{
	struct rec b = {};

	content_ringbuf_subprogram_take(ctx, b.b);
	bpf_ringbuf_output(&g_ring, b.b, 16, 0);
	return 0;
}

static __noinline void no_content_ringbuf_subprogram_take(struct pt_regs *ctx, u8 *p)
{
	bpf_probe_read_user(p, 16, (void *)PT_REGS_PARM2(ctx));
}

SEC("kprobe/vfs_write")
int no_content_ringbuf_subprogram(struct pt_regs *ctx)
{
	struct rec b = {};

	no_content_ringbuf_subprogram_take(ctx, b.b);
	__builtin_memset(b.b, 0, 16);
	bpf_ringbuf_output(&g_ring, b.b, 16, 0);
	return 0;
}

struct content_ringbuf_callback_st {
	struct rec r;
	u64 uaddr;
};

static long content_ringbuf_callback_cb(u32 i, void *arg)
{
	struct content_ringbuf_callback_st *st = arg;

	bpf_ringbuf_output(&g_ring, st->r.b, 16, 0);
	return 1;
}

SEC("kprobe/vfs_write")
int content_ringbuf_callback(struct pt_regs *ctx)
{
	struct content_ringbuf_callback_st st = {};

	bpf_probe_read_user(st.r.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_loop(1, content_ringbuf_callback_cb, &st, 0);
	return 0;
}

struct no_content_ringbuf_callback_st {
	struct rec r;
	u64 uaddr;
};

static long no_content_ringbuf_callback_cb(u32 i, void *arg)
{
	struct no_content_ringbuf_callback_st *st = arg;

	bpf_ringbuf_output(&g_ring, st->r.b, 16, 0);
	return 1;
}

SEC("kprobe/vfs_write")
int no_content_ringbuf_callback(struct pt_regs *ctx)
{
	struct no_content_ringbuf_callback_st st = {};

	bpf_probe_read_user(st.r.b, 16, (void *)PT_REGS_PARM2(ctx));
	__builtin_memset(st.r.b, 0, 16);
	bpf_loop(1, no_content_ringbuf_callback_cb, &st, 0);
	return 0;
}

HASH(c_content_ringbuf_tail_call, u32, struct rec, 4);

PROG_ARRAY(t_content_ringbuf_tail_call, 1);

SEC("kprobe/vfs_write")
int content_ringbuf_tail_call(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_ringbuf_tail_call, &zero, &b, BPF_ANY);
	bpf_tail_call(ctx, &t_content_ringbuf_tail_call, 0);
	return 0;
}

SEC("kprobe/vfs_write")
int content_ringbuf_tail_call_b(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_ringbuf_tail_call, &zero);

	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

SEC("kprobe/vfs_write")
int content_ringbuf_dynptr(struct pt_regs *ctx)
{
	struct bpf_dynptr d;
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_ringbuf_reserve_dynptr(&g_ring, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

PERCPU(c_content_ringbuf_percpu, struct rec);

SEC("kprobe/vfs_write")
int content_ringbuf_percpu(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_ringbuf_percpu, &zero);

	if (!v)
		return 0;
	bpf_probe_read_user(v->b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

HASH(c_content_ringbuf_map_key, struct rec, u8, 64);

static long content_ringbuf_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	bpf_ringbuf_output(&g_ring, key->b, 16, 0);
	return 0;
}

SEC("kprobe/vfs_write")
int content_ringbuf_map_key(struct pt_regs *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = 0;

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_ringbuf_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_content_ringbuf_map_key, content_ringbuf_map_key_cb, &uaddr, 0);
	return 0;
}

HASH(c_content_ringbuf_cross, u32, struct rec, 4);

SEC("kprobe/vfs_write")
int content_ringbuf_cross(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_ringbuf_cross, &zero, &b, BPF_ANY);
	return 0;
}

SEC("kprobe/vfs_write")
int content_ringbuf_cross_b(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_ringbuf_cross, &zero);

	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rec);
} c_content_ringbuf_local SEC(".maps");

SEC("kprobe/vfs_write")
int content_ringbuf_local(struct pt_regs *ctx)
{
	struct rec *v = bpf_task_storage_get(&c_content_ringbuf_local, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!v)
		return 0;
	bpf_probe_read_user(v->b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

SEC("kprobe/vfs_write")
int content_ringbuf_mem(struct pt_regs *ctx)
{
	u8 *r = bpf_ringbuf_reserve(&g_ring, 16, 0);

	if (!r)
		return 0;
	__builtin_memset(r, 0, 16);
	bpf_probe_read_user(r, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_ringbuf_submit(r, 0);
	return 0;
}

SEC("kprobe/vfs_write")
int no_content_ringbuf_mem(struct pt_regs *ctx)
{
	u8 *r = bpf_ringbuf_reserve(&g_ring, 16, 0);

	if (!r)
		return 0;
	__builtin_memset(r, 0, 16);
	bpf_probe_read_user(r, 16, (void *)PT_REGS_PARM2(ctx));
	__builtin_memset(r, 0, 16);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

PERCPU(c_content_perf_percpu, struct rec);

SEC("kprobe/vfs_write")
int content_perf_percpu(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_perf_percpu, &zero);

	if (!v)
		return 0;
	bpf_probe_read_user(v->b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, v->b, 16);
	return 0;
}

HASH(c_content_perf_cross, u32, struct rec, 4);

SEC("kprobe/vfs_write")
int content_perf_cross(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_perf_cross, &zero, &b, BPF_ANY);
	return 0;
}

SEC("kprobe/vfs_write")
int content_perf_cross_b(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_perf_cross, &zero);

	if (v)
		bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, v->b, 16);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rec);
} c_content_perf_local SEC(".maps");

SEC("kprobe/vfs_write")
int content_perf_local(struct pt_regs *ctx)
{
	struct rec *v = bpf_task_storage_get(&c_content_perf_local, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!v)
		return 0;
	bpf_probe_read_user(v->b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, v->b, 16);
	return 0;
}

static __noinline void content_map_subprogram_take(struct pt_regs *ctx, u8 *p)
{
	bpf_probe_read_user(p, 16, (void *)PT_REGS_PARM2(ctx));
}

SEC("kprobe/vfs_write")
int content_map_subprogram(struct pt_regs *ctx)
{
	struct rec b = {};

	content_map_subprogram_take(ctx, b.b);
	bpf_map_update_elem(&g_map, &g_zero, b.b, BPF_ANY);
	return 0;
}

static __noinline void no_content_map_subprogram_take(struct pt_regs *ctx, u8 *p)
{
	bpf_probe_read_user(p, 16, (void *)PT_REGS_PARM2(ctx));
}

SEC("kprobe/vfs_write")
int no_content_map_subprogram(struct pt_regs *ctx)
{
	struct rec b = {};

	no_content_map_subprogram_take(ctx, b.b);
	__builtin_memset(b.b, 0, 16);
	bpf_map_update_elem(&g_map, &g_zero, b.b, BPF_ANY);
	return 0;
}

struct content_map_callback_st {
	struct rec r;
	u64 uaddr;
};

static long content_map_callback_cb(u32 i, void *arg)
{
	struct content_map_callback_st *st = arg;

	bpf_map_update_elem(&g_map, &g_zero, st->r.b, BPF_ANY);
	return 1;
}

SEC("kprobe/vfs_write")
int content_map_callback(struct pt_regs *ctx)
{
	struct content_map_callback_st st = {};

	bpf_probe_read_user(st.r.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_loop(1, content_map_callback_cb, &st, 0);
	return 0;
}

struct no_content_map_callback_st {
	struct rec r;
	u64 uaddr;
};

static long no_content_map_callback_cb(u32 i, void *arg)
{
	struct no_content_map_callback_st *st = arg;

	bpf_map_update_elem(&g_map, &g_zero, st->r.b, BPF_ANY);
	return 1;
}

SEC("kprobe/vfs_write")
int no_content_map_callback(struct pt_regs *ctx)
{
	struct no_content_map_callback_st st = {};

	bpf_probe_read_user(st.r.b, 16, (void *)PT_REGS_PARM2(ctx));
	__builtin_memset(st.r.b, 0, 16);
	bpf_loop(1, no_content_map_callback_cb, &st, 0);
	return 0;
}

HASH(c_content_map_tail_call, u32, struct rec, 4);

PROG_ARRAY(t_content_map_tail_call, 1);

SEC("kprobe/vfs_write")
int content_map_tail_call(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_map_tail_call, &zero, &b, BPF_ANY);
	bpf_tail_call(ctx, &t_content_map_tail_call, 0);
	return 0;
}

SEC("kprobe/vfs_write")
int content_map_tail_call_b(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_map_tail_call, &zero);

	if (v)
		bpf_map_update_elem(&g_map, &g_zero, v->b, BPF_ANY);
	return 0;
}

PERCPU(c_content_pinned_map_dynptr, struct rec);

SEC("kprobe/vfs_write")
int content_pinned_map_dynptr(struct pt_regs *ctx)
{
	struct bpf_dynptr d;
	u32 zero = 0;
	struct rec b = {};
	struct rec *v = bpf_map_lookup_elem(&c_content_pinned_map_dynptr, &zero);

	if (!v)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_dynptr_from_mem(v, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	__builtin_memset(&b, 0, sizeof(b));
	bpf_dynptr_read(b.b, 16, &d, 0, 0);
	bpf_map_update_elem(&g_pinned, &g_zero, b.b, BPF_ANY);
	return 0;
}

PERCPU(c_content_pinned_map_percpu, struct rec);

SEC("kprobe/vfs_write")
int content_pinned_map_percpu(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_pinned_map_percpu, &zero);

	if (!v)
		return 0;
	bpf_probe_read_user(v->b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&g_pinned, &g_zero, v->b, BPF_ANY);
	return 0;
}

HASH(c_content_pinned_map_map_key, struct rec, u8, 64);

static long content_pinned_map_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	bpf_map_update_elem(&g_pinned, &g_zero, key->b, BPF_ANY);
	return 0;
}

SEC("kprobe/vfs_write")
int content_pinned_map_map_key(struct pt_regs *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = 0;

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_pinned_map_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_content_pinned_map_map_key, content_pinned_map_map_key_cb, &uaddr, 0);
	return 0;
}

HASH(c_content_trace_pipe_cross, u32, struct rec, 4);

SEC("kprobe/vfs_write")
int content_trace_pipe_cross(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_trace_pipe_cross, &zero, &b, BPF_ANY);
	return 0;
}

SEC("kprobe/vfs_write")
int content_trace_pipe_cross_b(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_trace_pipe_cross, &zero);

	if (v)
		bpf_printk("%llx", *(u64 *)(v->b));
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rec);
} c_content_trace_pipe_local SEC(".maps");

SEC("kprobe/vfs_write")
int content_trace_pipe_local(struct pt_regs *ctx)
{
	struct rec *v = bpf_task_storage_get(&c_content_trace_pipe_local, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!v)
		return 0;
	bpf_probe_read_user(v->b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_printk("%llx", *(u64 *)(v->b));
	return 0;
}

SEC("kprobe/vfs_write")
int content_trace_pipe_stack(struct pt_regs *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_probe_read_user(b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_printk("%llx", *(u64 *)(b));
	return 0;
}

SEC("kprobe/vfs_write")
int no_content_trace_pipe_stack(struct pt_regs *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_probe_read_user(b, 16, (void *)PT_REGS_PARM2(ctx));
	__builtin_memset(b, 0, 16);
	bpf_printk("%llx", *(u64 *)(b));
	return 0;
}

SEC("kprobe/vfs_write")
int content_return_value_stack(struct pt_regs *ctx)
{
	int ret = 0;
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_probe_read_user(b, 16, (void *)PT_REGS_PARM2(ctx));
	ret = *(u32 *)(b);
	return ret;
}

SEC("kprobe/vfs_write")
int no_content_return_value_stack(struct pt_regs *ctx)
{
	int ret = 0;
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_probe_read_user(b, 16, (void *)PT_REGS_PARM2(ctx));
	__builtin_memset(b, 0, 16);
	ret = *(u32 *)(b);
	return ret;
}

HASH(c_content_return_value_map_value, u32, struct rec, 64);

SEC("kprobe/vfs_write")
int content_return_value_map_value(struct pt_regs *ctx)
{
	int ret = 0;
	u32 zero = 0;
	struct rec b = {}, *v;

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_return_value_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_content_return_value_map_value, &zero);
	if (v)
		ret = *(u32 *)(v->b);
	return ret;
}

static struct rec c_content_return_value_global;

SEC("kprobe/vfs_write")
int content_return_value_global(struct pt_regs *ctx)
{
	int ret = 0;

	bpf_probe_read_user(c_content_return_value_global.b, 16, (void *)PT_REGS_PARM2(ctx));
	ret = *(u32 *)(c_content_return_value_global.b);
	return ret;
}

struct content_signal_callback_st {
	struct rec r;
	u64 uaddr;
};

static long content_signal_callback_cb(u32 i, void *arg)
{
	struct content_signal_callback_st *st = arg;

	if (sample_armed) bpf_send_signal(*(u32 *)(st->r.b));
	return 1;
}

SEC("kprobe/vfs_write")
int content_signal_callback(struct pt_regs *ctx)
{
	struct content_signal_callback_st st = {};

	bpf_probe_read_user(st.r.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_loop(1, content_signal_callback_cb, &st, 0);
	return 0;
}

struct no_content_signal_callback_st {
	struct rec r;
	u64 uaddr;
};

static long no_content_signal_callback_cb(u32 i, void *arg)
{
	struct no_content_signal_callback_st *st = arg;

	if (sample_armed) bpf_send_signal(*(u32 *)(st->r.b));
	return 1;
}

SEC("kprobe/vfs_write")
int no_content_signal_callback(struct pt_regs *ctx)
{
	struct no_content_signal_callback_st st = {};

	bpf_probe_read_user(st.r.b, 16, (void *)PT_REGS_PARM2(ctx));
	__builtin_memset(st.r.b, 0, 16);
	bpf_loop(1, no_content_signal_callback_cb, &st, 0);
	return 0;
}

PERCPU(c_content_signal_tail_call, struct rec);

int content_signal_tail_call_b(struct pt_regs *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__array(values, int(struct pt_regs *ctx));
} t_content_signal_tail_call SEC(".maps") = {
	.values = { [0] = (void *)&content_signal_tail_call_b },
};

SEC("kprobe/vfs_write")
int content_signal_tail_call(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_signal_tail_call, &zero);

	if (!v)
		return 0;
	bpf_probe_read_user(v->b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_tail_call(ctx, &t_content_signal_tail_call, 0);
	return 0;
}

SEC("kprobe/vfs_write")
int content_signal_tail_call_b(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_signal_tail_call, &zero);

	if (v)
		{
			if (sample_armed) bpf_send_signal(*(u32 *)(v->b));
		}
	return 0;
}

PERCPU(c_content_signal_dynptr, struct rec);

SEC("kprobe/vfs_write")
int content_signal_dynptr(struct pt_regs *ctx)
{
	struct bpf_dynptr d;
	u32 zero = 0;
	struct rec b = {};
	struct rec *v = bpf_map_lookup_elem(&c_content_signal_dynptr, &zero);

	if (!v)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_dynptr_from_mem(v, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	__builtin_memset(&b, 0, sizeof(b));
	bpf_dynptr_read(b.b, 16, &d, 0, 0);
	if (sample_armed) bpf_send_signal(*(u32 *)(b.b));
	return 0;
}

PERCPU(c_content_user_write_percpu, struct rec);

SEC("kprobe/vfs_write")
int content_user_write_percpu(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_user_write_percpu, &zero);

	if (!v)
		return 0;
	bpf_probe_read_user(v->b, 16, (void *)PT_REGS_PARM2(ctx));
	if (sample_armed) bpf_probe_write_user((void *)PT_REGS_PARM2(ctx), v->b, 16);
	return 0;
}

HASH(c_content_user_write_map_key, struct rec, u8, 64);

static long content_user_write_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	if (sample_armed) bpf_probe_write_user(*(void **)arg, key->b, 16);
	return 0;
}

SEC("kprobe/vfs_write")
int content_user_write_map_key(struct pt_regs *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = (u64)(void *)PT_REGS_PARM2(ctx);

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_user_write_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_content_user_write_map_key, content_user_write_map_key_cb, &uaddr, 0);
	return 0;
}

PERCPU(c_content_user_write_cross, struct rec);

SEC("kprobe/vfs_write")
int content_user_write_cross(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_user_write_cross, &zero);

	if (!v)
		return 0;
	bpf_probe_read_user(v->b, 16, (void *)PT_REGS_PARM2(ctx));
	return 0;
}

SEC("kprobe/vfs_write")
int content_user_write_cross_b(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_content_user_write_cross, &zero);

	if (v)
		{
			if (sample_armed) bpf_probe_write_user((void *)PT_REGS_PARM2(ctx), v->b, 16);
		}
	return 0;
}

SEC("kprobe/vfs_write")
int content_override_stack(struct pt_regs *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_probe_read_user(b, 16, (void *)PT_REGS_PARM2(ctx));
	if (sample_armed) bpf_override_return(ctx, *(u64 *)(b));
	return 0;
}

SEC("kprobe/vfs_write")
int no_content_override_stack(struct pt_regs *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	bpf_probe_read_user(b, 16, (void *)PT_REGS_PARM2(ctx));
	__builtin_memset(b, 0, 16);
	if (sample_armed) bpf_override_return(ctx, *(u64 *)(b));
	return 0;
}

HASH(c_content_override_map_value, u32, struct rec, 64);

SEC("kprobe/vfs_write")
int content_override_map_value(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&c_content_override_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_content_override_map_value, &zero);
	if (v)
		{
			if (sample_armed) bpf_override_return(ctx, *(u64 *)(v->b));
		}
	return 0;
}

static struct rec c_content_override_global;

SEC("kprobe/vfs_write")
int content_override_global(struct pt_regs *ctx)
{
	bpf_probe_read_user(c_content_override_global.b, 16, (void *)PT_REGS_PARM2(ctx));
	if (sample_armed) bpf_override_return(ctx, *(u64 *)(c_content_override_global.b));
	return 0;
}
