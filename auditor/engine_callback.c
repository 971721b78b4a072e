// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Functions that are handed on: callbacks that run at once, some number of times, and such as run later.
 */
#include "auditor/engine_call.h"

/* Runs the functions @f may be, each on its own copy, and joins the results into @s. */
bool bw_call_funcs(struct bw_engine *e, struct bw_state *s, const struct bw_val *f, struct bw_val *ret)
{
	uint32_t n, regions[BW_MAX_REGION_SET];
	const uint32_t *set;
	bool any = false, later = e->later;
	struct bw_state *joined = NULL;

	*ret = (struct bw_val){ 0 };
	if (f->kind != BW_VAL_PTR)
		return true;
	set = bw_dom_set(&e->d, f->ref, &n);
	if (n > BW_MAX_REGION_SET)
		n = BW_MAX_REGION_SET;
	memcpy(regions, set, n * sizeof(*set));
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_region g = *bw_dom_region_get(&e->d, regions[i]);
		struct bw_state *copy;

		if (g.kind != BW_REGION_FUNC || g.a < 0 || (uint32_t)g.a >= e->o->n_funcs)
			continue;
		copy = bw_state_new(&e->d);
		if (!copy)
			break;
		bw_state_copy(&e->d, copy, s);
		e->later = later;
		if (bw_run_func(e, g.a, copy)) {
			any = true;
			if (!joined) {
				joined = copy;
				copy = NULL;
			} else {
				bw_state_join(&e->d, joined, copy, false);
			}
		}
		bw_state_free(&e->d, copy);
	}
	if (joined) {
		*ret = joined->r[0];
		bw_state_copy(&e->d, s, joined);
		bw_state_free(&e->d, joined);
	}
	return any;
}

/* A callback that runs any number of times on the caller's memory: to a fixpoint. @setup fills in r1 to r5. */
void bw_call_back(struct bw_engine *e, struct bw_state *s, const struct bw_val *f, const struct bw_val args[6])
{
	struct bw_val keep[11], ret;

	bw_count(e, BW_COUNT_CALLBACK);
	memcpy(keep, s->r, sizeof(keep));
	bw_state_eq_reset(s);
	for (unsigned int round = 0; round < 12 && !e->stop && !e->d.budget.failed; round++) {
		struct bw_state *once = bw_state_new(&e->d);
		bool changed;

		if (!once)
			break;
		bw_state_copy(&e->d, once, s);
		memcpy(once->r + 1, args + 1, 5 * sizeof(*args));
		e->callbacks++;
		bw_call_funcs(e, once, f, &ret);
		e->callbacks--;
		memcpy(once->r, keep, sizeof(keep));
		bw_state_eq_reset(once);
		changed = bw_state_join(&e->d, s, once, round >= 3);
		bw_state_free(&e->d, once);
		if (!changed)
			return;
	}
	if (!e->stop)
		bw_unanalysed(e, "callback does not settle");
}

/* A callback that runs later, on its own: only what it leaves in maps counts. */
static void run_later(struct bw_engine *e, struct bw_state *s, const struct bw_val *f, const struct bw_val args[6])
{
	struct bw_state *later = bw_state_new(&e->d);
	struct bw_val ret;

	bw_count(e, BW_COUNT_CALLBACK);
	if (!later)
		return;
	bw_state_copy(&e->d, later, s);
	memcpy(later->r + 1, args + 1, 5 * sizeof(*args));
	e->later = true;
	bw_call_funcs(e, later, f, &ret);
	e->later = false;
	bw_state_free(&e->d, later);
}

void bw_call_for_each(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n = bw_call_maps(e, &c->arg[1], maps);

	for (uint32_t i = 0; i < n; i++) {
		struct bw_val args[6] = { 0 };

		args[1] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAP, maps[i], 0), 0);
		args[2] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPKEY, maps[i], 0), 0);
		args[3] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, maps[i], 0), 0);
		args[4] = c->arg[3];
		bw_call_back(e, s, &c->arg[2], args);
	}
}

void bw_call_timer(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	struct bw_val args[6] = { 0 }, f;
	const struct bw_region *g;
	int32_t maps[BW_MAX_REGION_SET];

	bw_call_arg(c, 'f', &f);
	g = c->arg[1].kind == BW_VAL_PTR ? bw_dom_only(&e->d, c->arg[1].ref) : NULL;
	if (c->map >= 0 && bw_call_maps(e, &c->arg[3], maps))
		g = NULL;
	args[1] = args[2] = args[3] = bw_val_unknown();
	if (g && g->kind == BW_REGION_MAPVAL && g->a >= 0) {
		int32_t map = g->a;

		args[1] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAP, map, 0), 0);
		args[2] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPKEY, map, 0), 0);
		args[3] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, map, 0), 0);
	}
	run_later(e, s, &f, args);
}
