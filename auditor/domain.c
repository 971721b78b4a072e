// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The interned things of the domain and the lattice of values.
 */
#include "auditor/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

int bw_domain_init(struct bw_domain *d, size_t max_memory)
{
	memset(d, 0, sizeof(*d));
	d->budget.max = max_memory;
	bw_intern_init(&d->vals, &d->budget, sizeof(struct bw_val));
	bw_intern_init(&d->slots, &d->budget, sizeof(struct bw_slot));
	bw_intern_init(&d->regions, &d->budget, sizeof(struct bw_region));
	bw_intern_init(&d->descs, &d->budget, sizeof(struct bw_desc));
	bw_intern_init(&d->origins, &d->budget, sizeof(struct bw_origin_node));
	bw_intern_init(&d->tags, &d->budget, sizeof(struct bw_tag));
	bw_intern_init(&d->csets, &d->budget, sizeof(int64_t) * (BW_MAX_CONST_SET + 1));
	bw_runs_init(&d->strings, &d->budget);
	bw_runs_init(&d->sets, &d->budget);
	d->n_joins = BW_JOIN_CACHE_MIN;
	d->slot_joins = bw_budget_alloc(&d->budget, d->n_joins * sizeof(*d->slot_joins));
	d->set_joins = bw_budget_alloc(&d->budget, d->n_joins * sizeof(*d->set_joins));
	if (!d->budget.failed)
		d->any_region = bw_dom_region_set(d, BW_REGION_ANY, 0, 0);
	if (d->budget.failed) {
		bw_domain_free(d);
		return -ENOMEM;
	}
	return 0;
}

void bw_domain_free(struct bw_domain *d)
{
	while (d->free_chunks) {
		struct bw_chunk *c = d->free_chunks;

		d->free_chunks = c->next_free;
		bw_budget_free(&d->budget, c, sizeof(*c));
	}
	while (d->free_states) {
		struct bw_state *s = d->free_states;

		d->free_states = s->next_free;
		bw_budget_free(&d->budget, s, sizeof(*s));
	}
	bw_intern_free(&d->vals);
	bw_intern_free(&d->slots);
	bw_intern_free(&d->regions);
	bw_intern_free(&d->descs);
	bw_intern_free(&d->origins);
	bw_intern_free(&d->tags);
	bw_intern_free(&d->csets);
	bw_runs_free(&d->strings);
	bw_runs_free(&d->sets);
	bw_budget_free(&d->budget, d->slot_joins, d->n_joins * sizeof(*d->slot_joins));
	bw_budget_free(&d->budget, d->set_joins, d->n_joins * sizeof(*d->set_joins));
	d->slot_joins = NULL;
	d->set_joins = NULL;
}

/* Small programs, which most are, need few. What is forgotten is joined again. */
void bw_dom_joins_grow(struct bw_domain *d)
{
	const size_t size = BW_JOIN_CACHE * sizeof(*d->slot_joins);
	void *slots, *sets;

	if (d->n_joins == BW_JOIN_CACHE || d->slots.n + d->sets.n < 4 * BW_JOIN_CACHE_MIN)
		return;
	slots = bw_budget_alloc(&d->budget, size);
	sets = bw_budget_alloc(&d->budget, size);
	if (d->budget.failed) {
		bw_budget_free(&d->budget, slots, size);
		bw_budget_free(&d->budget, sets, size);
		return;
	}
	bw_budget_free(&d->budget, d->slot_joins, d->n_joins * sizeof(*d->slot_joins));
	bw_budget_free(&d->budget, d->set_joins, d->n_joins * sizeof(*d->set_joins));
	d->slot_joins = slots;
	d->set_joins = sets;
	d->n_joins = BW_JOIN_CACHE;
}

uint32_t bw_dom_str(struct bw_domain *d, const char *s)
{
	size_t len = strlen(s);

	return bw_runs_add(&d->strings, s, len > 4096 ? 4096 : (uint32_t)len);
}

