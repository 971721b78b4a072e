// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memory with content: slots of eight bytes, in chunks of 512 bytes that are shared between states and copied when written.
 */
#include "auditor/state.h"

#include <string.h>

#define SLOT 8u

/* ---- slots ------------------------------------------------------------------------------------------------------- */

static const struct bw_val *val_get(const struct bw_domain *d, uint32_t id)
{
	return bw_intern_get(&d->vals, id);
}

/* The first byte after the piece that starts at byte @at. */
static unsigned int piece_end(uint32_t starts, unsigned int at)
{
	uint32_t later = starts & (0xffu << (at + 1)) & 0xff;

	return later ? (unsigned int)__builtin_ctz(later) : SLOT;
}

/* Bytes [from, from + width) of a piece of @size bytes that holds @v. */
static struct bw_val val_part(struct bw_domain *d, const struct bw_val *v, unsigned int size, unsigned int from,
			      unsigned int width)
{
	struct bw_val part;

	if (v->kind == BW_VAL_NONE || (!from && width == size))
		return *v;
	part = bw_val_of_width(width);
	bw_val_absorb(d, &part, v);
	part.map = v->map;
	if (bw_val_is_literal(v)) {
		unsigned int shift = 8 * (d->big_endian ? size - from - width : from);
		uint64_t c = shift > 63 ? 0 : (uint64_t)v->lo >> shift;

		if (width < 8)
			c &= (1ull << 8 * width) - 1;
		part.lo = part.hi = (int64_t)c;
		part.flags |= v->flags & BW_VAL_SOFT;
	} else if (v->kind == BW_VAL_SCALAR && v->lo >= 0 && !(v->flags & BW_VAL_SOFT) &&
		   (d->big_endian ? from + width == size : !from) && v->hi <= part.hi) {
		part.lo = v->lo;
		part.hi = v->hi;
		part.ref = v->ref;
	}
	return part;
}

/* Makes a piece start at byte @at (0 to 7). */
static void slot_split(struct bw_domain *d, struct bw_slot *s, unsigned int at)
{
	unsigned int start = at, end;
	struct bw_val v, left, right;

	if (!s->starts)
		s->starts = 1;
	if (s->starts & 1u << at)
		return;
	while (!(s->starts & 1u << start))
		start--;
	end = piece_end(s->starts, start);
	v = *val_get(d, s->v[start]);
	left = val_part(d, &v, end - start, 0, at - start);
	right = val_part(d, &v, end - start, at - start, end - at);
	s->v[start] = v.kind == BW_VAL_NONE ? 0 : bw_intern_add(&d->vals, &left);
	s->v[at] = v.kind == BW_VAL_NONE ? 0 : bw_intern_add(&d->vals, &right);
	s->starts |= 1u << at;
}

static uint32_t slot_intern(struct bw_domain *d, struct bw_slot *s)
{
	bool any = false;

	for (unsigned int i = 0; i < SLOT; i++) {
		if (!(s->starts & 1u << i))
			s->v[i] = 0;
		any |= s->v[i] != 0;
	}
	return any ? bw_intern_add(&d->slots, s) : 0;
}

/* Stores @v (of @width bytes) at byte @at of slot @id. @v fits into the slot. */
static uint32_t slot_store(struct bw_domain *d, uint32_t id, unsigned int at, unsigned int width, const struct bw_val *v,
			   bool weak, bool widen)
{
	struct bw_slot s = *(const struct bw_slot *)bw_intern_get(&d->slots, id);

	slot_split(d, &s, at);
	if (at + width < SLOT)
		slot_split(d, &s, at + width);
	if (!weak) {
		s.starts &= ~(((1u << width) - 1) << at);
		s.starts |= 1u << at;
		s.v[at] = v->kind == BW_VAL_NONE ? 0 : bw_intern_add(&d->vals, v);
	} else {
		for (unsigned int i = at; i < at + width;) {
			unsigned int end = piece_end(s.starts, i);
			struct bw_val old = *val_get(d, s.v[i]), part = val_part(d, v, width, i - at, end - i);

			bw_val_join(d, &old, &part, widen);
			s.v[i] = bw_intern_add(&d->vals, &old);
			i = end;
		}
	}
	return slot_intern(d, &s);
}

