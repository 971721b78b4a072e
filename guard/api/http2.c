// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/http2.h"

#include <stdlib.h>
#include <string.h>

void http2_init(struct http2 *p, bool client)
{
	*p = (struct http2){ .state = client ? HTTP2_S_PREFACE : HTTP2_S_FRAME };
}

static void block_free(struct http2 *p, struct api_budget *budget)
{
	if (p->block)
		explicit_bzero(p->block, p->block_cap);
	free(p->block);
	api_budget_give(budget, p->block_cap);
	p->block = NULL;
	p->block_len = p->block_cap = p->continuations = 0;
	p->in_block = false;
}

void http2_clear(struct http2 *p, struct api_budget *budget)
{
	block_free(p, budget);
}

static enum http2_result lost(struct http2 *p, struct api_budget *budget)
{
	block_free(p, budget);
	p->state = HTTP2_S_SYNC;
	p->left = p->pad = 0;
	p->inside = false;
	return HTTP2_ERROR;
}

/* ---- finding a frame again --------------------------------------------------------------------------------------------- */

struct header {
	uint32_t len, stream;
	uint8_t type, flags;
};

static struct header read_header(const uint8_t *p)
{
	return (struct header){
		.len = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], .type = p[3], .flags = p[4],
		.stream = bw_get_u32(p + 5, true),
	};
}

/* RFC 9113 6: what each type allows. */
static bool plausible(const struct header *h)
{
	if (h->len > HTTP2_PLAUSIBLE_LEN || h->stream >> 31)
		return false;
	switch (h->type) {
	case HTTP2_F_DATA:
		return h->stream && !(h->flags & ~(HTTP2_END_STREAM | HTTP2_PADDED)) && (h->len || h->flags);
	case HTTP2_F_HEADERS:
		return h->stream && h->len &&
		       !(h->flags & ~(HTTP2_END_STREAM | HTTP2_END_HEADERS | HTTP2_PADDED | HTTP2_HAS_PRIORITY));
	case HTTP2_F_PRIORITY:
		return h->stream && h->len == 5 && !h->flags;
	case HTTP2_F_RST_STREAM:
		return h->stream && h->len == 4 && !h->flags;
	case HTTP2_F_SETTINGS:
		return !h->stream && h->len % 6 == 0 && h->len <= 600 && (h->flags == 0 || (h->flags == HTTP2_ACK && !h->len));
	case HTTP2_F_PUSH_PROMISE:
		return h->stream && h->len > 4 && !(h->flags & ~(HTTP2_END_HEADERS | HTTP2_PADDED));
	case HTTP2_F_PING:
		return !h->stream && h->len == 8 && !(h->flags & ~HTTP2_ACK);
	case HTTP2_F_GOAWAY:
		return !h->stream && h->len >= 8 && !h->flags;
	case HTTP2_F_WINDOW_UPDATE:
		return h->len == 4 && !h->flags;
	case HTTP2_F_CONTINUATION:
		return h->stream && h->len && !(h->flags & ~HTTP2_END_HEADERS);
	default:
		return false;
	}
}

/*
 * A row of frames that ends where the bytes end, or three of them. One header alone is believed only at the @front of what
 * was captured in one piece, where writers put frames.
 */
static enum http2_result plausible_row(struct bw_slice in, bool front)
{
	unsigned int frames = 0;
	size_t at = 0;

	while (frames < 3 && at < in.len) {
		struct header h;

		if (in.len - at < HTTP2_FRAME_HEADER)
			return frames || front ? HTTP2_NEED_MORE : HTTP2_ERROR;
		h = read_header(in.data + at);
		if (!plausible(&h))
			return HTTP2_ERROR;
		frames++;
		if (h.len > in.len - at - HTTP2_FRAME_HEADER)
			return frames > 1 || front ? HTTP2_OK : HTTP2_ERROR;
		at += HTTP2_FRAME_HEADER + h.len;
	}
	return frames ? HTTP2_OK : HTTP2_NEED_MORE;
}

enum http2_result http2_sniff(struct bw_slice in)
{
	return plausible_row(in, true);
}

