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

/* Puts a socket that is seen for the first time on record. @flags, @role: what is known of how it came to be. */
static __always_inline struct api_conn *conn_new(const struct sock_ref *ref, u32 tgid, u32 fd, u32 role, u32 flags)
{
	struct sock *sk = ref->sk;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	u8 tcp_state = BPF_CORE_READ(sk, __sk_common.skc_state);
	struct api_conn c = { 0 };
	u64 key = (u64)sk;

	c.sk = key;
	c.ino = ref->ino;
	c.role = role;
	c.flags = flags;
	c.source = BW_API_SOCKET;
	c.state = BW_API_OTHER;
	if (BPF_CORE_READ(sk, sk_type) == SOCK_STREAM && (family == AF_INET || family == AF_INET6 || family == AF_UNIX)) {
		if (tcp_state == TCP_CLOSE && family != AF_UNIX)
			return NULL; /* has ended while the call was under way: its end has been told already */
		c.state = BW_API_UNKNOWN;
		fill_addresses(&c, sk, family);
	}
	if (bpf_map_update_elem(&bw_api_conns, &key, &c, BPF_ANY)) {
		api_stat(BW_API_STAT_LOST_STATE, 1);
		return NULL;
	}
	if (family == AF_UNIX && c.state == BW_API_UNKNOWN) {
		struct api_fd_key k = { tgid, fd };

		bpf_map_update_elem(&bw_api_unix, &k, &key, BPF_ANY);
	}
	return bpf_map_lookup_elem(&bw_api_conns, &key);
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

/* Cipher text went over @c: whatever TLS call this thread is in, or was in last, goes with this socket. */
static __always_inline void note_cipher_text(const struct api_conn *c, u32 dir)
{
	u64 id = bpf_get_current_pid_tgid();
	struct api_thread *t = bpf_map_lookup_elem(&bw_api_threads, &id);
	struct api_thread fresh = { 0 };

	if (!t) {
		fresh.sk = c->sk;
		fresh.ino = c->ino;
		fresh.moved = bpf_ktime_get_boot_ns();
		fresh.sk_dir = dir;
		if (bpf_map_update_elem(&bw_api_threads, &id, &fresh, BPF_ANY))
			api_stat(BW_API_STAT_LOST_STATE, 1);
		return;
	}
	t->sk = c->sk;
	t->ino = c->ino;
	t->moved = bpf_ktime_get_boot_ns();
	t->sk_dir = dir;
}

static __noinline int moved(u32 fd, u32 tgid, const struct api_moved *m)
{
	struct sock_ref ref;
	struct api_conn *c;

	if (!m || !fd_socket(fd, &ref))
		return 0;
	c = conn_find(&ref);
	if (!c)
		c = conn_new(&ref, tgid, fd, BW_API_ROLE_UNKNOWN, BW_API_MIDWAY);
	if (!c || c->state == BW_API_OTHER)
		return 0;
	account(c, m);
	if (c->state == BW_API_TLS)
		note_cipher_text(c, m->dir);
	return 0;
}

/* struct user_msghdr: name 0, namelen 8, iov 16, iovlen 24. */
static __always_inline void moved_msg(u32 fd, u32 tgid, u64 msg, struct api_moved *m)
{
	u64 iov[2] = { 0 };

	if (bpf_probe_read_user(iov, sizeof(iov), (void *)(msg + 16))) {
		api_stat(BW_API_STAT_READ_FAILED, 1);
		return;
	}
	m->iov = iov[0];
	m->n_iov = iov[1] > API_MAX_IOVS ? API_MAX_IOVS : (u32)iov[1];
	moved(fd, tgid, m);
}

#define MMSG_SIZE 64 /* struct mmsghdr: a struct user_msghdr of 56 bytes, then msg_len */
#define MMSG_MAX 4   /* of one call that are copied; on stream sockets hardly anybody sends even two */

static __always_inline void moved_mmsg(u32 fd, u32 tgid, u64 vec, u64 count, struct api_moved *m)
{
	for (u32 i = 0; i < MMSG_MAX && i < count; i++) {
		u32 len = 0;

		if (bpf_probe_read_user(&len, sizeof(len), (void *)(vec + i * MMSG_SIZE + 56)) || !len)
			return;
		m->n = len;
		moved_msg(fd, tgid, vec + i * MMSG_SIZE, m);
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

SEC("tp_btf/sys_exit")
int bw_api_sys_exit(u64 *ctx)
{
	struct pt_regs___sys *regs = (void *)ctx[0];
	s64 ret = (s64)ctx[1];
	u64 nr = regs->orig_ax;
	struct api_moved m = { 0 };
	u32 tgid, fd;

	if (nr > NR_RECVMSG ? nr != NR_ACCEPT4 && nr != NR_SPLICE && nr != NR_RECVMMSG && nr != NR_SENDMMSG && nr != NR_PREADV2 &&
				      nr != NR_PWRITEV2 :
			      !((1ULL << NR_READ | 1ULL << NR_WRITE | 1ULL << NR_CLOSE | 1ULL << NR_READV | 1ULL << NR_WRITEV |
				 1ULL << NR_SENDFILE | 1ULL << NR_CONNECT | 1ULL << NR_ACCEPT | 1ULL << NR_SENDTO |
				 1ULL << NR_RECVFROM | 1ULL << NR_SENDMSG | 1ULL << NR_RECVMSG) >>
					nr &
				1))
		return 0;
	if (ret <= 0 && nr != NR_CONNECT && nr != NR_CLOSE)
		return 0;
	tgid = bpf_get_current_pid_tgid() >> 32;
	if (is_ignored(tgid) || (regs->cs & 0xffff) != USER_CS)
		return 0;
	fd = (u32)regs->di;
	m.n = (u64)ret;
	switch (nr) {
	case NR_CLOSE:
		if (!ret)
			unix_closed(fd, tgid);
		return 0;
	case NR_CONNECT:
		if (!ret || ret == -EINPROGRESS)
			begin(fd, tgid, BW_API_CLIENT);
		return 0;
	case NR_ACCEPT:
	case NR_ACCEPT4:
		begin((u32)ret, tgid, BW_API_SERVER);
		return 0;
	case NR_WRITE:
	case NR_SENDTO:
	case NR_WRITEV:
	case NR_PWRITEV2:
	case NR_SENDMSG:
	case NR_SENDMMSG:
	case NR_SENDFILE:
		m.dir = BW_API_OUT;
		break;
	case NR_SPLICE: /* fd_in 0, off_in 1, fd_out 2 */
		moved(fd, tgid, &m);
		m.dir = BW_API_OUT;
		fd = (u32)regs->dx;
		break;
	case NR_RECVFROM:
		if (regs->r10 & (MSG_PEEK | MSG_ERRQUEUE))
			return 0;
		break;
	case NR_RECVMSG:
		if (regs->dx & (MSG_PEEK | MSG_ERRQUEUE))
			return 0;
		break;
	}
	switch (nr) {
	case NR_READ:
	case NR_WRITE:
	case NR_SENDTO:
	case NR_RECVFROM:
		m.base = regs->si;
		break;
	case NR_READV:
	case NR_WRITEV:
	case NR_PREADV2:
	case NR_PWRITEV2:
		m.iov = regs->si;
		m.n_iov = regs->dx > API_MAX_IOVS ? API_MAX_IOVS : (u32)regs->dx;
		break;
	case NR_SENDMSG:
	case NR_RECVMSG:
		moved_msg(fd, tgid, regs->si, &m);
		return 0;
	case NR_RECVMMSG:
	case NR_SENDMMSG:
		moved_mmsg(fd, tgid, regs->si, (u64)ret, &m);
		return 0;
	}
	moved(fd, tgid, &m);
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
