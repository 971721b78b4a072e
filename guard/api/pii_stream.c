// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Scanning in pieces. What is kept of the pieces before is a tail: enough to see a value that began there and the name of its
 * field. A hit near the end of what there is may still grow, so it waits for the next piece:
 *
 *          | tail (kept)   | piece                      |
 *          | seen | hits waited | hits to report  | wait |
 *                 ^ reported           grow limit ^
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guard/api/pii_internal.h"

#define STREAM_TAIL 1024u /* always kept */
#define STREAM_GROW 256u  /* bytes behind a hit that can still change it */

struct pii_stream {
	char field[PII_MAX_FIELD + 1];
	struct pii_context ctx;
	uint64_t pos;	   /* of buf[0], in the stream */
	uint64_t reported; /* hits that begin before here were reported */
	uint64_t decided;  /* hits that end up to here were reported, if there were any: a value cut by the tail's start is none */
	uint8_t *buf;	   /* owned: the tail and then the piece */
	size_t drop, len, cap; /* @drop bytes at the beginning are done with */
	struct pii_hit *hits; /* owned: those of the last call */
};

int pii_stream_new(const struct pii_context *ctx, uint64_t pos, struct pii_stream **ret)
{
	struct pii_stream *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->pos = st->reported = pos;
	if (ctx) {
		st->ctx.content = ctx->content;
		if (ctx->field) {
			memcpy(st->field, ctx->field, strnlen(ctx->field, PII_MAX_FIELD));
			st->ctx.field = st->field;
		}
	}
	*ret = st;
	return 0;
}

void pii_stream_free(struct pii_stream *st)
{
	if (!st)
		return;
	if (st->buf)
		explicit_bzero(st->buf, st->cap);
	free(st->buf);
	free(st->hits);
	free(st);
}

static int append(struct pii_stream *st, struct bw_slice piece)
{
	if (piece.len > PII_MAX_SCAN || st->len > PII_MAX_SCAN - piece.len)
		return -E2BIG;
	if (st->drop)
		memmove(st->buf, st->buf + st->drop, st->len);
	st->drop = 0;
	if (st->len + piece.len > st->cap) {
		size_t cap = st->len + piece.len + PII_MAX_VALUE;
		uint8_t *grown = malloc(cap);

		if (!grown)
			return -ENOMEM;
		if (st->buf) {
			memcpy(grown, st->buf, st->len);
			explicit_bzero(st->buf, st->cap);
			free(st->buf);
		}
		st->buf = grown;
		st->cap = cap;
	}
	if (piece.len)
		memcpy(st->buf + st->len, piece.data, piece.len);
	st->len += piece.len;
	return 0;
}

int pii_stream_feed(struct pii_stream *st, struct pii_scanner *s, struct bw_slice piece, bool last, struct pii_result *ret)
{
	size_t keep, tail;
	uint64_t limit, keep_from, next;
	uint32_t n = 0;
	int err;

	*ret = (struct pii_result){ .complete_to = st->pos + st->len + piece.len };
	err = append(st, piece);
	if (!err)
		err = pii_scan(s, bw_slice(st->buf, st->len), &st->ctx, ret);
	if (err < 0)
		return err;
	if (!st->hits && !(st->hits = malloc(PII_MAX_HITS * sizeof(*st->hits))))
		return -ENOMEM;
	next = st->pos + st->len;
	limit = last ? UINT64_MAX : next > STREAM_GROW ? next - STREAM_GROW : 0;
	keep_from = next;
	for (uint32_t i = 0; i < ret->n_hits; i++) {
		struct pii_hit h = ret->hits[i];

		h.offset += st->pos;
		if (h.offset < st->reported || h.offset + h.length <= st->decided)
			continue;
		/* one that is longer than what is kept cannot wait */
		if (h.offset + h.length > limit && next - h.offset < PII_MAX_VALUE - STREAM_GROW) {
			if (h.offset < keep_from)
				keep_from = h.offset;
			continue;
		}
		st->hits[n++] = h;
		st->reported = h.offset + h.length;
	}
	ret->hits = st->hits;
	ret->n_hits = n;
	ret->complete_to += st->pos;
	if (!last && ret->complete_to > (keep_from < limit ? keep_from : limit))
		ret->complete_to = keep_from < limit ? keep_from : limit;
	st->decided = limit;
	tail = st->len < STREAM_TAIL ? st->len : STREAM_TAIL;
	keep = keep_from < next ? (size_t)(next - keep_from) + PII_NEAR + PII_MAX_FIELD : 0;
	if (keep < tail)
		keep = tail;
	if (keep > PII_MAX_VALUE)
		keep = PII_MAX_VALUE;
	if (keep > st->len)
		keep = st->len;
	/* the hits of this call point into the buffer until the next one: what they point to is moved only then */
	st->drop = st->len - keep;
	st->pos += st->drop;
	st->len = keep;
	return 0;
}
