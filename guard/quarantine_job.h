/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_QUARANTINE_JOB_H
#define BW_GUARD_QUARANTINE_JOB_H
/*
 * Programs that were seen being loaded, and the job for the analyst that one of them and everything connected to it by maps
 * makes. Pure. Jobs are written in a normal form (maps numbered in order of appearance, no descriptors), so that equal loads
 * give equal bytes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"
#include "common/buf.h"

struct held_program {
	struct bw_hold_question q;
	uint64_t *insns;
	uint32_t got; /* instructions so far */
	struct held_value {
		uint8_t *data; /* of a map with one element; NULL: not known */
		uint32_t len;
	} values[BW_HOLD_MAX_MAPS];
	bool complete;
	bool gone; /* refused: it takes part in nothing any more */
};

struct held_programs {
	struct held_program **list; /* oldest first */
	uint32_t n, max;
	size_t bytes, max_bytes; /* of instructions and values */
};

int held_programs_init(struct held_programs *h, uint32_t max, size_t max_bytes);
void held_programs_free(struct held_programs *h);
/* Checks a record of the ring. -EBADMSG. */
int held_check(const void *record, size_t size);
/* Begins a program; the oldest ones make room. -ENOMEM. */
int held_begin(struct held_programs *h, const struct bw_hold_question *q, size_t size, struct held_program **ret);
/* Adds code, or a map's value. Returns 1 when the program is complete with it, 0, -ENOENT for an unknown question, -EBADMSG, -ENOMEM. */
int held_code(struct held_programs *h, const struct bw_hold_code *c, struct held_program **ret);
/* NULL when it is not kept (any more). */
struct held_program *held_find(const struct held_programs *h, uint64_t nonce);

#define HELD_JOB_MAPS 128u

struct held_job {
	uint32_t n_programs;
	bool truncated; /* more is connected to it than fits */
	/* The kernel's ids of the maps by their numbers in the job, from 1; those beyond are not told. */
	uint32_t map_ids[HELD_JOB_MAPS];
	uint32_t n_maps;
};

/* Appends the job of @p to @out. -ENOMEM, -E2BIG. */
int held_job(const struct held_programs *h, const struct held_program *p, struct bw_buf *out, struct held_job *ret);

#endif
