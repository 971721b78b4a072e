/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_API_MAPS_BPF_H
#define BW_API_MAPS_BPF_H
/*
 * API visibility, layer 1: the kernel types it adds, its maps. Weak definitions: the linker joins those of its objects.
 */
#include "bpf/actor.bpf.h"
#include "bpf/api.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define TCP_ESTABLISHED 1
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define S_IFMT 0xf000
#define S_IFSOCK 0xc000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	union {
		u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	u16 sk_type;
	int sk_err;
};

struct socket {
	struct sock *sk;
};

struct inode___mode {
	unsigned short i_mode;
	unsigned long i_ino;
};

struct pt_regs___sys {
	unsigned long r14;
	unsigned long bx;
	unsigned long r10;
	unsigned long r8;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long cs;
	unsigned long sp;
};

#pragma clang attribute pop

/* ---- settings and counters ---------------------------------------------------------------------------------------- */

/* Memory-mapped by user space. */
__weak volatile struct bw_api_conf bw_api_conf SEC(".data.api") = {};

__weak struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct bw_api_stats);
} bw_api_stats SEC(".maps");

/* ---- output ------------------------------------------------------------------------------------------------------- */

__weak struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} bw_api_ring SEC(".maps");

/* Processes that have begun to run another program: u32 tgid each. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 14);
} bw_api_execs SEC(".maps");

/* ---- state -------------------------------------------------------------------------------------------------------- */

struct api_tls_key {
	u64 ssl; /* address of the library's object */
	u32 tgid;
	u32 source; /* enum bw_api_source */
};

struct api_conn {
	u64 id; /* 0: not told to user space yet */
	u64 pos[2];
	u64 sk;	 /* the socket; 0 for a TLS object that none is known for */
	u64 ino; /* its inode number: tells a socket from a later one at the same address */
	struct bw_api_addr local, remote;
	struct api_tls_key tls; /* of a socket: what its clear text goes through */
	u64 window;	   /* budget: the second that @spent and @calls count */
	u64 spent;
	u32 calls;
	u32 flags; /* enum bw_api_flag */
	u32 tries; /* calls looked at without recognising anything */
	u8 state;  /* enum bw_api_state */
	u8 role;
	u8 source;
	u8 changed; /* user space is to be told again */
	u8 requests; /* HTTP/1: 1 + the direction that carries requests; 0: another version, or not known */
	u8 last;     /* 1 + the direction of the last bytes */
	u8 skip;     /* enum api_skip */
	u8 pad[5];
};

enum api_skip {
	API_TAKEN,   /* recorded */
	API_SKIPPING, /* left out, until the next request that is taken */
	API_RESUMED, /* recorded again: the next record says that something is missing */
};

/* By the address of the kernel's struct sock. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct api_conn);
} bw_api_conns SEC(".maps");

/* The clear text side of TLS. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct api_tls_key);
	__type(value, struct api_conn);
} bw_api_tls SEC(".maps");

/* The descriptor of a Unix socket, whose end no tracepoint tells. */
struct api_fd_key {
	u32 tgid;
	u32 fd;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct api_fd_key);
	__type(value, u64); /* address of the struct sock */
} bw_api_unix SEC(".maps");

/* What a thread is doing with TLS. */
struct api_thread {
	u64 ssl; /* the object it is in a call on; 0: in none */
	u64 sp;	 /* stack pointer then: a call with a higher one shows that this one is over */
	u64 buf, len, len_ptr;
	u64 began;
	/* The last system call that moved cipher text. */
	u64 sk, ino, moved;
	u32 depth;
	u8 dir;	   /* of the call */
	u8 source; /* enum bw_api_source */
	u8 sk_dir;
	u8 pad;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64); /* pid_tgid */
	__type(value, struct api_thread);
} bw_api_threads SEC(".maps");

/* What a goroutine is doing with TLS: threads change under it. */
struct api_go_key {
	u64 g;
	u32 tgid;
	u32 pad;
};

struct api_go_call {
	u64 conn; /* *tls.Conn */
	u64 buf;
	u32 dir;
	u32 pad;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct api_go_key);
	__type(value, struct api_go_call);
} bw_api_go SEC(".maps");

struct api_cpu {
	u64 ids;    /* connections numbered on this CPU */
	u64 window; /* budget of the CPU */
	u64 spent, calls;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct api_cpu);
} bw_api_cpus SEC(".maps");

/* ---- scratch ------------------------------------------------------------------------------------------------------ */

#define API_MAX_IOVS 16

struct api_scratch {
	u64 owner; /* pid_tgid; 0: free */
	/* What a call moved: @n bytes of one range, or of the ranges of an array of struct iovec; neither: there is nothing to copy. */
	u64 base, iov, n;
	u32 n_iov;
	u32 dir;
	u32 want; /* how many are to be copied */
	u32 got;  /* how many were */
	u32 failed;
	u32 pad;
	union {
		struct bw_api_open open;
		struct bw_api_close close;
		struct {
			struct bw_api_data data;
			u8 bytes[2 * BW_API_DATA_MAX]; /* the second half says to the verifier that there is room */
		};
	};
};

/* BW_API_SLOTS per CPU; the loader says how many CPUs there are. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BW_API_SLOTS);
	__type(key, u32);
	__type(value, struct api_scratch);
} bw_api_scratch SEC(".maps");

/* ---- sockets ------------------------------------------------------------------------------------------------------ */

struct sock_ref {
	struct sock *sk;
	u64 ino;
};

/* The socket behind descriptor @fd of this process, if it is one. Evidence only: another thread can change the table. */
static __always_inline bool fd_socket(u32 fd, struct sock_ref *ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table, *file = NULL;
	struct inode___mode *inode;
	struct socket *socket;

	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return false;
	table = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), table + fd);
	if (!file)
		return false;
	inode = (void *)BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return false;
	socket = BPF_CORE_READ(file, private_data);
	ret->sk = BPF_CORE_READ(socket, sk);
	ret->ino = BPF_CORE_READ(inode, i_ino);
	return ret->sk;
}

static __always_inline void api_stat(enum bw_api_stat stat, u64 n)
{
	u32 zero = 0;
	struct bw_api_stats *s = bpf_map_lookup_elem(&bw_api_stats, &zero);

	if (s)
		__atomic_fetch_add(&s->v[stat], n, __ATOMIC_RELAXED);
}

#endif
