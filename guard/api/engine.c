// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/engine_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "guard/api/pii.h"

#define TICK_NS 500000000ull

/* ---- identifiers ------------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Trace and span ids have to be different, not secret. */
static void new_id(struct api_engine *e, uint8_t *out, size_t len)
{
	uint64_t seed[2];

	memcpy(seed, e->config.seed, sizeof(seed));
	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = mix(mix(seed[0] ^ ++e->ids) ^ seed[1]);

		memcpy(out + i, v ? &v : &(uint64_t){ 1 }, 8);
	}
}

/* ---- calls ---------------------------------------------------------------------------------------------------------------- */

struct exchange *conn_call_new(struct conn *c)
{
	struct exchange *x = exchange_new(&c->engine->budget);

	if (!x) {
		c->engine->stats.memory_refused++;
		return NULL;
	}
	x->call.id = ++c->engine->next_call;
	x->call.conn = c->id;
	x->call.tid = c->tid;
	x->waiting_ns = c->now;
	*c->calls_tail = x;
	c->calls_tail = &x->next;
	c->ncalls++;
	return x;
}

static struct link *link_of(struct api_engine *e, uint32_t tid)
{
	return &e->links[mix(tid) & (LINKS - 1)];
}

static enum api_role role_of(const struct conn *c)
{
	return c->request_dir == API_DIR_IN ? API_ROLE_SERVER : API_ROLE_CLIENT;
}

void conn_call_traced(struct conn *c, struct exchange *x)
{
	struct api_engine *e = c->engine;
	struct api_trace *t = &x->call.trace;
	struct link *l = link_of(e, c->tid);
	bool linked = l->call && l->tid == c->tid;

	if (role_of(c) == API_ROLE_SERVER) {
		if (!t->seen)
			new_id(e, t->trace_id, sizeof(t->trace_id));
		new_id(e, t->span_id, sizeof(t->span_id));
		*l = (struct link){ .tid = c->tid, .call = x->call.id, .flags = t->flags };
		memcpy(l->trace_id, t->trace_id, sizeof(l->trace_id));
		memcpy(l->span_id, t->span_id, sizeof(l->span_id));
		return;
	}
	if (linked)
		t->linked_call = l->call;
	if (t->seen) {
		/* The caller names its own span; whose child that is, it does not say. The thread may. */
		memcpy(t->span_id, t->parent_id, sizeof(t->span_id));
		memset(t->parent_id, 0, sizeof(t->parent_id));
		if (linked && !memcmp(t->trace_id, l->trace_id, sizeof(t->trace_id)))
			memcpy(t->parent_id, l->span_id, sizeof(t->parent_id));
		return;
	}
	new_id(e, t->span_id, sizeof(t->span_id));
	if (linked) {
		memcpy(t->trace_id, l->trace_id, sizeof(t->trace_id));
		memcpy(t->parent_id, l->span_id, sizeof(t->parent_id));
		t->flags = l->flags;
	} else {
		new_id(e, t->trace_id, sizeof(t->trace_id));
	}
}

void conn_call_done(struct conn *c, struct exchange *x, enum exchange_side side)
{
	struct api_engine *e = c->engine;
	uint32_t before = x->call.flags;

	if (x->done[side])
		return;
	x->done[side] = true;
	exchange_message(x, side)->last_ns = c->now;
	x->waiting_ns = c->now;
	inspect_body(&e->inspect, x, side);
	e->stats.bodies_cut += !(before & API_CALL_BODY_CUT) && (x->call.flags & API_CALL_BODY_CUT);
	e->stats.bodies_opaque += !(before & API_CALL_BODY_OPAQUE) && (x->call.flags & API_CALL_BODY_OPAQUE);
}

/* ---- both ends of one connection on this host ------------------------------------------------------------------------------- */

static uint32_t pair_hash(const struct api_address *a, const struct api_address *b)
{
	uint64_t h = 0, k = 0;

	/* The same for both ends, and for an IPv4 address mapped into IPv6: ports alone are enough to spread. */
	h = (uint64_t)(a->port < b->port ? a->port : b->port) << 16 | (a->port < b->port ? b->port : a->port);
	k = mix(h);
	return (uint32_t)k;
}