const char *bw_dom_cstr(const struct bw_domain *d, uint32_t id)
{
	return id && id < d->strings.n ? (const char *)d->strings.bytes + d->strings.runs[id].off : "";
}

uint32_t bw_dom_strf(struct bw_domain *d, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return bw_dom_str(d, text);
}

uint32_t bw_dom_region(struct bw_domain *d, enum bw_region_kind kind, int32_t a, uint32_t b)
{
	struct bw_region r = { .kind = kind, .a = a, .b = b };

	return bw_intern_add(&d->regions, &r);
}

const struct bw_region *bw_dom_region_get(const struct bw_domain *d, uint32_t region)
{
	return bw_intern_get(&d->regions, region);
}

uint32_t bw_dom_set_of(struct bw_domain *d, uint32_t member)
{
	return member ? bw_runs_add(&d->sets, &member, sizeof(member)) : 0;
}

uint32_t bw_dom_region_set(struct bw_domain *d, enum bw_region_kind kind, int32_t a, uint32_t b)
{
	return bw_dom_set_of(d, bw_dom_region(d, kind, a, b));
}

const uint32_t *bw_dom_set(const struct bw_domain *d, uint32_t set, uint32_t *ret_n)
{
	uint32_t len;
	const uint32_t *p = bw_runs_get(&d->sets, set, &len);

	*ret_n = set ? len / 4 : 0;
	return p;
}

const struct bw_region *bw_dom_only(const struct bw_domain *d, uint32_t set)
{
	uint32_t n;
	const uint32_t *p = bw_dom_set(d, set, &n);

	return n == 1 ? bw_dom_region_get(d, p[0]) : NULL;
}

uint32_t bw_dom_tag_add(struct bw_domain *d, enum bw_tag_kind kind, uint32_t a, int64_t b, uint32_t c, uint32_t e)
{
	struct bw_tag t;

	memset(&t, 0, sizeof(t));
	t.kind = kind;
	t.a = a;
	t.b = b;
	t.c = c;
	t.d = e;
	return bw_intern_add(&d->tags, &t);
}

/* Merges two sorted sets into @out (room for both); returns the number of members. */
static uint32_t set_merge(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb, uint32_t *out)
{
	uint32_t i = 0, j = 0, n = 0;

	while (i < na || j < nb) {
		if (j == nb || (i < na && a[i] < b[j]))
			out[n++] = a[i++];
		else if (i == na || b[j] < a[i])
			out[n++] = b[j++];
		else {
			out[n++] = a[i++];
			j++;
		}
	}
	return n;
}

static uint32_t *cache_find(const struct bw_domain *d, bool slots, uint32_t a, uint32_t b, uint32_t *ret_at)
{
	uint32_t at = (a * 0x9e3779b1u ^ b * 0x85ebca6bu) % d->n_joins;

	*ret_at = at;
	if (slots)
		return d->slot_joins[at].a == a && d->slot_joins[at].b == b ? &d->slot_joins[at].result : NULL;
	return d->set_joins[at].a == a && d->set_joins[at].b == b ? &d->set_joins[at].result : NULL;
}

uint32_t bw_dom_region_union(struct bw_domain *d, uint32_t a, uint32_t b)
{
	uint32_t na, nb, n, out[2 * BW_MAX_REGION_SET];
	const uint32_t *pa, *pb;

	if (a == b || !b)
		return a;
	if (!a)
		return b;
	if (a == d->any_region || b == d->any_region)
		return d->any_region;
	pa = bw_dom_set(d, a, &na);
	pb = bw_dom_set(d, b, &nb);
	n = set_merge(pa, na, pb, nb, out);
	return n > BW_MAX_REGION_SET ? d->any_region : bw_runs_add(&d->sets, out, n * 4);
}

