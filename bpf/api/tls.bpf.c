// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * API visibility: clear text that goes through TLS libraries. Probes on the functions that take or give it: the arguments are kept
 * from the entry, the bytes are copied at the return, which says how many there were. guard/api/targets.c finds the functions and
 * the instructions to probe.
 *
 * Which socket a TLS object belongs to is learned from the system calls that the thread makes meanwhile: socket.bpf.c notes the
 * last cipher text of each thread. Inside a call of the library it is certain (nginx, curl, Python, Apache); where the program moves
 * the cipher text itself (Node.js), the last read before the call is taken, and marked as a guess.
 */
#include "bpf/api/emit.bpf.h"

#define GUESS_NS 1000000000ULL /* a guess is not older than this */

/* ---- connections -------------------------------------------------------------------------------------------------- */

static __always_inline void link_socket(struct api_conn *c, const struct api_tls_key *key, u64 sk, u64 ino, bool sure)
{
	struct api_conn *s = bpf_map_lookup_elem(&bw_api_conns, &sk);

	if (!s || s->ino != ino || s->state != BW_API_TLS)
		return;
	c->sk = sk;
	c->ino = ino;
	c->local = s->local;
	c->remote = s->remote;
	c->role = s->role;
	c->flags = sure ? c->flags & ~BW_API_WEAK_PEER : c->flags | BW_API_WEAK_PEER;
	c->changed = 1;
	s->tls = *key;
}

/* The connection of a TLS object; @sk (0: unknown) is the socket that goes with it, @sure or as a guess. */
static __always_inline struct api_conn *tls_conn(const struct api_tls_key *key, u64 sk, u64 ino, bool sure)
{
	struct api_conn *c = bpf_map_lookup_elem(&bw_api_tls, key);
	struct api_conn fresh = { 0 };

	if (c && c->sk && sure && sk && (c->sk != sk || c->ino != ino)) {
		/* Another socket: the object has been used again, or freed and another one put in its place. */
		emit_close(c, 0);
		bpf_map_delete_elem(&bw_api_tls, key);
		c = NULL;
	}
	if (!c) {
		fresh.source = key->source;
		fresh.flags = BW_API_MIDWAY;
		if (bpf_map_update_elem(&bw_api_tls, key, &fresh, BPF_ANY)) {
			api_stat(BW_API_STAT_LOST_STATE, 1);
			return NULL;
		}
		c = bpf_map_lookup_elem(&bw_api_tls, key);
	}
	if (c && sk && (!c->sk || (c->flags & BW_API_WEAK_PEER && (sure || c->sk != sk))))
		link_socket(c, key, sk, ino, sure);
	return c;
}

static __always_inline void tls_gone(u64 ssl, u32 source)
{
	struct api_tls_key key = { ssl, bpf_get_current_pid_tgid() >> 32, source };
	struct api_conn *c = bpf_map_lookup_elem(&bw_api_tls, &key);

	if (!c)
		return;
	emit_close(c, 0);
	bpf_map_delete_elem(&bw_api_tls, &key);
}

/* ---- libraries with a C interface ----------------------------------------------------------------------------------- */

/* A call begins. One inside another (SSL_read by SSL_read_ex, send by send2) is part of it. */
static __always_inline int enter(struct pt_regs___sys *ctx, u32 source, u32 dir, u64 len_ptr)
{
	u64 id = bpf_get_current_pid_tgid();
	struct api_thread *t, fresh = { 0 };

	if (is_ignored(id >> 32))
		return 0;
	t = bpf_map_lookup_elem(&bw_api_threads, &id);
	if (!t) {
		if (bpf_map_update_elem(&bw_api_threads, &id, &fresh, BPF_ANY)) {
			api_stat(BW_API_STAT_LOST_STATE, 1);
			return 0;
		}
		t = bpf_map_lookup_elem(&bw_api_threads, &id);
		if (!t)
			return 0;
	}
	if (t->ssl && ctx->sp < t->sp) {
		t->depth++;
		return 0;
	}
	t->ssl = ctx->di;
	t->sp = ctx->sp;
	t->buf = ctx->si;
	t->len_ptr = len_ptr;
	t->began = bpf_ktime_get_boot_ns();
	t->depth = 0;
	t->dir = dir;
	t->source = source;
	return 0;
}