static bool has_addresses(const struct conn *c)
{
	return (c->peer.local.family == AF_INET || c->peer.local.family == AF_INET6) && c->peer.local.port &&
	       (c->peer.remote.family == AF_INET || c->peer.remote.family == AF_INET6) && c->peer.remote.port;
}

static void pair_insert(struct conn *c)
{
	struct api_engine *e = c->engine;
	struct conn **bucket = &e->pairs[pair_hash(&c->peer.local, &c->peer.remote) & (e->nbuckets - 1)];

	if (c->paired || !has_addresses(c))
		return;
	c->pair_next = *bucket;
	*bucket = c;
	c->paired = true;
}

/* Is @o the server's end of the connection that @c is the client's end of, and read as HTTP? */
static bool is_server_end(const struct conn *o, const struct conn *c)
{
	if (o == c || (o->kind != CONN_HTTP1 && o->kind != CONN_HTTP2) || !o->seen_message || role_of(o) != API_ROLE_SERVER)
		return false;
	if (!api_address_same(&o->peer.local, &c->peer.remote) || !api_address_same(&o->peer.remote, &c->peer.local))
		return false;
	/* The loopback addresses of two network namespaces are two things. */
	return api_direction_of(&c->peer.local, &c->peer.remote) != API_DIRECTION_LOOPBACK || !c->peer.net_ns || !o->peer.net_ns ||
	       c->peer.net_ns == o->peer.net_ns;
}

static void pair_remove(struct conn *c)
{
	struct api_engine *e = c->engine;
	struct conn **at = &e->pairs[pair_hash(&c->peer.local, &c->peer.remote) & (e->nbuckets - 1)];

	if (!c->paired)
		return;
	while (*at != c)
		at = &(*at)->pair_next;
	*at = c->pair_next;
	c->paired = false;
}

/* Is the server's end of this client's connection seen as well, and read as HTTP? */
static bool server_end_is_seen(const struct conn *c)
{
	const struct api_engine *e = c->engine;

	if (!c->paired)
		return false;
	for (uint32_t i = 0; i < ENGINE_CLOSED_ENDS; i++) {
		const struct closed_end *o = &e->closed[i];

		if (o->local.family && api_address_same(&o->local, &c->peer.remote) && api_address_same(&o->remote, &c->peer.local) &&
		    o->net_ns == c->peer.net_ns)
			return true;
	}
	for (const struct conn *o = e->pairs[pair_hash(&c->peer.local, &c->peer.remote) & (e->nbuckets - 1)]; o; o = o->pair_next)
		if (is_server_end(o, c))
			return true;
	return false;
}

static void complete(struct conn *c, struct exchange *x, uint32_t flags)
{
	struct api_call *call = &x->call;
	struct link *l = link_of(c->engine, call->tid);

	call->flags |= flags;
	call->role = role_of(c);
	call->source = c->peer.source;
	call->tls = c->peer.source != API_SOURCE_SOCKET;
	call->direction = api_direction_of(&c->peer.local, &c->peer.remote);
	call->tgid = c->peer.tgid;
	call->uid = c->peer.uid;
	call->net_ns = c->peer.net_ns;
	call->start_ns = c->peer.start_ns;
	call->cgroup_id = c->peer.cgroup_id;
	call->comm = c->comm;
	call->exe = c->exe;
	call->local = c->peer.local;
	call->remote = c->peer.remote;
	if (!*call->scheme)
		call->scheme = call->tls ? "https" : "http";
	if (!*call->host && !(call->flags & API_CALL_NO_REQUEST)) {
		char text[API_ADDRESS_TEXT];

		api_address_text(call->role == API_ROLE_SERVER ? &call->local : &call->remote, text);
		inspect_host(x, bw_slice(text, strlen(text)));
	}
	if (call->role == API_ROLE_CLIENT && server_end_is_seen(c))
		call->flags |= API_CALL_DUPLICATE;
	if (l->call == call->id)
		l->call = 0;
}

