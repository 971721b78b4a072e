/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_CATALOGUE_H
#define BW_GUARD_API_CATALOGUE_H
/*
 * What the APIs of this host look like, learned from calls: endpoints (host, method, templated path) and facts about each. All of
 * it is in memory, bounded, and written behind to SQLite (catalogue_db.c), where bpfwarden api reads it (common/api_store.h).
 *
 * Segments that look like slugs stay in the path until one place has shown too many different ones: from then on they are
 * "{slug}" there, and the endpoints that are known become one. Words are never merged; when there are too many, the rest is
 * one endpoint with the path "{other}".
 */
#include <stdbool.h>
#include <stdint.h>

#include "guard/api/call.h"

struct api_catalogue;

#define API_CATALOGUE_MAX_ENDPOINTS 5000u
#define API_CATALOGUE_MAX_HOSTS 500u
#define API_CATALOGUE_MAX_FACTS 200000u
/* So many different slugs at one place are one: with digits in them, and without. */
#define API_CATALOGUE_SLUGS 8u
#define API_CATALOGUE_HYPHENATED 32u
#define API_CATALOGUE_MAX_PLACES 20000u /* where slugs are counted */
/* Kept this long in memory before they are written. */
#define API_CATALOGUE_FLUSH_NS 2000000000ull

struct api_catalogue_stats {
	uint64_t calls, ignored; /* ignored: duplicates, and those whose request was not seen */
	uint64_t overflow_endpoints, overflow_facts; /* calls and facts that became "{other}" */
	uint64_t collapsed;	 /* places whose slugs became one */
	uint64_t endpoints, facts;
	uint64_t writes, write_errors;
};

/* In memory only; -ENOMEM. */
int api_catalogue_new(struct api_catalogue **ret);
void api_catalogue_free(struct api_catalogue *c);

/* A finished call. @wall_ns is its time by CLOCK_REALTIME. */
void api_catalogue_add(struct api_catalogue *c, const struct api_call *call, int64_t wall_ns);
const struct api_catalogue_stats *api_catalogue_stats(const struct api_catalogue *c);

/*
 * With a file behind it: @path is created (0600) or read. -EPROTO: of a newer version; -EUCLEAN: corrupt, left alone; or as
 * event_store_errno(). Nothing is written before the first flush.
 */
int api_catalogue_open(const char *path, struct api_catalogue **ret);
/* Writes what changed, in one transaction. A failure leaves all of it for the next time. */
int api_catalogue_flush(struct api_catalogue *c);
/* A counter of capture or engine, for bpfwarden api metrics; written with the next flush. @name lives on. */
void api_catalogue_counter(struct api_catalogue *c, const char *name, uint64_t value);
/* Forgets endpoints that were not seen since. */
void api_catalogue_prune(struct api_catalogue *c, int64_t before_ns);

#endif
