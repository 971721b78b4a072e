// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Source classes reached from tracing hooks. Written by generate.py.
#include "kernel_types.h"

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

SEC("uprobe/libgnutls.so.30:gnutls_record_send")
int BPF_KPROBE(gnutls_send, void *s, const void *data, size_t n)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, data);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("uprobe/libnspr4.so:PR_Write")
int BPF_KPROBE(nss_write, void *fd, const void *data, int n)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, data);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write_ex")
int BPF_KPROBE(ssl_write_ex, void *s, const void *data, size_t n, size_t *w)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, data);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("uprobe//usr/local/bin/app:crypto/tls.(*Conn).Write")
int go_conn_write(struct pt_regs *ctx)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)ctx->bx);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(old_read_helper, void *s, const void *data, int n)
{
	struct rec b = {};

	bpf_probe_read(b.b, 16, data);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("ksyscall/write")
int BPF_KSYSCALL(ks_write, unsigned int fd, const char *data, size_t n)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, data);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("raw_tp/sys_enter")
int raw_write(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];
	struct rec b = {};

	if (ctx->args[1] != 1)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2_CORE(regs));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(btf_write, struct pt_regs *regs, long id)
{
	struct rec b = {};

	if (id != 1)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2_CORE(regs));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_sendto")
int tp_sendto(struct tp_enter *ctx)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)ctx->args[1]);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_sendmsg")
int tp_sendmsg(struct tp_enter *ctx)
{
	u64 iov = 0, base = 0;
	struct rec b = {};

	bpf_probe_read_user(&iov, 8, (void *)(ctx->args[1] + 16));
	bpf_probe_read_user(&base, 8, (void *)iov);
	bpf_probe_read_user(b.b, 16, (void *)base);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_writev")
int tp_writev(struct tp_enter *ctx)
{
	u64 base = 0;
	struct rec b = {};

	bpf_probe_read_user(&base, 8, (void *)ctx->args[1]);
	bpf_probe_read_user(b.b, 16, (void *)base);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int mm_args(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)BPF_CORE_READ(t, mm, arg_start));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int mm_env(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)BPF_CORE_READ(t, mm, env_start));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execveat")