static uint32_t slot_join(struct bw_domain *d, uint32_t a, uint32_t b, bool widen, bool must)
{
	uint32_t at, result;
	struct bw_slot sa, sb;

	if (a == b)
		return a;
	if (!a || !b)
		return must ? 0 : a | b;
	bw_dom_joins_grow(d);
	at = (a * 0x9e3779b1u ^ b * 0x85ebca6bu) % d->n_joins;
	if (!widen && !must && d->slot_joins[at].a == a && d->slot_joins[at].b == b)
		return d->slot_joins[at].result;
	sa = *(const struct bw_slot *)bw_intern_get(&d->slots, a);
	sb = *(const struct bw_slot *)bw_intern_get(&d->slots, b);
	for (unsigned int i = 0; i < SLOT; i++) {
		if (sb.starts & 1u << i)
			slot_split(d, &sa, i);
		if (sa.starts & 1u << i)
			slot_split(d, &sb, i);
	}
	for (unsigned int i = 0; i < SLOT; i++) {
		struct bw_val v, w;

		if (!(sa.starts & 1u << i))
			continue;
		v = *val_get(d, sa.v[i]);
		w = *val_get(d, sb.v[i]);
		if (must && (v.kind == BW_VAL_NONE || w.kind == BW_VAL_NONE))
			sa.v[i] = 0;
		else if (bw_val_join(d, &v, &w, widen))
			sa.v[i] = bw_intern_add(&d->vals, &v);
	}
	result = slot_intern(d, &sa);
	if (!widen && !must && !d->budget.failed) {
		at = (a * 0x9e3779b1u ^ b * 0x85ebca6bu) % d->n_joins; /* joining values may have made it grow */
		d->slot_joins[at].a = a;
		d->slot_joins[at].b = b;
		d->slot_joins[at].result = result;
	}
	return result;
}

/* ---- memory objects ------------------------------------------------------------------------------------------------ */

static struct bw_chunk *chunk_new(struct bw_domain *d)
{
	struct bw_chunk *c = d->free_chunks;

	if (c)
		d->free_chunks = c->next_free;
	else
		c = bw_budget_alloc(&d->budget, sizeof(*c));
	if (c) {
		memset(c, 0, sizeof(*c));
		c->refs = 1;
	}
	return c;
}

static void chunk_put(struct bw_domain *d, struct bw_chunk *c)
{
	if (c && !--c->refs) {
		c->next_free = d->free_chunks;
		d->free_chunks = c;
	}
}

static size_t mem_size(uint32_t n)
{
	return sizeof(struct bw_mem) + n * sizeof(struct bw_chunk *);
}

static struct bw_mem *mem_alloc(struct bw_domain *d, uint32_t n)
{
	struct bw_mem *m = bw_budget_alloc(&d->budget, mem_size(n));

	if (m) {
		m->refs = 1;
		m->n_chunks = n;
	}
	return m;
}

struct bw_mem *bw_mem_new(struct bw_domain *d)
{
	return mem_alloc(d, 1);
}

void bw_mem_put(struct bw_domain *d, struct bw_mem *m)
{
	if (!m || --m->refs)
		return;
	for (uint32_t i = 0; i < m->n_chunks; i++)
		chunk_put(d, m->chunks[i]);
	bw_budget_free(&d->budget, m, mem_size(m->n_chunks));
}

/* Makes *mp writable and large enough for chunk @chunk. */
static struct bw_mem *mem_own(struct bw_domain *d, struct bw_mem **mp, uint32_t chunk)
{
	struct bw_mem *m = *mp, *copy;
	uint32_t n = m->n_chunks;

	while (n <= chunk)
		n = n < 4 ? 4 : n < 32 ? 32 : BW_MAX_CHUNKS;
	if (m->refs == 1 && n == m->n_chunks)
		return m;
	copy = mem_alloc(d, n);
	if (!copy)
		return NULL;
	copy->rest = m->rest;
	for (uint32_t i = 0; i < m->n_chunks; i++) {
		copy->chunks[i] = m->chunks[i];
		if (copy->chunks[i])
			copy->chunks[i]->refs++;
	}
	bw_mem_put(d, m);
	*mp = copy;
	return copy;
}

static struct bw_chunk *chunk_own(struct bw_domain *d, struct bw_mem *m, uint32_t i)
{
	struct bw_chunk *c = m->chunks[i], *copy;

