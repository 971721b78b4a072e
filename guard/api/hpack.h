/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_HPACK_H
#define BW_GUARD_API_HPACK_H
/*
 * HPACK (RFC 7541), decoding only, and tolerant: who joins a connection late, or lost a part of it, misses entries of the
 * dynamic table. A field that refers to one of those is a placeholder with HPACK_NAME_UNKNOWN or HPACK_VALUE_UNKNOWN, counted,
 * and decoding goes on. What an entry is called afterwards follows from its place in the table, so new entries keep their numbers.
 * Pure.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"
#include "guard/api/budget.h"

#define HPACK_STATIC 61u
#define HPACK_DEFAULT_SIZE 4096u
/* More than that is not kept of a dynamic table, whatever the peers agree on; entries beyond it become placeholders. */
#define HPACK_MAX_SIZE (64u << 10)
#define HPACK_MAX_ENTRIES 512u
/* One name or value; a longer one is cut, and its entry a placeholder. */
#define HPACK_MAX_STRING 8192u
#define HPACK_MAX_FIELDS 512u

enum hpack_flag {
	HPACK_NAME_UNKNOWN = 1u << 0,
	HPACK_VALUE_UNKNOWN = 1u << 1,
	HPACK_NEVER_INDEXED = 1u << 2, /* the sender says that it is secret */
	HPACK_CUT = 1u << 3,
};

struct hpack_field {
	struct bw_slice name, value;
	unsigned int flags;
};

struct hpack_entry;

struct hpack {
	struct hpack_entry **ring; /* of HPACK_MAX_ENTRIES; NULL until the first insertion */
	unsigned int first, n;	   /* the newest entry is ring[first] */
	uint32_t size;		   /* of the entries, by the rule of RFC 7541 4.1 */
	uint32_t max;		   /* the sender's current limit; what it evicts we may keep, as it will not refer to it */
	bool incomplete;	   /* entries from before are missing: references to them are not errors */
	uint64_t unknown;	   /* placeholders so far */
};

enum hpack_result {
	HPACK_OK,
	HPACK_STOPPED,	/* the callback wanted no more; the table is up to date all the same */
	HPACK_ERROR,	/* not HPACK: the table cannot be trusted any more */
};

/* @f is borrowed. */
typedef void (*hpack_field_fn)(void *arg, const struct hpack_field *f);

void hpack_init(struct hpack *h);
void hpack_clear(struct hpack *h, struct api_budget *budget);
/* Header blocks were lost: all that is known of the table is void. */
void hpack_lost(struct hpack *h, struct api_budget *budget);

/* All of a header block. */
enum hpack_result hpack_decode(struct hpack *h, struct bw_slice block, struct api_budget *budget, hpack_field_fn fn, void *arg);

/* RFC 7541 5.2. Returns the length of the decoded string, of which at most @size bytes are stored; -1: no valid coding. */
long hpack_huffman_decode(struct bw_slice in, uint8_t *out, size_t size);

#endif
