// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Dual-use twin of T11: a TLS tracer for SSL_read and SSL_write, every process, no filter on content: a capability.
#include "sample.h"

LICENSE;

#define CHUNK 4096
struct event {
	u64 ts;
	u32 pid, tid, len, op;
	char comm[16];
	u8 buf[CHUNK];
};
struct args {
	u64 buf;
};
HASH(active, u32, struct args, 10240);
PERCPU(ssl_data, struct event);
PERFBUF(perf_SSL_events);
const volatile u32 targ_uid = -1;

static __always_inline int ssl_exit(struct pt_regs *ctx, u32 op)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 zero = 0, tid = id;
	struct args *a = bpf_map_lookup_elem(&active, &tid);
	struct event *e = bpf_map_lookup_elem(&ssl_data, &zero);
	int len = PT_REGS_RC(ctx);
	u64 n;

	if (!a || !e || len <= 0)
		return 0;
	e->ts = bpf_ktime_get_ns();
	e->pid = id >> 32;
	e->tid = tid;
	e->len = len;
	e->op = op;
	n = (u32)len;
	CLAMP(n, CHUNK);
	bpf_get_current_comm(&e->comm, sizeof(e->comm));
	bpf_probe_read_user(e->buf, n, (void *)a->buf);
	bpf_map_delete_elem(&active, &tid);
	bpf_perf_event_output(ctx, &perf_SSL_events, BPF_F_CURRENT_CPU, e, sizeof(*e));
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(tls_write_enter, void *ssl, void *buf, int num)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct args a = { (u64)buf };

	if (targ_uid != (u32)-1 && targ_uid != (u32)bpf_get_current_uid_gid())
		return 0;
	bpf_map_update_elem(&active, &tid, &a, BPF_ANY);
	return 0;
}

SEC("uretprobe/libssl.so.3:SSL_write")
int tls_write_exit(struct pt_regs *ctx)
{
	return ssl_exit(ctx, 1);
}

SEC("uprobe/libssl.so.3:SSL_read")
int BPF_KPROBE(tls_read_enter, void *ssl, void *buf, int num)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct args a = { (u64)buf };

	bpf_map_update_elem(&active, &tid, &a, BPF_ANY);
	return 0;
}

SEC("uretprobe/libssl.so.3:SSL_read")
int tls_read_exit(struct pt_regs *ctx)
{
	return ssl_exit(ctx, 0);
}
