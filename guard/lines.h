/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_LINES_H
#define BW_GUARD_LINES_H
/*
 * The sink for JSON lines: standard output, a file, a FIFO. Writing never blocks; what the receiver does not take waits in a
 * bounded buffer; what does not fit is lost and counted. A line is written whole or not at all: after a partial write the
 * rest goes first, and a line that was torn by a full disk is cut off again (or ended by a newline where it cannot be).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_MAX_PENDING (4u << 20) /* bytes that wait for a slow receiver */

struct lines;

struct lines_stats {
	uint64_t written; /* lines handed to the kernel or waiting in the buffer */
	uint64_t lost;	  /* lines given up */
	uint64_t torn;	  /* lines that stayed incomplete in the receiver */
	size_t pending;	  /* bytes waiting */
	int error;	  /* of the latest failed write, negative errno; 0 while all is well */
};

/* Opens a receiver. "-" is standard output. A file is created with mode 0640 and appended to. A descriptor or a negative errno. */
int lines_target(const char *path);
/* Takes @fd, one of lines_target(), over. Negative errno on failure; @fd then stays the caller's. */
int lines_open(int fd, struct lines **ret);
/* Tries once more to write what waits, then counts the rest as lost; @ret_stats may be NULL. */
void lines_close(struct lines *l, struct lines_stats *ret_stats);
/* @line without its newline. 0, or a negative errno when the line was lost. */
int lines_write(struct lines *l, const char *line, size_t len);
/* Writes what waits, as far as possible without blocking. Call it from a timer. */
int lines_flush(struct lines *l);
/* Goes on with another receiver (after rotation, SIGHUP), as lines_open(); the old one stays in use when that fails. */
int lines_replace(struct lines *l, int fd);
void lines_stats(const struct lines *l, struct lines_stats *ret);

#endif
