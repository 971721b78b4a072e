/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_CATALOGUE_INTERNAL_H
#define BW_GUARD_API_CATALOGUE_INTERNAL_H
/* Shared by catalogue.c and catalogue_db.c. */
#include "guard/api/catalogue.h"

struct sqlite3;
struct sqlite3_stmt;

struct fact {
	struct fact *next; /* of the endpoint */
	uint64_t hash;
	const char *kind; /* static */
	const char *name, *value; /* behind the structure */
	int64_t first_ns, last_ns;
	uint64_t count;
	bool dirty;
};

#define FACT_BUCKETS 64u

struct endpoint {
	struct endpoint *next; /* of the bucket */
	uint64_t hash;
	int64_t id;
	char *host, *method, *path; /* owned */
	int64_t first_ns, last_ns;
	uint64_t calls, errors, timed, duration_ns, request_bytes, response_bytes;
	bool dirty, stored, dead;
	uint32_t nfacts;
	struct fact *facts[FACT_BUCKETS];
};

/* Different slugs at one place: host and the path before it. */
struct place {
	struct place *next;
	char *host, *prefix; /* owned */
	uint32_t seen[API_CATALOGUE_HYPHENATED]; /* hashes; those with digits first come first served as well */
	uint8_t with_digits, without;
	bool collapsed, stored;
};

#define CATALOGUE_BUCKETS 4096u
#define CATALOGUE_COUNTERS 64u

struct api_catalogue {
	struct api_catalogue_stats stats;
	struct endpoint *buckets[CATALOGUE_BUCKETS];
	struct place *places[CATALOGUE_BUCKETS];
	uint32_t nplaces, nhosts;
	int64_t next_id;
	/* Ids of endpoints that are to be deleted in the file. */
	int64_t *dead;
	uint32_t ndead, dead_cap;
	struct {
		const char *name;
		uint64_t value;
	} counters[CATALOGUE_COUNTERS];
	unsigned int ncounters;
	bool dirty; /* something differs from the file */
	/* the file */
	struct sqlite3 *db;
	struct sqlite3_stmt *put_endpoint, *put_fact, *put_place, *put_counter, *drop_endpoint, *drop_facts;
};

/* For reading the file back. NULL: no memory, or too many. */
struct endpoint *catalogue_endpoint(struct api_catalogue *c, const char *host, const char *method, const char *path, bool create);
/* @kind must be one of those that catalogue.c knows; NULL otherwise. */
struct fact *catalogue_fact(struct api_catalogue *c, struct endpoint *e, const char *kind, const char *name, const char *value, bool create);
struct place *catalogue_place(struct api_catalogue *c, const char *host, const char *prefix);
const char *catalogue_kind(const char *kind);
/* Counts the slugs of a path that is known, without renaming it. */
void catalogue_learn(struct api_catalogue *c, const char *host, const char *path);
void catalogue_endpoint_free(struct api_catalogue *c, struct endpoint *e);
void catalogue_db_close(struct api_catalogue *c);

#endif