	if (c && c->refs == 1)
		return c;
	copy = chunk_new(d);
	if (!copy)
		return NULL;
	if (c) {
		memcpy(copy->slots, c->slots, sizeof(copy->slots));
		copy->all = c->all;
		c->refs--;
	}
	m->chunks[i] = copy;
	return copy;
}

/* Chunk @i, for writing. */
static struct bw_chunk *chunk_for_write(struct bw_domain *d, struct bw_mem **mp, uint32_t i)
{
	struct bw_mem *m = mem_own(d, mp, i);

	return m ? chunk_own(d, m, i) : NULL;
}

static uint32_t mem_slot(const struct bw_mem *m, uint64_t slot)
{
	uint64_t c = slot / BW_CHUNK_SLOTS;

	return c < m->n_chunks && m->chunks[c] ? m->chunks[c]->slots[slot % BW_CHUNK_SLOTS] : 0;
}

/* What may be anywhere in the chunk of @slot. */
static uint32_t mem_all(const struct bw_mem *m, uint64_t slot)
{
	uint64_t c = slot / BW_CHUNK_SLOTS;

	return c < m->n_chunks && m->chunks[c] ? m->chunks[c]->all : 0;
}

/* Puts what may be anywhere in a chunk of its own into every slot of it: one of them is about to be overwritten. */
static void mem_settle(struct bw_domain *d, struct bw_mem **mp, uint64_t slot)
{
	uint32_t i = (uint32_t)(slot / BW_CHUNK_SLOTS);
	struct bw_val all = *val_get(d, mem_all(*mp, slot));
	struct bw_chunk *c = all.kind == BW_VAL_NONE ? NULL : chunk_for_write(d, mp, i);

	if (!c)
		return;
	c->all = 0;
	for (uint32_t k = 0; k < BW_CHUNK_SLOTS; k++)
		c->slots[k] = slot_store(d, c->slots[k], 0, SLOT, &all, true, false);
	d->work += BW_CHUNK_SLOTS;
}

static bool mem_set_slot(struct bw_domain *d, struct bw_mem **mp, uint64_t slot, uint32_t id)
{
	struct bw_chunk *c;

	if (mem_slot(*mp, slot) == id || slot / BW_CHUNK_SLOTS >= BW_MAX_CHUNKS)
		return false;
	c = chunk_for_write(d, mp, (uint32_t)(slot / BW_CHUNK_SLOTS));
	if (!c)
		return false;
	c->slots[slot % BW_CHUNK_SLOTS] = id;
	return true;
}

static bool mem_store_rest(struct bw_domain *d, struct bw_mem **mp, const struct bw_val *v)
{
	struct bw_val old = *val_get(d, (*mp)->rest), u = bw_val_unknown();
	struct bw_mem *m;

	/* The numbers of things written anywhere mean nothing; pointers keep their regions. */
	if (v->kind == BW_VAL_SCALAR)
		bw_val_absorb(d, &u, v);
	else
		u = *v;
	if (!bw_val_join(d, &old, &u, true))
		return false;
	m = mem_own(d, mp, 0);
	if (m)
		m->rest = bw_intern_add(&d->vals, &old);
	return true;
}

bool bw_mem_store(struct bw_domain *d, struct bw_mem **mp, uint64_t off, unsigned int width, const struct bw_val *v, bool weak,
		  bool widen)
{
	bool changed = false;

	if (d->budget.failed)
		return false;
	if (off >= (uint64_t)BW_MAX_CHUNKS * BW_CHUNK_SLOTS * SLOT - 16)
		return mem_store_rest(d, mp, v);
	for (unsigned int done = 0; done < width;) {
		unsigned int at = (unsigned int)((off + done) % SLOT), n = SLOT - at;
		uint64_t slot = (off + done) / SLOT;
		struct bw_val part;

		if (n > width - done)
			n = width - done;
		part = val_part(d, v, width, done, n);
		if (mem_all(*mp, slot)) {
			struct bw_val all = *val_get(d, mem_all(*mp, slot));

			if (weak && bw_val_leq(d, &part, &all)) {
				done += n;
				continue;
			}
			if (!weak)
				mem_settle(d, mp, slot);
		}
		changed |= mem_set_slot(d, mp, slot, slot_store(d, mem_slot(*mp, slot), at, n, &part, weak, widen));
		done += n;
	}
	return changed;
}

