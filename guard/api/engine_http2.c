// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* HTTP/2 connections: streams become calls. */
#include "guard/api/engine_internal.h"

#define FIND(x) (1ull << API_FIND_##x)

void conn_http2_begin(struct conn *c)
{
	c->kind = CONN_HTTP2;
	memset(&c->h2, 0, sizeof(c->h2));
	http2_init(&c->h2.parser[EXCHANGE_REQUEST], true);
	http2_init(&c->h2.parser[EXCHANGE_RESPONSE], false);
	hpack_init(&c->h2.hpack[EXCHANGE_REQUEST]);
	hpack_init(&c->h2.hpack[EXCHANGE_RESPONSE]);
}

void conn_http2_free(struct conn *c)
{
	for (unsigned int i = 0; i < EXCHANGE_SIDES; i++) {
		http2_clear(&c->h2.parser[i], &c->engine->budget);
		hpack_clear(&c->h2.hpack[i], &c->engine->budget);
	}
}

void conn_http2_upgraded(struct conn *c, struct exchange *x)
{
	conn_http2_begin(c);
	x->call.stream = 1;
	x->call.protocol = API_PROTO_HTTP2;
	x->call.status = 0;
	x->begun[EXCHANGE_RESPONSE] = false;
	x->call.response.head_bytes = 0;
	conn_call_done(c, x, EXCHANGE_REQUEST);
}

static struct exchange *find_stream(struct conn *c, uint32_t stream)
{
	struct exchange *x = c->calls;

	while (x && x->call.stream != stream)
		x = x->next;
	return x;
}

/* ---- header blocks ------------------------------------------------------------------------------------------------------ */

/* The fields of a block: pseudo headers apart, the others in engine->headers with their texts in engine->header_text. */
struct block {
	struct api_engine *engine;
	unsigned int n;
	size_t offset[HPACK_MAX_FIELDS][2]; /* of name and value in header_text: it moves while it grows */
	struct bw_slice method, path, scheme, authority, status, protocol;
	size_t pseudo_offset[6];
	unsigned int seen; /* bit per pseudo header */
	bool regular, unknown;
	uint64_t findings;
};

static const char *const pseudo_names[] = { ":method", ":path", ":scheme", ":authority", ":status", ":protocol" };

static bool is(struct bw_slice s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.data, text, s.len);
}

static void check_field(struct block *b, const struct hpack_field *f)
{
	for (size_t i = 0; i < f->name.len; i++) {
		uint8_t ch = f->name.data[i];

		if (ch <= ' ' || ch >= 0x7f || (ch >= 'A' && ch <= 'Z') || (ch == ':' && i))
			b->findings |= FIND(H2_BAD_FIELD);
	}
	for (size_t i = 0; i < f->value.len; i++)
		if (f->value.data[i] == '\r' || f->value.data[i] == '\n' || !f->value.data[i])
			b->findings |= FIND(H2_BAD_FIELD);
	/* RFC 9113 8.2.2 */
	if (is(f->name, "connection") || is(f->name, "keep-alive") || is(f->name, "proxy-connection") || is(f->name, "transfer-encoding") ||
	    is(f->name, "upgrade") || (is(f->name, "te") && !is(f->value, "trailers")))
		b->findings |= FIND(H2_CONNECTION_HEADER);
}

