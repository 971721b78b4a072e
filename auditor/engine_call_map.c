// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that look up, fill and empty maps; ring buffer records are reserved here and given back in engine_memory.c.
 */
#include "auditor/engine_call.h"

#define MAX_COPY 1024 /* values up to this size are copied field by field */

/* The maps a register may be; each() over them. */
uint32_t bw_call_maps(struct bw_engine *e, const struct bw_val *v, int32_t ret[BW_MAX_REGION_SET])
{
	uint32_t n, k = 0;
	const uint32_t *set;

	if (v->kind != BW_VAL_PTR)
		return 0;
	set = bw_dom_set(&e->d, v->ref, &n);
	for (uint32_t i = 0; i < n && i < BW_MAX_REGION_SET; i++) {
		const struct bw_region *g = bw_dom_region_get(&e->d, set[i]);

		if (g->kind == BW_REGION_MAP && g->a >= 0 && (uint32_t)g->a < 2 * e->n_maps)
			ret[k++] = g->a;
	}
	return k;
}

const struct bw_map *bw_map_def(const struct bw_engine *e, int32_t map)
{
	return &e->o->maps[(uint32_t)map % e->n_maps];
}

uint32_t bw_map_key_size(const struct bw_engine *e, int32_t map)
{
	uint32_t n = (uint32_t)map < e->n_maps ? bw_map_def(e, map)->key_size : 8;

	return n ? n : 4;
}

static struct bw_length value_len(const struct bw_engine *e, int32_t map)
{
	int64_t n = bw_map_value_size(e, map);

	return n > 0 ? (struct bw_length){ (uint64_t)n, (uint64_t)n } : (struct bw_length){ 8, 64 };
}

static bool is_outer(const struct bw_engine *e, int32_t map)
{
	return (uint32_t)map < e->n_maps && (bw_map_def(e, map)->type == 12 || bw_map_def(e, map)->type == 13);
}

void bw_map_key_put(struct bw_engine *e, int32_t map, const struct bw_val *key)
{
	struct bw_map_info *m = &e->maps[map];
	struct bw_val k = bw_val_unknown();

	if (key->kind == BW_VAL_NONE)
		return;
	bw_val_absorb(&e->d, &k, key);
	k.prov = bw_carried(e, key->prov, BW_CARRY_MAP_KEY, map);
	if (bw_val_join(&e->d, &m->key, &k, true))
		m->version = ++e->clock;
	if (m->channel && key->taint)
		bw_sink(e, (enum bw_channel)((bw_map_def(e, map)->pinning ? BW_CH_PINNED_MAP : BW_CH_MAP) | 256), map, key,
			(struct bw_length){ bw_map_key_size(e, map), bw_map_key_size(e, map) });
}

void bw_map_value_put(struct bw_engine *e, struct bw_state *s, int32_t map, const struct bw_val *ptr)
{
	struct bw_length len = value_len(e, map);
	struct bw_val all = bw_mem_gather(e, s, ptr, len);

	bw_map_use(e, map, 0, NULL, &all);
	if (e->maps[map].channel && all.taint)
		bw_sink(e, bw_map_def(e, map)->pinning ? BW_CH_PINNED_MAP : BW_CH_MAP, map, &all, len);
	if (len.max <= MAX_COPY) {
		for (uint64_t off = 0; off < len.max; off += 8) {
			unsigned int w = len.max - off < 8 ? (unsigned int)(len.max - off) : 8;

			while (w & (w - 1))
				w &= w - 1;
			for (uint64_t at = off; at < len.max && at < off + 8;) {
				unsigned int n = (unsigned int)(off + 8 < len.max ? off + 8 - at : len.max - at);
				struct bw_val v;

				while (n & (n - 1))
					n &= n - 1;
				v = bw_mem_read(e, s, ptr, (int64_t)at, n);
				bw_map_store(e, map, at, n, &v);
				at += n;
			}
		}
	} else {
		for (uint64_t off = 0; off < len.max; off += 512) {
			struct bw_val part = *ptr;
			struct bw_length l = { 512, len.max - off < 512 ? len.max - off : 512 };

			part.lo = bw_sat_add(part.lo, (int64_t)off);
			part.hi = bw_sat_add(part.hi, (int64_t)off);
			all = bw_mem_gather(e, s, &part, l);
			for (uint64_t at = off; at < off + l.max; at += 8)
				bw_map_store(e, map, at, 8, &all);
		}
	}
	bw_trace_views(e, map);
	for (uint32_t i = 0; i < s->n_objs;) {
		const struct bw_region *g = bw_dom_region_get(&e->d, s->objs[i].region);

		if (g->kind == BW_REGION_MAPVAL && g->a == map)
			bw_state_obj_drop(&e->d, s, &s->objs[i]);
		else
			i++;
	}
}