void conn_call_report(struct conn *c, struct exchange *x, uint32_t flags)
{
	struct api_engine *e = c->engine;
	struct exchange **at = &c->calls;

	for (unsigned int side = 0; side < EXCHANGE_SIDES; side++)
		if (x->begun[side] && !x->done[side]) {
			uint64_t last = exchange_message(x, side)->last_ns;

			x->body[side].broken |= side == EXCHANGE_RESPONSE; /* it did not end: what is there is a part */
			conn_call_done(c, x, side);
			exchange_message(x, side)->last_ns = last;
		}
	complete(c, x, flags);
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	if (!*at)
		c->calls_tail = at;
	c->ncalls--;
	e->stats.calls++;
	e->stats.calls_duplicate += !!(x->call.flags & API_CALL_DUPLICATE);
	e->stats.calls_without_request += !!(x->call.flags & API_CALL_NO_REQUEST);
	e->stats.calls_without_response += !!(x->call.flags & API_CALL_NO_RESPONSE);
	e->config.on_call(e->config.arg, &x->call);
	exchange_free(x);
}

/* Everything that is open, with @flags and what its state adds. */
static void report_all(struct conn *c, uint32_t flags)
{
	while (c->calls) {
		struct exchange *x = c->calls;
		uint32_t state = 0;

		if (!x->begun[EXCHANGE_RESPONSE])
			state = API_CALL_NO_RESPONSE;
		else if (!x->done[EXCHANGE_RESPONSE])
			state = API_CALL_INCOMPLETE;
		conn_call_report(c, x, state ? state | flags : 0);
	}
	if (c->kind == CONN_HTTP1)
		c->h1.current = c->h1.answer = NULL;
}

/* ---- connections ----------------------------------------------------------------------------------------------------------- */

static void lru_remove(struct conn *c)
{
	c->lru_prev->lru_next = c->lru_next;
	c->lru_next->lru_prev = c->lru_prev;
}

static void lru_append(struct api_engine *e, struct conn *c)
{
	c->lru_prev = e->lru.lru_prev;
	c->lru_next = &e->lru;
	c->lru_prev->lru_next = c;
	e->lru.lru_prev = c;
}

static struct conn **conn_bucket(struct api_engine *e, uint64_t id)
{
	return &e->buckets[mix(id) & (e->nbuckets - 1)];
}

static void protocol_free(struct conn *c)
{
	if (c->kind == CONN_HTTP2)
		conn_http2_free(c);
}

void conn_opaque(struct conn *c)
{
	protocol_free(c);
	c->kind = CONN_OPAQUE;
	/* The tails are given back with the next chunk: this may be called while one is read. */
}

/* Its calls were reported, or are given up (api_engine_free()). */
static void conn_free(struct conn *c)
{
	struct api_engine *e = c->engine;
	struct conn **at = conn_bucket(e, c->id);

	/* A server that closes first is gone when the client's end of the call is done. */
	if (c->paired && c->seen_message && role_of(c) == API_ROLE_SERVER)
		e->closed[e->n_closed++ % ENGINE_CLOSED_ENDS] = (struct closed_end){ c->peer.local, c->peer.remote, c->peer.net_ns };
	protocol_free(c);
	while (c->calls) {
		struct exchange *x = c->calls;

		c->calls = x->next;
		exchange_free(x);
	}
	for (unsigned int i = 0; i < API_DIRS; i++)
		api_stream_clear(&c->streams[i], &e->budget);
	pair_remove(c);
	while (*at != c)
		at = &(*at)->hash_next;
	*at = c->hash_next;
	lru_remove(c);
	api_budget_give(&e->budget, sizeof(*c));
	e->stats.conns--;
	free(c);
}

static void evict_oldest(struct api_engine *e)
{
	struct conn *c = e->lru.lru_next;

	report_all(c, API_CALL_EVICTED);
	e->stats.conns_evicted++;
	conn_free(c);
}

static struct conn *conn_new(struct api_engine *e, uint64_t id)
{
	struct conn *c;

	while (e->stats.conns && (e->stats.conns >= e->config.max_conns || e->budget.used + sizeof(*c) > e->budget.max))
		evict_oldest(e);
	if (!api_budget_take(&e->budget, sizeof(*c)))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c) {
		api_budget_give(&e->budget, sizeof(*c));
		return NULL;
	}
	c->engine = e;
	c->id = id;
	c->calls_tail = &c->calls;
	c->hash_next = *conn_bucket(e, id);
	*conn_bucket(e, id) = c;
	lru_append(e, c);
	e->stats.conns++;
	return c;
}

static struct conn *conn_find(struct api_engine *e, uint64_t id)
{
	struct conn *c = *conn_bucket(e, id);