/* Values like @v, as filled into whole slots. */
static struct bw_val fill_value(struct bw_domain *d, const struct bw_val *v, unsigned int width)
{
	struct bw_val u = v->kind == BW_VAL_PTR && width == SLOT ? *v : bw_val_of_width(width);

	bw_val_absorb(d, &u, v);
	u.map = v->map;
	return u;
}

/* Fills the slots [from, to) of chunk @i. */
static bool chunk_fill(struct bw_domain *d, struct bw_mem **mp, uint32_t i, uint32_t from, uint32_t to, const struct bw_val *u,
		       bool weak, bool widen)
{
	uint32_t last_from = UINT32_MAX, last_to = 0, id;
	struct bw_chunk *c = i < (*mp)->n_chunks ? (*mp)->chunks[i] : NULL;
	struct bw_val all = *val_get(d, c ? c->all : 0);
	bool changed = false, whole = !from && to == BW_CHUNK_SLOTS;

	if (weak && (whole || all.kind != BW_VAL_NONE) && !bw_val_join(d, &all, u, widen))
		return false;
	if (weak && whole) {
		c = chunk_for_write(d, mp, i);
		if (c)
			c->all = bw_intern_add(&d->vals, &all);
		return c != NULL;
	}
	if (!weak && c && c->all) {
		mem_settle(d, mp, (uint64_t)i * BW_CHUNK_SLOTS);
		c = (*mp)->chunks[i];
	}
	d->work += to - from;
	for (uint32_t k = from; k < to; k++) {
		id = c ? c->slots[k] : 0;
		/* The same slot is met again and again. */
		if (id != last_from) {
			last_to = weak || last_from == UINT32_MAX ? slot_store(d, id, 0, SLOT, u, weak, widen) : last_to;
			last_from = id;
		}
		if (id == last_to)
			continue;
		if (!changed) {
			c = chunk_for_write(d, mp, i);
			if (!c)
				return false;
			changed = true;
		}
		c->slots[k] = last_to;
	}
	return changed;
}

/* The slots [from, to). Chunks that were the same before are the same afterwards: they go on being shared. */
static bool slots_fill(struct bw_domain *d, struct bw_mem **mp, uint64_t from, uint64_t to, const struct bw_val *v, bool weak, bool widen)
{
	struct bw_val u = fill_value(d, v, SLOT);
	struct bw_chunk *before = NULL, *after = NULL;
	bool changed = false, known = false; /* what becomes of chunk .before */

	while (from < to && !d->budget.failed) {
		uint32_t i = (uint32_t)(from / BW_CHUNK_SLOTS), at = (uint32_t)(from % BW_CHUNK_SLOTS), n = BW_CHUNK_SLOTS - at;
		struct bw_chunk *c = i < (*mp)->n_chunks ? (*mp)->chunks[i] : NULL;
		struct bw_mem *m;

		if (n > to - from)
			n = (uint32_t)(to - from);
		from += n;
		d->work++;
		if (known && n == BW_CHUNK_SLOTS && c == before) {
			m = c == after ? NULL : mem_own(d, mp, i);
			if (m) {
				after->refs++;
				chunk_put(d, m->chunks[i]);
				m->chunks[i] = after;
				changed = true;
			}
			continue;
		}
		if (known && before)
			chunk_put(d, before);
		known = n == BW_CHUNK_SLOTS && from < to;
		before = c;
		if (known && c)
			c->refs++; /* so that it is not written in place */
		changed |= chunk_fill(d, mp, i, at, at + n, &u, weak, widen);
		after = i < (*mp)->n_chunks ? (*mp)->chunks[i] : NULL;
	}
	if (known && before)
		chunk_put(d, before);
	return changed;
}

