// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* HTTP/1 connections: events of both directions become calls. Responses come in the order of the requests (RFC 9112 9.3.2). */
#include "guard/api/engine_internal.h"

void conn_http1_begin(struct conn *c)
{
	c->kind = CONN_HTTP1;
	c->h1 = (struct conn_http1){ 0 };
	http1_init(&c->h1.parser[EXCHANGE_REQUEST], false);
	http1_init(&c->h1.parser[EXCHANGE_RESPONSE], true);
}

static void headers_of(struct conn *c, struct exchange *x, enum exchange_side side)
{
	struct api_engine *e = c->engine;
	const struct http1_head *h = &e->head;

	for (unsigned int i = 0; i < h->nfields; i++)
		e->headers[i] = (struct inspect_header){ h->fields[i].name, h->fields[i].value, false };
	inspect_headers(&e->inspect, x, side, e->headers, h->nfields);
	if (h->fields_cut)
		x->call.flags |= API_CALL_LIMIT;
}

static void message_begins(struct conn *c, struct exchange *x, enum exchange_side side)
{
	struct api_message *m = exchange_message(x, side);

	x->begun[side] = true;
	m->first_ns = c->h1.head_ns[side] ? c->h1.head_ns[side] : c->now;
	m->last_ns = c->now;
	m->head_bytes = c->engine->head.size;
	x->waiting_ns = c->now;
}

static void finish(struct conn *c, struct exchange *x, uint32_t flags)
{
	if (c->h1.current == x)
		c->h1.current = NULL;
	if (c->h1.answer == x)
		c->h1.answer = NULL;
	conn_call_report(c, x, flags);
	if (!c->calls)
		c->uncertain = false;
}

static void finish_if_done(struct conn *c, struct exchange *x)
{
	if (x->done[EXCHANGE_RESPONSE] && (x->done[EXCHANGE_REQUEST] || !x->begun[EXCHANGE_REQUEST]))
		finish(c, x, 0);
}

static void request_head(struct conn *c, uint64_t findings)
{
	struct api_engine *e = c->engine;
	struct exchange *x = NULL;

	/* A request that overtook the end of the one before (RFC 9112 has no such thing): that one is over. */
	if (c->h1.current)
		conn_call_done(c, c->h1.current, EXCHANGE_REQUEST);
	if (c->ncalls >= API_CONN_MAX_PIPELINE || c->h1.unpaired)
		e->stats.pipeline_overflow++;
	else
		x = conn_call_new(c);
	c->h1.current = x;
	if (!x) {
		c->h1.unpaired++;
		return;
	}
	message_begins(c, x, EXCHANGE_REQUEST);
	x->call.protocol = e->head.minor ? API_PROTO_HTTP11 : API_PROTO_HTTP10;
	x->call.findings = findings;
	if (c->uncertain)
		x->call.flags |= API_CALL_UNCERTAIN;
	if (e->head.host.data)
		inspect_host(x, e->head.host);
	inspect_target(&e->inspect, x, e->head.method, e->head.target);
	headers_of(c, x, EXCHANGE_REQUEST);
	conn_call_traced(c, x);
}

/* 101, or CONNECT: what follows is not HTTP/1. */
static void handed_over(struct conn *c, struct exchange *x, bool h2c)
{
	http1_raw(&c->h1.parser[EXCHANGE_RESPONSE]);
	x->call.flags |= API_CALL_UPGRADED;
	if (h2c) {
		conn_http2_upgraded(c, x);
		return;
	}
	x->done[EXCHANGE_REQUEST] = x->done[EXCHANGE_RESPONSE] = true;
	finish(c, x, 0);
	conn_opaque(c);
}

static void response_head(struct conn *c, uint64_t findings)
{
	struct api_engine *e = c->engine;
	struct exchange *x = c->calls;
	int status = e->head.status;

	c->h1.interim = status < 200 && status != 101;
	c->h1.discard = false;
	if (c->h1.interim) {
		if (x)
			x->call.findings |= findings;
		return;
	}
	if (!x && c->h1.unpaired) {
		c->h1.unpaired--;
		c->h1.discard = true;
		return;
	}
	if (!x) {
		x = conn_call_new(c);
		if (!x) {
			c->h1.discard = true;
			return;
		}
		x->call.method = "?";
		x->call.flags |= API_CALL_NO_REQUEST;
		x->call.protocol = e->head.minor ? API_PROTO_HTTP11 : API_PROTO_HTTP10;
		/* 408 is what servers say when they have waited for a request that did not come. */
		if (!c->midway && !c->gapped && status != 408)
			x->call.findings |= 1ull << API_FIND_UNASKED_RESPONSE;
	}
	c->h1.answer = x;
	message_begins(c, x, EXCHANGE_RESPONSE);
	x->call.status = status;
	x->call.findings |= findings;
	if (x->head_request)
		http1_no_body(&c->h1.parser[EXCHANGE_RESPONSE]);
	headers_of(c, x, EXCHANGE_RESPONSE);
	if (status == 101)
		handed_over(c, x, e->head.upgrade.data && http1_has_token(e->head.upgrade, "h2c"));
	else if (status < 300 && !strcmp(x->call.method, "CONNECT"))
		handed_over(c, x, false);
}

