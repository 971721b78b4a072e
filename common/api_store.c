// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/api_store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/event_store.h"

#define BLOCK_SIZE (64u << 10)

struct api_data_block {
	struct api_data_block *next;
	size_t used, size;
	char bytes[];
};

static int read_int(struct sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? -EIO : event_store_errno(rc);
}

int api_store_open(const char *path, struct sqlite3 **ret)
{
	struct sqlite3 *db __attribute__((cleanup(event_store_close))) = NULL;
	int64_t version = 0;
	int rc, r;

	if (access(path, R_OK) < 0)
		return -errno;
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return event_store_errno(rc);
	sqlite3_busy_timeout(db, 2000);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	r = read_int(db, "PRAGMA user_version", &version);
	if (r < 0)
		return r;
	if (version != API_STORE_VERSION)
		return -EPROTO;
	*ret = db;
	db = NULL;
	return 0;
}

/* A copy of a text column; NULL: no memory. */
static const char *keep(struct api_data *d, sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);
	size_t n = text ? strlen(text) + 1 : 1;
	struct api_data_block *b = d->blocks;

	if (!b || b->size - b->used < n) {
		size_t size = n > BLOCK_SIZE ? n : BLOCK_SIZE;

		b = malloc(sizeof(*b) + size);
		if (!b)
			return NULL;
		*b = (struct api_data_block){ .next = d->blocks, .size = size };
		d->blocks = b;
	}
	memcpy(b->bytes + b->used, text ? text : "", n);
	b->used += n;
	return b->bytes + b->used - n;
}

/* Grows a list to hold one more. */
static int room(void *list, uint32_t n, uint32_t max, size_t size)
{
	void **at = list, *p;

	if (n >= max)
		return -E2BIG;
	if (n & (n - 1) || (n && n < 16))
		return 0; /* it grows at powers of two */
	p = realloc(*at, (n < 16 ? 16 : (size_t)n * 2) * size);
	if (!p)
		return -ENOMEM;
	*at = p;
	return 0;
}

static int load_endpoint(struct api_data *d, sqlite3_stmt *st)
{
	struct api_endpoint e = {
		.id = sqlite3_column_int64(st, 0), .host = keep(d, st, 1), .method = keep(d, st, 2), .path = keep(d, st, 3),
		.first_ns = sqlite3_column_int64(st, 4), .last_ns = sqlite3_column_int64(st, 5), .calls = (uint64_t)sqlite3_column_int64(st, 6),
		.errors = (uint64_t)sqlite3_column_int64(st, 7), .timed = (uint64_t)sqlite3_column_int64(st, 8),
		.duration_ns = (uint64_t)sqlite3_column_int64(st, 9), .request_bytes = (uint64_t)sqlite3_column_int64(st, 10),
		.response_bytes = (uint64_t)sqlite3_column_int64(st, 11),
	};
	int r = room(&d->endpoints, d->n, API_STORE_MAX_ENDPOINTS, sizeof(e));

	if (r < 0)
		return r;
	if (!e.host || !e.method || !e.path)
		return -ENOMEM;
	d->endpoints[d->n++] = e;
	return 0;
}

static int load_fact(struct api_data *d, sqlite3_stmt *st)
{
	struct api_fact f = {
		.kind = keep(d, st, 1), .name = keep(d, st, 2), .value = keep(d, st, 3), .first_ns = sqlite3_column_int64(st, 4),
		.last_ns = sqlite3_column_int64(st, 5), .count = (uint64_t)sqlite3_column_int64(st, 6),
	};
	int64_t endpoint = sqlite3_column_int64(st, 0);
	int r = room(&d->facts, d->nfacts, API_STORE_MAX_FACTS, sizeof(f));

	if (r < 0)
		return r;
	if (!f.kind || !f.name || !f.value)
		return -ENOMEM;
	d->facts[d->nfacts++] = f;
	/* Facts come in the order of the endpoints. Where an endpoint's facts are is known once the list does not move any more. */
	while (d->ncounters < d->n && d->endpoints[d->ncounters].id != endpoint)
		d->ncounters++;
	if (d->ncounters == d->n)
		return -EUCLEAN;
	d->endpoints[d->ncounters].nfacts++;
	return 0;
}

static int load_counter(struct api_data *d, sqlite3_stmt *st)
{
	struct api_counter c = { .name = keep(d, st, 0), .value = (uint64_t)sqlite3_column_int64(st, 1) };
	int r = room(&d->counters, d->ncounters, 1000, sizeof(c));

	if (r < 0)
		return r;
	if (!c.name)
		return -ENOMEM;
	d->counters[d->ncounters++] = c;
	return 0;
}

static int load(struct sqlite3 *db, struct api_data *d, const char *sql, int (*row)(struct api_data *, sqlite3_stmt *))
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL), r = 0;

	while (rc == SQLITE_OK && !r && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		r = row(d, st);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return r ? r : event_store_errno(rc);
}

static int load_all(struct sqlite3 *db, const char *endpoints, const char *facts, struct api_data *ret)
{
	struct api_data d = { 0 };
	const struct api_fact *at;
	int r, rc;

	/* One transaction, so that endpoints and facts fit each other. */
	rc = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	r = event_store_errno(rc);
	if (!r)
		r = load(db, &d, endpoints, load_endpoint);
	if (!r)
		r = load(db, &d, facts, load_fact);
	d.ncounters = 0;
	if (!r)
		r = load(db, &d, "SELECT name, value FROM counters ORDER BY name", load_counter);
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (r) {
		api_data_free(&d);
		return r;
	}
	at = d.facts;
	for (uint32_t i = 0; i < d.n; i++) {
		d.endpoints[i].facts = at;
		at += d.endpoints[i].nfacts;
	}
	*ret = d;
	return 0;
}

int api_store_load(struct sqlite3 *db, struct api_data *ret)
{
	return load_all(db, "SELECT * FROM endpoints ORDER BY host, path, method",
			"SELECT f.* FROM endpoints e JOIN facts f ON f.endpoint = e.id"
			" ORDER BY e.host, e.path, e.method, f.kind, f.name, f.value", ret);
}

int api_store_load_personal(struct sqlite3 *db, struct api_data *ret)
{
	return load_all(db,
			"SELECT * FROM endpoints e WHERE EXISTS(SELECT 1 FROM facts WHERE endpoint = e.id AND kind = 'class')"
			" ORDER BY host, path, method",
			"SELECT f.* FROM endpoints e JOIN facts f ON f.endpoint = e.id"
			" WHERE f.kind IN ('class', 'direction', 'process', 'source')"
			" AND EXISTS(SELECT 1 FROM facts WHERE endpoint = e.id AND kind = 'class')"
			" ORDER BY e.host, e.path, e.method, f.kind, f.name, f.value", ret);
}

void api_data_free(struct api_data *d)
{
	struct api_data_block *next;

	for (struct api_data_block *b = d->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(d->endpoints);
	free(d->facts);
	free(d->counters);
	*d = (struct api_data){ 0 };
}

const struct api_fact *api_endpoint_facts(const struct api_endpoint *e, const char *kind, uint32_t *ret_n)
{
	uint32_t i = 0, n = 0;

	while (i < e->nfacts && strcmp(e->facts[i].kind, kind))
		i++;
	while (i + n < e->nfacts && !strcmp(e->facts[i + n].kind, kind))
		n++;
	*ret_n = n;
	return n ? &e->facts[i] : NULL;
}

const struct api_fact *api_endpoint_fact(const struct api_endpoint *e, const char *kind, const char *name)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, kind, &n);

	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(f[i].name, name))
			return &f[i];
	return NULL;
}