int execveat_args(struct tp_enter *ctx)
{
	char *a = NULL;
	struct rec b = {};

	bpf_probe_read_user(&a, 8, (void *)(ctx->args[2] + 8));
	bpf_probe_read_user_str(b.b, 16, a);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("uretprobe//bin/bash:readline")
int BPF_KRETPROBE(readline_ret, const char *line)
{
	struct rec b = {};

	bpf_probe_read_user_str(b.b, 16, line);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/input_event")
int BPF_KPROBE(input_event_probe, void *dev, unsigned int type, unsigned int code, int value)
{
	struct rec b = {};

	*(u32 *)b.b = code;
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/tty_insert_flip_string_fixed_flag")
int BPF_KPROBE(flip_string, void *port, const unsigned char *chars, char flag, size_t n)
{
	struct rec b = {};

	bpf_probe_read_kernel(b.b, 16, chars);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/n_tty_receive_buf")
int BPF_KPROBE(n_tty_receive, void *tty, const unsigned char *cp, const char *fp, int n)
{
	struct rec b = {};

	bpf_probe_read_kernel(b.b, 16, cp);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/kernel_write")
int BPF_KPROBE(kernel_write_probe, void *file, const void *data, size_t n)
{
	struct rec b = {};

	bpf_probe_read_kernel(b.b, 16, data);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/vfs_unlink")
int BPF_KPROBE(dentry_name, void *idmap, struct inode *dir, struct dentry *dentry)
{
	struct rec b = {};

	bpf_probe_read_kernel_str(b.b, 16, BPF_CORE_READ(dentry, d_name.name));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/vfs_read")
int BPF_KPROBE(file_path_name, struct file *file)
{
	struct rec b = {};

	bpf_probe_read_kernel_str(b.b, 16, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_unlinkat")
int unlink_path(struct tp_enter *ctx)
{
	struct rec b = {};

	bpf_probe_read_user_str(b.b, 16, (void *)ctx->args[1]);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int bprm_name(struct bpf_raw_tracepoint_args *ctx)
{
	struct linux_binprm *bprm = (void *)ctx->args[2];
	struct rec b = {};

	bpf_probe_read_kernel_str(b.b, 16, BPF_CORE_READ(bprm, filename));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_add_key")
int add_key_payload(struct tp_enter *ctx)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)ctx->args[2]);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("uprobe/libcrypt.so.1:crypt")
int BPF_KPROBE(crypt_password, const char *phrase, const char *salt)
{
	struct rec b = {};

	bpf_probe_read_user_str(b.b, 16, phrase);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/do_exit")
int task_cred(struct pt_regs *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	const struct cred *c = BPF_CORE_READ(t, cred);
	struct rec b = {};

	bpf_probe_read_kernel(b.b, 16, c);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("uprobe/libc.so.6:gethostbyname")
int BPF_KPROBE(gethostbyname_arg, const char *name)
{
	struct rec b = {};

	bpf_probe_read_user_str(b.b, 16, name);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/do_exit")
int current_task_ptr(struct pt_regs *ctx)
{
	struct rec b = {};

	*(u64 *)b.b = bpf_get_current_task();
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/do_exit")
int regs_ip(struct pt_regs *ctx)
{
	struct rec b = {};

	*(u64 *)b.b = ctx->ip;
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/do_exit")
int kernel_stack(struct pt_regs *ctx)
{
	struct rec b = {};

	bpf_get_stack(ctx, b.b, 16, 0);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/do_exit")
int task_bytes(struct pt_regs *ctx)
{
	struct rec b = {};

	bpf_probe_read_kernel(b.b, 16, (void *)PT_REGS_PARM2(ctx));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/do_exit")
int pid_uid(struct pt_regs *ctx)
{
	struct rec b = {};

	*(u64 *)b.b = bpf_get_current_pid_tgid();
	*(u64 *)(b.b + 8) = bpf_get_current_uid_gid();
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/do_exit")
int task_comm(struct pt_regs *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct rec b = {};

	bpf_probe_read_kernel(b.b, 16, BPF_CORE_READ(t, group_leader, comm));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/do_exit")
int cgroup_ids(struct pt_regs *ctx)
{
	struct rec b = {};

	*(u64 *)b.b = bpf_get_current_cgroup_id();
	*(u64 *)(b.b + 8) = bpf_get_current_ancestor_cgroup_id(1);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("kprobe/tcp_connect")
int BPF_KPROBE(sock_addrs, struct sock *sk)
{
	struct rec b = {};

	*(u32 *)b.b = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	*(u16 *)(b.b + 4) = BPF_CORE_READ(sk, __sk_common.skc_dport);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("uprobe.s//usr/local/bin/app:handle_record")
int BPF_KPROBE(copy_from_user_s, const void *data)
{
	struct rec b = {};

	bpf_copy_from_user(b.b, 16, data);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

HASH(c_ssl_read_pair, u64, u64, 64);

SEC("uprobe/libssl.so.3:SSL_read")
int ssl_read_pair_a(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), p = PT_REGS_PARM2(ctx);

	bpf_map_update_elem(&c_ssl_read_pair, &id, &p, BPF_ANY);
	return 0;
}

SEC("uretprobe/libssl.so.3:SSL_read")
int ssl_read_pair_b(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *p = bpf_map_lookup_elem(&c_ssl_read_pair, &id);
	struct rec b = {};

	if (!p)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)*p);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

HASH(c_ssl_read_ex_pair, u64, u64, 64);

SEC("uprobe/libssl.so.3:SSL_read_ex")
int ssl_read_ex_pair_a(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), p = PT_REGS_PARM2(ctx);

	bpf_map_update_elem(&c_ssl_read_ex_pair, &id, &p, BPF_ANY);
	return 0;
}

SEC("uretprobe/libssl.so.3:SSL_read_ex")
int ssl_read_ex_pair_b(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *p = bpf_map_lookup_elem(&c_ssl_read_ex_pair, &id);
	struct rec b = {};

	if (!p)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)*p);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

HASH(c_gnutls_recv_pair, u64, u64, 64);

SEC("uprobe/libgnutls.so.30:gnutls_record_recv")
int gnutls_recv_pair_a(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), p = PT_REGS_PARM2(ctx);

	bpf_map_update_elem(&c_gnutls_recv_pair, &id, &p, BPF_ANY);
	return 0;
}

SEC("uretprobe/libgnutls.so.30:gnutls_record_recv")
int gnutls_recv_pair_b(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *p = bpf_map_lookup_elem(&c_gnutls_recv_pair, &id);
	struct rec b = {};

	if (!p)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)*p);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

HASH(c_vfs_read_pair, u64, u64, 64);

SEC("kprobe/vfs_read")
int vfs_read_pair_a(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), p = PT_REGS_PARM2(ctx);

	bpf_map_update_elem(&c_vfs_read_pair, &id, &p, BPF_ANY);
	return 0;
}

SEC("kretprobe/vfs_read")
int vfs_read_pair_b(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *p = bpf_map_lookup_elem(&c_vfs_read_pair, &id);
	struct rec b = {};

	if (!p)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)*p);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

HASH(c_kernel_read_pair, u64, u64, 64);

SEC("kprobe/kernel_read")
int kernel_read_pair_a(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), p = PT_REGS_PARM2(ctx);

	bpf_map_update_elem(&c_kernel_read_pair, &id, &p, BPF_ANY);
	return 0;
}

SEC("kretprobe/kernel_read")
int kernel_read_pair_b(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *p = bpf_map_lookup_elem(&c_kernel_read_pair, &id);
	struct rec b = {};

	if (!p)
		return 0;
	bpf_probe_read_kernel(b.b, 16, (void *)*p);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}
