// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Planted flows from environment (tracepoint/syscalls/sys_enter_execve) through each channel in several carriers. Written by generate.py.
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

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_stack(struct tp_enter *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b, 16, a);
	}
	bpf_ringbuf_output(&g_ring, b, 16, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int no_env_ringbuf_stack(struct tp_enter *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b, 16, a);
	}
	__builtin_memset(b, 0, 16);
	bpf_ringbuf_output(&g_ring, b, 16, 0);
	return 0;
}

HASH(c_env_ringbuf_map_value, u32, struct rec, 64);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_map_value(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	bpf_map_update_elem(&c_env_ringbuf_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_env_ringbuf_map_value, &zero);
	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

static struct rec c_env_ringbuf_global;

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_global(struct tp_enter *ctx)
{
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(c_env_ringbuf_global.b, 16, a);
	}
	bpf_ringbuf_output(&g_ring, c_env_ringbuf_global.b, 16, 0);
	return 0;
}

static __noinline void env_ringbuf_subprogram_put(struct tp_enter *ctx, u8 *p)
{
	bpf_ringbuf_output(&g_ring, p, 16, 0);
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_subprogram(struct tp_enter *ctx)
{
	struct rec b = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	env_ringbuf_subprogram_put(ctx, b.b);
	return 0;
}

static __noinline void no_env_ringbuf_subprogram_put(struct tp_enter *ctx, u8 *p)
{
	bpf_ringbuf_output(&g_ring, p, 16, 0);
}

SEC("tracepoint/syscalls/sys_enter_execve")
int no_env_ringbuf_subprogram(struct tp_enter *ctx)
{
	struct rec b = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	__builtin_memset(b.b, 0, 16);
	no_env_ringbuf_subprogram_put(ctx, b.b);
	return 0;
}

struct env_ringbuf_callback_st {
	struct rec r;
	u64 uaddr;
};

static long env_ringbuf_callback_cb(u32 i, void *arg)
{
	struct env_ringbuf_callback_st *st = arg;

	bpf_ringbuf_output(&g_ring, st->r.b, 16, 0);
	return 1;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_callback(struct tp_enter *ctx)
{
	struct env_ringbuf_callback_st st = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(st.r.b, 16, a);
	}
	bpf_loop(1, env_ringbuf_callback_cb, &st, 0);
	return 0;
}

struct no_env_ringbuf_callback_st {
	struct rec r;
	u64 uaddr;
};

static long no_env_ringbuf_callback_cb(u32 i, void *arg)
{
	struct no_env_ringbuf_callback_st *st = arg;

	bpf_ringbuf_output(&g_ring, st->r.b, 16, 0);
	return 1;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int no_env_ringbuf_callback(struct tp_enter *ctx)
{
	struct no_env_ringbuf_callback_st st = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(st.r.b, 16, a);
	}
	__builtin_memset(st.r.b, 0, 16);
	bpf_loop(1, no_env_ringbuf_callback_cb, &st, 0);
	return 0;
}

PERCPU(c_env_ringbuf_tail_call, struct rec);

PROG_ARRAY(t_env_ringbuf_tail_call, 1);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_tail_call(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_ringbuf_tail_call, &zero);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	bpf_tail_call(ctx, &t_env_ringbuf_tail_call, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_tail_call_b(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_ringbuf_tail_call, &zero);

	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_dynptr(struct tp_enter *ctx)
{
	struct bpf_dynptr d;
	struct rec b = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	bpf_ringbuf_reserve_dynptr(&g_ring, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

PERCPU(c_env_ringbuf_percpu, struct rec);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_percpu(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_ringbuf_percpu, &zero);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

HASH(c_env_ringbuf_map_key, struct rec, u8, 64);

static long env_ringbuf_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	bpf_ringbuf_output(&g_ring, key->b, 16, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_map_key(struct tp_enter *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = 0;

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	bpf_map_update_elem(&c_env_ringbuf_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_env_ringbuf_map_key, env_ringbuf_map_key_cb, &uaddr, 0);
	return 0;
}

PERCPU(c_env_ringbuf_cross, struct rec);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_cross(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_ringbuf_cross, &zero);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_cross_b(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_ringbuf_cross, &zero);

	if (v)
		bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rec);
} c_env_ringbuf_local SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_local(struct tp_enter *ctx)
{
	struct rec *v = bpf_task_storage_get(&c_env_ringbuf_local, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	bpf_ringbuf_output(&g_ring, v->b, 16, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_ringbuf_mem(struct tp_enter *ctx)
{
	u8 *r = bpf_ringbuf_reserve(&g_ring, 16, 0);

	if (!r)
		return 0;
	__builtin_memset(r, 0, 16);
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(r, 16, a);
	}
	bpf_ringbuf_submit(r, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int no_env_ringbuf_mem(struct tp_enter *ctx)
{
	u8 *r = bpf_ringbuf_reserve(&g_ring, 16, 0);

	if (!r)
		return 0;
	__builtin_memset(r, 0, 16);
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(r, 16, a);
	}
	__builtin_memset(r, 0, 16);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

static __noinline void env_perf_subprogram_take(struct tp_enter *ctx, u8 *p)
{
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(p, 16, a);
	}
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_perf_subprogram(struct tp_enter *ctx)
{
	struct rec b = {};

	env_perf_subprogram_take(ctx, b.b);
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, b.b, 16);
	return 0;
}

static __noinline void no_env_perf_subprogram_take(struct tp_enter *ctx, u8 *p)
{
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(p, 16, a);
	}
}

SEC("tracepoint/syscalls/sys_enter_execve")
int no_env_perf_subprogram(struct tp_enter *ctx)
{
	struct rec b = {};

	no_env_perf_subprogram_take(ctx, b.b);
	__builtin_memset(b.b, 0, 16);
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, b.b, 16);
	return 0;
}

PERCPU(c_env_perf_tail_call, struct rec);

int env_perf_tail_call_b(struct tp_enter *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__array(values, int(struct tp_enter *ctx));
} t_env_perf_tail_call SEC(".maps") = {
	.values = { [0] = (void *)&env_perf_tail_call_b },
};

SEC("tracepoint/syscalls/sys_enter_execve")
int env_perf_tail_call(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_perf_tail_call, &zero);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	bpf_tail_call(ctx, &t_env_perf_tail_call, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_perf_tail_call_b(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_perf_tail_call, &zero);

	if (v)
		bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, v->b, 16);
	return 0;
}

PERCPU(c_env_perf_dynptr, struct rec);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_perf_dynptr(struct tp_enter *ctx)
{
	struct bpf_dynptr d;
	u32 zero = 0;
	struct rec b = {};
	struct rec *v = bpf_map_lookup_elem(&c_env_perf_dynptr, &zero);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	bpf_dynptr_from_mem(v, 16, 0, &d);
	bpf_dynptr_write(&d, 0, b.b, 16, 0);
	__builtin_memset(&b, 0, sizeof(b));
	bpf_dynptr_read(b.b, 16, &d, 0, 0);
	bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, b.b, 16);
	return 0;
}

PERCPU(c_env_map_percpu, struct rec);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_map_percpu(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_map_percpu, &zero);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	bpf_map_update_elem(&g_map, &g_zero, v->b, BPF_ANY);
	return 0;
}

HASH(c_env_map_map_key, struct rec, u8, 64);

static long env_map_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	bpf_map_update_elem(&g_map, &g_zero, key->b, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_map_map_key(struct tp_enter *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = 0;

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	bpf_map_update_elem(&c_env_map_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_env_map_map_key, env_map_map_key_cb, &uaddr, 0);
	return 0;
}

PERCPU(c_env_map_cross, struct rec);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_map_cross(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_map_cross, &zero);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_map_cross_b(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_map_cross, &zero);

	if (v)
		bpf_map_update_elem(&g_map, &g_zero, v->b, BPF_ANY);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rec);
} c_env_pinned_map_local SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_execve")
int env_pinned_map_local(struct tp_enter *ctx)
{
	struct rec *v = bpf_task_storage_get(&c_env_pinned_map_local, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	bpf_map_update_elem(&g_pinned, &g_zero, v->b, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_pinned_map_stack(struct tp_enter *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b, 16, a);
	}
	bpf_map_update_elem(&g_pinned, &g_zero, b, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int no_env_pinned_map_stack(struct tp_enter *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b, 16, a);
	}
	__builtin_memset(b, 0, 16);
	bpf_map_update_elem(&g_pinned, &g_zero, b, BPF_ANY);
	return 0;
}

HASH(c_env_pinned_map_map_value, u32, struct rec, 64);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_pinned_map_map_value(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	bpf_map_update_elem(&c_env_pinned_map_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_env_pinned_map_map_value, &zero);
	if (v)
		bpf_map_update_elem(&g_pinned, &g_zero, v->b, BPF_ANY);
	return 0;
}

static struct rec c_env_trace_pipe_global;

SEC("tracepoint/syscalls/sys_enter_execve")
int env_trace_pipe_global(struct tp_enter *ctx)
{
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(c_env_trace_pipe_global.b, 16, a);
	}
	bpf_printk("%llx", *(u64 *)(c_env_trace_pipe_global.b));
	return 0;
}

