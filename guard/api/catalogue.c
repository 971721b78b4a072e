// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/catalogue_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "guard/api/template.h"

#define OTHER "{other}"
#define SLUG "{slug}"

/* The kinds of facts, and how many of each an endpoint may have; what comes after is "{other}". docs/api.md explains them. */
static const struct {
	const char *kind;
	uint32_t max;
} kinds[] = {
	{ "auth", 16 },		  { "caller", 64 },	      { "class", 128 },		{ "direction", 8 },
	{ "duration", 32 },	  { "exception", 16 },	      { "extracted", 128 },	{ "finding", 64 },
	{ "flag", 32 },		  { "grpc-status", 32 },      { "operation", 128 },	{ "pii", 256 },
	{ "process", 32 },	  { "protocol", 8 },	      { "query", 128 },		{ "request.body", 512 },
	{ "request.coding", 8 },  { "request.cookie", 64 },   { "request.header", 128 }, { "request.type", 32 },
	{ "response.body", 512 }, { "response.coding", 8 },   { "response.cookie", 64 }, { "response.header", 128 },
	{ "response.type", 32 },  { "role", 4 },	      { "scheme", 4 },		{ "source", 8 },
	{ "status", 64 },	  { "style", 8 },
};

/* Upper bounds in ns of the histogram of durations, as OpenTelemetry recommends for HTTP servers; the last has none. */
static const struct {
	uint64_t ns;
	const char *name;
} bounds[] = {
	{ 5000000, "0.005" }, { 10000000, "0.01" },   { 25000000, "0.025" },   { 50000000, "0.05" },   { 75000000, "0.075" },
	{ 100000000, "0.1" }, { 250000000, "0.25" },  { 500000000, "0.5" },    { 750000000, "0.75" },  { 1000000000, "1" },
	{ 2500000000, "2.5" }, { 5000000000, "5" },   { 7500000000, "7.5" },   { 10000000000, "10" },  { UINT64_MAX, "+Inf" },
};

static uint64_t hash_text(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 1099511628211ull;
	return (h ^ 0xff) * 1099511628211ull; /* ends the text */
}

static uint64_t hash3(const char *a, const char *b, const char *c)
{
	return hash_text(hash_text(hash_text(14695981039346656037ull, a), b), c);
}

const char *catalogue_kind(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].kind, kind))
			return kinds[i].kind;
	return NULL;
}

static uint32_t kind_max(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind || !strcmp(kinds[i].kind, kind))
			return kinds[i].max;
	return 0;
}

/* ---- endpoints ------------------------------------------------------------------------------------------------------------ */

static void facts_free(struct api_catalogue *c, struct endpoint *e)
{
	for (unsigned int i = 0; i < FACT_BUCKETS; i++) {
		struct fact *next;

		for (struct fact *f = e->facts[i]; f; f = next) {
			next = f->next;
			free(f);
			c->stats.facts--;
		}
		e->facts[i] = NULL;
	}
	e->nfacts = 0;
}

void catalogue_endpoint_free(struct api_catalogue *c, struct endpoint *e)
{
	facts_free(c, e);
	free(e->host);
	free(e->method);
	free(e->path);
	free(e);
}

static struct endpoint *find(struct api_catalogue *c, uint64_t hash, const char *host, const char *method, const char *path)
{
	struct endpoint *e = c->buckets[hash % CATALOGUE_BUCKETS];

	while (e && (e->hash != hash || strcmp(e->host, host) || strcmp(e->method, method) || strcmp(e->path, path)))
		e = e->next;
	return e;
}

struct endpoint *catalogue_endpoint(struct api_catalogue *c, const char *host, const char *method, const char *path, bool create)
{
	uint64_t hash = hash3(host, method, path);
	struct endpoint *e = find(c, hash, host, method, path);

	if (e || !create)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->hash = hash;
	e->host = strdup(host);
	e->method = strdup(method);
	e->path = strdup(path);
	if (!e->host || !e->method || !e->path) {
		catalogue_endpoint_free(c, e);
		return NULL;
	}
	e->id = ++c->next_id;
	e->next = c->buckets[hash % CATALOGUE_BUCKETS];
	c->buckets[hash % CATALOGUE_BUCKETS] = e;
	c->stats.endpoints++;
	return e;
}

