// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The catalogue's file: read at the start, written behind. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/api_store.h"
#include "common/cleanup.h"
#include "common/event_store.h"
#include "guard/api/catalogue_internal.h"

void catalogue_db_close(struct api_catalogue *c)
{
	struct sqlite3_stmt **all[] = { &c->put_endpoint, &c->put_fact, &c->put_place, &c->put_counter, &c->drop_endpoint, &c->drop_facts };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		sqlite3_finalize(*all[i]);
		*all[i] = NULL;
	}
	if (c->db)
		sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close_v2(c->db);
	c->db = NULL;
}

/* ---- reading -------------------------------------------------------------------------------------------------------------- */

static int take(struct api_catalogue *c, const struct api_data *d)
{
	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_endpoint *s = &d->endpoints[i];
		struct endpoint *e;

		if (!catalogue_endpoint(c, s->host, "", "{other}", false)) {
			if (!catalogue_endpoint(c, s->host, "", "{other}", true))
				return -ENOMEM;
			c->nhosts++;
		}
		e = catalogue_endpoint(c, s->host, s->method, s->path, true);
		if (!e)
			return -ENOMEM;
		if (c->next_id < s->id)
			c->next_id = s->id;
		e->id = s->id;
		e->stored = true;
		e->first_ns = s->first_ns;
		e->last_ns = s->last_ns;
		e->calls = s->calls;
		e->errors = s->errors;
		e->timed = s->timed;
		e->duration_ns = s->duration_ns;
		e->request_bytes = s->request_bytes;
		e->response_bytes = s->response_bytes;
		for (uint32_t k = 0; k < s->nfacts; k++) {
			const struct api_fact *sf = &s->facts[k];
			const char *kind = catalogue_kind(sf->kind);
			struct fact *f;

			if (!kind)
				continue; /* of a version that knew more */
			f = catalogue_fact(c, e, kind, sf->name, sf->value, true);
			if (!f)
				return -ENOMEM;
			f->first_ns = sf->first_ns;
			f->last_ns = sf->last_ns;
			f->count = sf->count;
		}
	}
	return 0;
}

static int take_places(struct api_catalogue *c)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(c->db, "SELECT host, prefix FROM collapsed", -1, &st, NULL);

	while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct place *p = catalogue_place(c, (const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1));

		if (p)
			p->collapsed = p->stored = true;
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return event_store_errno(rc);
}

/* The ids that were given out before those of the file were known have to be other ones. */
static void renumber(struct api_catalogue *c)
{
	for (unsigned int i = 0; i < CATALOGUE_BUCKETS; i++)
		for (struct endpoint *e = c->buckets[i]; e; e = e->next)
			if (!e->stored)
				e->id = ++c->next_id;
}