static enum http2_result sync(struct http2 *p, struct bw_slice in, size_t *ret_consumed)
{
	for (size_t i = 0; i < in.len; i++) {
		enum http2_result r = plausible_row(bw_slice(in.data + i, in.len - i), i == 0 && !p->inside);

		if (r == HTTP2_ERROR)
			continue;
		p->skipped += i;
		*ret_consumed = i;
		if (r == HTTP2_OK)
			p->state = HTTP2_S_FRAME;
		return r;
	}
	p->skipped += in.len;
	*ret_consumed = in.len;
	p->inside = false; /* what comes next may be a piece of its own */
	return HTTP2_NEED_MORE;
}

/* ---- frames --------------------------------------------------------------------------------------------------------------- */

static enum http2_result read_preface(struct http2 *p, struct bw_slice in, size_t *ret_consumed)
{
	size_t n = in.len < HTTP2_PREFACE_LEN ? in.len : HTTP2_PREFACE_LEN;

	if (memcmp(in.data, HTTP2_PREFACE, n)) {
		p->state = HTTP2_S_FRAME;
		return HTTP2_OK;
	}
	if (n < HTTP2_PREFACE_LEN)
		return HTTP2_NEED_MORE;
	*ret_consumed = HTTP2_PREFACE_LEN;
	p->state = HTTP2_S_FRAME;
	return HTTP2_OK;
}

static bool wanted_whole(uint8_t type)
{
	return type == HTTP2_F_HEADERS || type == HTTP2_F_PUSH_PROMISE || type == HTTP2_F_CONTINUATION || type == HTTP2_F_RST_STREAM ||
	       type == HTTP2_F_GOAWAY || type == HTTP2_F_SETTINGS;
}

static enum http2_result read_frame_header(struct http2 *p, struct bw_slice in, struct api_budget *budget, size_t *ret_consumed)
{
	struct header h;

	if (in.len < HTTP2_FRAME_HEADER)
		return HTTP2_NEED_MORE;
	h = read_header(in.data);
	h.stream &= 0x7fffffff;
	/* RFC 9113 6.10: nothing may stand between the frames of a header block. */
	if (p->in_block != (h.type == HTTP2_F_CONTINUATION) || (p->in_block && h.stream != p->block_stream) ||
	    (h.type <= HTTP2_F_CONTINUATION && h.type != HTTP2_F_DATA && h.len > HTTP2_MAX_BLOCK) ||
	    ((h.type == HTTP2_F_DATA || h.type == HTTP2_F_HEADERS) && !h.stream)) {
		bool known = plausible(&h);

		lost(p, budget);
		/* Out of place but a frame: where it ends is known. Otherwise a byte at least is passed, to look behind it. */
		*ret_consumed = known ? HTTP2_FRAME_HEADER : 1;
		p->skipped += *ret_consumed;
		p->inside = !known;
		if (known) {
			p->state = HTTP2_S_SKIP;
			p->type = h.type;
			p->flags = 0;
			p->left = h.len;
		}
		return HTTP2_ERROR;
	}
	*ret_consumed = HTTP2_FRAME_HEADER;
	p->type = h.type;
	p->flags = h.flags;
	p->stream = h.stream;
	p->left = h.len;
	p->pad = 0;
	if (h.type == HTTP2_F_DATA)
		p->state = h.flags & HTTP2_PADDED ? HTTP2_S_PAD_LENGTH : HTTP2_S_DATA;
	else
		p->state = wanted_whole(h.type) ? HTTP2_S_PAYLOAD : HTTP2_S_SKIP;
	return HTTP2_OK;
}

static bool block_append(struct http2 *p, struct bw_slice data, struct api_budget *budget)
{
	uint32_t need = p->block_len + (uint32_t)data.len, cap = p->block_cap ? p->block_cap : 1024;
	uint8_t *b;

	if (need > HTTP2_MAX_BLOCK)
		return false;
	if (need > p->block_cap) {
		while (cap < need)
			cap *= 2;
		if (!api_budget_take(budget, cap - p->block_cap))
			return false;
		b = realloc(p->block, cap);
		if (!b) {
			api_budget_give(budget, cap - p->block_cap);
			return false;
		}
		p->block = b;
		p->block_cap = cap;
	}
	if (data.len)
		memcpy(p->block + p->block_len, data.data, data.len);
	p->block_len = need;
	return true;
}

