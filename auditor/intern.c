// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/intern.h"

#include <stdlib.h>
#include <string.h>

void *bw_budget_alloc(struct bw_mem_budget *b, size_t size)
{
	return bw_budget_realloc(b, NULL, 0, size);
}

void *bw_budget_realloc(struct bw_mem_budget *b, void *p, size_t old_size, size_t new_size)
{
	void *q;

	if (b->failed || new_size > SIZE_MAX / 2 || (new_size > old_size && new_size - old_size > b->max - b->used)) {
		b->failed = true;
		return NULL;
	}
	q = p ? realloc(p, new_size) : calloc(1, new_size ? new_size : 1);
	if (!q) {
		b->failed = true;
		return NULL;
	}
	if (p && new_size > old_size)
		memset((uint8_t *)q + old_size, 0, new_size - old_size);
	b->used += new_size - old_size;
	if (b->used > b->peak)
		b->peak = b->used;
	return q;
}

void bw_budget_free(struct bw_mem_budget *b, void *p, size_t size)
{
	if (!p)
		return;
	b->used -= size;
	free(p);
}

/* Multiply and fold, eight bytes at a time: items are small and not chosen to collide for any gain but their own time. */
uint64_t bw_hash(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = 0x9e3779b97f4a7c15ull ^ len, w;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	if (len) {
		w = 0;
		memcpy(&w, p, len);
		h = (h ^ w) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	h *= 0xc4ceb9fe1a85ec53ull;
	return h ^ h >> 29;
}

/* Room for one more of @size bytes each; *cap counts elements. */
static bool grow(struct bw_mem_budget *b, void *array, uint32_t n, uint32_t *cap, size_t size, uint32_t first)
{
	uint32_t wanted = *cap ? *cap : first;
	void *p;

	if (n < *cap)
		return true;
	while (wanted <= n) {
		if (wanted > UINT32_MAX / 2) {
			b->failed = true;
			return false;
		}
		wanted *= 2;
	}
	p = bw_budget_realloc(b, *(void **)array, (size_t)*cap * size, (size_t)wanted * size);
	if (!p)
		return false;
	*(void **)array = p;
	*cap = wanted;
	return true;
}

/* Room for the entry of thing number @n. */
static bool table_grow(struct bw_mem_budget *b, struct bw_intern_table *t, uint32_t n)
{
	struct bw_intern_entry *p;
	uint32_t wanted;

	if (t->cap && n < t->cap / 2)
		return true;
	wanted = t->cap ? t->cap * 2 : 64;
	p = bw_budget_alloc(b, (size_t)wanted * sizeof(*p));
	if (!p)
		return false;
	for (uint32_t i = 0; i < t->cap; i++) {
		uint32_t at = t->entries[i].hash & (wanted - 1);

		if (!t->entries[i].id)
			continue;
		while (p[at].id)
			at = (at + 1) & (wanted - 1);
		p[at] = t->entries[i];
	}
	bw_budget_free(b, t->entries, (size_t)t->cap * sizeof(*p));
	t->entries = p;
	t->cap = wanted;
	return true;
}

static void table_free(struct bw_mem_budget *b, struct bw_intern_table *t)
{
	bw_budget_free(b, t->entries, (size_t)t->cap * sizeof(*t->entries));
	*t = (struct bw_intern_table){ 0 };
}

/* ---- fixed-size items -------------------------------------------------------------------------------------------- */

void bw_intern_init(struct bw_intern *t, struct bw_mem_budget *b, size_t size)
{
	*t = (struct bw_intern){ .budget = b, .size = size };
	if (grow(b, &t->items, 0, &t->cap, size, 32))
		t->n = 1;
}

void bw_intern_free(struct bw_intern *t)
{
	bw_budget_free(t->budget, t->items, (size_t)t->cap * t->size);
	table_free(t->budget, &t->table);
	t->items = NULL;
}

uint32_t bw_intern_add(struct bw_intern *t, const void *item)
{
	uint32_t at, hash = (uint32_t)bw_hash(item, t->size), mask;
	const struct bw_intern_entry *e;

	if (!t->n || !table_grow(t->budget, &t->table, t->n))
		return 0;
	mask = t->table.cap - 1;
	for (at = hash & mask; (e = &t->table.entries[at])->id; at = (at + 1) & mask)
		if (e->hash == hash && !memcmp(bw_intern_get(t, e->id), item, t->size))
			return e->id;
	if (!grow(t->budget, &t->items, t->n, &t->cap, t->size, 32))
		return 0;
	memcpy(t->items + (size_t)t->n * t->size, item, t->size);
	t->table.entries[at] = (struct bw_intern_entry){ t->n, hash };
	return t->n++;
}

/* ---- runs of bytes ----------------------------------------------------------------------------------------------- */

void bw_runs_init(struct bw_intern_runs *t, struct bw_mem_budget *b)
{
	*t = (struct bw_intern_runs){ .budget = b };
	if (grow(b, &t->runs, 0, &t->cap, sizeof(*t->runs), 32) && grow(b, &t->bytes, 0, &t->cap_bytes, 1, 256))
		t->n = 1;
}

void bw_runs_free(struct bw_intern_runs *t)
{
	bw_budget_free(t->budget, t->bytes, t->cap_bytes);
	bw_budget_free(t->budget, t->runs, (size_t)t->cap * sizeof(*t->runs));
	table_free(t->budget, &t->table);
	t->bytes = NULL;
	t->runs = NULL;
}

uint32_t bw_runs_add(struct bw_intern_runs *t, const void *data, uint32_t len)
{
	uint32_t at, start, hash = (uint32_t)bw_hash(data, len), mask;
	const struct bw_intern_entry *e;

	if (!len || !t->n || !table_grow(t->budget, &t->table, t->n))
		return 0;
	mask = t->table.cap - 1;
	for (at = hash & mask; (e = &t->table.entries[at])->id; at = (at + 1) & mask) {
		const struct bw_intern_run *r = &t->runs[e->id];

		if (e->hash == hash && r->len == len && !memcmp(t->bytes + r->off, data, len))
			return e->id;
	}
	/* Runs start at multiples of 8, so that sets of integers can be read in place; one zero byte always follows. */
	start = (t->n_bytes + 7) & ~7u;
	if (len > UINT32_MAX / 4 || start > UINT32_MAX / 4 ||
	    !grow(t->budget, &t->runs, t->n, &t->cap, sizeof(*t->runs), 32) ||
	    !grow(t->budget, &t->bytes, start + len + 1, &t->cap_bytes, 1, 256))
		return 0;
	memcpy(t->bytes + start, data, len);
	t->n_bytes = start + len + 1;
	t->runs[t->n] = (struct bw_intern_run){ start, len };
	t->table.entries[at] = (struct bw_intern_entry){ t->n, hash };
	return t->n++;
}