static int read_all(struct api_catalogue *c)
{
	struct api_data d = { 0 };
	int r = api_store_load(c->db, &d);

	if (!r)
		r = take(c, &d);
	if (!r)
		r = take_places(c);
	for (uint32_t i = 0; !r && i < d.n; i++)
		catalogue_learn(c, d.endpoints[i].host, d.endpoints[i].path);
	renumber(c);
	api_data_free(&d);
	return r;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------------ */

static int version_of(sqlite3 *db, int *ret_version, int *ret_tables)
{
	static const char *const sql[] = { "PRAGMA user_version", "SELECT count(*) FROM sqlite_master" };
	int *out[] = { ret_version, ret_tables }, rc = SQLITE_ROW;

	for (size_t i = 0; i < ARRAY_SIZE(sql) && rc == SQLITE_ROW; i++) {
		sqlite3_stmt *st = NULL;

		rc = sqlite3_prepare_v2(db, sql[i], -1, &st, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_step(st);
		if (rc == SQLITE_ROW)
			*out[i] = sqlite3_column_int(st, 0);
		sqlite3_finalize(st);
	}
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int setup(struct api_catalogue *c)
{
	static const struct {
		size_t statement;
		const char *sql;
	} statements[] = {
		{ offsetof(struct api_catalogue, put_endpoint), "INSERT OR REPLACE INTO endpoints VALUES(?,?,?,?,?,?,?,?,?,?,?,?)" },
		{ offsetof(struct api_catalogue, put_fact), "INSERT OR REPLACE INTO facts VALUES(?,?,?,?,?,?,?)" },
		{ offsetof(struct api_catalogue, put_place), "INSERT OR REPLACE INTO collapsed VALUES(?,?)" },
		{ offsetof(struct api_catalogue, put_counter), "INSERT OR REPLACE INTO counters VALUES(?,?)" },
		{ offsetof(struct api_catalogue, drop_endpoint), "DELETE FROM endpoints WHERE id = ?" },
		{ offsetof(struct api_catalogue, drop_facts), "DELETE FROM facts WHERE endpoint = ?" },
	};
	int version = 0, tables = 0, rc;

	sqlite3_extended_result_codes(c->db, 1);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_busy_timeout(c->db, 1000);
	rc = version_of(c->db, &version, &tables);
	if (rc != SQLITE_OK)
		return event_store_errno(rc);
	if (version > API_STORE_VERSION || version < 0 || (!version && tables))
		return -EPROTO;
	rc = sqlite3_exec(c->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;"
				 "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
	if (rc == SQLITE_OK && !version)
		rc = sqlite3_exec(c->db, "BEGIN IMMEDIATE;" API_STORE_SCHEMA_1 "PRAGMA user_version = 1; COMMIT", NULL, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(statements) && rc == SQLITE_OK; i++)
		rc = sqlite3_prepare_v3(c->db, statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
					(sqlite3_stmt **)((char *)c + statements[i].statement), NULL);
	return rc == SQLITE_OK ? read_all(c) : event_store_errno(rc);
}

int api_catalogue_open(const char *path, struct api_catalogue **ret)
{
	_cleanup_close_ int fd = -1;
	struct api_catalogue *c;
	struct stat st;
	int rc, r;

	/* As in store.c: SQLite would create it with the umask's mode. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = api_catalogue_new(&c);
	if (r < 0)
		return r;
	rc = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	r = rc == SQLITE_OK ? setup(c) : event_store_errno(rc);
	if (r < 0) {
		api_catalogue_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

/* ---- writing -------------------------------------------------------------------------------------------------------------------- */

static void text(sqlite3_stmt *st, int i, const char *s)
{
	sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC);
}

static int run(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int put_fact(struct api_catalogue *c, const struct endpoint *e, const struct fact *f)
{
	sqlite3_stmt *st = c->put_fact;

	sqlite3_bind_int64(st, 1, e->id);
	text(st, 2, f->kind);
	text(st, 3, f->name);
	text(st, 4, f->value);
	sqlite3_bind_int64(st, 5, f->first_ns);
	sqlite3_bind_int64(st, 6, f->last_ns);
	sqlite3_bind_int64(st, 7, (sqlite3_int64)f->count);
	return run(st);
}

static int put_endpoint(struct api_catalogue *c, const struct endpoint *e)
{
	sqlite3_stmt *st = c->put_endpoint;
	const uint64_t numbers[] = { e->calls, e->errors, e->timed, e->duration_ns, e->request_bytes, e->response_bytes };
	int rc;

	sqlite3_bind_int64(st, 1, e->id);
	text(st, 2, e->host);
	text(st, 3, e->method);
	text(st, 4, e->path);
	sqlite3_bind_int64(st, 5, e->first_ns);
	sqlite3_bind_int64(st, 6, e->last_ns);
	for (int i = 0; i < 6; i++)
		sqlite3_bind_int64(st, 7 + i, (sqlite3_int64)numbers[i]);
	rc = run(st);
	for (unsigned int i = 0; i < FACT_BUCKETS && rc == SQLITE_OK; i++)
		for (const struct fact *f = e->facts[i]; f && rc == SQLITE_OK; f = f->next)
			if (f->dirty)
				rc = put_fact(c, e, f);
	return rc;
}

static int write_all(struct api_catalogue *c)
{
	int rc = sqlite3_exec(c->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	for (uint32_t i = 0; i < c->ndead && rc == SQLITE_OK; i++) {
		sqlite3_bind_int64(c->drop_endpoint, 1, c->dead[i]);
		sqlite3_bind_int64(c->drop_facts, 1, c->dead[i]);
		rc = run(c->drop_endpoint);
		if (rc == SQLITE_OK)
			rc = run(c->drop_facts);
	}
	for (unsigned int i = 0; i < CATALOGUE_BUCKETS && rc == SQLITE_OK; i++) {
		for (struct endpoint *e = c->buckets[i]; e && rc == SQLITE_OK; e = e->next)
			if (e->dirty)
				rc = put_endpoint(c, e);
		for (struct place *p = c->places[i]; p && rc == SQLITE_OK; p = p->next) {
			if (!p->collapsed || p->stored)
				continue;
			text(c->put_place, 1, p->host);
			text(c->put_place, 2, p->prefix);
			rc = run(c->put_place);
		}
	}
	for (unsigned int i = 0; i < c->ncounters && rc == SQLITE_OK; i++) {
		text(c->put_counter, 1, c->counters[i].name);
		sqlite3_bind_int64(c->put_counter, 2, (sqlite3_int64)c->counters[i].value);
		rc = run(c->put_counter);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

static void mark_written(struct api_catalogue *c)
{
	for (unsigned int i = 0; i < CATALOGUE_BUCKETS; i++) {
		for (struct endpoint *e = c->buckets[i]; e; e = e->next) {
			if (!e->dirty)
				continue;
			for (unsigned int k = 0; k < FACT_BUCKETS; k++)
				for (struct fact *f = e->facts[k]; f; f = f->next)
					f->dirty = false;
			e->dirty = false;
			e->stored = true;
		}
		for (struct place *p = c->places[i]; p; p = p->next)
			p->stored = p->collapsed;
	}
	c->ndead = 0;
}

int api_catalogue_flush(struct api_catalogue *c)
{
	int rc;

	if (!c->db || !c->dirty)
		return 0;
	rc = write_all(c);
	if (rc != SQLITE_OK) {
		c->stats.write_errors++;
		if (!sqlite3_get_autocommit(c->db))
			sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
		return event_store_errno(rc);
	}
	mark_written(c);
	c->dirty = false;
	c->stats.writes++;
	return 0;
}
