// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What calls of functions came to. Functions are followed anew at each place that calls them, so that a small one that every
 * program calls through several others would be followed thousands of times, mostly on the same input. Here its results are kept:
 * a call whose input is the same, as far as the function looked at it, has the same output and the same records.
 *
 * What a run looks at is noted while it runs (struct bw_trace): slots of its callers' stack frames, views of map values and ring
 * buffer records, maps. A result holds while none of the maps it read has changed since it began. Records are kept per
 * program and place, and are joined: what an equal call would add to them is there already. Only effects on the callers' blocks
 * and on what the program is known to read are done again.
 */
#include "auditor/engine.h"

#include <string.h>

#define MAX_MEMOS 2048u
#define BUCKETS 1024u /* a power of two */
#define MAX_CHAIN 8u  /* results kept with the same registers */

struct bw_memo {
	struct bw_memo *next;
	uint32_t hash;
	int32_t prog, func;
	uint32_t clock, packet, prov_max;
	uint32_t high; /* local objects at most at a time */
	bool back, looped;
	struct bw_trace trace; /* .bits belongs to the memo */
	struct bw_state in, out;
};

struct bw_memos {
	struct bw_memo *bucket[BUCKETS];
	uint32_t n;
};

static size_t words(const struct bw_engine *e)
{
	return (2 * (size_t)e->n_maps + 63) / 64 + ((size_t)e->o->n_funcs + 63) / 64;
}

static uint64_t *func_bits(const struct bw_engine *e, uint64_t *bits)
{
	return bits + (2 * (size_t)e->n_maps + 63) / 64;
}

int bw_memo_init(struct bw_engine *e)
{
	e->memos = bw_budget_alloc(&e->d.budget, sizeof(*e->memos));
	for (uint32_t i = 0; i < BW_MAX_FRAMES; i++)
		e->trace[i].bits = bw_budget_alloc(&e->d.budget, (words(e) + 1) * sizeof(uint64_t));
	return e->d.budget.failed ? -1 : 0;
}

static void memo_free(struct bw_engine *e, struct bw_memo *m)
{
	bw_state_release(&e->d, &m->in);
	bw_state_release(&e->d, &m->out);
	bw_budget_free(&e->d.budget, m->trace.bits, (words(e) + 1) * sizeof(uint64_t));
	bw_budget_free(&e->d.budget, m, sizeof(*m));
	e->memos->n--;
}

static void forget_all(struct bw_engine *e)
{
	for (uint32_t i = 0; i < BUCKETS; i++)
		for (struct bw_memo *m = e->memos->bucket[i], *next; m; m = next) {
			next = m->next;
			memo_free(e, m);
		}
	memset(e->memos->bucket, 0, sizeof(e->memos->bucket));
}

void bw_memo_free(struct bw_engine *e)
{
	if (e->memos)
		forget_all(e);
	for (uint32_t i = 0; i < BW_MAX_FRAMES; i++)
		bw_budget_free(&e->d.budget, e->trace[i].bits, (words(e) + 1) * sizeof(uint64_t));
	bw_budget_free(&e->d.budget, e->memos, sizeof(*e->memos));
}

/* ---- what a run looks at ----------------------------------------------------------------------------------------------- */

void bw_trace_frame(struct bw_engine *e, int32_t frame, int64_t lo, uint64_t len)
{
	struct bw_trace *t = &e->trace[e->depth];
	uint64_t first, last;

	if (lo < 0 || lo >= BW_STACK_SIZE || len > BW_STACK_SIZE || (uint64_t)lo + len > BW_STACK_SIZE) {
		t->whole |= 1u << frame;
		return;
	}
	if (!len)
		return;
	first = (uint64_t)lo / 8;
	last = ((uint64_t)lo + len - 1) / 8;
	t->frames[frame] |= (UINT64_MAX << first) & (UINT64_MAX >> (63 - last));
}

void bw_trace_map(struct bw_engine *e, int32_t map)
{
	e->trace[e->depth].bits[map / 64] |= 1ull << map % 64;
}

static void add_object(struct bw_trace *t, uint32_t region)
{
	for (uint32_t i = 0; i < t->n_objs; i++)
		if (t->objs[i] == region)
			return;
	if (t->n_objs < BW_MAX_TRACED)
		t->objs[t->n_objs++] = region;
	else
		t->never = true;
}

static void add_views(struct bw_trace *t, int32_t map)
{
	for (uint32_t i = 0; i < t->n_views; i++)
		if (t->views[i] == map)
			return;
	if (t->n_views < BW_MAX_TRACED)
		t->views[t->n_views++] = map;
	else
		t->never = true;
}

