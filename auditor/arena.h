/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ARENA_H
#define BW_ARENA_H
/*
 * Memory with one lifetime: everything an object model is made of is freed at once. Total size is limited, so that a
 * hostile input cannot make its reader grow without bound.
 */
#include <stdbool.h>
#include <stddef.h>

struct bw_arena {
	struct bw_arena_block *head;
	size_t total; /* bytes handed out and overhead */
	size_t max;   /* 0: no limit */
};

/* Zeroed memory, 16-byte aligned; NULL when out of memory, over the limit, or @n * @size overflows. */
void *bw_arena_alloc(struct bw_arena *a, size_t n, size_t size);
char *bw_arena_strn(struct bw_arena *a, const char *s, size_t len);
char *bw_arena_str(struct bw_arena *a, const char *s);
char *bw_arena_printf(struct bw_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * Room for one more element in an arena array of *@cap elements, *@array holding @n. Doubles; the old copy stays in the
 * arena. Returns false (and changes nothing) when there is no memory.
 */
bool bw_arena_grow(struct bw_arena *a, void *array, size_t n, size_t *cap, size_t size);
void bw_arena_free(struct bw_arena *a);

#endif