/*
 * How many sources a provenance may name. A large unrolled program makes a new set with each of thousands of reads; the more there
 * are, the fewer witnesses each keeps. Cutting a set that was cut gives the same set, so that joining still settles.
 */
uint32_t bw_dom_prov_max(struct bw_domain *d)
{
	uint32_t max = d->sets.n_bytes < 8u << 20 ? BW_MAX_PROV_SET : d->sets.n_bytes < 12u << 20 ? BW_MAX_PROV_SET / 4 : BW_MAX_PROV_SET / 16;

	if (max != d->prov_max && d->prov_max) {
		/* What was joined under the old maximum would come out larger than what is joined now, again and again. */
		memset(d->set_joins, 0, d->n_joins * sizeof(*d->set_joins));
		memset(d->slot_joins, 0, d->n_joins * sizeof(*d->slot_joins));
	}
	d->prov_max = max;
	return max;
}

/*
 * Union of provenances. When a set would grow beyond its maximum, sources of a class that is already there are left out,
 * newest first: every class keeps a witness, and which ones are kept does not depend on the order of joining much. The
 * taint word, which decides, is never cut.
 */
static uint32_t prov_set(struct bw_domain *d, uint32_t *out, uint32_t n, uint32_t max)
{
	uint32_t seen = 0, extra = n - max, kept = 0, first[BW_SRC_COUNT_];

	if (n <= max)
		return bw_runs_add(&d->sets, out, n * 4);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t c = bw_dom_origin(d, out[i])->source % BW_SRC_COUNT_;

		if (!(seen & BW_SRC_BIT(c)))
			first[c] = i;
		seen |= BW_SRC_BIT(c);
	}
	for (uint32_t i = n; i-- > 0 && extra;) {
		uint32_t c = bw_dom_origin(d, out[i])->source % BW_SRC_COUNT_;

		if (first[c] != i) {
			out[i] = 0;
			extra--;
		}
	}
	for (uint32_t i = 0; i < n; i++)
		if (out[i])
			out[kept++] = out[i];
	return bw_runs_add(&d->sets, out, kept * 4);
}

uint32_t bw_dom_prov_union(struct bw_domain *d, uint32_t a, uint32_t b)
{
	uint32_t na, nb, n, at, out[2 * BW_MAX_PROV_SET], *hit, result, max;
	const uint32_t *pa, *pb;

	if (a == b || !b)
		return a;
	if (!a)
		return b;
	if (a > b) {
		uint32_t t = a;

		a = b;
		b = t;
	}
	bw_dom_joins_grow(d);
	max = bw_dom_prov_max(d);
	hit = cache_find(d, false, a, b, &at);
	if (hit)
		return *hit;
	pa = bw_dom_set(d, a, &na);
	pb = bw_dom_set(d, b, &nb);
	n = set_merge(pa, na, pb, nb, out);
	result = prov_set(d, out, n, max);
	if (d->budget.failed)
		return a;
	d->set_joins[at].a = a;
	d->set_joins[at].b = b;
	d->set_joins[at].result = result;
	return result;
}

uint32_t bw_dom_prov_of(struct bw_domain *d, uint32_t *members, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 1; i < n; i++) {
		uint32_t m = members[i], k = i;

		for (; k && members[k - 1] > m; k--)
			members[k] = members[k - 1];
		members[k] = m;
	}
	for (uint32_t i = 0; i < n; i++)
		if (members[i] && (!kept || members[kept - 1] != members[i]))
			members[kept++] = members[i];
	return kept ? prov_set(d, members, kept, bw_dom_prov_max(d)) : 0;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

struct bw_val bw_val_of_width(unsigned int width)
{
	return width >= 8 || !width ? bw_val_unknown() : bw_val_scalar(0, (int64_t)((1ull << 8 * width) - 1));
}

