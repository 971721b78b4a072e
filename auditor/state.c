// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memory with content, and program states. Chunks of 512 bytes are shared between states and copied when written.
 * Over 800 lines because slots, chunks and states see into each other; the next thing that grows here moves out.
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
	uint32_t at = (a * 0x9e3779b1u ^ b * 0x85ebca6bu) % BW_JOIN_CACHE, result;
	struct bw_slot sa, sb;

	if (a == b)
		return a;
	if (!a || !b)
		return must ? 0 : a | b;
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
		c->refs--;
	}
	m->chunks[i] = copy;
	return copy;
}

static uint32_t mem_slot(const struct bw_mem *m, uint64_t slot)
{
	uint64_t c = slot / BW_CHUNK_SLOTS;

	return c < m->n_chunks && m->chunks[c] ? m->chunks[c]->slots[slot % BW_CHUNK_SLOTS] : 0;
}

static bool mem_set_slot(struct bw_domain *d, struct bw_mem **mp, uint64_t slot, uint32_t id)
{
	struct bw_mem *m;
	struct bw_chunk *c;

	if (mem_slot(*mp, slot) == id || slot / BW_CHUNK_SLOTS >= BW_MAX_CHUNKS)
		return false;
	m = mem_own(d, mp, (uint32_t)(slot / BW_CHUNK_SLOTS));
	c = m ? chunk_own(d, m, (uint32_t)(slot / BW_CHUNK_SLOTS)) : NULL;
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
		changed |= mem_set_slot(d, mp, slot, slot_store(d, mem_slot(*mp, slot), at, n, &part, weak, widen));
		done += n;
	}
	return changed;
}

