/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_STORE_H
#define BW_GUARD_STORE_H
/*
 * The history of events: SQLite in WAL mode (schema: common/event_store.h). Events are queued in memory and written in
 * batches. A store that fails (disk full, locked, corrupt) never blocks and never ends the guard: the queue is bounded, what
 * does not fit is counted as lost, least severe and oldest first, and writing is tried again at each store_flush(). A corrupt
 * file is moved aside and a new one begun. Nothing here logs: store_stats() says what happened.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/event_store.h"
#include "guard/alert.h"

#define STORE_BATCH 512		      /* store_add() flushes by itself when this many are queued */
#define STORE_MAX_QUEUE 20000	      /* rows waiting at most */
#define STORE_MAX_QUEUE_BYTES (64u << 20)
#define STORE_QUERY_NS 100000000L	      /* the longest a query may take */
#define STORE_PRUNE_ROWS 2000	      /* deleted per call at most, besides as many as were written since the last one */

struct store;

struct store_config {
	const char *path;     /* of the database file, borrowed during store_open() */
	const char *name;     /* the path as others see it, for messages; NULL: the same. Borrowed as well */
	uint64_t max_rows;    /* 0: no limit */
	int64_t max_age_ns;   /* 0: no limit */
	uint32_t max_pages;   /* of the database file; 0: SQLite's maximum */
};

struct store_stats {
	uint64_t written;    /* events committed by this run */
	uint64_t queued;     /* waiting for the next flush */
	uint64_t lost;	     /* events given up */
	uint64_t failures;   /* flushes that failed */
	uint64_t recoveries; /* files moved aside or begun anew */
	uint64_t pruned;     /* removed by retention */
	uint64_t rows;	     /* in the file */
	bool failing;	     /* the last attempt to write failed, or the file cannot be opened */
	bool unclean;	     /* the previous run did not close the store: numbers between the two below may be missing */
	uint64_t last_seq_before; /* highest number found at the start, 0 for none */
	uint64_t first_seq;	  /* first number of this run */
	int64_t last_time_before; /* time of that last event, CLOCK_REALTIME; 0 for none */
	const char *message; /* about the latest failure or recovery, for people; "" for none */
	unsigned int messages; /* how often it changed */
};

/*
 * Opens or creates the store (mode 0600). A file that cannot be used leaves a store that is failing and tries again at each
 * flush: only -ENOMEM and -EINVAL (no path) are errors here.
 */
int store_open(const struct store_config *c, struct store **ret);
/* Flushes, marks the file as closed in order, and frees. NULL is fine. */
void store_close(struct store *s);

/* The next event number. Numbers go on over restarts; after an unclean end some are skipped, never used twice. */
uint64_t store_next_seq(struct store *s);

/* Queues a copy of @a. 0, or -ENOBUFS when an event (this or a less severe one) had to be given up; it is counted. */
int store_add(struct store *s, const struct alert *a);
/* Writes what is queued. 0, or a negative errno; the queue is kept for the next attempt. */
int store_flush(struct store *s);
/* Applies the limits of rows and age, deletions as above, and looks after a file that vanished. */
int store_maintain(struct store *s, int64_t now_ns);
/* Flushes, then queries: see event_store_query(). -ETIME after STORE_QUERY_NS; the rows until then were delivered. */
int store_query(struct store *s, const struct event_store_query *q, event_store_row_fn fn, void *arg);
void store_stats(const struct store *s, struct store_stats *ret);

#endif