unsigned int bw_val_consts(const struct bw_domain *d, const struct bw_val *v, int64_t ret[BW_MAX_CONST_SET])
{
	const int64_t *s;

	if (v->kind != BW_VAL_SCALAR)
		return 0;
	if (v->lo == v->hi) {
		ret[0] = v->lo;
		return 1;
	}
	if (!v->ref)
		return 0;
	s = bw_intern_get(&d->csets, v->ref);
	memcpy(ret, s + 1, (size_t)s[0] * sizeof(*ret));
	return (unsigned int)s[0];
}

/* Gives a scalar the set of constants @c (sorted), and its interval. */
static void set_consts(struct bw_domain *d, struct bw_val *v, const int64_t *c, unsigned int n)
{
	int64_t item[BW_MAX_CONST_SET + 1] = { n };

	v->ref = 0;
	v->lo = c[0];
	v->hi = c[n - 1];
	if (n < 2)
		return;
	memcpy(item + 1, c, n * sizeof(*c));
	v->ref = bw_intern_add(&d->csets, item);
}

static void join_consts(struct bw_domain *d, struct bw_val *a, const struct bw_val *b)
{
	int64_t ca[BW_MAX_CONST_SET], cb[BW_MAX_CONST_SET], out[2 * BW_MAX_CONST_SET];
	unsigned int na = bw_val_consts(d, a, ca), nb = bw_val_consts(d, b, cb), i = 0, j = 0, n = 0;

	if (!na || !nb)
		n = BW_MAX_CONST_SET + 1;
	else
		while (i < na || j < nb) {
			if (j == nb || (i < na && ca[i] < cb[j]))
				out[n++] = ca[i++];
			else if (i == na || cb[j] < ca[i])
				out[n++] = cb[j++];
			else {
				out[n++] = ca[i++];
				j++;
			}
		}
	if (n <= BW_MAX_CONST_SET) {
		set_consts(d, a, out, n);
		return;
	}
	a->ref = 0;
	if (b->lo < a->lo)
		a->lo = b->lo;
	if (b->hi > a->hi)
		a->hi = b->hi;
}