/* The file is to forget this id. */
static void note_dead(struct api_catalogue *c, int64_t id)
{
	if (c->ndead == c->dead_cap) {
		uint32_t cap = c->dead_cap ? c->dead_cap * 2 : 64;
		int64_t *p = realloc(c->dead, cap * sizeof(*p));

		if (!p)
			return; /* it stays in the file until its place is pruned */
		c->dead = p;
		c->dead_cap = cap;
	}
	c->dead[c->ndead++] = id;
}

static void unlink_endpoint(struct api_catalogue *c, struct endpoint *e)
{
	struct endpoint **at = &c->buckets[e->hash % CATALOGUE_BUCKETS];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	c->stats.endpoints--;
	c->dirty = true;
	if (e->stored)
		note_dead(c, e->id);
}

/* ---- facts ---------------------------------------------------------------------------------------------------------------- */

struct fact *catalogue_fact(struct api_catalogue *c, struct endpoint *e, const char *kind, const char *name, const char *value, bool create)
{
	uint64_t hash = hash3(kind, name, value);
	struct fact **bucket = &e->facts[hash % FACT_BUCKETS], *f = *bucket;
	size_t name_len = strlen(name) + 1, value_len = strlen(value) + 1;
	char *text;

	while (f && (f->hash != hash || strcmp(f->kind, kind) || strcmp(f->name, name) || strcmp(f->value, value)))
		f = f->next;
	if (f || !create)
		return f;
	f = malloc(sizeof(*f) + name_len + value_len);
	if (!f)
		return NULL;
	text = (char *)(f + 1);
	memcpy(text, name, name_len);
	memcpy(text + name_len, value, value_len);
	*f = (struct fact){ .next = *bucket, .hash = hash, .kind = kind, .name = text, .value = text + name_len };
	*bucket = f;
	e->nfacts++;
	c->stats.facts++;
	return f;
}

static uint32_t count_kind(const struct endpoint *e, const char *kind)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < FACT_BUCKETS; i++)
		for (const struct fact *f = e->facts[i]; f; f = f->next)
			n += f->kind == kind;
	return n;
}

static void fact_see(struct fact *f, int64_t first_ns, int64_t last_ns, uint64_t count)
{
	if (!f->count || first_ns < f->first_ns)
		f->first_ns = first_ns;
	if (last_ns > f->last_ns)
		f->last_ns = last_ns;
	f->count += count;
	f->dirty = true;
}

static void add_fact(struct api_catalogue *c, struct endpoint *e, const char *kind, const char *name, const char *value, int64_t now,
		     uint64_t count)
{
	struct fact *f;

	kind = catalogue_kind(kind);
	f = catalogue_fact(c, e, kind, name, value, false);
	if (!f) {
		if (c->stats.facts >= API_CATALOGUE_MAX_FACTS || count_kind(e, kind) >= kind_max(kind)) {
			c->stats.overflow_facts++;
			name = OTHER;
			value = "";
		}
		/* One more for each kind at most, so the maximum is passed by little. */
		f = catalogue_fact(c, e, kind, name, value, true);
	}
	if (f)
		fact_see(f, now, now, count);
}

/* ---- slugs ------------------------------------------------------------------------------------------------------------------ */

struct place *catalogue_place(struct api_catalogue *c, const char *host, const char *prefix)
{
	uint64_t hash = hash3(host, prefix, "");
	struct place **bucket = &c->places[hash % CATALOGUE_BUCKETS], *p = *bucket;

	while (p && (strcmp(p->prefix, prefix) || strcmp(p->host, host)))
		p = p->next;
	if (p || c->nplaces >= API_CATALOGUE_MAX_PLACES)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->host = strdup(host);
	p->prefix = strdup(prefix);
	if (!p->host || !p->prefix) {
		free(p->host);
		free(p->prefix);
		free(p);
		return NULL;
	}
	p->next = *bucket;
	*bucket = p;
	c->nplaces++;
	return p;
}

static bool has_digit(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] >= '0' && s[i] <= '9')
			return true;
	return false;
}

static bool is_slug(const char *s, size_t len)
{
	return len && s[0] != '{' && api_segment_of(bw_slice(s, len)) == API_SEGMENT_SLUG;
}