static struct exchange *being_read(struct conn *c, enum exchange_side side)
{
	if (side == EXCHANGE_REQUEST)
		return c->h1.current;
	return c->h1.interim || c->h1.discard ? NULL : c->h1.answer;
}

static void message_ends(struct conn *c, enum exchange_side side, uint64_t findings)
{
	struct exchange *x = being_read(c, side);

	if (side == EXCHANGE_REQUEST)
		c->h1.current = NULL;
	else if (!c->h1.interim)
		c->h1.answer = NULL;
	if (!x)
		return;
	x->call.findings |= findings;
	conn_call_done(c, x, side);
	finish_if_done(c, x);
}

static void handle(struct conn *c, enum exchange_side side, const struct http1_event *ev)
{
	struct exchange *x;

	switch (ev->type) {
	case HTTP1_HEAD:
		c->seen_message = true;
		if (side == EXCHANGE_REQUEST)
			request_head(c, ev->findings);
		else
			response_head(c, ev->findings);
		if (c->kind == CONN_HTTP1)
			c->h1.head_ns[side] = 0;
		break;
	case HTTP1_BODY:
		x = being_read(c, side);
		if (x) {
			exchange_message(x, side)->last_ns = x->waiting_ns = c->now;
			exchange_body_add(x, side, ev->data, c->engine->config.max_body);
		}
		break;
	case HTTP1_END:
		message_ends(c, side, ev->findings);
		break;
	case HTTP1_RAW:
		break;
	}
}

/* The message that is being read cannot be read to its end. */
static void message_lost(struct conn *c, enum exchange_side side, uint32_t flag)
{
	struct exchange *x = being_read(c, side), *next;

	c->gapped = true;
	c->h1.head_ns[side] = 0;
	if (side == EXCHANGE_REQUEST) {
		c->h1.current = NULL;
		c->uncertain = true;
		if (x) {
			x->call.flags |= flag;
			conn_call_done(c, x, side);
			finish_if_done(c, x);
		}
		return;
	}
	/* How many responses were lost is not known: whoever waits for one may have got it. */
	c->h1.answer = NULL;
	c->h1.interim = c->h1.discard = false;
	for (x = c->calls; x; x = next) {
		next = x->next;
		if (!x->done[EXCHANGE_REQUEST] && x->begun[EXCHANGE_REQUEST])
			continue;
		finish(c, x, flag | (x->begun[EXCHANGE_RESPONSE] ? API_CALL_INCOMPLETE : API_CALL_NO_RESPONSE));
	}
	c->h1.unpaired = 0;
}

size_t conn_http1_data(struct conn *c, enum exchange_side side, struct bw_slice data)
{
	struct api_engine *e = c->engine;
	size_t total = 0;

	for (;;) {
		struct http1 *p = &c->h1.parser[side];
		uint64_t skipped = p->skipped;
		struct http1_event ev;
		enum http1_result r;
		size_t used = 0;

		if (p->state == HTTP1_S_HEAD && data.len && !c->h1.head_ns[side])
			c->h1.head_ns[side] = c->now;
		r = http1_next(p, data, &e->head, &used, &ev);
		e->stats.resync_bytes += p->skipped - skipped;
		total += used;
		data.data += used;
		data.len -= used;
		if (r == HTTP1_NEED_MORE)
			return total;
		if (r == HTTP1_ERROR) {
			struct exchange *x = being_read(c, side);

			e->stats.parse_errors++;
			if (x)
				x->call.findings |= p->findings;
			p->findings = 0;
			/* A first message that is none: this is not HTTP after all. */
			if (!c->seen_message && !c->gapped && !c->midway) {
				e->stats.not_http++;
				conn_opaque(c);
				return total + data.len;
			}
			e->stats.resyncs++;
			message_lost(c, side, API_CALL_GAP);
			continue;
		}
		handle(c, side, &ev);
		if (c->kind == CONN_HTTP2)
			return total + conn_http2_data(c, side, data);
		if (c->kind != CONN_HTTP1)
			return total + data.len;
	}
}

void conn_http1_gap(struct conn *c, enum exchange_side side, uint64_t bytes, bool sampled)
{
	uint32_t flag = sampled ? API_CALL_SAMPLED : API_CALL_GAP;
	struct http1 *p = &c->h1.parser[side];
	struct exchange *x = being_read(c, side);

	if (http1_gap(p, bytes)) {
		if (x && bytes) {
			x->call.flags |= flag;
			exchange_message(x, side)->last_ns = c->now;
			exchange_body_gap(x, side, bytes);
		}
		return;
	}
	if (!bytes && !c->calls) {
		c->gapped = true; /* the beginning of a connection that is older than the capture */
		return;
	}
	if (x)
		exchange_message(x, side)->missing_bytes += bytes;
	c->engine->stats.resyncs++;
	message_lost(c, side, flag);
}

void conn_http1_close(struct conn *c)
{
	if (http1_close(&c->h1.parser[EXCHANGE_RESPONSE]))
		conn_http1_data(c, EXCHANGE_RESPONSE, bw_slice("", 0));
}
