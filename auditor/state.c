// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Program states: registers, stack frames, and what only this path knows of objects elsewhere.
 */
#include "auditor/state.h"

#include <string.h>

static struct bw_state *state_alloc(struct bw_domain *d)
{
	struct bw_state *s = d->free_states;

	if (s)
		d->free_states = s->next_free;
	else
		s = bw_budget_alloc(&d->budget, sizeof(*s));
	return s;
}

/* One more state has what @s has. */
static void state_share(const struct bw_state *s)
{
	for (uint32_t i = 0; i < BW_MAX_FRAMES; i++)
		if (s->frames[i])
			s->frames[i]->refs++;
	for (uint32_t i = 0; i < s->n_objs; i++)
		if (s->objs[i].mem)
			s->objs[i].mem->refs++;
}

struct bw_state *bw_state_new(struct bw_domain *d)
{
	struct bw_state *s = state_alloc(d);

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
	static const uint8_t none[11] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	int leader = -1;

	if (!memcmp(s->eq, none, sizeof(none)))
		return -1;
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
	if (dst == src)
		return;
	state_share(src);
	bw_state_release(d, dst);
	*dst = *src;
	dst->next_free = NULL;
}

struct bw_state *bw_state_dup(struct bw_domain *d, const struct bw_state *src)
{
	struct bw_state *s = state_alloc(d);

	if (!s)
		return NULL;
	state_share(src);
	*s = *src;
	s->next_free = NULL;
	return s;
}

void bw_state_move(struct bw_domain *d, struct bw_state *dst, struct bw_state *src)
{
	bw_state_release(d, dst);
	*dst = *src;
	dst->next_free = NULL;
	src->next_free = d->free_states;
	d->free_states = src;
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
	o->born = d->births;
	s->n_objs++;
	if (s->n_objs > d->objs_high)
		d->objs_high = s->n_objs;
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
			if (ob->born < oa->born)
				oa->born = ob->born;
			/* In a local view, what one side does not know is what the summary says. */
			if (bw_dom_region_get(d, ob->region)->kind == BW_REGION_RECORD)
				changed |= bw_mem_join(d, &oa->mem, ob->mem, widen);
			else
				changed |= bw_mem_join_known(d, &oa->mem, ob->mem, widen);
			if (oa->size != ob->size && oa->size != -1) {
				oa->size = -1;
				changed = true;
			}
		} else if (bw_dom_region_get(d, ob->region)->kind == BW_REGION_RECORD && a->n_objs < BW_MAX_OBJS) {
			a->objs[a->n_objs] = *ob;
			ob->mem->refs++;
			a->n_objs++;
			if (a->n_objs > d->objs_high)
				d->objs_high = a->n_objs;
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