/* One more slug at a place. True when that was one too many. */
static bool place_count(struct place *p, const char *s, size_t len)
{
	bool digits = has_digit(s, len);
	uint32_t h = 2166136261u;
	unsigned int n = p->with_digits + p->without;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619u;
	for (unsigned int i = 0; i < n; i++)
		if (p->seen[i] == h)
			return false;
	if (n == ARRAY_SIZE(p->seen))
		return true;
	p->seen[n] = h;
	if (digits)
		p->with_digits++;
	else
		p->without++;
	return p->with_digits > API_CATALOGUE_SLUGS;
}

/* Joins what is known of one endpoint into another. */
static void merge(struct api_catalogue *c, struct endpoint *into, struct endpoint *from)
{
	if (!into->calls || from->first_ns < into->first_ns)
		into->first_ns = from->first_ns;
	if (from->last_ns > into->last_ns)
		into->last_ns = from->last_ns;
	into->calls += from->calls;
	into->errors += from->errors;
	into->timed += from->timed;
	into->duration_ns += from->duration_ns;
	into->request_bytes += from->request_bytes;
	into->response_bytes += from->response_bytes;
	into->dirty = true;
	for (unsigned int i = 0; i < FACT_BUCKETS; i++)
		for (const struct fact *f = from->facts[i]; f; f = f->next) {
			bool over = !catalogue_fact(c, into, f->kind, f->name, f->value, false) && count_kind(into, f->kind) >= kind_max(f->kind);
			struct fact *g = catalogue_fact(c, into, f->kind, over ? OTHER : f->name, over ? "" : f->value, true);

			if (g)
				fact_see(g, f->first_ns, f->last_ns, f->count);
		}
}

/* "/p/iphone-14/reviews" at the place "/p/" becomes "/p/{slug}/reviews". False: it has no slug there. */
static bool renamed(const char *path, const char *prefix, char out[API_MAX_PATH])
{
	size_t n = strlen(prefix), len;

	if (strncmp(path, prefix, n))
		return false;
	len = strcspn(path + n, "/");
	if (!is_slug(path + n, len))
		return false;
	snprintf(out, API_MAX_PATH, "%s" SLUG "%s", prefix, path + n + len);
	return true;
}

static void collapse(struct api_catalogue *c, struct place *p)
{
	p->collapsed = true;
	p->stored = false;
	c->dirty = true;
	c->stats.collapsed++;
	for (unsigned int i = 0; i < CATALOGUE_BUCKETS; i++) {
		struct endpoint *next;

		for (struct endpoint *e = c->buckets[i]; e; e = next) {
			char path[API_MAX_PATH];
			struct endpoint *into;

			next = e->next;
			if (strcmp(e->host, p->host) || !renamed(e->path, p->prefix, path))
				continue;
			into = catalogue_endpoint(c, e->host, e->method, path, true);
			if (!into)
				continue;
			merge(c, into, e);
			/* The new one may have been put behind this one in its bucket, so what follows is read again. */
			next = e->next;
			unlink_endpoint(c, e);
			catalogue_endpoint_free(c, e);
		}
	}
}

/* The path of a call as the catalogue has it; learns. With @learn_only no place is collapsed. */
static void catalogue_path(struct api_catalogue *c, const char *host, const char *path, bool learn_only, char out[API_MAX_PATH])
{
	size_t n = 0;

	out[0] = '\0';
	while (*path) {
		size_t len = strcspn(path, "/");
		struct place *p = NULL;
		const char *segment = path;
		size_t segment_len = len;

		if (is_slug(path, len)) {
			p = catalogue_place(c, host, out);
			if (p && !p->collapsed && place_count(p, path, len) && !learn_only)
				collapse(c, p);
			/* Where slugs cannot be counted any more, they are not told apart either. */
			if (!p || p->collapsed) {
				segment = SLUG;
				segment_len = sizeof(SLUG) - 1;
			}
		}
		if (n + segment_len + 2 >= API_MAX_PATH)
			return;
		memcpy(out + n, segment, segment_len);
		n += segment_len;
		path += len;
		if (*path == '/')
			out[n++] = *path++;
		out[n] = '\0';
	}
}

void catalogue_learn(struct api_catalogue *c, const char *host, const char *path)
{
	char out[API_MAX_PATH];

	catalogue_path(c, host, path, true, out);
}

/* ---- calls -------------------------------------------------------------------------------------------------------------------- */

