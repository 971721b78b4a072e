// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Channels and carriers that fit few sources. Written by generate.py.
#include "kernel_types.h"
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

struct request_in {
	u64 data;
};

SEC("iter.s/task")
int iter_args(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct rec b = {};

	if (!t)
		return 0;
	bpf_copy_from_user_task(b.b, 16, (void *)BPF_CORE_READ(t, mm, arg_start), t, 0);
	bpf_seq_write(ctx->meta->seq, &b, sizeof(b));
	return 0;
}

SEC("iter.s/task")
int iter_env(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct rec b = {};

	if (!t)
		return 0;
	bpf_copy_from_user_task(b.b, 16, (void *)BPF_CORE_READ(t, mm, env_start), t, 0);
	bpf_seq_write(ctx->meta->seq, &b, sizeof(b));
	return 0;
}

SEC("iter/task")
int iter_comm(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (t)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %s", t->tgid, t->comm);
	return 0;
}

SEC("iter/task")
int iter_pointer(struct bpf_iter__task *ctx)
{
	u64 p = (u64)ctx->task;

	bpf_seq_write(ctx->meta->seq, &p, sizeof(p));
	return 0;
}

SEC("iter/task_file")
int iter_file(struct bpf_iter__task_file *ctx)
{
	struct file *f = ctx->file;
	struct rec b = {};

	if (!f)
		return 0;
	bpf_probe_read_kernel_str(b.b, 16, BPF_CORE_READ(f, f_path.dentry, d_name.name));
	bpf_seq_write(ctx->meta->seq, &b, sizeof(b));
	return 0;
}

SEC("iter/tcp")
int iter_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	u32 a[2];

	if (!sk)
		return 0;
	a[0] = sk->skc_rcv_saddr;
	a[1] = sk->skc_daddr;
	bpf_seq_write(ctx->meta->seq, a, sizeof(a));
	return 0;
}

SEC("syscall")
int sys_user(struct request_in *ctx)
{
	union bpf_attr attr;

	__builtin_memset(&attr, 0, sizeof(attr));
	bpf_copy_from_user(&attr, 64, (void *)ctx->data);
	return bpf_sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)) ? 1 : 0;
}

SEC("syscall")
int sys_meta(struct request_in *ctx)
{
	union bpf_attr attr;

	__builtin_memset(&attr, 0, sizeof(attr));
	attr.start_id = bpf_get_current_pid_tgid();
	return bpf_sys_bpf(BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)) ? 1 : 0;
}

SEC("tc")
int clone_payload(struct __sk_buff *skb)
{
	return bpf_clone_redirect(skb, 3, 0) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc")
int redirect_payload(struct __sk_buff *skb)
{
	return bpf_redirect(3, 0);
}

SEC("xdp")
int tx_payload(struct xdp_md *ctx)
{
	return XDP_TX;
}

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} s_ports SEC(".maps");

SEC("xdp")
int devmap_payload(struct xdp_md *ctx)
{
	return bpf_redirect_map(&s_ports, 0, 0);
}

SEC("tc")
int skb_to_perf(struct __sk_buff *skb)
{
	u64 n = skb->len, mark = 7;

	bpf_perf_event_output(skb, &g_perf, BPF_F_CURRENT_CPU | (n & 0xffff) << 32, &mark, sizeof(mark));
	return TC_ACT_OK;
}

SEC("tc")
int packet_and_back(struct __sk_buff *skb)
{
	struct rec b = {};

	bpf_skb_load_bytes(skb, UDP_PAYLOAD_OFF + 32, &b, sizeof(b));
	bpf_skb_store_bytes(skb, UDP_PAYLOAD_OFF, &b, sizeof(b), 0);
	__builtin_memset(&b, 0, sizeof(b));
	bpf_skb_load_bytes(skb, UDP_PAYLOAD_OFF, &b, sizeof(b));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return TC_ACT_OK;
}

SEC("cgroup/sysctl")
int sysctl_meta(struct bpf_sysctl *ctx)
{
	char text[16] = {};

	*(u64 *)text = bpf_get_current_uid_gid();
	if (ctx->write)
		bpf_sysctl_set_new_value(ctx, text, sizeof(text));
	return 1;
}

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8);
	__uint(value_size, sizeof(struct rec));
} s_queue SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_write")
int queue_key(struct tp_enter *ctx)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)ctx->args[1]);
	bpf_map_push_elem(&s_queue, &b, 0);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(max_entries, 4);
		__type(key, u32);
		__type(value, struct rec);
	});
} s_outer SEC(".maps");

SEC("uprobe/libpam.so.0:pam_set_item")
int bloom_key(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec b = {};
	void *inner = bpf_map_lookup_elem(&s_outer, &zero);

	if (!inner)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM3(ctx));
	bpf_map_update_elem(inner, &zero, &b, BPF_ANY);
	return 0;
}

u64 s_codes;

SEC("kprobe/input_handle_event")
int atomic_word(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&s_codes, PT_REGS_PARM3(ctx));
	return 0;
}

SEC("uprobe/libpam.so.0:pam_set_item")
int snprintf_word(struct pt_regs *ctx)
{
	static const char fmt[] = "%llx";
	char text[24] = {};
	u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)PT_REGS_PARM3(ctx));
	bpf_snprintf(text, sizeof(text), fmt, &v, sizeof(v));
	bpf_ringbuf_output(&g_ring, text, sizeof(text), 0);
	return 0;
}

struct later {
	struct bpf_timer timer;
	struct rec r;
};
ARRAY(s_timers, struct later, 1);

static int timer_cb(void *map, u32 *key, struct later *l)
{
	bpf_ringbuf_output(&g_ring, &l->r, sizeof(l->r), 0);
	return 0;
}

SEC("sockops")
int timer_put(struct bpf_sock_ops *ctx)
{
	u32 zero = 0;
	struct later *l = bpf_map_lookup_elem(&s_timers, &zero);

	if (!l)
		return 0;
	bpf_timer_init(&l->timer, &s_timers, 1);
	bpf_timer_set_callback(&l->timer, timer_cb);
	*(u32 *)l->r.b = ctx->remote_ip4;
	bpf_timer_start(&l->timer, 1000, 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int shift_by_secret(struct pt_regs *ctx)
{
	u64 v = 0, one = 1;
	u8 c = 0;

	bpf_probe_read_user(&c, 1, (void *)PT_REGS_PARM2(ctx));
	v = one << (c & 63);
	bpf_ringbuf_output(&g_ring, &v, sizeof(v), 0);
	return 0;
}