	while (c && c->id != id)
		c = c->hash_next;
	return c;
}

static void copy_text(char *out, size_t size, const char *in)
{
	size_t n = strlen(in);

	if (n >= size)
		n = size - 1;
	memcpy(out, in, n);
	out[n] = '\0';
}

static void take_peer(struct conn *c, const struct api_peer *p)
{
	if (c->peer.tgid == p->tgid && c->peer.local.family == p->local.family && c->peer.remote.family == p->remote.family && c->peer.comm)
		return;
	pair_remove(c);
	c->peer = *p;
	c->peer.comm = c->comm;
	c->peer.exe = c->exe;
	copy_text(c->comm, sizeof(c->comm), p->comm);
	copy_text(c->exe, sizeof(c->exe), p->exe);
	pair_insert(c);
}

/* ---- what does it speak? ----------------------------------------------------------------------------------------------------- */

static void set_requests(struct conn *c, enum api_dir dir)
{
	c->requests_known = true;
	c->request_dir = dir;
}

static enum api_dir other(enum api_dir dir)
{
	return dir == API_DIR_IN ? API_DIR_OUT : API_DIR_IN;
}

/* Only where the direction of requests is known can frames from the middle of a connection be told apart. */
static bool direction_known(struct conn *c)
{
	if (c->peer.role == API_ROLE_UNKNOWN)
		return false;
	set_requests(c, c->peer.role == API_ROLE_SERVER ? API_DIR_IN : API_DIR_OUT);
	return true;
}

/* True when the kind of the connection is known now; *ret_more: with more bytes it may be. */
static bool sniff(struct conn *c, enum api_dir dir, struct bw_slice in, bool *ret_more)
{
	size_t n = in.len < HTTP2_PREFACE_LEN ? in.len : HTTP2_PREFACE_LEN;
	enum http1_result request, response;
	enum http2_result frames = HTTP2_ERROR;

	*ret_more = false;
	if (!memcmp(in.data, HTTP2_PREFACE, n)) {
		if (n < HTTP2_PREFACE_LEN) {
			*ret_more = true;
			return false;
		}
		set_requests(c, dir);
		conn_http2_begin(c);
		return true;
	}
	request = http1_sniff(in, false);
	response = http1_sniff(in, true);
	if (request == HTTP1_OK || response == HTTP1_OK) {
		set_requests(c, request == HTTP1_OK ? dir : other(dir));
		conn_http1_begin(c);
		return true;
	}
	/* A server may be the first to speak HTTP/2: its SETTINGS. */
	frames = http2_sniff(in);
	if (frames == HTTP2_OK && (c->midway || (in.len >= 9 && in.data[3] == HTTP2_F_SETTINGS && !in.data[4])) && direction_known(c)) {
		conn_http2_begin(c);
		return true;
	}
	*ret_more = request == HTTP1_NEED_MORE || response == HTTP1_NEED_MORE || frames == HTTP2_NEED_MORE;
	return false;
}

struct reading {
	struct conn *c;
	enum api_dir dir;
};

static size_t dispatch(struct conn *c, enum api_dir dir, struct bw_slice data)
{
	switch (c->kind) {
	case CONN_HTTP1:
		return conn_http1_data(c, conn_side(c, dir), data);
	case CONN_HTTP2:
		return conn_http2_data(c, conn_side(c, dir), data);
	default:
		return data.len;
	}
}

/* The parsers of a connection that was joined midway begin by looking for a message. */
static void tell_midway(struct conn *c)
{
	for (unsigned int side = 0; side < EXCHANGE_SIDES; side++) {
		/* A direction whose first bytes are a beginning needs no search; it is found at once. */
		if (c->kind == CONN_HTTP1)
			conn_http1_gap(c, side, 0, true);
		else if (c->kind == CONN_HTTP2)
			conn_http2_midway(c, side);
	}
}

