// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/stream.h"

#include <stdlib.h>
#include <string.h>

static void tail_free(struct api_stream *s, struct api_budget *budget)
{
	if (s->tail)
		explicit_bzero(s->tail, s->tail_cap);
	free(s->tail);
	api_budget_give(budget, s->tail_cap);
	s->tail = NULL;
	s->tail_len = s->tail_cap = 0;
}

static bool tail_append(struct api_stream *s, struct bw_slice data, size_t max, struct api_budget *budget)
{
	size_t need = s->tail_len + data.len, cap = s->tail_cap ? s->tail_cap : 256;
	uint8_t *p;

	if (data.len > max || s->tail_len > max - data.len)
		return false;
	if (need > s->tail_cap) {
		while (cap < need)
			cap *= 2;
		if (!api_budget_take(budget, cap - s->tail_cap))
			return false;
		p = malloc(cap);
		if (!p) {
			api_budget_give(budget, cap - s->tail_cap);
			return false;
		}
		if (s->tail) {
			memcpy(p, s->tail, s->tail_len);
			explicit_bzero(s->tail, s->tail_cap);
			free(s->tail);
		}
		s->tail = p;
		s->tail_cap = cap;
	}
	if (data.len)
		memcpy(s->tail + s->tail_len, data.data, data.len);
	s->tail_len = need;
	return true;
}

static void gap(struct api_stream *s, const struct api_stream_reader *reader, uint64_t bytes, bool sampled, struct api_budget *budget,
		struct api_stream_stats *stats)
{
	uint64_t dropped = s->tail_len;

	tail_free(s, budget);
	if (sampled) {
		stats->sampled_bytes += bytes;
	} else {
		stats->gaps++;
		stats->gap_bytes += bytes;
	}
	s->next += bytes;
	reader->gap(reader->arg, bytes, dropped, sampled);
	reader->data(reader->arg, bw_slice("", 0));
}

static void take(struct api_stream *s, struct bw_slice data, const struct api_stream_reader *reader, size_t max_tail,
		 struct api_budget *budget, struct api_stream_stats *stats)
{
	size_t used;

	stats->bytes += data.len;
	s->next += data.len;
	if (!s->tail_len) {
		used = reader->data(reader->arg, data);
		if (used >= data.len)
			return;
		data.data += used;
		data.len -= used;
		if (tail_append(s, data, max_tail, budget))
			return;
	} else if (tail_append(s, data, max_tail, budget)) {
		used = reader->data(reader->arg, bw_slice(s->tail, s->tail_len));
		if (used >= s->tail_len) {
			tail_free(s, budget);
		} else {
			s->tail_len -= used;
			memmove(s->tail, s->tail + used, s->tail_len);
		}
		return;
	}
	/* It cannot be kept: from here on the reader has to find its way as after a loss. */
	stats->overflow_bytes += data.len;
	reader->gap(reader->arg, data.len, s->tail_len, false);
	tail_free(s, budget);
	reader->data(reader->arg, bw_slice("", 0));
}

void api_stream_feed(struct api_stream *s, const struct api_chunk *c, const struct api_stream_reader *reader, size_t max_tail,
		     struct api_budget *budget, struct api_stream_stats *stats)
{
	struct bw_slice data = bw_slice(c->data, c->len);
	uint64_t skipped = c->skipped, pos = c->pos;

	if (!s->started) {
		s->started = true;
		/* What was before the capture is not a loss, but the reader must know that this is not the beginning. */
		s->next = pos;
		if (pos || (c->flags & API_CHUNK_MIDWAY))
			reader->gap(reader->arg, 0, 0, true);
	}
	if (pos > s->next) {
		gap(s, reader, pos - s->next, false, budget, stats);
	} else if (pos < s->next) {
		uint64_t late = s->next - pos, cut = late < data.len ? late : data.len;

		stats->late_bytes += cut;
		data.data += cut;
		data.len -= cut;
		late -= cut;
		skipped -= late < skipped ? late : skipped;
	}
	if (data.len)
		take(s, data, reader, max_tail, budget, stats);
	if (skipped)
		gap(s, reader, skipped, c->flags & API_CHUNK_SAMPLED, budget, stats);
}

void api_stream_skip(struct api_stream *s, uint64_t pos, struct api_budget *budget, struct api_stream_stats *stats)
{
	tail_free(s, budget);
	if (s->started && pos > s->next)
		stats->sampled_bytes += pos - s->next;
	s->started = true;
	s->next = pos;
}

void api_stream_clear(struct api_stream *s, struct api_budget *budget)
{
	tail_free(s, budget);
	s->started = false;
}
