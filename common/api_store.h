/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_API_STORE_H
#define BW_API_STORE_H
/*
 * The catalogue of APIs on disk, shared by its writer (the guard) and its readers: names, schema version, and all of it read into
 * memory. The columns, and the kinds of facts, are in docs/api.md.
 */
#include <stdint.h>

struct sqlite3;

#define API_STORE_FILE "api.db" /* in the state directory */

/* PRAGMA user_version. A file of a newer version is never touched. */
#define API_STORE_VERSION 1

/* Times are CLOCK_REALTIME in ns. */
#define API_STORE_SCHEMA_1                                                                                             \
	"CREATE TABLE endpoints(id INTEGER PRIMARY KEY, host TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL," \
	" first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, calls INTEGER NOT NULL, errors INTEGER NOT NULL,"       \
	" timed INTEGER NOT NULL, duration_ns INTEGER NOT NULL, request_bytes INTEGER NOT NULL,"                       \
	" response_bytes INTEGER NOT NULL, UNIQUE(host, method, path));"                                               \
	"CREATE TABLE facts(endpoint INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"   \
	" first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, count INTEGER NOT NULL,"                                \
	" PRIMARY KEY(endpoint, kind, name, value)) WITHOUT ROWID;"                                                    \
	"CREATE TABLE collapsed(host TEXT NOT NULL, prefix TEXT NOT NULL, PRIMARY KEY(host, prefix)) WITHOUT ROWID;"   \
	"CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"

/* What a reader takes at most; more is -E2BIG. The writer's own limits (catalogue.h) are below. */
#define API_STORE_MAX_ENDPOINTS 100000u
#define API_STORE_MAX_FACTS 4000000u

/* One thing that was seen of an endpoint. */
struct api_fact {
	const char *kind, *name, *value;
	int64_t first_ns, last_ns;
	uint64_t count;
};

struct api_endpoint {
	int64_t id;
	const char *host, *method, *path;
	int64_t first_ns, last_ns;
	uint64_t calls, errors, timed, duration_ns, request_bytes, response_bytes;
	const struct api_fact *facts; /* in the order of kind, name, value */
	uint32_t nfacts;
};

struct api_counter {
	const char *name;
	uint64_t value;
};

/* All of a catalogue; the strings are its own. */
struct api_data {
	struct api_endpoint *endpoints; /* in the order of host, path, method */
	uint32_t n;
	struct api_fact *facts;
	uint32_t nfacts;
	struct api_counter *counters; /* in the order of their names */
	uint32_t ncounters;
	struct api_data_block *blocks;
};

/* Opens read-only. -ENOENT no such file; -EPROTO a newer or foreign schema; as event_store_open(). */
int api_store_open(const char *path, struct sqlite3 **ret);
/* As it is at one moment. -E2BIG, -ENOMEM, -EBUSY, -EUCLEAN, -EIO. Release with api_data_free(). */
int api_store_load(struct sqlite3 *db, struct api_data *ret);
/* The same, of endpoints with personal data only, and of their facts those that say which, where and by whose process. */
int api_store_load_personal(struct sqlite3 *db, struct api_data *ret);
void api_data_free(struct api_data *d);

/* The first fact of @kind (and @name and @value, where they are not NULL) and how many facts of that kind follow it. */
const struct api_fact *api_endpoint_facts(const struct api_endpoint *e, const char *kind, uint32_t *ret_n);
const struct api_fact *api_endpoint_fact(const struct api_endpoint *e, const char *kind, const char *name);

#endif