static void take_field(void *arg, const struct hpack_field *f)
{
	struct block *b = arg;
	struct api_engine *e = b->engine;
	struct bw_slice *pseudo[] = { &b->method, &b->path, &b->scheme, &b->authority, &b->status, &b->protocol };

	if (f->flags & (HPACK_NAME_UNKNOWN | HPACK_VALUE_UNKNOWN)) {
		b->unknown = true;
		e->stats.headers_unknown++;
	}
	if (f->name.len && f->name.data[0] == ':') {
		unsigned int i = 0;

		while (i < 6 && !is(f->name, pseudo_names[i]))
			i++;
		if (b->regular || i == 6 || (b->seen & (1u << i)))
			b->findings |= FIND(H2_BAD_PSEUDO);
		if (i == 6 || (b->seen & (1u << i)))
			return;
		b->seen |= 1u << i;
		if (f->flags & HPACK_VALUE_UNKNOWN)
			return;
		b->pseudo_offset[i] = e->header_text.len;
		bw_buf_append(&e->header_text, f->value.data, f->value.len);
		*pseudo[i] = bw_slice("", f->value.len);
		return;
	}
	b->regular = true;
	check_field(b, f);
	if (b->n == HPACK_MAX_FIELDS)
		return;
	e->headers[b->n] = (struct inspect_header){ bw_slice("", f->name.len), bw_slice("", f->value.len), f->flags & HPACK_VALUE_UNKNOWN };
	b->offset[b->n][0] = e->header_text.len;
	bw_buf_append(&e->header_text, f->name.data, f->name.len);
	b->offset[b->n][1] = e->header_text.len;
	bw_buf_append(&e->header_text, f->value.data, f->value.len);
	b->n++;
}

/* Decodes a block into @b. False: it was no HPACK, and the table is void. */
static bool read_block(struct conn *c, enum exchange_side side, struct bw_slice data, struct block *b)
{
	struct api_engine *e = c->engine;
	struct bw_slice *pseudo[] = { &b->method, &b->path, &b->scheme, &b->authority, &b->status, &b->protocol };
	const uint8_t *text;

	memset(b, 0, sizeof(*b));
	b->engine = e;
	bw_buf_reset(&e->header_text);
	if (hpack_decode(&c->h2.hpack[side], data, &e->budget, take_field, b) == HPACK_ERROR) {
		e->stats.parse_errors++;
		hpack_lost(&c->h2.hpack[side], &e->budget);
		return false;
	}
	if (bw_buf_error(&e->header_text)) {
		e->stats.memory_refused++;
		b->n = 0;
		b->unknown = true;
		return true;
	}
	text = (const uint8_t *)bw_buf_cstr(&e->header_text);
	for (unsigned int i = 0; i < 6; i++)
		if (pseudo[i]->data)
			pseudo[i]->data = text + b->pseudo_offset[i];
	for (unsigned int i = 0; i < b->n; i++) {
		e->headers[i].name.data = text + b->offset[i][0];
		e->headers[i].value.data = text + b->offset[i][1];
	}
	return true;
}

/* ---- calls --------------------------------------------------------------------------------------------------------------- */

static void message_begins(struct conn *c, struct exchange *x, enum exchange_side side, size_t size)
{
	struct api_message *m = exchange_message(x, side);

	x->begun[side] = true;
	m->first_ns = m->last_ns = x->waiting_ns = c->now;
	m->head_bytes += size;
}

static void finish_if_done(struct conn *c, struct exchange *x)
{
	if (x->done[EXCHANGE_RESPONSE] && (x->done[EXCHANGE_REQUEST] || !x->begun[EXCHANGE_REQUEST]))
		conn_call_report(c, x, 0);
}

static void check_length(struct exchange *x, enum exchange_side side)
{
	const struct api_message *m = exchange_message(x, side);
	bool none = side == EXCHANGE_RESPONSE && (x->head_request || x->call.status == 304 || x->call.status == 204);

	if (x->content_length[side] != UINT64_MAX && !none && !m->missing_bytes && x->content_length[side] != m->body_bytes &&
	    !(x->call.flags & (API_CALL_GAP | API_CALL_SAMPLED | API_CALL_UNCERTAIN)))
		x->call.findings |= FIND(H2_CL_MISMATCH);
}

static void side_ends(struct conn *c, struct exchange *x, enum exchange_side side)
{
	if (side >= EXCHANGE_SIDES || x->done[side])
		return;
	check_length(x, side);
	conn_call_done(c, x, side);
	finish_if_done(c, x);
}

static struct exchange *stream_new(struct conn *c, uint32_t stream)
{
	struct exchange *x;

	if (c->ncalls >= API_CONN_MAX_STREAMS) {
		c->engine->stats.streams_evicted++;
		conn_call_report(c, c->calls, API_CALL_EVICTED | API_CALL_NO_RESPONSE);
	}
	x = conn_call_new(c);
	if (x) {
		x->call.stream = stream;
		x->call.protocol = API_PROTO_HTTP2;
	}
	return x;
}