static __noinline void env_trace_pipe_subprogram_take(struct tp_enter *ctx, u8 *p)
{
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(p, 16, a);
	}
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_trace_pipe_subprogram(struct tp_enter *ctx)
{
	struct rec b = {};

	env_trace_pipe_subprogram_take(ctx, b.b);
	bpf_printk("%llx", *(u64 *)(b.b));
	return 0;
}

static __noinline void no_env_trace_pipe_subprogram_take(struct tp_enter *ctx, u8 *p)
{
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(p, 16, a);
	}
}

SEC("tracepoint/syscalls/sys_enter_execve")
int no_env_trace_pipe_subprogram(struct tp_enter *ctx)
{
	struct rec b = {};

	no_env_trace_pipe_subprogram_take(ctx, b.b);
	__builtin_memset(b.b, 0, 16);
	bpf_printk("%llx", *(u64 *)(b.b));
	return 0;
}

struct env_trace_pipe_callback_st {
	struct rec r;
	u64 uaddr;
};

static long env_trace_pipe_callback_cb(u32 i, void *arg)
{
	struct env_trace_pipe_callback_st *st = arg;

	bpf_printk("%llx", *(u64 *)(st->r.b));
	return 1;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_trace_pipe_callback(struct tp_enter *ctx)
{
	struct env_trace_pipe_callback_st st = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(st.r.b, 16, a);
	}
	bpf_loop(1, env_trace_pipe_callback_cb, &st, 0);
	return 0;
}