static void add_bits(struct api_catalogue *c, struct endpoint *e, const char *kind, uint64_t bits, const char *(*name)(unsigned int), int64_t now)
{
	for (unsigned int i = 0; bits >> i; i++)
		if (bits & (1ull << i))
			add_fact(c, e, kind, name(i), "", now, 1);
}

static void add_number(struct api_catalogue *c, struct endpoint *e, const char *kind, int n, int64_t now)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	add_fact(c, e, kind, text, "", now, 1);
}

static void add_message(struct api_catalogue *c, struct endpoint *e, bool request, const struct api_message *m, int64_t now)
{
	if (*m->content_type)
		add_fact(c, e, request ? "request.type" : "response.type", m->content_type, "", now, 1);
	if (*m->coding)
		add_fact(c, e, request ? "request.coding" : "response.coding", m->coding, "", now, 1);
}

static void add_parties(struct api_catalogue *c, struct endpoint *e, const struct api_call *call, int64_t now)
{
	char text[API_ADDRESS_TEXT + 8];
	struct api_address a = call->remote;

	add_fact(c, e, "direction", api_direction_name(call->direction), "", now, 1);
	add_fact(c, e, "role", api_role_name(call->role), "", now, 1);
	add_fact(c, e, "source", api_source_name(call->source), "", now, 1);
	add_fact(c, e, "process", *call->exe ? call->exe : call->comm, "", now, 1);
	if (call->role == API_ROLE_CLIENT) {
		/* Of an outgoing call the caller is the process itself. */
		add_fact(c, e, "caller", *call->exe ? call->exe : call->comm, "", now, 1);
		return;
	}
	api_address_text(&a, text);
	if (*text && a.family != AF_UNIX) { /* without the port, which says nothing about who it is */
		char *colon = strrchr(text, ':');

		if (colon)
			*colon = '\0';
	}
	add_fact(c, e, "caller", *text ? text : "unknown", "", now, 1);
}

static void add_facts(struct api_catalogue *c, struct endpoint *e, const struct api_call *call, int64_t now)
{
	uint64_t duration = api_call_duration_ns(call);
	const char *exception = api_call_exception(call);
	unsigned int b = 0;

	for (uint32_t i = 0; i < call->nfields; i++) {
		const struct api_field *f = &call->fields[i];

		if (f->place == API_AT_PATH)
			continue;
		for (unsigned int bit = 0; f->types >> bit; bit++)
			if (f->types & (1u << bit))
				add_fact(c, e, api_place_name(f->place), f->name, api_type_name(bit), now, 1);
	}
	for (uint32_t i = 0; i < call->npii; i++) {
		const struct api_pii_hit *p = &call->pii[i];
		char name[API_MAX_NAME + 32];

		snprintf(name, sizeof(name), "%s:%s", api_place_name(p->place), p->name);
		add_fact(c, e, "pii", name, p->class_name, now, p->count);
		add_fact(c, e, "class", p->class_name, "", now, p->count);
	}
	for (uint32_t i = 0; i < call->nextracted; i++)
		add_fact(c, e, "extracted", call->extracted[i].name, call->extracted[i].value, now, 1);
	if (call->auth)
		add_bits(c, e, "auth", call->auth, api_auth_name, now);
	else if (!(call->flags & API_CALL_HEADERS_UNKNOWN)) /* what was not seen may have been there */
		add_fact(c, e, "auth", "none", "", now, 1);
	add_bits(c, e, "flag", call->flags, api_call_flag_name, now);
	add_bits(c, e, "finding", call->findings, api_finding_name, now);
	add_message(c, e, true, &call->request, now);
	add_message(c, e, false, &call->response, now);
	add_parties(c, e, call, now);
	add_fact(c, e, "protocol", api_protocol_name(call->protocol), "", now, 1);
	add_fact(c, e, "scheme", call->scheme, "", now, 1);
	add_fact(c, e, "style", api_style_name(call->style), "", now, 1);
	if (call->status)
		add_number(c, e, "status", call->status, now);
	if (call->grpc_status >= 0)
		add_number(c, e, "grpc-status", call->grpc_status, now);
	if (*call->operation)
		add_fact(c, e, "operation", call->operation, "", now, 1);
	if (exception)
		add_fact(c, e, "exception", exception, "", now, 1);
	if (duration) {
		while (duration > bounds[b].ns)
			b++;
		add_fact(c, e, "duration", bounds[b].name, "", now, 1);
	}
}