void bw_trace_obj(struct bw_engine *e, const struct bw_local_obj *o, uint32_t region)
{
	struct bw_trace *t = &e->trace[e->depth];

	/* What the run made itself is no input. */
	if (!o || o->born < t->serial)
		add_object(t, region);
}

void bw_trace_views(struct bw_engine *e, int32_t map)
{
	add_views(&e->trace[e->depth], map);
}

/* A run is part of the one that called it. */
static void trace_merge(struct bw_engine *e, struct bw_trace *to, const struct bw_trace *t)
{
	for (uint32_t i = 0; i < BW_MAX_FRAMES; i++)
		to->frames[i] |= t->frames[i];
	to->whole |= t->whole;
	to->effects |= t->effects;
	to->never |= t->never;
	to->threw |= t->threw;
	for (uint32_t i = 0; i < t->n_objs; i++)
		add_object(to, t->objs[i]);
	for (uint32_t i = 0; i < t->n_views; i++)
		add_views(to, t->views[i]);
	for (size_t i = 0; i < words(e); i++)
		to->bits[i] |= t->bits[i];
}

/* ---- inputs that are alike ------------------------------------------------------------------------------------------------ */

static bool mem_equal(const struct bw_mem *a, const struct bw_mem *b)
{
	uint32_t n;

	if (a == b)
		return true;
	if (!a || !b || a->rest != b->rest)
		return false;
	n = a->n_chunks > b->n_chunks ? a->n_chunks : b->n_chunks;
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_chunk *ca = i < a->n_chunks ? a->chunks[i] : NULL, *cb = i < b->n_chunks ? b->chunks[i] : NULL;

		if (ca != cb && (!ca || !cb || ca->all != cb->all || memcmp(ca->slots, cb->slots, sizeof(ca->slots))))
			return false;
	}
	return true;
}

/* A frame of which nothing is known but its slots. */
static bool is_plain(const struct bw_mem *m)
{
	if (!m || m->rest || (m->chunks[0] && m->chunks[0]->all))
		return false;
	for (uint32_t i = 1; i < m->n_chunks; i++)
		if (m->chunks[i])
			return false;
	return true;
}

static bool slots_equal(const struct bw_mem *a, const struct bw_mem *b, uint64_t slots)
{
	const struct bw_chunk *ca = a->chunks[0], *cb = b->chunks[0];

	if (ca == cb)
		return true;
	for (; slots; slots &= slots - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(slots);

		if ((ca ? ca->slots[i] : 0) != (cb ? cb->slots[i] : 0))
			return false;
	}
	return true;
}

static bool obj_equal(const struct bw_local_obj *a, const struct bw_local_obj *b)
{
	return a == b || (a && b && a->size == b->size && mem_equal(a->mem, b->mem));
}

static const struct bw_local_obj *obj_of(const struct bw_state *s, uint32_t region)
{
	for (uint32_t i = 0; i < s->n_objs; i++)
		if (s->objs[i].region == region)
			return &s->objs[i];
	return NULL;
}

static bool is_view_of(const struct bw_engine *e, const struct bw_local_obj *o, int32_t map)
{
	const struct bw_region *g = bw_dom_region_get(&e->d, o->region);

	return g->kind == BW_REGION_MAPVAL && g->a == map;
}

static bool views_covered(const struct bw_engine *e, const struct bw_state *a, const struct bw_state *b, int32_t map)
{
	for (uint32_t i = 0; i < a->n_objs; i++)
		if (is_view_of(e, &a->objs[i], map) && !obj_equal(&a->objs[i], obj_of(b, a->objs[i].region)))
			return false;
	return true;
}

static bool same_input(const struct bw_engine *e, const struct bw_memo *m, const struct bw_state *s)
{
	const struct bw_trace *t = &m->trace;

	if (memcmp(m->in.r + 1, s->r + 1, 5 * sizeof(*s->r)) || m->in.depth != s->depth || m->in.sysnr != s->sysnr || m->in.l4 != s->l4 ||
	    m->in.dns != s->dns)
		return false;
	if (s->n_objs + (m->high - m->in.n_objs) >= BW_MAX_OBJS)
		return false;
	for (uint32_t i = 0; i <= s->depth; i++) {
		if (t->whole & 1u << i ? !mem_equal(m->in.frames[i], s->frames[i]) :
		    t->frames[i] && !(is_plain(s->frames[i]) && slots_equal(m->in.frames[i], s->frames[i], t->frames[i])))
			return false;
	}
	for (uint32_t i = 0; i < t->n_objs; i++)
		if (!obj_equal(obj_of(&m->in, t->objs[i]), obj_of(s, t->objs[i])))
			return false;
	for (uint32_t i = 0; i < t->n_views; i++)
		if (!views_covered(e, &m->in, s, t->views[i]) || !views_covered(e, s, &m->in, t->views[i]))
			return false;
	return true;
}

