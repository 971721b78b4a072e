// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * API visibility: bytes that go through sockets by system calls. One program at the end of every system call, which leaves
 * most of them after a look at the number: what has been moved, and how much, is known then, and the registers still hold
 * the arguments. TCP and Unix stream sockets; a socket is known by its struct sock, so that copies of a descriptor, forks and
 * descriptors sent elsewhere are one connection. Read-only: it copies, it changes nothing.
 *
 * Not seen: what io_uring moves, 32-bit processes.
 */
#include "bpf/api/emit.bpf.h"

#define EINPROGRESS 115
#define ETIMEDOUT 110
#define ECONNRESET 104
#define EPIPE 32
#define MSG_PEEK 0x2
#define MSG_ERRQUEUE 0x2000
#define USER_CS 0x33 /* 64-bit code */

enum nr {
	NR_READ = 0,
	NR_WRITE = 1,
	NR_CLOSE = 3,
	NR_READV = 19,
	NR_WRITEV = 20,
	NR_SENDFILE = 40,
	NR_CONNECT = 42,
	NR_ACCEPT = 43,
	NR_SENDTO = 44,
	NR_RECVFROM = 45,
	NR_SENDMSG = 46,
	NR_RECVMSG = 47,
	NR_SPLICE = 275,
	NR_ACCEPT4 = 288,
	NR_RECVMMSG = 299,
	NR_SENDMMSG = 307,
	NR_PREADV2 = 327,
	NR_PWRITEV2 = 328,
};