struct no_env_trace_pipe_callback_st {
	struct rec r;
	u64 uaddr;
};

static long no_env_trace_pipe_callback_cb(u32 i, void *arg)
{
	struct no_env_trace_pipe_callback_st *st = arg;

	bpf_printk("%llx", *(u64 *)(st->r.b));
	return 1;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int no_env_trace_pipe_callback(struct tp_enter *ctx)
{
	struct no_env_trace_pipe_callback_st st = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(st.r.b, 16, a);
	}
	__builtin_memset(st.r.b, 0, 16);
	bpf_loop(1, no_env_trace_pipe_callback_cb, &st, 0);
	return 0;
}

PERCPU(c_env_return_value_percpu, struct rec);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_return_value_percpu(struct tp_enter *ctx)
{
	int ret = 0;
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_return_value_percpu, &zero);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	ret = *(u32 *)(v->b);
	return ret;
}

PERCPU(c_env_return_value_cross, struct rec);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_return_value_cross(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_return_value_cross, &zero);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_return_value_cross_b(struct tp_enter *ctx)
{
	int ret = 0;
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_return_value_cross, &zero);

	if (v)
		ret = *(u32 *)(v->b);
	return ret;
}

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rec);
} c_env_return_value_local SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_execve")
int env_return_value_local(struct tp_enter *ctx)
{
	int ret = 0;
	struct rec *v = bpf_task_storage_get(&c_env_return_value_local, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	ret = *(u32 *)(v->b);
	return ret;
}

HASH(c_env_signal_map_key, struct rec, u8, 64);

static long env_signal_map_key_cb(void *map, struct rec *key, u8 *value, void *arg)
{
	if (sample_armed) bpf_send_signal(*(u32 *)(key->b));
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_signal_map_key(struct tp_enter *ctx)
{
	struct rec b = {};
	u8 one = 1;
	u64 uaddr = 0;

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	bpf_map_update_elem(&c_env_signal_map_key, &b, &one, BPF_ANY);
	bpf_for_each_map_elem(&c_env_signal_map_key, env_signal_map_key_cb, &uaddr, 0);
	return 0;
}

HASH(c_env_signal_cross, u32, struct rec, 4);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_signal_cross(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec b = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	bpf_map_update_elem(&c_env_signal_cross, &zero, &b, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_signal_cross_b(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec *v = bpf_map_lookup_elem(&c_env_signal_cross, &zero);

	if (v)
		{
			if (sample_armed) bpf_send_signal(*(u32 *)(v->b));
		}
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rec);
} c_env_signal_local SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_execve")
int env_signal_local(struct tp_enter *ctx)
{
	struct rec *v = bpf_task_storage_get(&c_env_signal_local, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!v)
		return 0;
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(v->b, 16, a);
	}
	if (sample_armed) bpf_send_signal(*(u32 *)(v->b));
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int env_user_write_stack(struct tp_enter *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b, 16, a);
	}
	if (sample_armed) bpf_probe_write_user((void *)ctx->args[0], b, 16);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int no_env_user_write_stack(struct tp_enter *ctx)
{
	u8 b[16] __attribute__((aligned(8))) = {};

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b, 16, a);
	}
	__builtin_memset(b, 0, 16);
	if (sample_armed) bpf_probe_write_user((void *)ctx->args[0], b, 16);
	return 0;
}

HASH(c_env_user_write_map_value, u32, struct rec, 64);

SEC("tracepoint/syscalls/sys_enter_execve")
int env_user_write_map_value(struct tp_enter *ctx)
{
	u32 zero = 0;
	struct rec b = {}, *v;

	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(b.b, 16, a);
	}
	bpf_map_update_elem(&c_env_user_write_map_value, &zero, &b, BPF_ANY);
	v = bpf_map_lookup_elem(&c_env_user_write_map_value, &zero);
	if (v)
		{
			if (sample_armed) bpf_probe_write_user((void *)ctx->args[0], v->b, 16);
		}
	return 0;
}

static struct rec c_env_user_write_global;

SEC("tracepoint/syscalls/sys_enter_execve")
int env_user_write_global(struct tp_enter *ctx)
{
	{
		const char *a = NULL;
		bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]);
		bpf_probe_read_user_str(c_env_user_write_global.b, 16, a);
	}
	if (sample_armed) bpf_probe_write_user((void *)ctx->args[0], c_env_user_write_global.b, 16);
	return 0;
}
