/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SPOOL_SEGMENT_H
#define BW_SPOOL_SEGMENT_H
/* One file of the spool, being read. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard/sinks/spool_record.h"

#define SPOOL_SEGMENT_NAME 24

struct spool_segment {
	int fd;
	uint64_t first;
	uint64_t offset; /* of buf[head] in the file */
	uint8_t *buf;
	size_t head, len;
	uint64_t damaged; /* bytes skipped */
};

const char *spool_segment_name(uint64_t first, char dst[SPOOL_SEGMENT_NAME]);
/* The first numbers of all segments, rising. The caller frees. */
int spool_segment_list(int dir_fd, uint64_t **ret, size_t *ret_n);
int spool_segment_open(int dir_fd, uint64_t first, struct spool_segment *g);
void spool_segment_close(struct spool_segment *g);
/* 1: a record, borrowed until the next call; 0: no complete one follows (yet); negative errno. */
int spool_segment_next(struct spool_segment *g, struct spool_record *ret);
uint64_t spool_segment_tell(const struct spool_segment *g); /* where the next record begins */
uint64_t spool_segment_size(const struct spool_segment *g);

#endif