bool bw_mem_fill(struct bw_domain *d, struct bw_mem **mp, uint64_t off, uint64_t len, const struct bw_val *v, bool weak, bool widen)
{
	const uint64_t limit = (uint64_t)BW_MAX_CHUNKS * BW_CHUNK_SLOTS * SLOT - 16;
	uint64_t end;
	bool changed = false;

	if (off >= limit || len > limit - off) {
		changed = mem_store_rest(d, mp, v);
		if (off >= limit)
			return changed;
		len = limit - off;
	}
	end = off + len;
	while (off < end && !d->budget.failed) {
		uint64_t next = off % SLOT || end - off < SLOT ? (off / SLOT + 1) * SLOT : end / SLOT * SLOT;
		struct bw_val u;

		if (next > end)
			next = end;
		if (off % SLOT || end - off < SLOT) {
			u = fill_value(d, v, 1);
			for (; off < next; off++)
				changed |= bw_mem_store(d, mp, off, 1, &u, weak, widen);
		} else {
			changed |= slots_fill(d, mp, off / SLOT, next / SLOT, v, weak, widen);
		}
		off = next;
	}
	return changed;
}

void bw_mem_weaken(struct bw_domain *d, struct bw_mem **mp, uint64_t off, uint64_t len, const struct bw_val *v)
{
	uint64_t limit = (uint64_t)(*mp)->n_chunks * BW_CHUNK_SLOTS * SLOT, end;

	if (off >= limit)
		return;
	end = len > limit - off ? limit : off + len;
	for (uint64_t slot = off / SLOT; slot * SLOT < end && !d->budget.failed; slot++) {
		uint32_t id = mem_slot(*mp, slot);
		struct bw_slot s;

		if (mem_all(*mp, slot)) {
			mem_settle(d, mp, slot);
			id = mem_slot(*mp, slot);
		}
		if (!id)
			continue;
		s = *(const struct bw_slot *)bw_intern_get(&d->slots, id);
		for (unsigned int i = 0; i < SLOT; i++) {
			struct bw_val old, u = bw_val_unknown();

			if (!(s.starts & 1u << i) || !s.v[i])
				continue;
			/* Whole pieces: a little more than was written. */
			old = *val_get(d, s.v[i]);
			bw_val_absorb(d, &u, v);
			if (v->kind == BW_VAL_PTR)
				u = *v;
			bw_val_join(d, &old, &u, true);
			s.v[i] = bw_intern_add(&d->vals, &old);
		}
		mem_set_slot(d, mp, slot, slot_intern(d, &s));
	}
}

/* Calls for each piece that overlaps [off, off + len): its value, its place and size. */
struct piece_iter {
	uint64_t off, end;
};

static bool piece_next(struct bw_domain *d, const struct bw_mem *m, struct piece_iter *it, struct bw_val *ret, uint64_t *ret_start,
		       unsigned int *ret_size, uint32_t *ret_slot)
{
	const struct bw_slot *s;
	unsigned int at, start, end;

	if (it->off >= it->end)
		return false;
	*ret_slot = mem_slot(m, it->off / SLOT);
	s = bw_intern_get(&d->slots, *ret_slot);
	at = (unsigned int)(it->off % SLOT);
	start = at;
	if (!s->starts) {
		*ret = (struct bw_val){ 0 };
		*ret_start = it->off - at;
		*ret_size = SLOT;
		it->off += SLOT - at;
		return true;
	}
	while (!(s->starts & 1u << start))
		start--;
	end = piece_end(s->starts, start);
	*ret = *val_get(d, s->v[start]);
	*ret_start = it->off - at + start;
	*ret_size = end - start;
	it->off += end - at;
	return true;
}

struct bw_val bw_mem_load(struct bw_domain *d, const struct bw_mem *m, uint64_t off, unsigned int width)
{
	const uint64_t limit = (uint64_t)BW_MAX_CHUNKS * BW_CHUNK_SLOTS * SLOT - 16;
	struct piece_iter it = { off, off + width };
	struct bw_val v, out = { 0 }, rest = *val_get(d, m->rest);
	uint64_t start, number = 0;
	unsigned int size, n = 0;
	uint32_t slot;
	bool literal = true, soft = false, missing = false;

