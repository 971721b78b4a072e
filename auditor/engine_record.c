// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Records: what the analysis sees at a place, merged over all visits. Provenance: which sources, and what carried them.
 */
#include "auditor/engine.h"

#include <errno.h>
#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)

struct bw_rec *bw_rec_at(struct bw_engine *e, enum bw_rec_kind kind, int32_t func, uint32_t insn, int32_t a, int32_t b)
{
	struct bw_rec_key key = { .kind = kind, .prog = e->prog, .func = func, .insn = insn, .a = a, .b = b };
	uint32_t id = bw_intern_add(&e->rec_keys, &key);

	if (!id)
		return NULL;
	while (id >= e->recs_cap) {
		uint32_t n = e->recs_cap / BW_REC_BLOCK;
		struct bw_rec **list, *block;

		list = bw_budget_realloc(&e->d.budget, e->recs, n * sizeof(*list), (n + 1) * sizeof(*list));
		if (!list)
			return NULL;
		e->recs = list;
		block = bw_budget_realloc(&e->d.budget, NULL, 0, BW_REC_BLOCK * sizeof(*block));
		if (!block)
			return NULL;
		e->recs[n] = block;
		e->recs_cap += BW_REC_BLOCK;
	}
	return bw_rec_get(e, id);
}

struct bw_rec *bw_rec_here(struct bw_engine *e, enum bw_rec_kind kind, int32_t a, int32_t b)
{
	return bw_rec_at(e, kind, e->func, e->insn, a, b);
}

void bw_unanalysed(struct bw_engine *e, const char *reason)
{
	bw_rec_here(e, BW_REC_UNANALYSED, (int32_t)bw_dom_str(&e->d, reason), 0);
}

void bw_effect(struct bw_engine *e, uint32_t effects)
{
	e->calls[e->depth].block = e->block;
	e->trace[e->depth].effects |= effects;
	for (uint32_t i = 0; i <= e->depth && i < BW_MAX_FRAMES; i++) {
		struct bw_rec *r = bw_rec_at(e, BW_REC_EFFECT, e->calls[i].func, e->calls[i].block, 0, 0);

		if (r)
			r->mask |= effects;
	}
}

void bw_count(struct bw_engine *e, enum bw_count_kind kind)
{
	bw_rec_here(e, BW_REC_COUNT, (int32_t)kind, 0);
}

void bw_sink(struct bw_engine *e, enum bw_channel ch, int32_t map, const struct bw_val *v, struct bw_length len)
{
	static const uint32_t acts = BW_CH_BIT(BW_CH_USER_WRITE) | BW_CH_BIT(BW_CH_PACKET_WRITE) | BW_CH_BIT(BW_CH_RETURN_OVERRIDE) |
				     BW_CH_BIT(BW_CH_SIGNAL) | BW_CH_BIT(BW_CH_BPF_SYSCALL);
	struct bw_rec *r;
	bool fresh;

	if (!v->taint && !(acts & BW_CH_BIT(ch & 31)))
		return;
	r = bw_rec_here(e, BW_REC_FLOW, (int32_t)ch, map);
	if (!r)
		return;
	fresh = r->val.kind == BW_VAL_NONE;
	if (fresh)
		r->val = v->kind == BW_VAL_NONE ? bw_val_const(0) : *v;
	else
		bw_val_join(&e->d, &r->val, v, true);
	if (fresh || len.min < r->len.min)
		r->len.min = len.min;
	if (fresh || len.max > r->len.max)
		r->len.max = len.max;
}

void bw_map_use(struct bw_engine *e, int32_t map, uint32_t modes, const struct bw_val *key, const struct bw_val *value)
{
	struct bw_rec *r = bw_rec_at(e, BW_REC_MAP, 0, 0, map, 0);

	if (!r)
		return;
	r->mask |= modes;
	if (key)
		r->val.taint |= key->taint;
	if (value)
		r->val2.taint |= value->taint;
}

uint32_t bw_origin(struct bw_engine *e, enum bw_source source, uint32_t detail)
{
	struct bw_origin_node n = { .source = source, .detail = detail, .prog = e->prog, .func = e->func, .insn = e->insn, .map = BW_NONE };

	return bw_dom_set_of(&e->d, bw_intern_add(&e->d.origins, &n));
}

void bw_taint(struct bw_engine *e, struct bw_val *v, uint32_t classes, uint32_t detail)
{
	for (uint32_t left = classes; left; left &= left - 1)
		v->prov = bw_dom_prov_union(&e->d, v->prov, bw_origin(e, (enum bw_source)__builtin_ctz(left), detail));
	v->taint |= classes;
	v->flags |= BW_VAL_DIRECT;
}

static bool passed_through(const struct bw_engine *e, uint32_t origin, int32_t map)
{
	for (unsigned int i = 0; origin && i <= BW_MAX_ORIGIN_DEPTH; i++) {
		const struct bw_origin_node *n = bw_dom_origin(&e->d, origin);

		if (n->parent && n->map == map)
			return true;
		origin = n->parent;
	}
	return false;
}

#define CARRIED_MEMO 2048u
struct bw_carried_memo {
	uint32_t prov, insn, carrier, max; /* .max: how long sets may get; with another maximum the answer is another */
	int32_t prog, func, map;
	uint32_t result;
};

int bw_carried_init(struct bw_engine *e)
{
	e->carried = bw_budget_alloc(&e->d.budget, CARRIED_MEMO * sizeof(*e->carried));
	return e->carried ? 0 : -ENOMEM;
}

void bw_carried_free(struct bw_engine *e)
{
	bw_budget_free(&e->d.budget, e->carried, CARRIED_MEMO * sizeof(*e->carried));
}

static uint32_t carry(struct bw_engine *e, uint32_t prov, enum bw_carrier carrier, int32_t map)
{
	uint32_t members[BW_MAX_PROV_SET], n;
	const uint32_t *set = bw_dom_set(&e->d, prov, &n);

	if (n > BW_MAX_PROV_SET)
		n = BW_MAX_PROV_SET;
	memcpy(members, set, n * sizeof(*set));
	for (uint32_t i = 0; i < n; i++) {
		struct bw_origin_node node = *bw_dom_origin(&e->d, members[i]);
		uint32_t id = members[i];

		if (node.depth < BW_MAX_ORIGIN_DEPTH && !passed_through(e, id, map)) {
			node.parent = id;
			node.prog = e->prog;
			node.func = e->func;
			node.insn = e->insn;
			node.carrier = carrier;
			node.map = map;
			node.depth++;
			id = bw_intern_add(&e->d.origins, &node);
		}
		members[i] = id;
	}
	return bw_dom_prov_of(&e->d, members, n);
}

uint32_t bw_carried(struct bw_engine *e, uint32_t prov, enum bw_carrier carrier, int32_t map)
{
	struct bw_carried_memo *k, want = { .prov = prov, .insn = e->insn, .carrier = carrier, .max = bw_dom_prov_max(&e->d),
					    .prog = e->prog, .func = e->func, .map = map };

	if (!prov)
		return 0;
	k = &e->carried[(prov * 0x9e3779b1u ^ e->insn * 0x85ebca6bu ^ (uint32_t)e->prog << 4 ^ (uint32_t)map << 8) >> 3 & (CARRIED_MEMO - 1)];
	if (memcmp(k, &want, offsetof(struct bw_carried_memo, result)) || !k->result) {
		want.result = carry(e, prov, carrier, map);
		if (e->d.budget.failed)
			return want.result;
		*k = want;
	}
	return k->result;
}