/* Maps are as they were when it began, and none of its functions is being run already. */
static bool still_holds(struct bw_engine *e, const struct bw_memo *m)
{
	const uint64_t *funcs = func_bits(e, m->trace.bits);

	if (e->shared_version > m->clock || m->packet != (e->packet_mem ? e->packet_mem->rest : 0) || m->prov_max != bw_dom_prov_max(&e->d))
		return false;
	for (size_t i = 0; i < (2 * (size_t)e->n_maps + 63) / 64; i++)
		for (uint64_t left = m->trace.bits[i]; left; left &= left - 1)
			if (e->maps[i * 64 + (unsigned int)__builtin_ctzll(left)].version > m->clock)
				return false;
	for (uint32_t i = 0; i <= e->depth; i++)
		if (e->calls[i].func >= 0 && funcs[e->calls[i].func / 64] >> e->calls[i].func % 64 & 1)
			return false;
	return true;
}

/* ---- a call again ------------------------------------------------------------------------------------------------------------ */

static bool touched(const struct bw_engine *e, const struct bw_trace *t, const struct bw_local_obj *o)
{
	for (uint32_t i = 0; i < t->n_objs; i++)
		if (t->objs[i] == o->region)
			return true;
	for (uint32_t i = 0; i < t->n_views; i++)
		if (is_view_of(e, o, t->views[i]))
			return true;
	return false;
}

static void objs_apply(struct bw_engine *e, const struct bw_memo *m, struct bw_state *s)
{
	for (uint32_t i = 0; i < s->n_objs;) {
		if (touched(e, &m->trace, &s->objs[i]))
			bw_state_obj_drop(&e->d, s, &s->objs[i]);
		else
			i++;
	}
	for (uint32_t i = 0; i < m->out.n_objs; i++) {
		const struct bw_local_obj *o = &m->out.objs[i];

		if (s->n_objs >= BW_MAX_OBJS || obj_of(s, o->region) || (obj_of(&m->in, o->region) && !touched(e, &m->trace, o)))
			continue;
		s->objs[s->n_objs] = *o;
		s->objs[s->n_objs++].born = e->d.births;
		o->mem->refs++;
	}
}

static void apply(struct bw_engine *e, const struct bw_memo *m, struct bw_state *s)
{
	const struct bw_trace *t = &m->trace;

	memcpy(s->r, m->out.r, sizeof(s->r));
	memcpy(s->eq, m->out.eq, sizeof(s->eq));
	s->sysnr = m->out.sysnr;
	s->l4 = m->out.l4;
	s->dns = m->out.dns;
	for (uint32_t i = 0; i <= s->depth; i++) {
		if (t->whole & 1u << i) {
			m->out.frames[i]->refs++;
			bw_mem_put(&e->d, s->frames[i]);
			s->frames[i] = m->out.frames[i];
		} else if (t->frames[i]) {
			bw_mem_copy_slots(&e->d, &s->frames[i], m->out.frames[i], t->frames[i]);
		}
	}
	objs_apply(e, m, s);
}

static uint32_t memo_hash(const struct bw_engine *e, int32_t func, const struct bw_state *s)
{
	return (uint32_t)(bw_hash(s->r + 1, 5 * sizeof(*s->r)) ^ bw_hash(&func, sizeof(func)) * 31 ^ (uint32_t)e->prog * 0x9e3779b1u);
}

bool bw_memo_find(struct bw_engine *e, int32_t func, struct bw_state *s, bool *ret_back)
{
	uint32_t hash = memo_hash(e, func, s);
	bool looped = bw_in_loop(e);

	for (struct bw_memo *m = e->memos->bucket[hash & (BUCKETS - 1)]; m; m = m->next) {
		if (m->hash != hash || m->prog != e->prog || m->func != func || m->looped != looped || !same_input(e, m, s) || !still_holds(e, m))
			continue;
		trace_merge(e, &e->trace[e->depth], &m->trace);
		for (uint32_t i = 0; i < 2 * e->n_maps; i++)
			e->map_reads[i] |= m->trace.bits[i / 64] >> i % 64 & 1;
		if (m->trace.effects)
			bw_effect(e, m->trace.effects);
		e->threw |= m->trace.threw;
		*ret_back = m->back;
		if (m->back)
			apply(e, m, s);
		return true;
	}
	return false;
}