void bw_call_map_lookup(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n = bw_call_maps(e, &c->arg[1], maps), set = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct bw_map_info *m = &e->maps[maps[i]];
		uint32_t region;

		if (is_outer(e, maps[i])) {
			int32_t inner = bw_map_def(e, maps[i])->inner;

			region = bw_dom_region(&e->d, BW_REGION_MAP, inner >= 0 ? inner : (int32_t)e->n_maps + maps[i], 0);
		} else {
			region = bw_dom_region(&e->d, BW_REGION_MAPVAL, maps[i], m->percpu ? bw_call_site(e) : 0);
			if (m->percpu) {
				struct bw_local_obj *o = bw_state_obj(s, region);

				bw_trace_obj(e, o, region);
				if (o)
					bw_state_obj_drop(&e->d, s, o);
				bw_state_obj_add(&e->d, s, region);
			}
		}
		set = bw_dom_region_union(&e->d, set, bw_dom_set_of(&e->d, region));
	}
	if (!n) {
		if (c->arg[1].kind != BW_VAL_NONE)
			bw_unanalysed(e, "map argument is not known");
		return;
	}
	c->ret = bw_val_ptr(set, 0);
	c->ret.flags = BW_VAL_NULLABLE;
	c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
}

void bw_call_map_pop(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n = bw_call_maps(e, &c->arg[1], maps);

	for (uint32_t i = 0; i < n; i++) {
		struct bw_val src = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, maps[i], 0), 0);
		struct bw_length len = value_len(e, maps[i]);

		for (uint64_t at = 0; at < len.max && at < MAX_COPY;) {
			unsigned int w = len.max - at >= 8 ? 8 : len.max - at >= 4 ? 4 : len.max - at >= 2 ? 2 : 1;
			struct bw_val v = bw_mem_read(e, s, &src, (int64_t)at, w);

			bw_mem_write(e, s, &c->arg[2], (int64_t)at, w, &v);
			at += w;
		}
	}
}

void bw_call_reserve(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, const struct bw_val *size, struct bw_val *ret)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n = bw_call_maps(e, &c->arg[1], maps), set = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t region = bw_dom_region(&e->d, BW_REGION_RECORD, maps[i], bw_call_site(e));
		struct bw_local_obj *o;

		bw_trace_obj(e, bw_state_obj(s, region), region);
		o = bw_state_obj_add(&e->d, s, region);
		if (!o) {
			bw_unanalysed(e, "too many ring buffer records at a time");
			continue;
		}
		o->size = bw_val_is_const(size) ? size->lo : -1;
		set = bw_dom_region_union(&e->d, set, bw_dom_set_of(&e->d, region));
	}
	if (!set) {
		bw_unanalysed(e, "ring buffer argument is not known");
		return;
	}
	*ret = bw_val_ptr(set, 0);
	ret->flags = BW_VAL_NULLABLE;
}

void bw_call_record_drop(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr)
{
	const struct bw_region *g = ptr->kind == BW_VAL_PTR ? bw_dom_only(&e->d, ptr->ref) : NULL;
	uint32_t n;
	struct bw_local_obj *o;

	if (!g || g->kind != BW_REGION_RECORD)
		return;
	o = bw_state_obj(s, bw_dom_set(&e->d, ptr->ref, &n)[0]);
	bw_trace_obj(e, o, bw_dom_set(&e->d, ptr->ref, &n)[0]);
	if (o)
		bw_state_obj_drop(&e->d, s, o);
}
