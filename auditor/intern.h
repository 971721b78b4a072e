/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_INTERN_H
#define BW_INTERN_H
/*
 * Hash consing: equal things get equal small numbers, so that states are compact and comparing them is comparing integers.
 * Numbers are given in the order of first use, hence the same for the same input. Number 0 is reserved for "nothing".
 * Failures (memory, budget) stick in the struct bw_mem_budget; a failed call returns 0 and the analysis stops soon after.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bw_mem_budget {
	size_t used, peak, max;
	bool failed;
};

void *bw_budget_alloc(struct bw_mem_budget *b, size_t size); /* zeroed */
void *bw_budget_realloc(struct bw_mem_budget *b, void *p, size_t old_size, size_t new_size); /* the new part is zeroed */
void bw_budget_free(struct bw_mem_budget *b, void *p, size_t size);

/* Open addressing. The hash lies beside the number: most things that are not equal are told apart without looking at them. */
struct bw_intern_table {
	struct bw_intern_entry {
		uint32_t id, hash; /* id 0: free */
	} *entries;
	uint32_t cap;
};

/* Fixed-size items. Items must have no padding, or zeroed padding. */
struct bw_intern {
	struct bw_mem_budget *budget;
	size_t size;
	uint8_t *items; /* item 0 is zeroes */
	uint32_t n, cap;
	struct bw_intern_table table;
};

void bw_intern_init(struct bw_intern *t, struct bw_mem_budget *b, size_t size);
void bw_intern_free(struct bw_intern *t);
uint32_t bw_intern_add(struct bw_intern *t, const void *item);

static inline const void *bw_intern_get(const struct bw_intern *t, uint32_t id)
{
	return t->items + (size_t)id * t->size;
}

/* Strings and sorted sets of integers: runs of bytes. */
struct bw_intern_run {
	uint32_t off, len;
};

struct bw_intern_runs {
	struct bw_mem_budget *budget;
	uint8_t *bytes;
	uint32_t n_bytes, cap_bytes;
	struct bw_intern_run *runs;
	uint32_t n, cap;
	struct bw_intern_table table;
};

void bw_runs_init(struct bw_intern_runs *t, struct bw_mem_budget *b);
void bw_runs_free(struct bw_intern_runs *t);
uint32_t bw_runs_add(struct bw_intern_runs *t, const void *data, uint32_t len);
static inline const void *bw_runs_get(const struct bw_intern_runs *t, uint32_t id, uint32_t *ret_len)
{
	*ret_len = id < t->n ? t->runs[id].len : 0;
	return id < t->n ? t->bytes + t->runs[id].off : t->bytes;
}

uint64_t bw_hash(const void *data, size_t len);

#endif