	if (off >= limit)
		return rest;
	while (piece_next(d, m, &it, &v, &start, &size, &slot)) {
		uint64_t from = start > off ? start : off, to = start + size < off + width ? start + size : off + width;

		n++;
		if (start == off && size == width) {
			out = v;
			literal = false;
			continue;
		}
		v = val_part(d, &v, size, (unsigned int)(from - start), (unsigned int)(to - from));
		if (v.kind == BW_VAL_NONE) {
			missing = true;
			literal = false;
			continue;
		}
		if (n == 1 && to - from == width) {
			out = v;
			literal = false;
			continue;
		}
		if (out.kind == BW_VAL_NONE) {
			out = bw_val_of_width(width);
			out.map = v.map;
			out.flags |= v.flags & BW_VAL_DIRECT;
		}
		bw_val_absorb(d, &out, &v);
		if (bw_val_is_literal(&v)) {
			unsigned int at = (unsigned int)(from - off), len = (unsigned int)(to - from);

			number |= (uint64_t)v.lo << 8 * (d->big_endian ? width - at - len : at);
			soft |= v.flags & BW_VAL_SOFT;
		} else {
			literal = false;
		}
	}
	if (literal && !missing && n > 1) {
		out.lo = out.hi = (int64_t)number;
		if (soft)
			out.flags |= BW_VAL_SOFT;
	}
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t all = mem_all(m, (off + (i ? width - 1 : 0)) / SLOT);
		struct bw_val w = *val_get(d, all);

		if (all) {
			v = val_part(d, &w, SLOT, 0, width);
			bw_val_join(d, &out, &v, false);
		}
	}
	if (rest.kind != BW_VAL_NONE)
		bw_val_join(d, &out, &rest, false);
	return out;
}

struct bw_val bw_mem_collect(struct bw_domain *d, const struct bw_mem *m, uint64_t off, uint64_t len)
{
	const uint64_t limit = (uint64_t)m->n_chunks * BW_CHUNK_SLOTS * SLOT;
	struct bw_val out = { 0 }, v, rest = *val_get(d, m->rest);
	uint32_t slot, last = UINT32_MAX;
	uint64_t start;
	unsigned int size;
	struct piece_iter it = { off, off > limit || len > limit - off ? limit : off + len };

	d->work += (it.end > off ? it.end - off : 0) / SLOT / 8;

	for (uint64_t c = off / SLOT / BW_CHUNK_SLOTS, before = 0; c < m->n_chunks && c * BW_CHUNK_SLOTS * SLOT < it.end; c++) {
		uint32_t all = mem_all(m, c * BW_CHUNK_SLOTS);

		v = *val_get(d, all);
		if (all != before)
			bw_val_join(d, &out, &v, true);
		before = all;
	}
	while (piece_next(d, m, &it, &v, &start, &size, &slot)) {
		if (slot == last && size == SLOT)
			continue;
		last = slot;
		bw_val_join(d, &out, &v, true);
		/* Large buffers hold the same slot over and over. */
		while (size == SLOT && it.off % SLOT == 0 && it.off + SLOT <= it.end && mem_slot(m, it.off / SLOT) == last)
			it.off += SLOT;
		if (it.off % (BW_CHUNK_SLOTS * SLOT) == 0) {
			/* Chunks like the one before, and such as were never written, have nothing to add. */
			uint64_t c = it.off / SLOT / BW_CHUNK_SLOTS;
			const struct bw_chunk *before = c && (c - 1) * BW_CHUNK_SLOTS * SLOT >= off ? m->chunks[c - 1] : NULL;

			while (it.off + BW_CHUNK_SLOTS * SLOT <= it.end && (!m->chunks[c] || m->chunks[c] == before)) {
				it.off += BW_CHUNK_SLOTS * SLOT;
				c++;
			}
		}
	}
	if (rest.kind != BW_VAL_NONE)
		bw_val_join(d, &out, &rest, true);
	return out;
}

uint32_t bw_mem_literal(struct bw_domain *d, const struct bw_mem *m, uint64_t off, uint32_t len, uint8_t *ret)
{
	struct piece_iter it = { off, off + len };
	struct bw_val v;
	uint64_t start;
	unsigned int size;
	uint32_t slot, n = 0;

	if (m->rest)
		return 0;
	while (piece_next(d, m, &it, &v, &start, &size, &slot)) {
		uint64_t from = start > off ? start : off, to = start + size < off + len ? start + size : off + len;

		if (v.kind == BW_VAL_NONE || !bw_val_is_literal(&v) || mem_all(m, start / SLOT))
			break;
		for (uint64_t b = from; b < to; b++) {
			unsigned int i = (unsigned int)(b - start);

			ret[n++] = (uint8_t)((uint64_t)v.lo >> 8 * (d->big_endian ? size - 1 - i : i));
		}
	}
	return n;
}