static size_t read_data(void *arg, struct bw_slice data)
{
	struct reading *r = arg;
	struct conn *c = r->c;
	bool more = false;
	size_t at = 0;

	if (c->kind != CONN_SNIFF)
		return dispatch(c, r->dir, data);
	if (!data.len)
		return 0;
	if (sniff(c, r->dir, data, &more)) {
		if (c->midway)
			tell_midway(c);
		return dispatch(c, r->dir, data);
	}
	if (more)
		return 0;
	/* From the middle: the beginning of a message may stand further on, at the beginning of a line. */
	while (c->midway && at < data.len) {
		const uint8_t *nl = memchr(data.data + at, '\n', data.len - at);

		if (!nl)
			break;
		at = (size_t)(nl - data.data) + 1;
		if (at < data.len && (http1_sniff(bw_slice(nl + 1, data.len - at), false) == HTTP1_OK ||
				      http1_sniff(bw_slice(nl + 1, data.len - at), true) == HTTP1_OK) &&
		    sniff(c, r->dir, bw_slice(nl + 1, data.len - at), &more)) {
			tell_midway(c);
			c->engine->stats.resync_bytes += at;
			return at + dispatch(c, r->dir, bw_slice(nl + 1, data.len - at));
		}
	}
	c->sniffed += data.len;
	if (!c->midway || c->sniffed > CONN_SNIFF_MAX) {
		c->engine->stats.not_http++;
		conn_opaque(c);
	}
	return data.len;
}

static void read_gap(void *arg, uint64_t bytes, uint64_t dropped, bool sampled)
{
	struct reading *r = arg;
	struct conn *c = r->c;

	c->engine->stats.resync_bytes += dropped;
	if (c->kind == CONN_SNIFF)
		c->midway = true;
	else if (c->kind == CONN_HTTP1)
		conn_http1_gap(c, conn_side(c, r->dir), bytes, sampled);
	else if (c->kind == CONN_HTTP2)
		conn_http2_gap(c, conn_side(c, r->dir), bytes, sampled);
}

/* Both directions go on somewhere else: with a request (HTTP/1), in the middle (HTTP/2). */
static void skip(struct conn *c, const struct api_chunk *chunk)
{
	struct api_engine *e = c->engine;

	for (unsigned int dir = 0; dir < API_DIRS; dir++) {
		struct api_stream *s = &c->streams[dir];
		uint64_t pos = dir == (unsigned int)chunk->dir ? chunk->pos : chunk->other;

		api_stream_skip(s, pos, &e->budget, &e->stream_stats);
	}
	if (c->kind == CONN_SNIFF)
		c->midway = true;
	if (c->kind != CONN_HTTP1 && c->kind != CONN_HTTP2)
		return;
	report_all(c, API_CALL_SAMPLED);
	if (c->kind == CONN_HTTP1)
		conn_http1_begin(c);
	else
		tell_midway(c);
}

/* ---- the interface ------------------------------------------------------------------------------------------------------------- */

void api_engine_chunk(struct api_engine *e, const struct api_chunk *chunk)
{
	struct conn *c = conn_find(e, chunk->conn);
	struct reading r = { .dir = chunk->dir };
	const struct api_stream_reader reader = { read_data, read_gap, &r };

	e->stats.chunks++;
	e->stats.bytes += chunk->len;
	if (chunk->dir >= API_DIRS || !chunk->peer)
		return;
	if (!c && (chunk->flags & API_CHUNK_CLOSED) && !chunk->len)
		return;
	if (!c)
		c = conn_new(e, chunk->conn);
	if (!c) {
		e->stats.memory_refused++;
		return;
	}
	lru_remove(c);
	lru_append(e, c);
	r.c = c;
	c->last_ns = c->now = chunk->time_ns;
	c->tid = chunk->tid;
	take_peer(c, chunk->peer);
	if (chunk->flags & API_CHUNK_MIDWAY && c->kind == CONN_SNIFF)
		c->midway = true;
	if (chunk->flags & API_CHUNK_SKIPPED)
		skip(c, chunk);
	if (c->kind == CONN_OPAQUE)
		api_stream_clear(&c->streams[chunk->dir], &e->budget);
	else
		api_stream_feed(&c->streams[chunk->dir], chunk, &reader, API_CONN_MAX_TAIL, &e->budget, &e->stream_stats);
	if (!(chunk->flags & API_CHUNK_CLOSED))
		return;
	if (c->kind == CONN_HTTP1 && !(chunk->flags & API_CHUNK_RESET))
		conn_http1_close(c);
	report_all(c, chunk->flags & API_CHUNK_RESET ? API_CALL_RESET : 0);
	conn_free(c);
}

