/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_STREAM_H
#define BW_GUARD_API_STREAM_H
/*
 * One direction of one connection: chunks by position become a row of bytes with known holes.
 *
 *   chunk pos 0 len 100 skipped 20 | chunk pos 120 len 50 | chunk pos 200 ...
 *   -> data(100) gap(20, sampled) data(50) gap(30, lost) ...
 *
 * A hole is reported and never glued over; bytes at a position that has passed are dropped and counted. What the reader
 * cannot use yet is kept, up to a maximum. Pure.
 */
#include "common/slice.h"
#include "guard/api/budget.h"
#include "guard/api/chunk.h"

struct api_stream {
	uint64_t next;	 /* position that is expected */
	uint8_t *tail;	 /* owned: what the reader left */
	size_t tail_len, tail_cap;
	bool started;
};

struct api_stream_stats {
	uint64_t bytes, gaps, gap_bytes, sampled_bytes, late_bytes;
	uint64_t overflow_bytes; /* kept bytes that were given up: too many, or no memory */
};

struct api_stream_reader {
	/* Takes bytes from the front of @data and returns how many; what it leaves comes again, with more behind it. */
	size_t (*data)(void *arg, struct bw_slice data);
	/*
	 * @bytes of the row are missing here; @dropped more, before them, were left by the reader and are gone as well. Then the
	 * reader is asked for what it can say without new bytes: data() with an empty slice.
	 */
	void (*gap)(void *arg, uint64_t bytes, uint64_t dropped, bool sampled);
	void *arg;
};

/* @max_tail bytes at most are kept back. */
void api_stream_feed(struct api_stream *s, const struct api_chunk *c, const struct api_stream_reader *reader, size_t max_tail,
		     struct api_budget *budget, struct api_stream_stats *stats);
/* Goes on at @pos, which is known to be the beginning of something: no gap for the reader, what was kept is given up. */
void api_stream_skip(struct api_stream *s, uint64_t pos, struct api_budget *budget, struct api_stream_stats *stats);
void api_stream_clear(struct api_stream *s, struct api_budget *budget);

#endif
