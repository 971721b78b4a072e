/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_HTTP1_H
#define BW_GUARD_API_HTTP1_H
/*
 * HTTP/1.0 and 1.1 (RFC 9112), one direction of one connection, as events pulled out of a row of bytes:
 *
 *   HEAD  BODY* END   HEAD END   HEAD BODY* END ...   or, after an upgrade,   HEAD END RAW*
 *
 * Oddities do not stop it: they are findings, and it reads on as the most lenient peer would. What cannot be read at all is an ERROR;
 * after it, and after a gap that is not inside a body, the parser looks for the next line that can begin a message.
 * Pure; nothing is copied: what an event points to is the caller's input.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"
#include "guard/api/call.h"

#define HTTP1_MAX_FIELDS 200u
#define HTTP1_MAX_HEAD (64u << 10)
#define HTTP1_MAX_CHUNK_LINE 4096u
#define HTTP1_MAX_METHOD API_MAX_METHOD

struct http1_field {
	struct bw_slice name, value; /* value without the white space around it; a folded one has its line breaks */
};

enum http1_connection {
	HTTP1_CONN_CLOSE = 1u << 0,
	HTTP1_CONN_KEEP_ALIVE = 1u << 1,
	HTTP1_CONN_UPGRADE = 1u << 2,
};

struct http1_head {
	struct bw_slice method, target; /* of a request */
	int status;			/* of a response */
	unsigned int minor;		/* 0 or 1 */
	uint64_t findings;		/* bits: enum api_finding */
	bool fields_cut;		/* there were more than HTTP1_MAX_FIELDS */
	unsigned int connection;	/* enum http1_connection */
	struct bw_slice upgrade, host;	/* values; data NULL: none */
	bool has_length, chunked;
	uint64_t length;
	size_t size;			/* bytes of the head, with the empty line */
	unsigned int nfields;
	struct http1_field fields[HTTP1_MAX_FIELDS];
};

enum http1_state {
	HTTP1_S_HEAD,
	HTTP1_S_LENGTH,	    /* inside a body of known length */
	HTTP1_S_CHUNK_SIZE, /* before a chunk */
	HTTP1_S_CHUNK,	    /* inside a chunk */
	HTTP1_S_CHUNK_END,  /* behind its data */
	HTTP1_S_TRAILER,
	HTTP1_S_CLOSE,	    /* inside a body that ends with the connection */
	HTTP1_S_DONE,	    /* the body is complete, END is due */
	HTTP1_S_RAW,	    /* another protocol */
	HTTP1_S_SYNC,	    /* looking for the next message */
};

struct http1 {
	bool response;
	enum http1_state state;
	uint64_t left;	   /* bytes to come in LENGTH and CHUNK */
	size_t scanned;	   /* no end of the head, chunk line or trailer before here */
	uint64_t findings; /* of the body since the last event that carried findings */
	uint64_t skipped;  /* bytes that belonged to no message, since the parser was made */
};

enum http1_result {
	HTTP1_OK,	 /* *ret_event is set */
	HTTP1_NEED_MORE, /* no event; consumed bytes are done with, the rest has to come again with more */
	HTTP1_ERROR,	 /* not HTTP/1; the message, if one had begun, is lost. The parser is in HTTP1_S_SYNC */
};

enum http1_event_type {
	HTTP1_HEAD,
	HTTP1_BODY, /* decoded from chunks */
	HTTP1_END,
	HTTP1_RAW,
};

struct http1_event {
	enum http1_event_type type;
	struct bw_slice data;	    /* BODY, RAW; of END: the trailer's fields were not kept */
	uint64_t findings;	    /* END: of the body and trailer */
};

void http1_init(struct http1 *p, bool response);

/*
 * The next event of @in. *ret_consumed bytes of @in are done with, whatever the answer. @head is scratch, and holds the
 * head after HTTP1_HEAD until the next call.
 */
enum http1_result http1_next(struct http1 *p, struct bw_slice in, struct http1_head *head, size_t *ret_consumed,
			     struct http1_event *ret_event);

/* After the HEAD of a response: what the request says about its body. */
void http1_no_body(struct http1 *p); /* it answers HEAD */
void http1_raw(struct http1 *p);     /* 101, or a 2xx to CONNECT: another protocol follows */

/* @n bytes are missing. True when they are inside a body, so that nothing else is lost; otherwise the message is given up. */
bool http1_gap(struct http1 *p, uint64_t n);
/* The connection ended. True when the message that is open, if one is, is complete thereby. */
bool http1_close(struct http1 *p);
/* Whether a message has begun and not ended. */
bool http1_in_message(const struct http1 *p);

/* Can @in begin a request (a response)? HTTP1_NEED_MORE when it is too short to tell. */
enum http1_result http1_sniff(struct bw_slice in, bool response);

/* Ascii only, as in header names and tokens. */
bool http1_equal(struct bw_slice a, const char *lower);
/* Is @lower one of the comma-separated tokens of @list? */
bool http1_has_token(struct bw_slice list, const char *lower);

#endif