bool bw_mem_written(struct bw_domain *d, const struct bw_mem *m, uint64_t off, uint64_t len)
{
	struct piece_iter it = { off, off + len };
	struct bw_val v;
	uint64_t start;
	unsigned int size;
	uint32_t slot;

	if (len > (uint64_t)m->n_chunks * BW_CHUNK_SLOTS * SLOT || off > (uint64_t)m->n_chunks * BW_CHUNK_SLOTS * SLOT - len)
		return false;
	while (piece_next(d, m, &it, &v, &start, &size, &slot))
		if (v.kind == BW_VAL_NONE && !mem_all(m, start / SLOT))
			return false;
	return true;
}

/* Joins what may be anywhere in chunk @c with what may be anywhere in the other one; @must: known is what both know. */
static bool all_join(struct bw_domain *d, struct bw_mem **ap, uint32_t c, uint32_t other, bool widen, bool must)
{
	uint32_t mine = (*ap)->chunks[c]->all;
	struct bw_val v = *val_get(d, mine), w = *val_get(d, other);
	struct bw_chunk *own;

	if (mine == other || (must ? !mine : !other))
		return false;
	if (must && !other)
		v.kind = BW_VAL_NONE;
	else if (!bw_val_join(d, &v, &w, widen))
		return false;
	own = chunk_for_write(d, ap, c);
	if (own)
		own->all = v.kind == BW_VAL_NONE ? 0 : bw_intern_add(&d->vals, &v);
	return own != NULL;
}

static bool mem_join(struct bw_domain *d, struct bw_mem **ap, const struct bw_mem *b, bool widen, bool must)
{
	bool changed = false;

	if (*ap == b || d->budget.failed)
		return false;
	for (uint32_t c = 0; c < b->n_chunks; c++) {
		struct bw_chunk *cb = b->chunks[c];
		struct bw_chunk *ca = c < (*ap)->n_chunks ? (*ap)->chunks[c] : NULL;

		if (ca == cb || (must ? !ca : !cb))
			continue;
		if (must && !cb) {
			struct bw_mem *m = mem_own(d, ap, c);

			if (!m)
				return changed;
			chunk_put(d, m->chunks[c]);
			m->chunks[c] = NULL;
			changed = true;
			continue;
		}
		if (!ca) {
			struct bw_mem *m = mem_own(d, ap, c);

			if (!m)
				return changed;
			m->chunks[c] = cb;
			cb->refs++;
			changed = true;
			continue;
		}
		d->work += BW_CHUNK_SLOTS / 8;
		changed |= all_join(d, ap, c, cb->all, widen, must);
		for (uint32_t i = 0; i < BW_CHUNK_SLOTS; i++) {
			uint32_t sa = mem_slot(*ap, (uint64_t)c * BW_CHUNK_SLOTS + i), j;

			if (sa == cb->slots[i])
				continue;
			j = slot_join(d, sa, cb->slots[i], widen, must);
			if (j != sa)
				changed |= mem_set_slot(d, ap, (uint64_t)c * BW_CHUNK_SLOTS + i, j);
		}
	}
	for (uint32_t c = b->n_chunks; must && c < (*ap)->n_chunks; c++) {
		struct bw_mem *m = (*ap)->chunks[c] ? mem_own(d, ap, c) : NULL;

		if (m) {
			chunk_put(d, m->chunks[c]);
			m->chunks[c] = NULL;
			changed = true;
		}
	}
	if (b->rest) {
		struct bw_val v = *val_get(d, b->rest);

		changed |= mem_store_rest(d, ap, &v);
	}
	return changed;
}

bool bw_mem_join(struct bw_domain *d, struct bw_mem **ap, const struct bw_mem *b, bool widen)
{
	return mem_join(d, ap, b, widen, false);
}

bool bw_mem_join_known(struct bw_domain *d, struct bw_mem **ap, const struct bw_mem *b, bool widen)
{
	return mem_join(d, ap, b, widen, true);
}

void bw_mem_copy_slots(struct bw_domain *d, struct bw_mem **mp, const struct bw_mem *src, uint64_t slots)
{
	for (; slots; slots &= slots - 1) {
		uint64_t slot = (uint64_t)__builtin_ctzll(slots);

		mem_set_slot(d, mp, slot, mem_slot(src, slot));
	}
}