#define TLS_ENTER(name, source, dir, len_ptr)      \
	SEC("uprobe")                              \
	int name(struct pt_regs___sys *ctx)        \
	{                                          \
		return enter(ctx, source, dir, len_ptr); \
	}

TLS_ENTER(bw_api_ssl_read, BW_API_OPENSSL, BW_API_IN, 0)
TLS_ENTER(bw_api_ssl_write, BW_API_OPENSSL, BW_API_OUT, 0)
/* SSL_read_ex() and SSL_write_ex() return 1 and say in their fourth argument how many; SSL_write_ex2() in its fifth. */
TLS_ENTER(bw_api_ssl_read_ex, BW_API_OPENSSL, BW_API_IN, ctx->cx)
TLS_ENTER(bw_api_ssl_write_ex, BW_API_OPENSSL, BW_API_OUT, ctx->cx)
TLS_ENTER(bw_api_ssl_write_ex2, BW_API_OPENSSL, BW_API_OUT, ctx->r8)
TLS_ENTER(bw_api_bssl_read, BW_API_BORINGSSL, BW_API_IN, 0)
TLS_ENTER(bw_api_bssl_write, BW_API_BORINGSSL, BW_API_OUT, 0)
TLS_ENTER(bw_api_gtls_recv, BW_API_GNUTLS, BW_API_IN, 0)
TLS_ENTER(bw_api_gtls_send, BW_API_GNUTLS, BW_API_OUT, 0)

/* @n bytes at @buf went through the object @key, whose connection is there. */
static __always_inline void record(const struct api_tls_key *key, u64 buf, u64 n, u32 dir)
{
	u64 id = bpf_get_current_pid_tgid();
	struct api_scratch *s;
	u32 slot;

	api_stat(BW_API_STAT_CALLS, 1);
	s = scratch_take(id, &slot);
	if (!s)
		return;
	s->base = buf;
	s->iov = 0;
	s->n = n;
	s->dir = dir;
	bw_api_record(slot, key->ssl, TLS_KEY(key->tgid, key->source));
	scratch_give(s, id);
}

static __always_inline void leave(struct api_thread *t, u64 ret)
{
	u64 now = bpf_ktime_get_boot_ns(), sk = 0, n = 0;
	struct api_tls_key key;
	struct api_conn *c;
	bool sure;

	key.ssl = t->ssl;
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	key.source = t->source;
	t->ssl = 0;
	if (t->len_ptr) {
		if ((s32)ret == 1 && bpf_probe_read_user(&n, sizeof(n), (void *)t->len_ptr))
			api_stat(BW_API_STAT_READ_FAILED, 1);
	} else if ((s32)ret > 0) {
		n = (u32)ret;
	}
	if (!n)
		return;
	sure = t->moved >= t->began;
	if (sure || (t->sk_dir == t->dir && now - t->moved < GUESS_NS))
		sk = t->sk;
	c = tls_conn(&key, sk, t->ino, sure);
	if (c && c->state != BW_API_OTHER && c->state != BW_API_TLS)
		record(&key, t->buf, n, t->dir);
}

SEC("uretprobe")
int bw_api_tls_ret(struct pt_regs___sys *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct api_thread *t = bpf_map_lookup_elem(&bw_api_threads, &id);

	if (!t || !t->ssl)
		return 0;
	if (t->depth) {
		t->depth--;
		return 0;
	}
	leave(t, ctx->ax);
	return 0;
}

SEC("uprobe")
int bw_api_ssl_free(struct pt_regs___sys *ctx)
{
	tls_gone(ctx->di, BW_API_OPENSSL);
	return 0;
}

