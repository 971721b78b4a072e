/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_ENGINE_INTERNAL_H
#define BW_GUARD_API_ENGINE_INTERNAL_H
/* Shared by engine.c, engine_http1.c and engine_http2.c. */
#include "guard/api/engine.h"
#include "guard/api/exchange.h"
#include "guard/api/hpack.h"
#include "guard/api/http1.h"
#include "guard/api/http2.h"
#include "guard/api/inspect.h"
#include "guard/api/stream.h"

/* A connection that shows no HTTP in so many bytes, joined midway, is not looked at any more. */
#define CONN_SNIFF_MAX (256u << 10)
#define CONN_EXE_MAX 256u

enum conn_kind {
	CONN_SNIFF,
	CONN_HTTP1,
	CONN_HTTP2,
	CONN_OPAQUE, /* something else, or handed over to another protocol */
};

/* Sides as in struct exchange: 0 carries requests, 1 responses. */
struct conn_http1 {
	struct http1 parser[EXCHANGE_SIDES];
	struct exchange *current; /* the request that is being read; in the list */
	struct exchange *answer;  /* the one whose response is being read; in the list */
	uint64_t head_ns[EXCHANGE_SIDES]; /* first chunk of a head that is not complete */
	unsigned int unpaired;	  /* requests behind those in the list that were reported already: their responses belong to nobody */
	bool interim;		  /* a 1xx is being read */
	bool discard;		  /* the response that is being read belongs to nobody */
};

struct conn_http2 {
	struct http2 parser[EXCHANGE_SIDES];
	struct hpack hpack[EXCHANGE_SIDES];
};

struct conn {
	struct conn *hash_next, *pair_next;
	struct conn *lru_prev, *lru_next;
	struct api_engine *engine;
	uint64_t id, last_ns, now; /* @now: of the chunk that is being read */
	uint32_t tid;
	enum conn_kind kind;
	bool requests_known;
	enum api_dir request_dir;
	bool midway, gapped; /* the beginning, or something since, was not seen */
	bool seen_message;   /* at least one */
	bool uncertain;	     /* requests were lost: what is joined until all are answered may be strangers */
	bool paired;	     /* in the table of pairs */
	uint64_t sniffed;
	struct api_stream streams[API_DIRS];

	/* calls that are open, the oldest first */
	struct exchange *calls, **calls_tail;
	unsigned int ncalls;

	union {
		struct conn_http1 h1;
		struct conn_http2 h2;
	};

	/* the peer, copied */
	struct api_peer peer;
	char comm[32];
	char exe[CONN_EXE_MAX];
};

#define LINKS 4096u /* a power of two */

/* The call that a thread serves. */
struct link {
	uint32_t tid;
	uint64_t call;
	uint8_t trace_id[16], span_id[8];
	uint8_t flags;
};

/* A server's end that has closed: the client's end may still be on its way here. */
struct closed_end {
	struct api_address local, remote;
	uint32_t net_ns;
};
#define ENGINE_CLOSED_ENDS 256u

struct api_engine {
	struct closed_end closed[ENGINE_CLOSED_ENDS];
	uint32_t n_closed; /* in all: the newest is at n_closed - 1, modulo */
	struct api_engine_config config;
	struct api_engine_stats stats;
	struct api_stream_stats stream_stats;
	struct api_budget budget;
	struct inspect inspect;
	struct http1_head head; /* scratch */
	struct inspect_header headers[HPACK_MAX_FIELDS];
	struct bw_buf header_text;
	uint64_t next_call, ids;
	struct conn **buckets, **pairs;
	uint32_t nbuckets; /* a power of two; of both */
	struct conn lru;   /* ring; lru.lru_next is the oldest */
	struct link links[LINKS];
	uint64_t last_tick;
};

static inline enum exchange_side conn_side(const struct conn *c, enum api_dir dir)
{
	return dir == c->request_dir ? EXCHANGE_REQUEST : EXCHANGE_RESPONSE;
}

/* A new call at the end of the connection's list; NULL: no memory, counted. */
struct exchange *conn_call_new(struct conn *c);
/* Takes it off the list, hands it to the callback, frees it. */
void conn_call_report(struct conn *c, struct exchange *x, uint32_t flags);
/* The head of a request is complete: trace, link to the thread. */
void conn_call_traced(struct conn *c, struct exchange *x);
/* A side is complete: its body is looked at. */
void conn_call_done(struct conn *c, struct exchange *x, enum exchange_side side);
/* The rest of a connection is not looked at. */
void conn_opaque(struct conn *c);

void conn_http1_begin(struct conn *c);
size_t conn_http1_data(struct conn *c, enum exchange_side side, struct bw_slice data);
void conn_http1_gap(struct conn *c, enum exchange_side side, uint64_t bytes, bool sampled);
void conn_http1_close(struct conn *c);

void conn_http2_begin(struct conn *c);
/* After "Upgrade: h2c": @x is stream 1 (RFC 7540 3.2). */
void conn_http2_upgraded(struct conn *c, struct exchange *x);
size_t conn_http2_data(struct conn *c, enum exchange_side side, struct bw_slice data);
void conn_http2_gap(struct conn *c, enum exchange_side side, uint64_t bytes, bool sampled);
/* The connection was joined here: nothing of before holds, not even where a frame ends. */
void conn_http2_midway(struct conn *c, enum exchange_side side);
void conn_http2_free(struct conn *c);

#endif
