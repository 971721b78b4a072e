/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_ENGINE_H
#define BW_GUARD_API_ENGINE_H
/*
 * Chunks in, calls out: reassembly, protocols, bodies, personal data, the joining of requests and responses. No I/O, no clock:
 * time is the chunks' and the ticks'. It eats bytes of strangers and belongs in a process without privileges.
 */
#include <stdbool.h>
#include <stdint.h>

#include "guard/api/call.h"
#include "guard/api/chunk.h"

struct api_engine;
struct api_extract; /* custom extraction rules: extract.h */
struct pii_scanner;
struct pii_rules;
struct pii_key;

/* Called per finished call. Everything in @call is borrowed for the length of the call. */
typedef void (*api_call_fn)(void *arg, const struct api_call *call);

struct api_engine_config {
	api_call_fn on_call;
	void *arg;
	struct pii_scanner *scanner;	   /* borrowed; NULL: no personal data is looked for, and paths keep only plain words */
	const struct pii_rules *rules;	   /* of the scanner */
	const struct pii_key *key;	   /* NULL: hits have no hash */
	const struct api_extract *extract; /* borrowed; NULL: no custom rules */
	uint8_t seed[16];		   /* random: span and trace ids are made from it */
	/* 0 takes the default. */
	uint32_t max_conns;
	uint64_t max_memory;   /* bytes over all connections */
	uint32_t max_body;     /* decoded bytes of one body that are looked at */
	uint64_t idle_ns;      /* a connection without chunks for so long is given up */
	uint64_t timeout_ns;   /* a request without a response for so long is reported without one */
};

#define API_ENGINE_DEFAULT_CONNS 16384u
#define API_ENGINE_DEFAULT_MEMORY (128u << 20)
#define API_ENGINE_DEFAULT_BODY (64u << 10)
#define API_ENGINE_DEFAULT_IDLE_NS (300ull * 1000000000)
#define API_ENGINE_DEFAULT_TIMEOUT_NS (60ull * 1000000000)
/* One connection: what it may keep back in one direction, and how many calls it may have open. */
#define API_CONN_MAX_TAIL (80u << 10)
#define API_CONN_MAX_PIPELINE 64u
#define API_CONN_MAX_STREAMS 256u

/* Every loss has its counter. */
struct api_engine_stats {
	uint64_t chunks, bytes;
	uint64_t calls, calls_duplicate, calls_without_response, calls_without_request;
	uint64_t gaps, gap_bytes;	  /* lost before the engine */
	uint64_t sampled_bytes;		  /* left out by a budget before the engine */
	uint64_t late_bytes;		  /* at a position that had passed: dropped */
	uint64_t overflow_bytes;	  /* of a message part that is too large to be kept, or for which there was no memory */
	uint64_t resyncs, resync_bytes;	  /* bytes that were skipped to find the next message */
	uint64_t parse_errors;
	uint64_t not_http;		  /* connections that speak something else */
	uint64_t conns_evicted, conns_expired;
	uint64_t streams_evicted, pipeline_overflow;
	uint64_t memory_refused;	  /* times something was not kept because the memory was used up */
	uint64_t budget_refused;	  /* the same, per piece of memory */
	uint64_t headers_unknown;	  /* HPACK fields that refer to what was not seen */
	uint64_t bodies_cut, bodies_opaque;
	uint64_t conns;			  /* now */
	uint64_t memory;		  /* now, bytes */
};

/* -ENOMEM, -EINVAL (no callback). Release with api_engine_free(), which reports nothing: api_engine_flush() does. */
int api_engine_new(const struct api_engine_config *config, struct api_engine **ret);
void api_engine_free(struct api_engine *e);

/* Bytes of a connection. Never fails: what cannot be kept is counted. */
void api_engine_chunk(struct api_engine *e, const struct api_chunk *chunk);
/* Expires what waited too long. Call it about once a second. */
void api_engine_tick(struct api_engine *e, uint64_t now_ns);
/* Reports every open call, as at the end of a capture. */
void api_engine_flush(struct api_engine *e);
/* New custom rules; the old ones are not used after it returns. */
void api_engine_set_extract(struct api_engine *e, const struct api_extract *extract);

const struct api_engine_stats *api_engine_stats(const struct api_engine *e);

#endif