/* The run of @func on @s begins: e->depth is its own. */
void bw_memo_begin(struct bw_engine *e, int32_t func, const struct bw_state *s, struct bw_memo_input *in)
{
	struct bw_trace *t = &e->trace[e->depth];
	uint64_t *bits = t->bits;

	*in = (struct bw_memo_input){ .clock = e->clock, .packet = e->packet_mem ? e->packet_mem->rest : 0, .high = e->d.objs_high };
	in->prov_max = bw_dom_prov_max(&e->d);
	in->looped = bw_in_loop(e);
	in->hash = memo_hash(e, func, s);
	in->state = bw_state_new(&e->d);
	if (in->state)
		bw_state_copy(&e->d, in->state, s);
	e->d.objs_high = s->n_objs;
	*t = (struct bw_trace){ .serial = ++e->d.births, .bits = bits };
	memset(bits, 0, words(e) * sizeof(*bits));
	func_bits(e, bits)[func / 64] |= 1ull << func % 64;
}

/* Is what the run did what its trace says? Slots that it does not name must be as they were. */
static void trace_check(struct bw_trace *t, const struct bw_state *in, const struct bw_state *out)
{
	for (uint32_t i = 0; i <= in->depth; i++) {
		if (t->whole & 1u << i)
			continue;
		if (in->frames[i] == out->frames[i] && !t->frames[i])
			continue;
		if (!is_plain(in->frames[i]) || !is_plain(out->frames[i]) || !slots_equal(in->frames[i], out->frames[i], ~t->frames[i]))
			t->whole |= 1u << i;
	}
}

static void store(struct bw_engine *e, int32_t func, const struct bw_state *s, bool back, struct bw_memo_input *in)
{
	const struct bw_trace *t = &e->trace[e->depth];
	struct bw_memo **at = &e->memos->bucket[in->hash & (BUCKETS - 1)], *m;
	struct bw_mem_budget *b = &e->d.budget;
	unsigned int chain = 0;

	if (b->used > b->max / 4 || e->memos->n >= MAX_MEMOS)
		forget_all(e);
	if (b->used > b->max / 4)
		return;
	m = bw_budget_alloc(b, sizeof(*m));
	if (!m)
		return;
	e->memos->n++;
	m->trace = *t;
	m->trace.bits = bw_budget_alloc(b, (words(e) + 1) * sizeof(uint64_t));
	bw_state_copy(&e->d, &m->in, in->state);
	m->in.depth = in->state->depth;
	if (back)
		bw_state_copy(&e->d, &m->out, s);
	if (!m->trace.bits) {
		memo_free(e, m);
		return;
	}
	memcpy(m->trace.bits, t->bits, words(e) * sizeof(uint64_t));
	trace_check(&m->trace, &m->in, back ? &m->out : &m->in);
	m->hash = in->hash;
	m->prog = e->prog;
	m->func = func;
	m->clock = in->clock;
	m->packet = in->packet;
	m->prov_max = in->prov_max;
	m->high = e->d.objs_high;
	m->back = back;
	m->looped = in->looped;
	m->next = *at;
	*at = m;
	for (at = &m->next; *at; at = &(*at)->next)
		if (++chain >= MAX_CHAIN) {
			struct bw_memo *old = *at;

			*at = old->next;
			memo_free(e, old);
			break;
		}
}

/* ... and has ended; @s is as its caller gets it. */
void bw_memo_end(struct bw_engine *e, int32_t func, const struct bw_state *s, bool back, struct bw_memo_input *in)
{
	struct bw_trace *t = &e->trace[e->depth];
	uint32_t packet = e->packet_mem ? e->packet_mem->rest : 0;
	bool holds = in->state && !t->never && !e->stop && !e->d.budget.failed && e->shared_version <= in->clock && packet == in->packet &&
		     e->d.objs_high < BW_MAX_OBJS && in->prov_max == bw_dom_prov_max(&e->d);

	for (size_t i = 0; holds && i < 2 * (size_t)e->n_maps; i++)
		holds = !(t->bits[i / 64] >> i % 64 & 1) || e->maps[i].version <= in->clock;
	if (holds)
		store(e, func, s, back, in);
	bw_state_free(&e->d, in->state);
	if (in->high > e->d.objs_high)
		e->d.objs_high = in->high;
	trace_merge(e, &e->trace[e->depth - 1], t);
}