static bool host_is_known(struct api_catalogue *c, const char *host)
{
	/* A host is known by its overflow endpoint, which is made with it and written only when it was needed. */
	struct endpoint *e = catalogue_endpoint(c, host, "", OTHER, false);

	if (e)
		return true;
	if (c->nhosts >= API_CATALOGUE_MAX_HOSTS || !catalogue_endpoint(c, host, "", OTHER, true))
		return false;
	c->nhosts++;
	return true;
}

static struct endpoint *endpoint_of(struct api_catalogue *c, const struct api_call *call)
{
	const char *host = call->host, *method = call->method;
	char path[API_MAX_PATH];
	struct endpoint *e;

	if (!host_is_known(c, host)) {
		c->stats.overflow_endpoints++;
		return catalogue_endpoint(c, OTHER, "", OTHER, true);
	}
	catalogue_path(c, host, call->path, false, path);
	e = catalogue_endpoint(c, host, method, path, false);
	if (!e && c->stats.endpoints < API_CATALOGUE_MAX_ENDPOINTS + c->nhosts)
		e = catalogue_endpoint(c, host, method, path, true);
	if (!e) {
		c->stats.overflow_endpoints++;
		e = catalogue_endpoint(c, host, "", OTHER, false);
	}
	return e;
}

void api_catalogue_add(struct api_catalogue *c, const struct api_call *call, int64_t wall_ns)
{
	uint64_t duration = api_call_duration_ns(call);
	struct endpoint *e;

	c->stats.calls++;
	if ((call->flags & (API_CALL_DUPLICATE | API_CALL_NO_REQUEST)) || !*call->path || !*call->host) {
		c->stats.ignored++;
		return;
	}
	e = endpoint_of(c, call);
	if (!e) {
		c->stats.ignored++;
		return;
	}
	if (!e->calls || wall_ns < e->first_ns)
		e->first_ns = wall_ns;
	if (wall_ns > e->last_ns)
		e->last_ns = wall_ns;
	e->calls++;
	e->errors += api_call_exception(call) != NULL;
	e->timed += duration > 0;
	e->duration_ns += duration;
	e->request_bytes += call->request.head_bytes + call->request.body_bytes;
	e->response_bytes += call->response.head_bytes + call->response.body_bytes;
	e->dirty = c->dirty = true;
	add_facts(c, e, call, wall_ns);
}

void api_catalogue_prune(struct api_catalogue *c, int64_t before_ns)
{
	for (unsigned int i = 0; i < CATALOGUE_BUCKETS; i++) {
		struct endpoint *next;

		for (struct endpoint *e = c->buckets[i]; e; e = next) {
			next = e->next;
			if (!e->calls || e->last_ns >= before_ns)
				continue;
			unlink_endpoint(c, e);
			if (!*e->method)
				c->nhosts--;
			catalogue_endpoint_free(c, e);
		}
	}
}

void api_catalogue_counter(struct api_catalogue *c, const char *name, uint64_t value)
{
	unsigned int i = 0;

	while (i < c->ncounters && strcmp(c->counters[i].name, name))
		i++;
	if (i == CATALOGUE_COUNTERS || (i < c->ncounters && c->counters[i].value == value))
		return;
	c->dirty = true;
	c->counters[i].name = name;
	c->counters[i].value = value;
	if (i == c->ncounters)
		c->ncounters++;
}

const struct api_catalogue_stats *api_catalogue_stats(const struct api_catalogue *c)
{
	return &c->stats;
}

int api_catalogue_new(struct api_catalogue **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void api_catalogue_free(struct api_catalogue *c)
{
	if (!c)
		return;
	catalogue_db_close(c);
	for (unsigned int i = 0; i < CATALOGUE_BUCKETS; i++) {
		struct endpoint *e, *next;
		struct place *p, *pnext;

		for (e = c->buckets[i]; e; e = next) {
			next = e->next;
			catalogue_endpoint_free(c, e);
		}
		for (p = c->places[i]; p; p = pnext) {
			pnext = p->next;
			free(p->host);
			free(p->prefix);
			free(p);
		}
	}
	free(c->dead);
	free(c);
}
