/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_HTTP2_H
#define BW_GUARD_API_HTTP2_H
/*
 * HTTP/2 frames (RFC 9113), one direction of one connection, as events pulled out of a row of bytes. Header blocks come
 * whole, CONTINUATION joined and padding taken off, and still coded: hpack.h. After a gap that is not inside a DATA frame the
 * parser looks for the next row of plausible frames. Pure.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"
#include "guard/api/budget.h"

#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define HTTP2_PREFACE_LEN 24u
#define HTTP2_FRAME_HEADER 9u
/* A header block with its continuations, and any frame other than DATA. */
#define HTTP2_MAX_BLOCK (64u << 10)
#define HTTP2_MAX_CONTINUATIONS 64u
/* No length above that is believed while looking for a frame. */
#define HTTP2_PLAUSIBLE_LEN (1u << 20)

enum http2_frame_type {
	HTTP2_F_DATA,
	HTTP2_F_HEADERS,
	HTTP2_F_PRIORITY,
	HTTP2_F_RST_STREAM,
	HTTP2_F_SETTINGS,
	HTTP2_F_PUSH_PROMISE,
	HTTP2_F_PING,
	HTTP2_F_GOAWAY,
	HTTP2_F_WINDOW_UPDATE,
	HTTP2_F_CONTINUATION,
};

enum http2_flag {
	HTTP2_END_STREAM = 0x1,
	HTTP2_ACK = 0x1,
	HTTP2_END_HEADERS = 0x4,
	HTTP2_PADDED = 0x8,
	HTTP2_HAS_PRIORITY = 0x20,
};

enum http2_state {
	HTTP2_S_PREFACE, /* the client's, if it comes */
	HTTP2_S_FRAME,	 /* before the header of a frame */
	HTTP2_S_PAYLOAD, /* of a frame that is needed whole */
	HTTP2_S_PAD_LENGTH,
	HTTP2_S_DATA,
	HTTP2_S_SKIP,	 /* padding, and frames that are of no interest */
	HTTP2_S_END,	 /* a DATA frame has ended, and with it the stream */
	HTTP2_S_SYNC,
};

struct http2 {
	enum http2_state state;
	uint8_t type, flags;
	uint32_t stream;
	uint32_t left;	   /* of the payload */
	uint32_t pad;	   /* of it, at its end, known after PAD_LENGTH */
	/* A header block that CONTINUATION frames have to complete. */
	uint8_t *block;	   /* owned */
	uint32_t block_len, block_cap, continuations;
	uint32_t block_stream, promised;
	bool in_block, block_end_stream, block_push;
	bool inside;	   /* SYNC: the next byte is not where a writer began */
	uint64_t skipped;  /* bytes that belonged to no frame */
};

enum http2_result {
	HTTP2_OK,
	HTTP2_NEED_MORE,
	HTTP2_ERROR, /* not HTTP/2, or more than is kept; header blocks may be lost. The parser is in HTTP2_S_SYNC */
};

enum http2_event_type {
	HTTP2_HEADERS,
	HTTP2_PUSH, /* @block is a request that the server makes up; @promised */
	HTTP2_DATA, /* a piece of a DATA frame, without padding */
	HTTP2_END,  /* the stream has ended in this direction, behind what was reported */
	HTTP2_RST,
	HTTP2_GOAWAY,
	HTTP2_SETTINGS,
};

struct http2_event {
	enum http2_event_type type;
	uint32_t stream, promised, code;
	bool end_stream; /* with HEADERS */
	struct bw_slice data;
};

void http2_init(struct http2 *p, bool client);
void http2_clear(struct http2 *p, struct api_budget *budget);
enum http2_result http2_next(struct http2 *p, struct bw_slice in, struct api_budget *budget, size_t *ret_consumed,
			     struct http2_event *ret_event);
/* What comes next may be anywhere, wherever the parser was: it looks for a frame. */
void http2_resync(struct http2 *p, struct api_budget *budget);
/*
 * @n bytes are missing. True when they are inside DATA: of @ret_stream, @ret_data of them without padding. Otherwise header
 * blocks may be lost.
 */
bool http2_gap(struct http2 *p, uint64_t n, struct api_budget *budget, uint32_t *ret_stream, uint64_t *ret_data);

/* Can @in, from the middle of a connection, be at the beginning of a frame? */
enum http2_result http2_sniff(struct bw_slice in);

#endif
