/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SPOOL_H
#define BW_SPOOL_H
/*
 * The delivery spool: events wait here, in files, for every sink. One writer (the guard), any number of readers (one a sink, in
 * the delivery process), which share nothing but the files. Writing never waits for a reader.
 *
 * Bounded. When the limit is near, the oldest segments lose what is not of high severity (they are shed), then new events below high are given up;
 * the reserve is for high ones. At the limit the oldest segment goes. Whatever is given up leaves a hole in the numbers, which each
 * reader that was not past it counts.
 *
 * Age is counted by a clock of its own, for which nobody's setting of the host's clock matters: it advances with CLOCK_BOOTTIME while the
 * writer runs, and over an end of the writer by what has passed at least (the time since boot, after a reboot). Its state is in the file "age".
 */
#include <stdbool.h>
#include <stdint.h>

#include "guard/sinks/spool_record.h"

#define SPOOL_SEGMENT (8u << 20)
#define SPOOL_MAX_BYTES (1ULL << 30)
#define SPOOL_MIN_BYTES (1ULL << 20)
#define SPOOL_MAX_SEGMENTS 65536u
#define SPOOL_GROUP (64u << 10) /* written at once when so much is waiting */
#define SPOOL_RESERVE_PERCENT 10u /* of the limit, for high severity */

struct spool;

struct spool_config {
	const char *dir;	/* exists; borrowed during spool_open() */
	uint64_t max_bytes;	/* 0: SPOOL_MAX_BYTES */
	uint32_t segment_bytes; /* 0: SPOOL_SEGMENT, or less for a small spool */
	int64_t max_age_ns;	/* 0: no limit */
	int64_t now_ns;		/* CLOCK_BOOTTIME */
	uint64_t above;		/* numbers up to this one are taken: the highest cursor */
};

struct spool_stats {
	uint64_t written;  /* records, by this run */
	uint64_t dropped;  /* new ones that were given up: no room, or the disk said no */
	uint64_t shed;	   /* old ones below high severity that made room */
	uint64_t expired;  /* in segments that went because of their age or the limit, read or not */
	uint64_t torn;	   /* bytes of an incomplete record that the start found and cut off */
	uint64_t bytes, segments;
	uint64_t last;	   /* number of the latest record */
	uint64_t oldest;   /* number of the first record that is still there, last + 1 for none */
	int error;	   /* of the latest failed write, negative errno; 0 while all is well */
};

/* Creates what is missing. Finds the end, cuts off a torn record. Negative errno on failure. */
int spool_open(const struct spool_config *c, struct spool **ret);
void spool_close(struct spool *s); /* writes what waits; NULL is fine */

/* Takes a copy. Written by spool_flush(), or at once when enough waits or it is of high severity. *ret_number is its number. */
int spool_add(struct spool *s, uint8_t severity, const char *line, size_t len, uint64_t *ret_number);
/* Hands what waits to the kernel. 0, or a negative errno: what waited is given up and counted. */
int spool_flush(struct spool *s);
/* Removes segments that every reader is past (@read: the lowest cursor), and those that are too old. @now_ns: CLOCK_BOOTTIME. */
void spool_maintain(struct spool *s, uint64_t read, int64_t now_ns);
void spool_stats(const struct spool *s, struct spool_stats *ret);

/* ---- reading --------------------------------------------------------------------------------------------------------- */

struct spool_reader;

struct spool_reader_stats {
	uint64_t missing; /* numbers that are not there: given up by the writer, or damaged */
	uint64_t damaged; /* bytes that are no record */
};

/* @dir_fd stays the caller's. @after: the first record is the next higher one that is there. */
int spool_reader_open(int dir_fd, uint64_t after, struct spool_reader **ret);
void spool_reader_close(struct spool_reader *r);
/* 1: the next record, borrowed until the next call; 0: nothing there (yet); negative errno. */
int spool_reader_next(struct spool_reader *r, struct spool_record *ret);
void spool_reader_stats(const struct spool_reader *r, struct spool_reader_stats *ret);
/* Makes durable what has been written. Segments below *from were done before. */
int spool_sync(int dir_fd, uint64_t *from);

/* A cursor file, for its one writer. */
struct spool_cursor {
	int fd;
	unsigned int slot;
	uint64_t number;
};
/* Opens or creates; @c->number is 0 when it has none. Negative errno. */
int spool_cursor_open(int dir_fd, const char *name, struct spool_cursor *c);
int spool_cursor_set(struct spool_cursor *c, uint64_t number);
/* For others. -ENOENT, -EBADMSG. */
int spool_cursor_get(int dir_fd, const char *name, uint64_t *ret);

#endif
