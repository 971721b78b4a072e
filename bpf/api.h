/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_API_H
#define BW_API_H
/*
 * The contract between the API-visibility probes (bpf/api/) and user space: the records in the ring buffer bw_api_ring, the
 * settings, the counters. Like bpf/event.h: compiled by both compilers, fixed-width types, named padding, host byte order.
 *
 * A record is a header, what its type adds, and for BW_API_DATA the bytes themselves, @len of them, right behind it.
 */
#include <linux/types.h>

#include "bpf/event.h"

#define BW_API_VERSION 2
#define BW_API_DATA_MAX 16384	/* bytes of one call that are copied, at most; a power of two */
#define BW_API_CUT 1024		/* bytes of one call that are copied when there is no room for more */
#define BW_API_SNIFF 24		/* bytes that tell the protocol */
#define BW_API_SLOTS 2		/* scratch slots per CPU: a program can be interrupted by another */
#define BW_API_MAX_IGNORED 8

enum bw_api_type {
	BW_API_OPEN = 1, /* a connection that carries HTTP, or what is known of it has changed (struct bw_api_open) */
	BW_API_DATA,	 /* bytes on a connection (struct bw_api_data) */
	BW_API_CLOSE,	 /* the connection has ended (struct bw_api_close) */
	BW_API_TYPES
};

enum bw_api_dir {
	BW_API_IN,
	BW_API_OUT,
};

/* Same order as enum api_source of guard/api/chunk.h. */
enum bw_api_source {
	BW_API_SOCKET,
	BW_API_OPENSSL,
	BW_API_GNUTLS,
	BW_API_GO_TLS,
	BW_API_BORINGSSL,
};

enum bw_api_role {
	BW_API_ROLE_UNKNOWN,
	BW_API_SERVER, /* accepted */
	BW_API_CLIENT, /* connected */
};

enum bw_api_flag {
	BW_API_MIDWAY = 1u << 0,     /* its beginning was not seen */
	BW_API_RESET = 1u << 1,	     /* ended by an error */
	BW_API_SAMPLED = 1u << 2,    /* not all was copied, because of a budget or a limit */
	BW_API_WEAK_PEER = 1u << 3,  /* TLS: the socket was guessed from what the thread did last */
	BW_API_SKIPPED = 1u << 4,    /* whole requests with their responses were left out before this */
};

/* What the probes make of a connection. */
enum bw_api_state {
	BW_API_UNKNOWN, /* nothing was recognised yet */
	BW_API_HTTP,
	BW_API_TLS,	/* cipher text: the probes on TLS libraries see the clear text */
	BW_API_OTHER,	/* something else: no longer copied */
};

struct bw_api_hdr {
	__u16 version; /* BW_API_VERSION */
	__u16 type;    /* enum bw_api_type */
	__u32 size;    /* of the whole record */
	__u64 time_ns; /* CLOCK_BOOTTIME */
	__u64 conn;    /* of the connection; never used twice */
};

struct bw_api_addr {
	__u16 family; /* AF_INET, AF_INET6, AF_UNIX; 0: unknown */
	__u16 port;   /* host byte order */
	__u8 bytes[16];
};

struct bw_api_open {
	struct bw_api_hdr hdr;
	struct bw_actor actor; /* the process that moved the bytes */
	struct bw_api_addr local, remote;
	__u32 flags; /* enum bw_api_flag */
	__u8 role;   /* enum bw_api_role */
	__u8 source; /* enum bw_api_source */
	__u8 pad[2];
};

struct bw_api_data {
	struct bw_api_hdr hdr;
	__u64 pos;   /* bytes that went this way before */
	__u32 len;   /* bytes behind this structure */
	__u32 total; /* bytes that the call moved, @len of them copied: the first */
	__u32 tid;
	__u16 flags; /* enum bw_api_flag */
	__u8 dir;    /* enum bw_api_dir */
	__u8 pad;
	__u64 other; /* bytes that went the other way before */
};

struct bw_api_close {
	struct bw_api_hdr hdr;
	__u64 pos[2]; /* bytes that went each way */
	__u32 flags;  /* enum bw_api_flag */
	__u32 pad;
};

/* Settings; user space may change them at any time. */
struct bw_api_conf {
	__u32 ignored[BW_API_MAX_IGNORED]; /* processes (tgid) that are not looked at: the guard's own */
	__u32 call_bytes;		   /* bytes of one call that are copied, up to BW_API_DATA_MAX */
	__u32 cpu_calls;		   /* requests per second, per CPU; 0: any number, here and below */
	__u64 conn_bytes;		   /* bytes per second of one connection */
	__u64 cpu_bytes;		   /* bytes per second, per CPU, over all connections */
	__u64 ring_bytes;		   /* size of the ring buffer */
	__u32 conn_calls;		   /* requests per second of one connection */
	__u32 pad;
};

enum bw_api_stat {
	BW_API_STAT_CALLS,	 /* calls that moved bytes on a socket or through a TLS library */
	BW_API_STAT_RECORDS,	 /* records written */
	BW_API_STAT_COPIED,	 /* bytes copied */
	BW_API_STAT_CUT,	 /* bytes of HTTP connections that were not copied: limits and budgets */
	BW_API_STAT_LOST_RING,	 /* records lost: ring buffer full */
	BW_API_STAT_LOST_BYTES,	 /* bytes in them */
	BW_API_STAT_LOST_SCRATCH, /* calls not recorded: no scratch memory */
	BW_API_STAT_LOST_STATE,	 /* connections or calls whose state could not be kept */
	BW_API_STAT_READ_FAILED, /* user memory could not be read */
	BW_API_STAT_HTTP,	 /* connections recognised as HTTP */
	BW_API_STAT_TLS,	 /* as TLS */
	BW_API_STAT_OTHER,	 /* as something else */
	BW_API_STAT_MIDWAY,	 /* of the first, those whose beginning was not seen */
	BW_API_STAT_SKIPPED,	 /* requests that were left out with their responses; of HTTP/2, times that a connection was */
	BW_API_STAT_SKIPPED_ENDS, /* the same at the client's end of a connection within this host: the server's end may be seen */
	BW_API_STAT_SKIPPED_BYTES, /* bytes of both */
	BW_API_STAT_COUNT
};

struct bw_api_stats {
	__u64 v[BW_API_STAT_COUNT];
};

_Static_assert(sizeof(struct bw_api_hdr) == 24, "bw_api_hdr");
_Static_assert(sizeof(struct bw_api_addr) == 20, "bw_api_addr");
_Static_assert(sizeof(struct bw_api_open) == 416, "bw_api_open");
_Static_assert(__builtin_offsetof(struct bw_api_open, flags) == 408, "bw_api_open.flags");
_Static_assert(sizeof(struct bw_api_data) == 56, "bw_api_data");
_Static_assert(__builtin_offsetof(struct bw_api_data, dir) == 46, "bw_api_data.dir");
_Static_assert(sizeof(struct bw_api_close) == 48, "bw_api_close");
_Static_assert(sizeof(struct bw_api_conf) == 72, "bw_api_conf");

#endif