/* Loops make bounds grow step by step; widening jumps to the next of these, so that a bound grows at most a few times. */
static int64_t widen_hi(int64_t v)
{
	static const int64_t steps[] = { -1, 0, 0x7f, 0xff, 0x7fff, 0xffff, INT32_MAX, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (v <= steps[i])
			return steps[i];
	return INT64_MAX;
}

static int64_t widen_lo(int64_t v)
{
	static const int64_t steps[] = { 0, -1, -512, -0x8000, INT32_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (v >= steps[i])
			return steps[i];
	return INT64_MIN;
}

void bw_val_absorb(struct bw_domain *d, struct bw_val *a, const struct bw_val *b)
{
	a->taint |= b->taint;
	a->prov = bw_dom_prov_union(d, a->prov, b->prov);
	a->from |= b->from;
	a->carry |= b->carry;
	a->flags |= b->flags & BW_VAL_DIRECT;
	if (a->map != b->map)
		a->map = a->map && b->map ? BW_VAL_MAPS : a->map | b->map;
}

bool bw_val_join(struct bw_domain *d, struct bw_val *a, const struct bw_val *b, bool widen)
{
	struct bw_val old = *a;

	if (b->kind == BW_VAL_NONE || !memcmp(a, b, sizeof(*a)))
		return false;
	if (a->kind == BW_VAL_NONE) {
		*a = *b;
		return true;
	}
	bw_val_absorb(d, a, b);
	if (a->tag != b->tag)
		a->tag = 0;
	if (a->kind == BW_VAL_SCALAR && b->kind == BW_VAL_SCALAR) {
		bool soft = (old.flags | b->flags) & BW_VAL_SOFT;

		if (soft && (old.lo != b->lo || old.hi != b->hi || old.lo != old.hi)) {
			/* What was an initial value on one side is any number now. */
			a->lo = INT64_MIN;
			a->hi = INT64_MAX;
			a->ref = 0;
			a->flags &= (uint8_t)~BW_VAL_SOFT;
		} else {
			a->flags |= b->flags & BW_VAL_SOFT;
			join_consts(d, a, b);
		}
		if (widen && a->lo < old.lo)
			a->lo = widen_lo(a->lo);
		if (widen && a->hi > old.hi)
			a->hi = widen_hi(a->hi);
		if (widen && (a->lo != old.lo || a->hi != old.hi))
			a->ref = 0;
	} else if (a->kind == BW_VAL_PTR && b->kind == BW_VAL_PTR) {
		a->ref = bw_dom_region_union(d, a->ref, b->ref);
		a->flags |= b->flags & (BW_VAL_NULLABLE | BW_VAL_MIXED);
		if (b->lo < a->lo)
			a->lo = widen ? widen_lo(b->lo) : b->lo;
		if (b->hi > a->hi)
			a->hi = widen ? widen_hi(b->hi) : b->hi;
	} else {
		/* A pointer on one side, a number on the other: usually NULL. */
		const struct bw_val *num = a->kind == BW_VAL_PTR ? b : &old;
		const struct bw_val *ptr = a->kind == BW_VAL_PTR ? &old : b;
		uint8_t flags = ptr->flags & (BW_VAL_NULLABLE | BW_VAL_MIXED);

		flags |= bw_val_is_const(num) && !num->lo ? BW_VAL_NULLABLE : BW_VAL_NULLABLE | BW_VAL_MIXED;
		a->kind = BW_VAL_PTR;
		a->ref = ptr->ref;
		a->lo = ptr->lo;
		a->hi = ptr->hi;
		a->flags = (uint8_t)(flags | ((old.flags | b->flags) & BW_VAL_DIRECT));
	}
	return memcmp(a, &old, sizeof(old)) != 0;
}

void bw_val_widen(struct bw_val *v)
{
	v->lo = widen_lo(v->lo);
	v->hi = widen_hi(v->hi);
	v->ref = 0;
	v->flags &= (uint8_t)~BW_VAL_SOFT;
}

bool bw_val_leq(struct bw_domain *d, const struct bw_val *a, const struct bw_val *b)
{
	struct bw_val j = *b;

	return !bw_val_join(d, &j, a, false);
}

bool bw_val_clamp(struct bw_domain *d, struct bw_val *v, int64_t lo, int64_t hi)
{
	int64_t c[BW_MAX_CONST_SET];
	unsigned int n, kept = 0;

	if (v->kind != BW_VAL_SCALAR || v->flags & BW_VAL_SOFT)
		return true;
	if (lo > v->hi || hi < v->lo || lo > hi)
		return false;
	n = v->ref ? bw_val_consts(d, v, c) : 0;
	for (unsigned int i = 0; i < n; i++)
		if (c[i] >= lo && c[i] <= hi)
			c[kept++] = c[i];
	if (n && !kept)
		return false;
	if (n) {
		set_consts(d, v, c, kept);
		return true;
	}
	if (lo > v->lo)
		v->lo = lo;
	if (hi < v->hi)
		v->hi = hi;
	return true;
}

bool bw_val_exclude(struct bw_domain *d, struct bw_val *v, int64_t x)
{
	int64_t c[BW_MAX_CONST_SET];
	unsigned int n, kept = 0;

	if (v->kind != BW_VAL_SCALAR || v->flags & BW_VAL_SOFT)
		return true;
	if (v->lo == v->hi)
		return v->lo != x;
	n = v->ref ? bw_val_consts(d, v, c) : 0;
	if (n) {
		for (unsigned int i = 0; i < n; i++)
			if (c[i] != x)
				c[kept++] = c[i];
		if (!kept)
			return false;
		set_consts(d, v, c, kept);
		return true;
	}
	if (v->lo == x)
		v->lo++;
	else if (v->hi == x)
		v->hi--;
	return true;
}
