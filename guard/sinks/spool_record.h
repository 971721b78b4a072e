/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SPOOL_RECORD_H
#define BW_SPOOL_RECORD_H
/*
 * What is in the files of the spool (docs/sinks.md). Pure. All numbers little-endian.
 *
 *	segment "%016x.seg" (number of its first record):   record record record ...
 *	record:  | magic 4 | length 4 | number 8 | time 8 | severity 1 | check 3 | crc 4 | payload (length) |
 *	cursor:  two slots of 512 bytes, written in turn:  | magic 8 | number 8 | crc 4 | zeros |
 *
 * time: of the spool's own clock (spool.h), in nanoseconds: when it was taken.
 * check: 24 bits of the CRC-32 over the 25 bytes before it, so that a damaged length is not waited for.
 * crc: CRC-32 (zlib) over the header without it, then the payload. Records of a segment have rising numbers; a number that is
 * not there was given up.
 */
#include "common/slice.h"

#define SPOOL_HEADER 32u
#define SPOOL_MAX_PAYLOAD (512u << 10)
#define SPOOL_CURSOR_SLOT 512u

struct spool_record {
	uint64_t number;
	int64_t time_ns;
	uint8_t severity; /* enum event_severity */
	const char *line; /* borrowed, not terminated */
	uint32_t len;
};

/* Writes the header of @r to @dst. */
void spool_record_header(const struct spool_record *r, uint8_t dst[SPOOL_HEADER]);

enum spool_parse {
	SPOOL_OK,
	SPOOL_MORE, /* the beginning of a record, or nothing */
	SPOOL_BAD,  /* not a record */
};

/* The record at the beginning of @data. It takes SPOOL_HEADER + ret->len bytes. */
enum spool_parse spool_record_parse(struct bw_slice data, struct spool_record *ret);
/* After SPOOL_BAD: how many bytes to skip to where the next record may begin; data.len when there is none. */
size_t spool_record_resync(struct bw_slice data);

void spool_cursor_write(uint64_t number, uint8_t dst[SPOOL_CURSOR_SLOT]);
/* The higher of the valid slots in @data; false when there is none. */
bool spool_cursor_parse(struct bw_slice data, uint64_t *ret);

#endif