bool bw_mem_fill(struct bw_domain *d, struct bw_mem **mp, uint64_t off, uint64_t len, const struct bw_val *v, bool weak, bool widen)
{
	const uint64_t limit = (uint64_t)BW_MAX_CHUNKS * BW_CHUNK_SLOTS * SLOT - 16;
	struct bw_val u;
	uint64_t end;
	uint32_t last_from = UINT32_MAX, last_to = 0, whole = 0;
	bool changed = false;

	if (off >= limit || len > limit - off) {
		changed = mem_store_rest(d, mp, v);
		if (off >= limit)
			return changed;
		len = limit - off;
	}
	end = off + len;
	d->work += len / SLOT;
	while (off < end && !d->budget.failed) {
		unsigned int n = (unsigned int)(SLOT - off % SLOT);

		if (n > end - off)
			n = (unsigned int)(end - off);
		if (n == SLOT) {
			uint32_t from = mem_slot(*mp, off / SLOT);

			/* Long fills meet the same slot again and again. */
			if (from != last_from) {
				u = v->kind == BW_VAL_PTR ? *v : bw_val_of_width(SLOT);
				bw_val_absorb(d, &u, v);
				u.map = v->map;
				last_to = weak || !whole ? slot_store(d, from, 0, SLOT, &u, weak, widen) : whole;
				whole = weak ? 0 : last_to;
				last_from = from;
			}
			changed |= mem_set_slot(d, mp, off / SLOT, last_to);
		} else {
			u = bw_val_of_width(1);
			bw_val_absorb(d, &u, v);
			u.map = v->map;
			for (unsigned int i = 0; i < n; i++)
				changed |= bw_mem_store(d, mp, off + i, 1, &u, weak, widen);
		}
		off += n;
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
		struct bw_slot s = *(const struct bw_slot *)bw_intern_get(&d->slots, id);

		if (!id)
			continue;
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

	while (piece_next(d, m, &it, &v, &start, &size, &slot)) {
		if (slot == last && size == SLOT)
			continue;
		last = slot;
		bw_val_join(d, &out, &v, true);
		/* Large buffers hold the same slot over and over. */
		while (size == SLOT && it.off % SLOT == 0 && it.off + SLOT <= it.end && mem_slot(m, it.off / SLOT) == last)
			it.off += SLOT;
		if (!slot && (start / SLOT) % BW_CHUNK_SLOTS == 0) {
			/* Nothing was written in this chunk at all. */
			uint64_t c = start / SLOT / BW_CHUNK_SLOTS;

			if (c < m->n_chunks && !m->chunks[c])
				it.off = (c + 1) * BW_CHUNK_SLOTS * SLOT;
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

		if (v.kind == BW_VAL_NONE || !bw_val_is_literal(&v))
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
		if (v.kind == BW_VAL_NONE)
			return false;
	return true;
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

void bw_mem_clear(struct bw_domain *d, struct bw_mem **mp)
{
	struct bw_mem *fresh = bw_mem_new(d);

	if (!fresh)
		return;
	bw_mem_put(d, *mp);
	*mp = fresh;
}

/* ---- states -------------------------------------------------------------------------------------------------------- */

struct bw_state *bw_state_new(struct bw_domain *d)
{
	struct bw_state *s = d->free_states;

	if (s)
		d->free_states = s->next_free;
	else
		s = bw_budget_alloc(&d->budget, sizeof(*s));
	if (!s)
		return NULL;
	memset(s, 0, sizeof(*s));
	bw_state_eq_reset(s);
	s->sysnr = -1;
	return s;
}

void bw_state_eq_reset(struct bw_state *s)
{
	for (uint8_t i = 0; i < 11; i++)
		s->eq[i] = i;
}

int bw_state_eq_written(struct bw_state *s, unsigned int r)
{
	int leader = -1;

	for (unsigned int i = 0; i < 11; i++) {
		if (i == r || (s->eq[i] & BW_EQ_REG) != r)
			continue;
		/* The lowest plain equal takes over; without one, what was derived from it stands alone. */
		if (leader < 0 && s->eq[i] == r) {
			leader = (int)i;
			s->eq[i] = (uint8_t)i;
		} else if (leader < 0) {
			s->eq[i] = (uint8_t)i;
		} else {
			s->eq[i] = (uint8_t)(leader | (s->eq[i] & ~BW_EQ_REG));
		}
	}
	if (s->eq[r] != r && !(s->eq[r] & ~BW_EQ_REG))
		leader = s->eq[r];
	s->eq[r] = (uint8_t)r;
	return leader;
}

void bw_state_release(struct bw_domain *d, struct bw_state *s)
{
	for (uint32_t i = 0; i < BW_MAX_FRAMES; i++) {
		bw_mem_put(d, s->frames[i]);
		s->frames[i] = NULL;
	}
	for (uint32_t i = 0; i < s->n_objs; i++)
		bw_mem_put(d, s->objs[i].mem);
	s->n_objs = 0;
}

void bw_state_free(struct bw_domain *d, struct bw_state *s)
{
	if (!s)
		return;
	bw_state_release(d, s);
	s->next_free = d->free_states;
	d->free_states = s;
}

void bw_state_copy(struct bw_domain *d, struct bw_state *dst, const struct bw_state *src)
{
	struct bw_state copy = *src;

	for (uint32_t i = 0; i < BW_MAX_FRAMES; i++)
		if (copy.frames[i])
			copy.frames[i]->refs++;
	for (uint32_t i = 0; i < copy.n_objs; i++)
		if (copy.objs[i].mem)
			copy.objs[i].mem->refs++;
	bw_state_release(d, dst);
	*dst = copy;
	dst->next_free = NULL;
}

struct bw_local_obj *bw_state_obj(struct bw_state *s, uint32_t region)
{
	for (uint32_t i = 0; i < s->n_objs; i++)
		if (s->objs[i].region == region)
			return &s->objs[i];
	return NULL;
}

struct bw_local_obj *bw_state_obj_add(struct bw_domain *d, struct bw_state *s, uint32_t region)
{
	struct bw_local_obj *o = bw_state_obj(s, region);

	if (o || s->n_objs >= BW_MAX_OBJS)
		return o;
	o = &s->objs[s->n_objs];
	o->mem = bw_mem_new(d);
	if (!o->mem)
		return NULL;
	o->region = region;
	o->size = -1;
	s->n_objs++;
	return o;
}

void bw_state_obj_drop(struct bw_domain *d, struct bw_state *s, struct bw_local_obj *o)
{
	bw_mem_put(d, o->mem);
	*o = s->objs[--s->n_objs];
	s->objs[s->n_objs] = (struct bw_local_obj){ 0 };
}

bool bw_state_join(struct bw_domain *d, struct bw_state *a, const struct bw_state *b, bool widen)
{
	bool changed = false;

	for (int i = 0; i < 11; i++)
		changed |= bw_val_join(d, &a->r[i], &b->r[i], widen);
	for (uint32_t i = 0; i <= a->depth && i < BW_MAX_FRAMES; i++)
		if (a->frames[i] && b->frames[i])
			changed |= bw_mem_join(d, &a->frames[i], b->frames[i], widen);
	/*
	 * Objects: a ring buffer record's content counts wherever its pointer exists, so what either side knows stays. The local
	 * view of a per-CPU value holds only where both sides have one: without it the map's summary answers.
	 */
	for (uint32_t i = 0; i < b->n_objs; i++) {
		const struct bw_local_obj *ob = &b->objs[i];
		struct bw_local_obj *oa = bw_state_obj(a, ob->region);

		if (oa) {
			/* In a local view, what one side does not know is what the summary says. */
			changed |= mem_join(d, &oa->mem, ob->mem, widen,
					    bw_dom_region_get(d, ob->region)->kind != BW_REGION_RECORD);
			if (oa->size != ob->size && oa->size != -1) {
				oa->size = -1;
				changed = true;
			}
		} else if (bw_dom_region_get(d, ob->region)->kind == BW_REGION_RECORD && a->n_objs < BW_MAX_OBJS) {
			a->objs[a->n_objs] = *ob;
			ob->mem->refs++;
			a->n_objs++;
			changed = true;
		}
	}
	for (uint32_t i = 0; i < a->n_objs;) {
		struct bw_local_obj *oa = &a->objs[i];
		bool in_b = false;

		for (uint32_t j = 0; j < b->n_objs; j++)
			in_b |= b->objs[j].region == oa->region;
		if (!in_b && bw_dom_region_get(d, oa->region)->kind != BW_REGION_RECORD) {
			bw_state_obj_drop(d, a, oa);
			changed = true;
			continue;
		}
		i++;
	}
	if (memcmp(a->eq, b->eq, sizeof(a->eq))) {
		struct bw_state plain;

		bw_state_eq_reset(&plain);
		changed |= memcmp(a->eq, plain.eq, sizeof(a->eq)) != 0;
		bw_state_eq_reset(a);
	}
	if (a->sysnr != b->sysnr && a->sysnr != -1) {
		a->sysnr = -1;
		changed = true;
	}
	if (a->l4 != b->l4 && a->l4) {
		a->l4 = 0;
		changed = true;
	}
	if (a->dns && !b->dns) {
		a->dns = 0;
		changed = true;
	}
	return changed;
}
