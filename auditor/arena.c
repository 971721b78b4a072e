// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/arena.h"

#define ARENA_BLOCK 65536u
#define ARENA_ALIGN 16u

struct bw_arena_block {
	struct bw_arena_block *next;
	size_t size, used;
	_Alignas(ARENA_ALIGN) char data[];
};

void *bw_arena_alloc(struct bw_arena *a, size_t n, size_t size)
{
	struct bw_arena_block *b = a->head;
	size_t want, block;
	void *p;

	if (__builtin_mul_overflow(n, size, &want) || want > SIZE_MAX / 2)
		return NULL;
	want = (want + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!want)
		want = ARENA_ALIGN;
	if (!b || want > b->size - b->used) {
		block = want > ARENA_BLOCK / 4 ? want : ARENA_BLOCK;
		if (a->max && block > a->max - a->total)
			return NULL;
		b = calloc(1, sizeof(*b) + block);
		if (!b)
			return NULL;
		b->size = block;
		a->total += block;
		if (block == want && a->head) { /* full at once: keep filling the block in use */
			b->next = a->head->next;
			a->head->next = b;
		} else {
			b->next = a->head;
			a->head = b;
		}
	}
	p = b->data + b->used;
	b->used += want;
	return p;
}

char *bw_arena_strn(struct bw_arena *a, const char *s, size_t len)
{
	char *p = bw_arena_alloc(a, len + 1, 1);

	if (p)
		memcpy(p, s, len);
	return p;
}

char *bw_arena_str(struct bw_arena *a, const char *s)
{
	return bw_arena_strn(a, s, strlen(s));
}

char *bw_arena_printf(struct bw_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = n < 0 ? NULL : bw_arena_alloc(a, (size_t)n + 1, 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

bool bw_arena_grow(struct bw_arena *a, void *array, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap * 2 : 8;
	void *p;

	if (n < *cap)
		return true;
	p = bw_arena_alloc(a, want, size);
	if (!p)
		return false;
	if (n)
		memcpy(p, *(void **)array, n * size);
	*(void **)array = p;
	*cap = want;
	return true;
}

void bw_arena_free(struct bw_arena *a)
{
	struct bw_arena_block *b = a->head, *next;

	for (; b; b = next) {
		next = b->next;
		free(b);
	}
	a->head = NULL;
	a->total = 0;
}