static bool is_plain(struct bw_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] >= 0x7f)
			return false;
	return s.len > 0;
}

static void request_headers(struct conn *c, const struct http2_event *ev, struct block *b)
{
	struct api_engine *e = c->engine;
	struct exchange *x = find_stream(c, ev->stream);

	if (x && x->begun[EXCHANGE_REQUEST]) { /* trailers */
		inspect_headers(&e->inspect, x, EXCHANGE_REQUEST, e->headers, b->n);
		x->call.findings |= b->findings;
		return;
	}
	if (!x)
		x = stream_new(c, ev->stream);
	if (!x)
		return;
	message_begins(c, x, EXCHANGE_REQUEST, ev->data.len);
	if (b->unknown)
		x->call.flags |= API_CALL_HEADERS_UNKNOWN;
	/* What is missing because it was not seen is not the sender's fault. */
	if (!b->unknown && !is(b->method, "CONNECT") && (!b->method.len || !b->path.len || !(b->seen & 4)))
		b->findings |= FIND(H2_BAD_PSEUDO);
	if ((b->path.len && !is_plain(b->path)) || (b->method.len && !is_plain(b->method)))
		b->findings |= FIND(H2_BAD_FIELD);
	x->call.findings |= b->findings;
	if (is(b->scheme, "https") || is(b->scheme, "http"))
		x->call.scheme = is(b->scheme, "https") ? "https" : "http";
	if (b->authority.len)
		inspect_host(x, b->authority);
	if (is(b->method, "CONNECT") && !b->protocol.len)
		inspect_target(&e->inspect, x, b->method, b->authority);
	else
		inspect_target(&e->inspect, x, b->method.len ? b->method : bw_slice("?", 1), b->path);
	if (b->unknown && !b->path.len)
		x->call.path = ""; /* not known is not "/" */
	if (is(b->protocol, "websocket"))
		x->call.style = API_STYLE_WEBSOCKET;
	for (unsigned int i = 0; i < b->n; i++)
		if (is(e->headers[i].name, "host") && b->authority.len && !e->headers[i].unknown &&
		    (e->headers[i].value.len != b->authority.len || memcmp(e->headers[i].value.data, b->authority.data, b->authority.len)))
			x->call.findings |= FIND(HOST_MISMATCH);
	inspect_headers(&e->inspect, x, EXCHANGE_REQUEST, e->headers, b->n);
	conn_call_traced(c, x);
}

static int parse_status(struct bw_slice s)
{
	int n = 0;

	if (s.len != 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return 0;
		n = n * 10 + (s.data[i] - '0');
	}
	return n;
}

static void response_headers(struct conn *c, const struct http2_event *ev, const struct block *b)
{
	struct api_engine *e = c->engine;
	struct exchange *x = find_stream(c, ev->stream);
	int status = parse_status(b->status);

	if (status >= 100 && status < 200)
		return;
	if (!x) {
		/* Promised by the server, or from before the capture. */
		if (!(ev->stream & 1))
			return;
		x = stream_new(c, ev->stream);
		if (!x)
			return;
		x->call.method = "?";
		x->call.flags |= API_CALL_NO_REQUEST;
	}
	x->call.findings |= b->findings;
	if (b->unknown)
		x->call.flags |= API_CALL_HEADERS_UNKNOWN;
	if (!x->begun[EXCHANGE_RESPONSE]) {
		message_begins(c, x, EXCHANGE_RESPONSE, ev->data.len);
		x->call.status = status;
	} else {
		exchange_message(x, EXCHANGE_RESPONSE)->head_bytes += ev->data.len;
	}
	inspect_headers(&e->inspect, x, EXCHANGE_RESPONSE, e->headers, b->n);
}

static void reset(struct conn *c, uint32_t stream, uint32_t code)
{
	struct exchange *x = find_stream(c, stream);

	if (!x)
		return;
	/* NO_ERROR after a whole response: the server does not want the rest of the request (RFC 9113 8.1). */
	if (x->done[EXCHANGE_RESPONSE] && !code) {
		conn_call_done(c, x, EXCHANGE_REQUEST);
		conn_call_report(c, x, 0);
		return;
	}
	conn_call_report(c, x, API_CALL_RESET | (x->begun[EXCHANGE_RESPONSE] ? API_CALL_INCOMPLETE : API_CALL_NO_RESPONSE));
}