SEC("uprobe")
int bw_api_bssl_free(struct pt_regs___sys *ctx)
{
	tls_gone(ctx->di, BW_API_BORINGSSL);
	return 0;
}

SEC("uprobe")
int bw_api_gtls_free(struct pt_regs___sys *ctx)
{
	tls_gone(ctx->di, BW_API_GNUTLS);
	return 0;
}

/* ---- Go ----------------------------------------------------------------------------------------------------------- */

/*
 * func (c *Conn) Read(b []byte) (int, error), and Write: since Go 1.17 in registers: c AX, b BX (length CX), the goroutine R14; result
 * AX. The stack of a goroutine moves, so that no return address may be replaced: every RET has a probe of its own.
 */
static __always_inline int go_enter(struct pt_regs___sys *ctx, u32 dir)
{
	struct api_go_key key = { ctx->r14, bpf_get_current_pid_tgid() >> 32, 0 };
	struct api_go_call call = { ctx->ax, ctx->bx, dir, 0 };

	if (is_ignored(key.tgid))
		return 0;
	if (bpf_map_update_elem(&bw_api_go, &key, &call, BPF_ANY))
		api_stat(BW_API_STAT_LOST_STATE, 1);
	return 0;
}

SEC("uprobe")
int bw_api_go_read(struct pt_regs___sys *ctx)
{
	return go_enter(ctx, BW_API_IN);
}

SEC("uprobe")
int bw_api_go_write(struct pt_regs___sys *ctx)
{
	return go_enter(ctx, BW_API_OUT);
}

/*
 * The descriptor of a tls.Conn over a net.TCPConn: its first member is the interface "conn" (type, pointer); the TCPConn begins with its
 * *netFD, and that with a poll.FD: a lock of 16 bytes, then the descriptor. The same since Go 1.9; whatever else is there
 * does not lead to a socket that carries TLS.
 */
static __always_inline bool go_socket(u64 conn, struct sock_ref *ref)
{
	u64 tcp = 0, net_fd = 0;
	u32 fd = 0;

	if (bpf_probe_read_user(&tcp, sizeof(tcp), (void *)(conn + 8)) || bpf_probe_read_user(&net_fd, sizeof(net_fd), (void *)tcp) ||
	    bpf_probe_read_user(&fd, sizeof(fd), (void *)(net_fd + 16)))
		return false;
	return fd_socket(fd, ref);
}

SEC("uprobe")
int bw_api_go_ret(struct pt_regs___sys *ctx)
{
	struct api_go_key g = { ctx->r14, bpf_get_current_pid_tgid() >> 32, 0 };
	struct api_go_call *found = bpf_map_lookup_elem(&bw_api_go, &g), call;
	struct sock_ref ref = { 0 };
	struct api_tls_key key;
	struct api_conn *c;

	if (!found)
		return 0;
	call = *found;
	bpf_map_delete_elem(&bw_api_go, &g);
	if ((s64)ctx->ax <= 0)
		return 0;
	key.ssl = call.conn;
	key.tgid = g.tgid;
	key.source = BW_API_GO_TLS;
	if (!go_socket(key.ssl, &ref))
		ref.sk = NULL;
	c = tls_conn(&key, (u64)ref.sk, ref.ino, true);
	if (c && c->state != BW_API_OTHER && c->state != BW_API_TLS)
		record(&key, call.buf, ctx->ax, call.dir);
	return 0;
}

SEC("uprobe")
int bw_api_go_close(struct pt_regs___sys *ctx)
{
	tls_gone(ctx->ax, BW_API_GO_TLS);
	return 0;
}

/* ---- new programs -------------------------------------------------------------------------------------------------- */

/* Tells the parent that a process has begun to run another program, which may bring a TLS library. Loss only delays. */
SEC("raw_tp/sched_process_exec")
int bw_api_exec(u64 *ctx)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	bpf_ringbuf_output(&bw_api_execs, &tgid, sizeof(tgid), BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