static __always_inline void fill_addresses(struct api_conn *c, struct sock *sk, u16 family)
{
	c->local.family = family;
	c->remote.family = family;
	if (family == AF_UNIX)
		return;
	c->local.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	c->remote.port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (family == AF_INET) {
		bpf_core_read(c->local.bytes, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(c->remote.bytes, 4, &sk->__sk_common.skc_daddr);
	} else {
		bpf_core_read(c->local.bytes, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(c->remote.bytes, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

static const struct api_conn no_conn;

/* Puts a socket that is seen for the first time on record. @flags, @role: what is known of how it came to be. */
static __always_inline struct api_conn *conn_new(const struct sock_ref *ref, u32 tgid, u32 fd, u32 role, u32 flags)
{
	struct sock *sk = ref->sk;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	u8 tcp_state = BPF_CORE_READ(sk, __sk_common.skc_state);
	struct api_conn *c;
	u64 key = (u64)sk;

	if (BPF_CORE_READ(sk, sk_type) == SOCK_STREAM && tcp_state == TCP_CLOSE && (family == AF_INET || family == AF_INET6))
		return NULL; /* has ended while the call was under way: its end has been told already */
	/* Filled in where it is kept: on the stack it would be more than kernels before 6.12 allow for three calls. */
	if (bpf_map_update_elem(&bw_api_conns, &key, &no_conn, BPF_ANY)) {
		api_stat(BW_API_STAT_LOST_STATE, 1);
		return NULL;
	}
	c = bpf_map_lookup_elem(&bw_api_conns, &key);
	if (!c)
		return NULL;
	c->sk = key;
	c->ino = ref->ino;
	c->role = role;
	c->flags = flags;
	c->source = BW_API_SOCKET;
	if (BPF_CORE_READ(sk, sk_type) != SOCK_STREAM || (family != AF_INET && family != AF_INET6 && family != AF_UNIX)) {
		c->state = BW_API_OTHER;
		return c;
	}
	fill_addresses(c, sk, family);
	c->state = BW_API_UNKNOWN;
	if (family == AF_UNIX) {
		struct api_fd_key k = { tgid, fd };

		bpf_map_update_elem(&bw_api_unix, &k, &key, BPF_ANY);
	}
	return c;
}

static __always_inline void conn_end(struct api_conn *c, u64 key, u32 flags)
{
	struct api_conn *tls;

	emit_close(c, flags);
	if (c->tls.ssl) {
		struct api_tls_key k = c->tls;

		tls = bpf_map_lookup_elem(&bw_api_tls, &k);
		if (tls && tls->sk == key && tls->ino == c->ino) {
			emit_close(tls, flags);
			bpf_map_delete_elem(&bw_api_tls, &k);
		}
	}
	bpf_map_delete_elem(&bw_api_conns, &key);
}

static __always_inline struct api_conn *conn_find(const struct sock_ref *ref)
{
	u64 key = (u64)ref->sk;
	struct api_conn *c = bpf_map_lookup_elem(&bw_api_conns, &key);

	if (!c || c->ino == ref->ino)
		return c;
	conn_end(c, key, 0); /* an earlier one at the same address, whose end was missed */
	return NULL;
}

/* accept() and connect(): the beginning of a connection. */
static __always_inline void begin(u32 fd, u32 tgid, u32 role)
{
	struct sock_ref ref;

	if (fd_socket(fd, &ref) && !conn_find(&ref))
		conn_new(&ref, tgid, fd, role, 0);
}

/* A function of its own: 5.10 counts the stack of all callers, and allows 512 bytes. Cipher text went over @c: whatever TLS call this thread is in, or was in last, goes with this socket. */
static __noinline int note_cipher_text(const struct api_conn *c, u32 dir)
{
	u64 id = bpf_get_current_pid_tgid();
	struct api_thread *t = bpf_map_lookup_elem(&bw_api_threads, &id);
	struct api_thread fresh = { 0 };

	if (!c)
		return 0;
	if (!t) {
		fresh.sk = c->sk;
		fresh.ino = c->ino;
		fresh.moved = bpf_ktime_get_boot_ns();
		fresh.sk_dir = dir;
		if (bpf_map_update_elem(&bw_api_threads, &id, &fresh, BPF_ANY))
			api_stat(BW_API_STAT_LOST_STATE, 1);
		return 0;
	}
	t->sk = c->sk;
	t->ino = c->ino;
	t->moved = bpf_ktime_get_boot_ns();
	t->sk_dir = dir;
	return 0;
}

/* The bytes of @slot went over descriptor @fd. A global function, see emit.bpf.h. */
__noinline int bw_api_moved(u32 slot, u32 fd)
{
	struct api_scratch *s = bpf_map_lookup_elem(&bw_api_scratch, &slot);
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct sock_ref ref;
	struct api_conn *c;
	u64 key;

	if (!s || !fd_socket(fd, &ref))
		return 0;
	c = conn_find(&ref);
	if (!c)
		c = conn_new(&ref, tgid, fd, BW_API_ROLE_UNKNOWN, BW_API_MIDWAY);
	if (!c || c->state == BW_API_OTHER)
		return 0;
	api_stat(BW_API_STAT_CALLS, 1);
	key = (u64)ref.sk;
	if (c->state != BW_API_TLS)
		bw_api_record(slot, key, 0);
	if (c->state == BW_API_TLS)
		note_cipher_text(c, s->dir & 1);
	return 0;
}

/* struct user_msghdr: name 0, namelen 8, iov 16, iovlen 24. */
static __always_inline bool describe_msg(struct api_scratch *s, u64 msg)
{
	u64 iov[2] = { 0 };

	if (bpf_probe_read_user(iov, sizeof(iov), (void *)(msg + 16))) {
		api_stat(BW_API_STAT_READ_FAILED, 1);
		return false;
	}
	s->iov = iov[0];
	s->n_iov = iov[1] > API_MAX_IOVS ? API_MAX_IOVS : (u32)iov[1];
	return true;
}

#define MMSG_SIZE 64 /* struct mmsghdr: a struct user_msghdr of 56 bytes, then msg_len */
#define MMSG_MAX 4   /* of one call that are copied; on stream sockets hardly anybody sends even two */

static __always_inline void moved_mmsg(struct api_scratch *s, u32 slot, u32 fd, u64 vec, u64 count)
{
	for (u32 i = 0; i < MMSG_MAX && i < count; i++) {
		u32 len = 0;

		if (bpf_probe_read_user(&len, sizeof(len), (void *)(vec + i * MMSG_SIZE + 56)) || !len)
			return;
		s->n = len;
		if (describe_msg(s, vec + i * MMSG_SIZE))
			bw_api_moved(slot, fd);
	}
}

static __always_inline void unix_closed(u32 fd, u32 tgid)
{
	struct api_fd_key k = { tgid, fd };
	u64 *sk = bpf_map_lookup_elem(&bw_api_unix, &k), key;
	struct api_conn *c;

	if (!sk)
		return;
	key = *sk;
	bpf_map_delete_elem(&bw_api_unix, &k);
	c = bpf_map_lookup_elem(&bw_api_conns, &key);
	if (c)
		conn_end(c, key, 0);
}

#define BIT(nr) (1ULL << (nr))
#define MOVES_LOW (BIT(NR_READ) | BIT(NR_WRITE) | BIT(NR_READV) | BIT(NR_WRITEV) | BIT(NR_SENDFILE) | BIT(NR_SENDTO) | BIT(NR_RECVFROM) | BIT(NR_SENDMSG) | BIT(NR_RECVMSG))
#define OTHERS_LOW (BIT(NR_CLOSE) | BIT(NR_CONNECT) | BIT(NR_ACCEPT))
/* From NR_SPLICE on. */
#define HIGH(nr) BIT((nr) - NR_SPLICE)
#define MOVES_HIGH (HIGH(NR_SPLICE) | HIGH(NR_RECVMMSG) | HIGH(NR_SENDMMSG) | HIGH(NR_PREADV2) | HIGH(NR_PWRITEV2))
#define OTHERS_HIGH HIGH(NR_ACCEPT4)

static __always_inline bool is_among(u64 nr, u64 low, u64 high)
{
	if (nr < 64)
		return low >> nr & 1;
	return nr >= NR_SPLICE && nr < NR_SPLICE + 64 && (high >> (nr - NR_SPLICE) & 1);
}

static __always_inline u32 direction(u64 nr)
{
	return is_among(nr, BIT(NR_WRITE) | BIT(NR_SENDTO) | BIT(NR_WRITEV) | BIT(NR_SENDMSG) | BIT(NR_SENDFILE),
			HIGH(NR_PWRITEV2) | HIGH(NR_SENDMMSG)) ?
		       BW_API_OUT :
		       BW_API_IN;
}

static __always_inline void moved(struct api_scratch *s, u32 slot, u64 nr, u32 fd, u64 buf, u64 third, u64 n)
{
	s->base = 0;
	s->iov = 0;
	s->n_iov = 0;
	s->n = n;
	s->dir = direction(nr);
	switch (nr) {
	case NR_READ:
	case NR_WRITE:
	case NR_SENDTO:
	case NR_RECVFROM:
		s->base = buf;
		break;
	case NR_READV:
	case NR_WRITEV:
	case NR_PREADV2:
	case NR_PWRITEV2:
		s->iov = buf;
		s->n_iov = third > API_MAX_IOVS ? API_MAX_IOVS : (u32)third;
		break;
	case NR_SENDMSG:
	case NR_RECVMSG:
		if (!describe_msg(s, buf))
			return;
		break;
	case NR_RECVMMSG:
	case NR_SENDMMSG:
		moved_mmsg(s, slot, fd, buf, n);
		return;
	case NR_SPLICE: /* fd_in, off_in, fd_out */
		bw_api_moved(slot, fd);
		s->dir = BW_API_OUT;
		fd = (u32)third;
		break;
	}
	bw_api_moved(slot, fd);
}

SEC("tp_btf/sys_exit")
int bw_api_sys_exit(u64 *ctx)
{
	struct pt_regs___sys *regs = (void *)ctx[0];
	s64 ret = (s64)ctx[1];
	u64 nr = regs->orig_ax, id, flags;
	struct api_scratch *s;
	u32 tgid, fd, slot;

	if (!is_among(nr, MOVES_LOW | OTHERS_LOW, MOVES_HIGH | OTHERS_HIGH))
		return 0;
	if (ret <= 0 && nr != NR_CONNECT && nr != NR_CLOSE)
		return 0;
	id = bpf_get_current_pid_tgid();
	tgid = id >> 32;
	if (is_ignored(tgid) || (regs->cs & 0xffff) != USER_CS)
		return 0;
	fd = (u32)regs->di;
	if (is_among(nr, OTHERS_LOW, OTHERS_HIGH)) {
		if (nr == NR_CLOSE && !ret)
			unix_closed(fd, tgid);
		else if (nr == NR_CONNECT && (!ret || ret == -EINPROGRESS))
			begin(fd, tgid, BW_API_CLIENT);
		else if (nr == NR_ACCEPT || nr == NR_ACCEPT4)
			begin((u32)ret, tgid, BW_API_SERVER);
		return 0;
	}
	flags = nr == NR_RECVFROM ? regs->r10 : nr == NR_RECVMSG ? regs->dx : 0;
	if (flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	s = scratch_take(id, &slot);
	if (!s)
		return 0;
	moved(s, slot, nr, fd, regs->si, regs->dx, (u64)ret);
	scratch_give(s, id);
	return 0;
}

/* The end of a TCP connection, however it comes about. Also runs in interrupts: the current process says nothing. */
SEC("tp_btf/inet_sock_set_state")
int bw_api_tcp_state(u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];
	int state = (int)ctx[2], err;
	u64 key = (u64)sk;
	struct api_conn *c;

	if (state != TCP_CLOSE)
		return 0;
	c = bpf_map_lookup_elem(&bw_api_conns, &key);
	if (!c)
		return 0;
	err = BPF_CORE_READ(sk, sk_err);
	conn_end(c, key, err == ECONNRESET || err == EPIPE || err == ETIMEDOUT ? BW_API_RESET : 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