/* Takes padding and priority off the payload of HEADERS or PUSH_PROMISE. */
static bool strip(struct http2 *p, struct bw_slice *payload)
{
	size_t pad = 0, front = 0;

	if (p->flags & HTTP2_PADDED) {
		if (!payload->len)
			return false;
		pad = payload->data[0];
		front = 1;
	}
	if (p->type == HTTP2_F_HEADERS && (p->flags & HTTP2_HAS_PRIORITY))
		front += 5;
	if (p->type == HTTP2_F_PUSH_PROMISE) {
		if (payload->len < front + 4)
			return false;
		p->promised = bw_get_u32(payload->data + front, true) & 0x7fffffff;
		front += 4;
	}
	return payload->len >= front + pad && bw_slice_sub(*payload, front, payload->len - front - pad, payload);
}

static enum http2_result read_block(struct http2 *p, struct bw_slice payload, struct api_budget *budget, struct http2_event *ev,
				    bool *ret_event)
{
	if (p->type != HTTP2_F_CONTINUATION) {
		if (!strip(p, &payload))
			return lost(p, budget);
		p->block_stream = p->stream;
		p->block_push = p->type == HTTP2_F_PUSH_PROMISE;
		p->block_end_stream = !p->block_push && (p->flags & HTTP2_END_STREAM);
		p->block_len = 0;
		p->continuations = 0;
		if (p->flags & HTTP2_END_HEADERS)
			goto complete; /* the usual case: nothing is copied */
	} else if (++p->continuations > HTTP2_MAX_CONTINUATIONS) {
		return lost(p, budget);
	}
	if (!block_append(p, payload, budget))
		return lost(p, budget);
	p->in_block = !(p->flags & HTTP2_END_HEADERS);
	if (p->in_block)
		return HTTP2_OK;
	payload = bw_slice(p->block, p->block_len);
complete:
	*ev = (struct http2_event){
		.type = p->block_push ? HTTP2_PUSH : HTTP2_HEADERS, .stream = p->block_stream, .promised = p->promised,
		.end_stream = p->block_end_stream, .data = payload,
	};
	*ret_event = true;
	return HTTP2_OK;
}

static enum http2_result read_payload(struct http2 *p, struct bw_slice in, struct api_budget *budget, size_t *ret_consumed,
				      struct http2_event *ev, bool *ret_event)
{
	struct bw_slice payload;

	if (!bw_slice_sub(in, 0, p->left, &payload))
		return HTTP2_NEED_MORE;
	*ret_consumed = p->left;
	p->state = HTTP2_S_FRAME;
	switch (p->type) {
	case HTTP2_F_RST_STREAM:
		if (payload.len != 4)
			return lost(p, budget);
		*ev = (struct http2_event){ .type = HTTP2_RST, .stream = p->stream, .code = bw_get_u32(payload.data, true) };
		break;
	case HTTP2_F_GOAWAY:
		if (payload.len < 8)
			return lost(p, budget);
		*ev = (struct http2_event){ .type = HTTP2_GOAWAY, .stream = bw_get_u32(payload.data, true) & 0x7fffffff,
					    .code = bw_get_u32(payload.data + 4, true) };
		break;
	case HTTP2_F_SETTINGS:
		*ev = (struct http2_event){ .type = HTTP2_SETTINGS, .data = payload };
		break;
	default:
		return read_block(p, payload, budget, ev, ret_event);
	}
	*ret_event = true;
	return HTTP2_OK;
}

/* The payload of DATA is at its end, or padding is what is left of it. */
static void data_done(struct http2 *p)
{
	if (p->left > p->pad)
		return;
	if (p->left)
		p->state = HTTP2_S_SKIP;
	else
		p->state = p->flags & HTTP2_END_STREAM ? HTTP2_S_END : HTTP2_S_FRAME;
}