static void time_out(struct conn *c, uint64_t now)
{
	struct exchange *x = c->calls, *next;

	for (; x; x = next) {
		next = x->next;
		/* A response that has begun takes as long as it takes. */
		if (x->begun[EXCHANGE_RESPONSE] || now < x->waiting_ns || now - x->waiting_ns < c->engine->config.timeout_ns)
			continue;
		if (c->kind == CONN_HTTP1) {
			if (c->h1.current == x)
				c->h1.current = NULL;
			c->h1.unpaired++;
		}
		conn_call_report(c, x, API_CALL_TIMEOUT | API_CALL_NO_RESPONSE);
	}
}

void api_engine_tick(struct api_engine *e, uint64_t now_ns)
{
	struct conn *c, *next;

	if (now_ns < e->last_tick + TICK_NS && e->last_tick)
		return;
	e->last_tick = now_ns;
	for (c = e->lru.lru_next; c != &e->lru; c = next) {
		next = c->lru_next;
		if (c->calls)
			time_out(c, now_ns);
		if (now_ns > c->last_ns && now_ns - c->last_ns >= e->config.idle_ns) {
			report_all(c, API_CALL_TIMEOUT);
			e->stats.conns_expired++;
			conn_free(c);
		}
	}
}

void api_engine_flush(struct api_engine *e)
{
	while (e->lru.lru_next != &e->lru) {
		struct conn *c = e->lru.lru_next;

		if (c->kind == CONN_HTTP1)
			conn_http1_close(c);
		report_all(c, 0);
		conn_free(c);
	}
}

void api_engine_set_extract(struct api_engine *e, const struct api_extract *extract)
{
	e->config.extract = e->inspect.extract = extract;
}

const struct api_engine_stats *api_engine_stats(const struct api_engine *ce)
{
	struct api_engine *e = (struct api_engine *)ce;

	e->stats.gaps = e->stream_stats.gaps;
	e->stats.gap_bytes = e->stream_stats.gap_bytes;
	e->stats.sampled_bytes = e->stream_stats.sampled_bytes;
	e->stats.late_bytes = e->stream_stats.late_bytes;
	e->stats.overflow_bytes = e->stream_stats.overflow_bytes;
	e->stats.memory = e->budget.used;
	e->stats.budget_refused = e->budget.refused;
	return &e->stats;
}

void api_engine_free(struct api_engine *e)
{
	if (!e)
		return;
	while (e->buckets && e->lru.lru_next != &e->lru)
		conn_free(e->lru.lru_next);
	inspect_free(&e->inspect);
	bw_buf_free(&e->header_text);
	free(e->buckets);
	free(e->pairs);
	free(e);
}

int api_engine_new(const struct api_engine_config *config, struct api_engine **ret)
{
	struct api_engine *e;

	if (!config->on_call || (config->scanner && !config->rules))
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->config = *config;
	if (!e->config.max_conns)
		e->config.max_conns = API_ENGINE_DEFAULT_CONNS;
	if (!e->config.max_memory)
		e->config.max_memory = API_ENGINE_DEFAULT_MEMORY;
	if (!e->config.max_body)
		e->config.max_body = API_ENGINE_DEFAULT_BODY;
	if (!e->config.idle_ns)
		e->config.idle_ns = API_ENGINE_DEFAULT_IDLE_NS;
	if (!e->config.timeout_ns)
		e->config.timeout_ns = API_ENGINE_DEFAULT_TIMEOUT_NS;
	e->budget.max = e->config.max_memory;
	e->inspect = (struct inspect){
		.scanner = config->scanner, .rules = config->rules, .key = config->key, .extract = config->extract,
		.max_body = e->config.max_body,
	};
	e->header_text.max = 1 << 20;
	e->inspect.text.max = 1 << 20;
	e->lru.lru_next = e->lru.lru_prev = &e->lru;
	for (e->nbuckets = 64; e->nbuckets < e->config.max_conns && e->nbuckets < 1u << 20; e->nbuckets *= 2)
		;
	e->buckets = calloc(e->nbuckets, sizeof(struct conn *));
	e->pairs = calloc(e->nbuckets, sizeof(struct conn *));
	if (!e->buckets || !e->pairs) {
		api_engine_free(e);
		return -ENOMEM;
	}
	*ret = e;
	return 0;
}