static void goaway(struct conn *c, uint32_t last)
{
	struct exchange *x = c->calls, *next;

	for (; x; x = next) {
		next = x->next;
		if (x->call.stream > last && !x->begun[EXCHANGE_RESPONSE])
			conn_call_report(c, x, API_CALL_RESET | API_CALL_NO_RESPONSE);
	}
}

static void handle(struct conn *c, enum exchange_side side, const struct http2_event *ev)
{
	struct block *b = &(struct block){ 0 };
	struct exchange *x;

	switch (ev->type) {
	case HTTP2_HEADERS:
		if (read_block(c, side, ev->data, b)) {
			if (side == EXCHANGE_REQUEST)
				request_headers(c, ev, b);
			else
				response_headers(c, ev, b);
		}
		x = find_stream(c, ev->stream);
		if (x && ev->end_stream)
			side_ends(c, x, side);
		break;
	case HTTP2_PUSH:
		read_block(c, side, ev->data, b); /* for the table's sake */
		break;
	case HTTP2_DATA:
		x = find_stream(c, ev->stream);
		if (x) {
			exchange_message(x, side)->last_ns = x->waiting_ns = c->now;
			exchange_body_add(x, side, ev->data, c->engine->config.max_body);
		}
		break;
	case HTTP2_END:
		x = find_stream(c, ev->stream);
		if (x)
			side_ends(c, x, side);
		break;
	case HTTP2_RST:
		reset(c, ev->stream, ev->code);
		break;
	case HTTP2_GOAWAY:
		if (side == EXCHANGE_RESPONSE)
			goaway(c, ev->stream);
		break;
	case HTTP2_SETTINGS:
		break;
	}
}

/* Header blocks may have been lost in this direction: the table is void, and what is open may have ended. */
static void blocks_lost(struct conn *c, enum exchange_side side, uint32_t flag)
{
	c->gapped = true;
	hpack_lost(&c->h2.hpack[side], &c->engine->budget);
	for (struct exchange *x = c->calls; x; x = x->next)
		if (!x->done[side])
			x->call.flags |= flag;
}

size_t conn_http2_data(struct conn *c, enum exchange_side side, struct bw_slice data)
{
	struct api_engine *e = c->engine;
	size_t total = 0;

	for (;;) {
		struct http2 *p = &c->h2.parser[side];
		uint64_t skipped = p->skipped;
		struct http2_event ev;
		size_t used = 0;
		enum http2_result r = http2_next(p, data, &e->budget, &used, &ev);

		e->stats.resync_bytes += p->skipped - skipped;
		total += used;
		data.data += used;
		data.len -= used;
		if (r == HTTP2_NEED_MORE)
			return total;
		if (r == HTTP2_ERROR) {
			e->stats.parse_errors++;
			e->stats.resyncs++;
			blocks_lost(c, side, API_CALL_GAP);
			continue;
		}
		c->seen_message = true;
		handle(c, side, &ev);
	}
}

void conn_http2_midway(struct conn *c, enum exchange_side side)
{
	http2_resync(&c->h2.parser[side], &c->engine->budget);
	blocks_lost(c, side, 0);
}

void conn_http2_gap(struct conn *c, enum exchange_side side, uint64_t bytes, bool sampled)
{
	uint32_t flag = sampled ? API_CALL_SAMPLED : API_CALL_GAP, stream;
	struct exchange *x;
	uint64_t lost;

	if (!http2_gap(&c->h2.parser[side], bytes, &c->engine->budget, &stream, &lost)) {
		if (bytes)
			c->engine->stats.resyncs++;
		blocks_lost(c, side, bytes ? flag : 0);
		return;
	}
	x = stream ? find_stream(c, stream) : NULL;
	if (x && bytes) {
		x->call.flags |= flag;
		exchange_message(x, side)->last_ns = c->now;
		exchange_body_gap(x, side, lost);
	}
}