static enum http2_result read_data(struct http2 *p, struct bw_slice in, size_t *ret_consumed, struct http2_event *ev, bool *ret_event)
{
	uint32_t n = p->left - p->pad;

	if (!n) {
		data_done(p);
		return HTTP2_OK;
	}
	if (!in.len)
		return HTTP2_NEED_MORE;
	if (in.len < n)
		n = (uint32_t)in.len;
	*ret_consumed = n;
	p->left -= n;
	data_done(p);
	*ev = (struct http2_event){ .type = HTTP2_DATA, .stream = p->stream, .data = bw_slice(in.data, n) };
	*ret_event = true;
	return HTTP2_OK;
}

static enum http2_result read_skip(struct http2 *p, struct bw_slice in, size_t *ret_consumed)
{
	uint32_t n = in.len < p->left ? (uint32_t)in.len : p->left;

	if (!n && p->left)
		return HTTP2_NEED_MORE;
	*ret_consumed = n;
	p->left -= n;
	if (!p->left)
		p->state = p->type == HTTP2_F_DATA && (p->flags & HTTP2_END_STREAM) ? HTTP2_S_END : HTTP2_S_FRAME;
	return HTTP2_OK;
}

static enum http2_result read_pad_length(struct http2 *p, struct bw_slice in, struct api_budget *budget, size_t *ret_consumed)
{
	if (!p->left)
		return lost(p, budget);
	if (!in.len)
		return HTTP2_NEED_MORE;
	p->left--;
	p->pad = in.data[0];
	if (p->pad > p->left)
		return lost(p, budget);
	*ret_consumed = 1;
	p->state = HTTP2_S_DATA;
	return HTTP2_OK;
}

enum http2_result http2_next(struct http2 *p, struct bw_slice in, struct api_budget *budget, size_t *ret_consumed,
			     struct http2_event *ev)
{
	size_t total = 0;

	for (;;) {
		enum http2_result r = HTTP2_OK;
		bool event = false;
		size_t n = 0;

		switch (p->state) {
		case HTTP2_S_PREFACE:
			r = read_preface(p, in, &n);
			break;
		case HTTP2_S_FRAME:
			r = read_frame_header(p, in, budget, &n);
			break;
		case HTTP2_S_PAYLOAD:
			r = read_payload(p, in, budget, &n, ev, &event);
			break;
		case HTTP2_S_PAD_LENGTH:
			r = read_pad_length(p, in, budget, &n);
			break;
		case HTTP2_S_DATA:
			r = read_data(p, in, &n, ev, &event);
			break;
		case HTTP2_S_SKIP:
			r = read_skip(p, in, &n);
			break;
		case HTTP2_S_END:
			*ev = (struct http2_event){ .type = HTTP2_END, .stream = p->stream };
			p->state = HTTP2_S_FRAME;
			event = true;
			break;
		case HTTP2_S_SYNC:
			r = sync(p, in, &n);
			break;
		}
		total += n;
		in.data += n;
		in.len -= n;
		if (r != HTTP2_OK || event) {
			*ret_consumed = total;
			return r;
		}
	}
}

void http2_resync(struct http2 *p, struct api_budget *budget)
{
	lost(p, budget);
}

bool http2_gap(struct http2 *p, uint64_t n, struct api_budget *budget, uint32_t *ret_stream, uint64_t *ret_data)
{
	bool is_data = p->state == HTTP2_S_DATA || (p->state == HTTP2_S_SKIP && p->type == HTTP2_F_DATA);

	*ret_stream = is_data ? p->stream : 0;
	*ret_data = 0;
	if (p->state == HTTP2_S_SKIP && n <= p->left) {
		p->left -= (uint32_t)n;
		return true;
	}
	if (p->state == HTTP2_S_DATA && n <= p->left) {
		uint64_t data = p->left - p->pad;

		*ret_data = n < data ? n : data;
		p->left -= (uint32_t)n;
		data_done(p);
		return true;
	}
	lost(p, budget);
	return false;
}
