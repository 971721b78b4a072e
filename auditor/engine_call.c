// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls: helpers and kfuncs by their tables, with the special ones by hand; subprograms and callbacks.
 * Over 800 lines because each special helper is a few lines here and nowhere else.
 */
#include "auditor/engine.h"

#include <stdio.h>
#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)
#define ANY_LEN ((struct bw_length){ 0, BW_LENGTH_UNBOUNDED })
#define MAX_COPY 1024 /* values up to this size are copied field by field */

struct call {
	const struct bw_callee *c;
	const char *name;
	int32_t id;	      /* helper number; -1 - string of a kfunc */
	struct bw_val arg[6]; /* [1] to [5] */
	struct bw_val data;   /* what was read */
	struct bw_length len; /* of the first r or v argument */
	struct bw_val ret;
	int32_t map;	      /* the first map argument, when there is one */
	uint32_t map_set;
};

struct bw_length bw_len_of(const struct bw_val *v)
{
	struct bw_length l = ANY_LEN;

	if (v->kind != BW_VAL_SCALAR || v->flags & BW_VAL_SOFT)
		return l;
	if (v->lo >= 0) {
		l.min = (uint64_t)v->lo;
		l.max = v->hi >= UINT32_MAX ? BW_LENGTH_UNBOUNDED : (uint64_t)v->hi;
	} else if (v->hi >= 0 && v->hi < UINT32_MAX && v->lo > -65536) {
		/* A signed length that may be negative: helpers refuse those. */
		l.max = (uint64_t)v->hi;
	}
	return l;
}

static uint32_t site(struct bw_engine *e)
{
	return bw_dom_tag_add(&e->d, BW_TAG_SITE, (uint32_t)e->func, e->insn, 0, 0);
}

/* ---- strings that are used ----------------------------------------------------------------------------------------------------- */

static bool is_text(const uint8_t *p, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && p[i] && p[i] >= 0x20 && p[i] < 0x7f)
		i++;
	return i >= 3 && (i == n || !p[i]);
}

static uint32_t literal_at(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, struct bw_length len, uint32_t *ret_id,
			   bool *ret_rodata)
{
	uint8_t bytes[256];
	uint32_t max = len.max < sizeof(bytes) ? (uint32_t)len.max : (uint32_t)sizeof(bytes);
	uint32_t n = max ? bw_mem_known(e, s, ptr, max, bytes, ret_rodata) : 0;

	*ret_id = 0;
	/* Everything that goes out must be known, unless it is a string that ends in time. */
	if (!n || (n < max && !memchr(bytes, 0, n)))
		return 0;
	*ret_id = bw_runs_add(&e->d.strings, bytes, n);
	return n;
}

static void note_string(struct bw_engine *e, struct bw_state *s, const struct call *c, unsigned int i, struct bw_length len)
{
	uint32_t id, n;
	bool rodata;
	struct bw_rec *rec;

	n = literal_at(e, s, &c->arg[i], len, &id, &rodata);
	if (!n || !is_text(bw_runs_get(&e->d.strings, id, &n), n))
		return;
	rec = bw_rec_here(e, BW_REC_STRING, c->id, (int32_t)i);
	if (rec) {
		rec->lit = id;
		rec->mask = rodata;
	}
}

/* ---- maps ---------------------------------------------------------------------------------------------------------------------------- */

/* The maps a register may be; each() over them. */
static uint32_t map_args(struct bw_engine *e, const struct bw_val *v, int32_t ret[BW_MAX_REGION_SET])
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

static const struct bw_map *map_def(const struct bw_engine *e, int32_t map)
{
	return &e->o->maps[(uint32_t)map % e->n_maps];
}

static uint32_t key_size(const struct bw_engine *e, int32_t map)
{
	uint32_t n = (uint32_t)map < e->n_maps ? map_def(e, map)->key_size : 8;

	return n ? n : 4;
}

static struct bw_length value_len(const struct bw_engine *e, int32_t map)
{
	int64_t n = bw_map_value_size(e, map);

	return n > 0 ? (struct bw_length){ (uint64_t)n, (uint64_t)n } : (struct bw_length){ 8, 64 };
}

static bool is_outer(const struct bw_engine *e, int32_t map)
{
	return (uint32_t)map < e->n_maps && (map_def(e, map)->type == 12 || map_def(e, map)->type == 13);
}

static void map_key_put(struct bw_engine *e, int32_t map, const struct bw_val *key)
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
		bw_sink(e, (enum bw_channel)((map_def(e, map)->pinning ? BW_CH_PINNED_MAP : BW_CH_MAP) | 256), map, key,
			(struct bw_length){ key_size(e, map), key_size(e, map) });
}

static void map_value_put(struct bw_engine *e, struct bw_state *s, int32_t map, const struct bw_val *ptr)
{
	struct bw_length len = value_len(e, map);
	struct bw_val all = bw_mem_gather(e, s, ptr, len);

	bw_map_use(e, map, 0, NULL, &all);
	if (e->maps[map].channel && all.taint)
		bw_sink(e, map_def(e, map)->pinning ? BW_CH_PINNED_MAP : BW_CH_MAP, map, &all, len);
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
	for (uint32_t i = 0; i < s->n_objs;) {
		const struct bw_region *g = bw_dom_region_get(&e->d, s->objs[i].region);

		if (g->kind == BW_REGION_MAPVAL && g->a == map)
			bw_state_obj_drop(&e->d, s, &s->objs[i]);
		else
			i++;
	}
}

static void map_lookup(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n = map_args(e, &c->arg[1], maps), set = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct bw_map_info *m = &e->maps[maps[i]];
		uint32_t region;

		if (is_outer(e, maps[i])) {
			int32_t inner = map_def(e, maps[i])->inner;

			region = bw_dom_region(&e->d, BW_REGION_MAP, inner >= 0 ? inner : (int32_t)e->n_maps + maps[i], 0);
		} else {
			region = bw_dom_region(&e->d, BW_REGION_MAPVAL, maps[i], m->percpu ? site(e) : 0);
			if (m->percpu) {
				struct bw_local_obj *o = bw_state_obj(s, region);

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

static void map_pop(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n = map_args(e, &c->arg[1], maps);

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

/* ---- callbacks ------------------------------------------------------------------------------------------------------------------------ */

/* Runs the functions @f may be, each on its own copy, and joins the results into @s. */
static bool run_funcs(struct bw_engine *e, struct bw_state *s, const struct bw_val *f, struct bw_val *ret)
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
static void run_callback(struct bw_engine *e, struct bw_state *s, const struct bw_val *f, const struct bw_val args[6])
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
		run_funcs(e, once, f, &ret);
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
	run_funcs(e, later, f, &ret);
	e->later = false;
	bw_state_free(&e->d, later);
}

/* ---- dynptrs: the slot on the stack holds a pointer to the memory behind ----------------------------------------------------------- */

static struct bw_val dynptr_get(struct bw_engine *e, struct bw_state *s, const struct bw_val *arg)
{
	const struct bw_region *g = arg->kind == BW_VAL_PTR ? bw_dom_only(&e->d, arg->ref) : NULL;

	if (g && g->kind == BW_REGION_EXT)
		return *arg;
	return bw_mem_read(e, s, arg, 0, 8);
}

static void dynptr_set(struct bw_engine *e, struct bw_state *s, const struct bw_val *arg, const struct bw_val *mem)
{
	struct bw_val zero = bw_val_unknown();

	bw_mem_write(e, s, arg, 0, 8, mem);
	bw_mem_write(e, s, arg, 8, 8, &zero);
}

static struct bw_val moved(const struct bw_val *p, const struct bw_val *off)
{
	struct bw_val r = *p;

	if (r.kind != BW_VAL_PTR)
		return r;
	if (off->kind != BW_VAL_SCALAR || off->flags & BW_VAL_SOFT || __builtin_add_overflow(r.lo, off->lo, &r.lo) ||
	    __builtin_add_overflow(r.hi, off->hi, &r.hi)) {
		r.lo = INT64_MIN;
		r.hi = INT64_MAX;
	}
	return r;
}

static struct bw_val copy_mem(struct bw_engine *e, struct bw_state *s, const struct bw_val *dst, const struct bw_val *src,
			      struct bw_length len)
{
	struct bw_val v;

	if (len.min == len.max && len.max <= 256) {
		struct bw_val all = { 0 };

		for (uint64_t at = 0; at < len.max;) {
			unsigned int w = len.max - at >= 8 ? 8 : len.max - at >= 4 ? 4 : len.max - at >= 2 ? 2 : 1;

			v = bw_mem_read(e, s, src, (int64_t)at, w);
			bw_mem_write(e, s, dst, (int64_t)at, w, &v);
			bw_val_join(&e->d, &all, &v, true);
			at += w;
		}
		return all;
	}
	v = bw_mem_gather(e, s, src, len);
	bw_mem_scatter(e, s, dst, len, &v);
	return v;
}

/* ---- reading memory outside ------------------------------------------------------------------------------------------------------------ */

/* What helper @c reads at @src; @width 1, 2, 4, 8 for a number, 0 for bytes. */
static struct bw_val read_outside(struct bw_engine *e, struct bw_state *s, const struct call *c, const struct bw_val *src,
				  struct bw_length len, unsigned int width)
{
	struct bw_val p = bw_as_pointer(e, src, c->c->sources), out = { 0 };
	uint32_t n, regions[BW_MAX_REGION_SET];
	const uint32_t *set = bw_dom_set(&e->d, p.ref, &n);

	if (n > BW_MAX_REGION_SET)
		n = BW_MAX_REGION_SET;
	memcpy(regions, set, n * sizeof(*set));
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_region g = *bw_dom_region_get(&e->d, regions[i]);
		struct bw_val v, one = p;

		if (g.kind == BW_REGION_EXT) {
			v = bw_ext_read(e, s, (uint32_t)g.a, p.tag, p.lo, width, c->c->sources ? c->c->sources : S(KERNEL_MEMORY),
					p.lo == p.hi);
		} else {
			one.ref = bw_dom_set_of(&e->d, regions[i]);
			v = width ? bw_mem_read(e, s, &one, 0, width) : bw_mem_gather(e, s, &one, len);
		}
		bw_val_join(&e->d, &out, &v, false);
	}
	return out;
}

/* Registers, structures and contexts have fields: a copy of several is taken word by word. */
static bool structured(struct bw_engine *e, const struct bw_val *src)
{
	const struct bw_region *g = src->kind == BW_VAL_PTR && src->lo == src->hi ? bw_dom_only(&e->d, src->ref) : NULL;

	if (!g)
		return false;
	if (g->kind == BW_REGION_CTX)
		return true;
	return g->kind == BW_REGION_EXT && bw_dom_desc(&e->d, (uint32_t)g->a)->kind != BW_DESC_PLAIN &&
	       bw_dom_desc(&e->d, (uint32_t)g->a)->kind != BW_DESC_SYSARG;
}

static struct bw_val read_words(struct bw_engine *e, struct bw_state *s, struct call *c, uint64_t len)
{
	struct bw_val all = { 0 }, src = c->arg[3];

	for (uint64_t at = 0; at < len; at += 8) {
		struct bw_val v = read_outside(e, s, c, &src, (struct bw_length){ 8, 8 }, 8);

		bw_mem_write(e, s, &c->arg[1], (int64_t)at, 8, &v);
		if (v.kind == BW_VAL_PTR) {
			/* What goes on is the bytes. */
			struct bw_val u = bw_val_unknown();

			bw_val_absorb(&e->d, &u, &v);
			v = u;
		}
		bw_val_join(&e->d, &all, &v, true);
		src.lo = bw_sat_add(src.lo, 8);
		src.hi = bw_sat_add(src.hi, 8);
		src.tag = 0;
	}
	return all;
}

static void probe_read(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	struct bw_length len = bw_len_of(&c->arg[2]);
	bool words = len.min == len.max && c->c->ret != 'l' && len.max > 8 && len.max <= 512 && len.max % 8 == 0 &&
		     structured(e, &c->arg[3]);
	bool number = len.min == len.max && c->c->ret != 'l' && (len.max == 1 || len.max == 2 || len.max == 4 || len.max == 8);
	struct bw_val v = words ? read_words(e, s, c, len.max) :
				  read_outside(e, s, c, &c->arg[3], len, number ? (unsigned int)len.max : 0);
	const struct bw_cfg *cfg = e->cfgs[e->func];

	if (c->c->sources & S(USER_MEMORY) && (cfg->blocks[e->block].in_loop || e->depth > 1))
		if (cfg->blocks[e->block].in_loop)
			bw_count(e, BW_COUNT_USER_LOOP);
	if (words)
		;
	else if (number)
		bw_mem_write(e, s, &c->arg[1], 0, (unsigned int)len.max, &v);
	else
		bw_mem_scatter(e, s, &c->arg[1],
			       c->c->ret == 'l' ? (struct bw_length){ 0, len.max } : len, &v);
	c->data = v;
	c->len = len;
	if (c->c->ret == 'l') {
		c->ret = bw_val_scalar(-4095, len.max > INT32_MAX ? INT32_MAX : (int64_t)len.max);
		bw_val_absorb(&e->d, &c->ret, &v);
		c->ret.flags &= (uint8_t)~BW_VAL_DIRECT;
		c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
	}
}

/* ---- packets ------------------------------------------------------------------------------------------------------------------------------- */

static void packet_load(struct bw_engine *e, struct bw_state *s, struct call *c, bool relative)
{
	struct bw_length len = bw_len_of(&c->arg[4]);
	const struct bw_val *off = &c->arg[2];
	int64_t lo = off->flags & BW_VAL_SOFT ? INT64_MIN : off->lo, hi = off->flags & BW_VAL_SOFT ? INT64_MAX : off->hi;
	struct bw_val v = bw_val_of_width(8);
	uint32_t detail, packet = bw_dom_region_set(&e->d, BW_REGION_PACKET, 0, 0);
	bool exact;

	if (relative && bw_val_is_const(&c->arg[5]) && c->arg[5].lo == 1 && lo != INT64_MIN) {
		/* From the network header. */
		lo = bw_sat_add(lo, e->at->l3 ? 0 : 14);
		hi = bw_sat_add(hi, e->at->l3 ? 0 : 14);
	}
	detail = lo == hi && lo >= 0 && lo < 4096 ? bw_dom_strf(&e->d, "packet+%lld", (long long)lo) : bw_dom_str(&e->d, "packet");
	v.from = BW_FROM_BIT(BW_FROM_PACKET);
	exact = lo == hi && lo >= 0 && lo <= UINT32_MAX;
	bw_taint(e, &v, bw_packet_classes(e, s, lo, hi, len.max), detail);
	if (len.min == len.max && len.max <= 64 && (exact || (lo >= 0 && hi <= 65535))) {
		for (uint64_t i = 0; i < len.max; i++) {
			struct bw_val b = bw_val_of_width(1);

			b.from = v.from;
			bw_taint(e, &b, exact ? bw_packet_classes(e, s, lo + (int64_t)i, hi + (int64_t)i, 1) : v.taint, detail);
			b.tag = bw_packet_tag(e, packet, lo + (int64_t)i, hi + (int64_t)i, 1);
			bw_mem_write(e, s, &c->arg[3], (int64_t)i, 1, &b);
		}
	} else {
		bw_mem_scatter(e, s, &c->arg[3], len, &v);
	}
}

static void packet_write(struct bw_engine *e, struct bw_state *s, struct call *c, const struct bw_val *off, const struct bw_val *src,
			 struct bw_length len)
{
	struct bw_rec *rec = bw_rec_here(e, BW_REC_PACKET_WRITE, (int32_t)bw_dom_str(&e->d, c->name), 0);
	struct bw_val data = bw_mem_gather(e, s, src, len);
	int64_t lo = off->kind == BW_VAL_SCALAR && !(off->flags & BW_VAL_SOFT) ? off->lo : INT64_MIN;
	int64_t hi = off->kind == BW_VAL_SCALAR && !(off->flags & BW_VAL_SOFT) ? off->hi : INT64_MAX;
	bool rodata;

	if (!rec)
		return;
	bw_val_join(&e->d, &rec->val, &data, true);
	rec->mask |= bw_packet_layers(e, s, lo, hi, len.max);
	rec->len = len;
	rec->x = lo < 0 || lo > 65535 ? -1 : lo;
	rec->y = hi < 0 || hi > 65535 ? -1 : hi;
	literal_at(e, s, src, len, &rec->lit, &rodata);
	bw_sink(e, BW_CH_PACKET_WRITE, BW_NONE, &data, len);
}

static void redirect(struct bw_engine *e, struct bw_state *s, struct call *c, const struct bw_val *target, int32_t map)
{
	struct bw_rec *rec = bw_rec_here(e, BW_REC_REDIRECT, (int32_t)bw_dom_str(&e->d, c->name), map);
	struct bw_val packet = bw_val_unknown();

	if (rec)
		bw_val_join(&e->d, &rec->val, target, false);
	bw_taint(e, &packet, S(PACKET_HEADER) | S(PACKET_PAYLOAD), bw_dom_str(&e->d, "packet"));
	bw_sink(e, BW_CH_PACKET_REDIRECT, map, &packet, ANY_LEN);
}

static void event_packet_bytes(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	struct bw_val v = bw_val_unknown();
	struct bw_length len = { 0, 0xfffff };
	const struct bw_val *f = &c->arg[3];

	if (!e->at->network && strcmp(c->name, "skb_output") && strcmp(c->name, "xdp_output"))
		return;
	if (f->kind == BW_VAL_SCALAR && !(f->flags & BW_VAL_SOFT)) {
		if (f->lo == f->hi) {
			len.max = (uint64_t)f->lo >> 32 & 0xfffff;
			len.min = len.max;
		} else if (f->lo >= 0 && f->hi <= UINT32_MAX) {
			len.max = 0;
		} else if (f->lo >= 0) {
			len.min = (uint64_t)f->lo >> 32 & 0xfffff;
			len.max = f->hi >> 52 ? 0xfffff : (uint64_t)f->hi >> 32 & 0xfffff;
		}
	}
	if (!len.max)
		return;
	bw_taint(e, &v, bw_packet_classes(e, s, 0, 0, len.max), bw_dom_str(&e->d, "packet"));
	bw_sink(e, BW_CH_PERF, c->map, &v, len);
}

/* ---- the special ones -------------------------------------------------------------------------------------------------------------------------- */

static void compare_strings(struct bw_engine *e, struct bw_state *s, struct call *c, unsigned int a, unsigned int b, struct bw_length len)
{
	struct bw_rec *rec;
	uint32_t lit_a, lit_b, n;
	bool rodata, swap;
	struct bw_val data;

	literal_at(e, s, &c->arg[a], len, &lit_a, &rodata);
	literal_at(e, s, &c->arg[b], (struct bw_length){ 1, 256 }, &lit_b, &rodata);
	swap = lit_a && !lit_b;
	data = bw_mem_gather(e, s, &c->arg[swap ? b : a], len.max > 256 ? (struct bw_length){ 1, 256 } : len);
	rec = bw_rec_here(e, BW_REC_COMPARE, 1, 0);
	if (rec) {
		const char *text;

		bw_val_join(&e->d, &rec->val, &data, true);
		rec->lit = swap ? lit_a : lit_b;
		rec->mask |= 2;
		text = rec->lit ? bw_runs_get(&e->d.strings, rec->lit, &n) : NULL;
		if (text) {
			/* A C string ends at its NUL. */
			const char *end = memchr(text, 0, n);

			if (end && end > text) {
				char copy[256];
				uint32_t m = (uint32_t)(end - text) < sizeof(copy) ? (uint32_t)(end - text) : (uint32_t)sizeof(copy);

				memcpy(copy, text, m);
				rec->lit = bw_runs_add(&e->d.strings, copy, m);
			}
		}
		if (!rec->lit) {
			struct bw_val other = bw_mem_gather(e, s, &c->arg[swap ? a : b], (struct bw_length){ 1, 256 });

			bw_val_join(&e->d, &rec->val2, &other, true);
		}
	}
	bw_val_absorb(&e->d, &c->ret, &data);
	c->ret.flags &= (uint8_t)~BW_VAL_DIRECT;
	c->ret.tag = bw_dom_tag_add(&e->d, BW_TAG_STRCMP, e->insn, e->func, 0, 0);
}

static void struct_ptr_ret(struct bw_engine *e, struct call *c, const char *type, bool nullable)
{
	struct bw_desc d = { .space = BW_SPACE_KERNEL, .kind = BW_DESC_STRUCT, .type = bw_dom_str(&e->d, type),
			     .detail = bw_dom_str(&e->d, type) };

	c->ret = bw_val_ptr(bw_ext_set(e, &d), 0);
	c->ret.flags = nullable ? BW_VAL_NULLABLE : 0;
	bw_taint(e, &c->ret, S(KERNEL_POINTER), d.detail);
	c->ret.flags |= nullable ? BW_VAL_NULLABLE : 0;
	c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
}

static void reserve(struct bw_engine *e, struct bw_state *s, struct call *c, const struct bw_val *size, struct bw_val *ret)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n = map_args(e, &c->arg[1], maps), set = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t region = bw_dom_region(&e->d, BW_REGION_RECORD, maps[i], site(e));
		struct bw_local_obj *o = bw_state_obj_add(&e->d, s, region);

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

static void record_drop(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr)
{
	const struct bw_region *g = ptr->kind == BW_VAL_PTR ? bw_dom_only(&e->d, ptr->ref) : NULL;
	uint32_t n;
	struct bw_local_obj *o;

	if (!g || g->kind != BW_REGION_RECORD)
		return;
	o = bw_state_obj(s, bw_dom_set(&e->d, ptr->ref, &n)[0]);
	if (o)
		bw_state_obj_drop(&e->d, s, o);
}

/* Numbers and %s pointers of the printf family. */
/* Of a string that %s prints, this much is looked at. */
#define MAX_PRINTED 64u

static void print_args(struct bw_engine *e, struct bw_state *s, struct call *c, const struct bw_val *data, struct bw_length len)
{
	for (uint64_t at = 0; at + 8 <= len.max && at < 96; at += 8) {
		struct bw_val p = bw_mem_read(e, s, data, (int64_t)at, 8), v;

		if (p.kind == BW_VAL_PTR) {
			v = bw_mem_gather(e, s, &p, (struct bw_length){ 0, MAX_PRINTED });
			bw_val_join(&e->d, &c->data, &v, true);
			if (c->len.max < MAX_PRINTED)
				c->len.max = MAX_PRINTED;
		}
	}
}

static void arg_of_letter(const struct call *c, char letter, struct bw_val *ret)
{
	const char *p = strchr(c->c->args, letter);

	*ret = p ? c->arg[1 + (p - c->c->args)] : (struct bw_val){ 0 };
}

static void dynptr_fill(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	struct bw_val d, src, mem, v, zero = bw_val_const(0);

	arg_of_letter(c, 'd', &d);
	arg_of_letter(c, 'u', &src);
	mem = dynptr_get(e, s, &d);
	if (src.kind != BW_VAL_NONE) {
		v = read_outside(e, s, c, &src, ANY_LEN, 0);
		mem = moved(&mem, &c->arg[2]);
	} else {
		v = bw_val_unknown();
		bw_taint(e, &v, c->c->sources, bw_dom_str(&e->d, c->name));
		mem = moved(&mem, &zero);
	}
	bw_mem_scatter(e, s, &mem, strchr(c->c->args, 'u') ? bw_len_of(&c->arg[3]) : ANY_LEN, &v);
}

static void callback_map(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n = map_args(e, &c->arg[1], maps);

	for (uint32_t i = 0; i < n; i++) {
		struct bw_val args[6] = { 0 };

		args[1] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAP, maps[i], 0), 0);
		args[2] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPKEY, maps[i], 0), 0);
		args[3] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, maps[i], 0), 0);
		args[4] = c->arg[3];
		run_callback(e, s, &c->arg[2], args);
	}
}

static void callback_timer(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	struct bw_val args[6] = { 0 }, f;
	const struct bw_region *g;
	int32_t maps[BW_MAX_REGION_SET];

	arg_of_letter(c, 'f', &f);
	g = c->arg[1].kind == BW_VAL_PTR ? bw_dom_only(&e->d, c->arg[1].ref) : NULL;
	if (c->map >= 0 && map_args(e, &c->arg[3], maps))
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

/* Returns false when control does not come back. */
static bool special(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n;
	struct bw_val v = bw_val_unknown(), p = v;
	struct bw_rec *rec;
	struct bw_length len;

	switch ((enum bw_special)c->c->special) {
	case BW_SP_MAP_LOOKUP:
		map_lookup(e, s, c);
		break;
	case BW_SP_MAP_UPDATE:
	case BW_SP_MAP_PUSH:
		n = map_args(e, &c->arg[1], maps);
		if (!n)
			bw_unanalysed(e, "map argument is not known");
		for (uint32_t i = 0; i < n; i++) {
			unsigned int value = c->c->special == BW_SP_MAP_PUSH ? 2 : 3;

			if (value == 3) {
				v = bw_mem_gather(e, s, &c->arg[2], (struct bw_length){ key_size(e, maps[i]), key_size(e, maps[i]) });
				bw_map_use(e, maps[i], 0, &v, NULL);
				map_key_put(e, maps[i], &v);
			}
			map_value_put(e, s, maps[i], &c->arg[value]);
		}
		break;
	case BW_SP_MAP_POP:
		map_pop(e, s, c);
		break;
	case BW_SP_STORAGE_GET:
		n = map_args(e, &c->arg[1], maps);
		c->ret = (struct bw_val){ 0 };
		for (uint32_t i = 0; i < n; i++) {
			if (c->arg[3].kind == BW_VAL_PTR)
				map_value_put(e, s, maps[i], &c->arg[3]);
			p = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, maps[i], 0), 0);
			p.flags = BW_VAL_NULLABLE;
			bw_val_join(&e->d, &c->ret, &p, false);
		}
		break;
	case BW_SP_LOCAL_STORAGE:
	case BW_SP_ARENA_ALLOC:
		n = map_args(e, &c->arg[1], maps);
		c->ret = (struct bw_val){ 0 };
		for (uint32_t i = 0; i < n; i++) {
			p = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, maps[i], 0), 0);
			bw_val_join(&e->d, &c->ret, &p, false);
		}
		if (c->c->special == BW_SP_ARENA_ALLOC) {
			bw_count(e, BW_COUNT_ARENA);
			c->ret.flags |= BW_VAL_NULLABLE;
		}
		break;
	case BW_SP_PROBE_READ:
		probe_read(e, s, c);
		break;
	case BW_SP_EVENT_OUTPUT:
		event_packet_bytes(e, s, c);
		break;
	case BW_SP_RB_RESERVE:
		reserve(e, s, c, &c->arg[2], &c->ret);
		break;
	case BW_SP_RB_SUBMIT:
		bw_record_flush(e, s, &c->arg[1]);
		break;
	case BW_SP_RB_DISCARD:
		record_drop(e, s, &c->arg[1]);
		break;
	case BW_SP_RB_RESERVE_DYNPTR:
		reserve(e, s, c, &c->arg[2], &v);
		if (c->arg[4].kind == BW_VAL_PTR) {
			v.flags = 0;
			dynptr_set(e, s, &c->arg[4], &v);
		}
		break;
	case BW_SP_RB_SUBMIT_DYNPTR:
		p = dynptr_get(e, s, &c->arg[1]);
		p.carry |= (uint16_t)BW_CARRY_BIT(BW_CARRY_DYNPTR);
		bw_record_flush(e, s, &p);
		break;
	case BW_SP_RB_DISCARD_DYNPTR:
		p = dynptr_get(e, s, &c->arg[1]);
		record_drop(e, s, &p);
		break;
	case BW_SP_TAIL_CALL:
		rec = bw_rec_here(e, BW_REC_TAIL_CALL, 0, c->map);
		if (rec)
			bw_val_join(&e->d, &rec->val, &c->arg[3], false);
		break;
	case BW_SP_PACKET_LOAD:
	case BW_SP_PACKET_LOAD_REL:
		packet_load(e, s, c, c->c->special == BW_SP_PACKET_LOAD_REL);
		break;
	case BW_SP_PACKET_STORE:
		packet_write(e, s, c, &c->arg[2], &c->arg[3], bw_len_of(&c->arg[4]));
		break;
	case BW_SP_CSUM_REPLACE:
	case BW_SP_CSUM:
		bw_count(e, BW_COUNT_CSUM);
		break;
	case BW_SP_RESIZE:
		bw_count(e, BW_COUNT_RESIZE);
		break;
	case BW_SP_REDIRECT:
		redirect(e, s, c, strcmp(c->name, "clone_redirect") ? &c->arg[1] : &c->arg[2], BW_NONE);
		break;
	case BW_SP_REDIRECT_MAP:
		n = (uint32_t)(strchr(c->c->args, 'm') - c->c->args) + 2;
		redirect(e, s, c, n < 6 ? &c->arg[n] : &c->arg[1], c->map);
		c->ret = bw_val_scalar(0, 4);
		break;
	case BW_SP_WRITE_USER:
		len = bw_len_of(&c->arg[3]);
		rec = bw_rec_here(e, BW_REC_USER_WRITE, c->id, 0);
		v = bw_mem_gather(e, s, &c->arg[2], len);
		if (rec) {
			bool rodata;

			bw_val_join(&e->d, &rec->val, &v, true);
			if (rec->val2.kind == BW_VAL_NONE)
				rec->val2 = c->arg[1];
			else
				bw_val_join(&e->d, &rec->val2, &c->arg[1], false);
			rec->len = len;
			literal_at(e, s, &c->arg[2], len, &rec->lit, &rodata);
		}
		break;
	case BW_SP_OVERRIDE:
	case BW_SP_SET_RETVAL:
	case BW_SP_SIGNAL:
		p = c->arg[c->c->special == BW_SP_OVERRIDE || c->id < 0 ? 2 : 1];
		rec = bw_rec_here(e, c->c->special == BW_SP_SIGNAL ? BW_REC_SIGNAL : BW_REC_OVERRIDE, c->id, 0);
		if (rec)
			bw_val_join(&e->d, &rec->val, &p, false);
		break;
	case BW_SP_SYS_BPF:
		rec = bw_rec_here(e, BW_REC_CALL, c->id, 0);
		if (rec)
			bw_val_join(&e->d, &rec->val, &c->arg[1], false);
		break;
	case BW_SP_TRACE_PRINTK:
		if (!strcmp(c->name, "trace_printk")) {
			for (unsigned int i = 3; i <= 5; i++)
				if (c->arg[i].kind == BW_VAL_PTR && e->d.budget.failed == false) {
					const struct bw_region *g = bw_dom_only(&e->d, c->arg[i].ref);

					if (g && g->kind != BW_REGION_CTX && g->kind != BW_REGION_MAP && g->kind != BW_REGION_EXT) {
						v = bw_mem_gather(e, s, &c->arg[i], (struct bw_length){ 0, MAX_PRINTED });
						bw_val_join(&e->d, &c->data, &v, true);
						c->len = (struct bw_length){ 0, MAX_PRINTED };
					} else if (g && g->kind == BW_REGION_EXT) {
						/* %s reads kernel or user strings by itself. */
						v = read_outside(e, s, c, &c->arg[i], (struct bw_length){ 0, MAX_PRINTED }, 0);
						bw_val_join(&e->d, &c->data, &v, true);
						c->len = (struct bw_length){ 0, MAX_PRINTED };
					}
				}
		} else {
			print_args(e, s, c, &c->arg[3], bw_len_of(&c->arg[4]));
		}
		break;
	case BW_SP_STRNCMP:
		if (c->id > 0)
			compare_strings(e, s, c, 1, 3, bw_len_of(&c->arg[2]));
		else
			compare_strings(e, s, c, 1, 2, c->c->args[2] == '.' ? bw_len_of(&c->arg[3]) : (struct bw_length){ 1, 256 });
		break;
	case BW_SP_FOR_EACH_MAP:
		bw_count(e, BW_COUNT_LOOP);
		callback_map(e, s, c);
		break;
	case BW_SP_LOOP: {
		struct bw_val args[6] = { 0 };

		bw_count(e, BW_COUNT_LOOP);
		args[1] = bw_val_scalar(0, c->arg[1].kind == BW_VAL_SCALAR && c->arg[1].hi > 0 && c->arg[1].hi <= UINT32_MAX &&
						!(c->arg[1].flags & BW_VAL_SOFT) ? c->arg[1].hi - 1 : UINT32_MAX);
		args[2] = c->arg[3];
		run_callback(e, s, &c->arg[2], args);
		break;
	}
	case BW_SP_FIND_VMA: {
		struct bw_val args[6] = { 0 };
		struct call t = *c;

		struct_ptr_ret(e, &t, "task_struct", false);
		args[1] = t.ret;
		struct_ptr_ret(e, &t, "vm_area_struct", false);
		args[2] = t.ret;
		args[3] = c->arg[4];
		run_callback(e, s, &c->arg[3], args);
		break;
	}
	case BW_SP_USER_DRAIN: {
		struct bw_val args[6] = { 0 };
		struct bw_desc d = { .space = BW_SPACE_KERNEL, .classes = S(MAP_VALUE),
				     .detail = bw_dom_str(&e->d, c->map >= 0 ? bw_map_name(e, c->map) : "user ring buffer") };

		args[1] = bw_val_ptr(bw_ext_set(e, &d), 0);
		args[2] = c->arg[3];
		run_callback(e, s, &c->arg[2], args);
		break;
	}
	case BW_SP_TIMER_CALLBACK:
	case BW_SP_WQ_CALLBACK:
		callback_timer(e, s, c);
		break;
	case BW_SP_RBTREE_ADD: {
		struct bw_val args[6] = { 0 };

		args[1] = args[2] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_HEAP, 0, 0), 0);
		run_callback(e, s, &c->arg[3], args);
		break;
	}
	case BW_SP_DYNPTR_FROM_MEM:
		arg_of_letter(c, 'D', &p);
		v = c->arg[1];
		v.flags &= (uint8_t)~BW_VAL_NULLABLE;
		dynptr_set(e, s, &p, &v);
		break;
	case BW_SP_DYNPTR_FROM_PACKET:
		v = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_PACKET, 0, 0), 0);
		dynptr_set(e, s, &c->arg[3], &v);
		break;
	case BW_SP_DYNPTR_FROM_FILE: {
		struct bw_desc d = { .space = BW_SPACE_KERNEL, .classes = S(FILE_CONTENT), .detail = bw_dom_str(&e->d, "file content") };

		v = bw_val_ptr(bw_ext_set(e, &d), 0);
		dynptr_set(e, s, &c->arg[3], &v);
		break;
	}
	case BW_SP_DYNPTR_READ:
		p = dynptr_get(e, s, &c->arg[3]);
		p = moved(&p, &c->arg[4]);
		v = copy_mem(e, s, &c->arg[1], &p, bw_len_of(&c->arg[2]));
		break;
	case BW_SP_DYNPTR_WRITE:
		p = dynptr_get(e, s, &c->arg[1]);
		p = moved(&p, &c->arg[2]);
		{
			const struct bw_region *g = p.kind == BW_VAL_PTR ? bw_dom_only(&e->d, p.ref) : NULL;

			if (g && g->kind == BW_REGION_PACKET) {
				struct bw_val off = bw_val_scalar(p.lo, p.hi);

				bw_effect(e, BW_EFFECT_PACKET_WRITE);
				packet_write(e, s, c, &off, &c->arg[3], bw_len_of(&c->arg[4]));
			} else {
				v = bw_mem_gather(e, s, &c->arg[3], bw_len_of(&c->arg[4]));
				v.carry |= v.taint ? (uint16_t)BW_CARRY_BIT(BW_CARRY_DYNPTR) : 0;
				bw_mem_scatter(e, s, &p, bw_len_of(&c->arg[4]), &v);
			}
		}
		break;
	case BW_SP_DYNPTR_DATA:
		p = dynptr_get(e, s, &c->arg[1]);
		c->ret = moved(&p, &c->arg[2]);
		c->ret.flags |= BW_VAL_NULLABLE;
		break;
	case BW_SP_DYNPTR_SLICE:
		p = dynptr_get(e, s, &c->arg[1]);
		c->ret = moved(&p, &c->arg[2]);
		if (c->arg[3].kind == BW_VAL_PTR) {
			v = bw_mem_gather(e, s, &c->ret, bw_len_of(&c->arg[4]));
			bw_mem_scatter(e, s, &c->arg[3], bw_len_of(&c->arg[4]), &v);
		}
		c->ret.flags |= BW_VAL_NULLABLE;
		break;
	case BW_SP_DYNPTR_CLONE:
		p = dynptr_get(e, s, &c->arg[1]);
		dynptr_set(e, s, &c->arg[2], &p);
		break;
	case BW_SP_DYNPTR_ADJUST:
		p = dynptr_get(e, s, &c->arg[1]);
		p = moved(&p, &c->arg[2]);
		bw_mem_write(e, s, &c->arg[1], 0, 8, &p);
		break;
	case BW_SP_DYNPTR_COPY:
		if (!strncmp(c->name, "bpf_crypto", 10)) {
			p = dynptr_get(e, s, &c->arg[2]);
			v = bw_mem_gather(e, s, &p, ANY_LEN);
			v.flags &= (uint8_t)~BW_VAL_DIRECT;
			p = dynptr_get(e, s, &c->arg[3]);
			bw_mem_scatter(e, s, &p, ANY_LEN, &v);
		} else {
			p = dynptr_get(e, s, &c->arg[3]);
			p = moved(&p, &c->arg[4]);
			v = bw_mem_gather(e, s, &p, bw_len_of(&c->arg[5]));
			p = dynptr_get(e, s, &c->arg[1]);
			p = moved(&p, &c->arg[2]);
			bw_mem_scatter(e, s, &p, bw_len_of(&c->arg[5]), &v);
		}
		break;
	case BW_SP_DYNPTR_FILL:
		dynptr_fill(e, s, c);
		break;
	case BW_SP_GET_TASK:
		struct_ptr_ret(e, c, "task_struct", false);
		break;
	case BW_SP_TASK_PT_REGS: {
		struct bw_arg a = { BW_ARG_PTREGS, 0, "regs", "pt_regs" };

		c->ret = bw_arg_value(e, &a, 0);
		break;
	}
	case BW_SP_GET_FUNC_ARG:
	case BW_SP_GET_FUNC_RET: {
		struct bw_arg a;
		int i = c->c->special == BW_SP_GET_FUNC_RET ? -1 : bw_val_is_const(&c->arg[2]) ? (int)(c->arg[2].lo & 15) : 0;

		bw_attach_arg(e->at, i, &a);
		v = bw_arg_value(e, &a, i);
		bw_mem_write(e, s, &c->arg[i < 0 ? 2 : 3], 0, 8, &v);
		break;
	}
	case BW_SP_KPTR_XCHG:
		c->ret = bw_mem_read(e, s, &c->arg[1], 0, 8);
		bw_mem_write(e, s, &c->arg[1], 0, 8, &c->arg[2]);
		if (c->ret.kind == BW_VAL_PTR)
			c->ret.flags |= BW_VAL_NULLABLE;
		break;
	case BW_SP_FIRST_ARG:
		c->ret = c->arg[1];
		break;
	case BW_SP_THROW:
		bw_count(e, BW_COUNT_EXCEPTION);
		e->threw = true;
		return false;
	case BW_SP_ITER_NUM_NEXT:
		bw_count(e, BW_COUNT_LOOP);
		c->ret = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_FUNC, -1, 0), 0);
		c->ret.flags = BW_VAL_NULLABLE;
		break;
	case BW_SP_OBJ_NEW:
		c->ret = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_HEAP, 0, 0), 0);
		c->ret.flags = BW_VAL_NULLABLE;
		break;
	case BW_SP_HID_DATA: {
		struct bw_desc d = { .space = BW_SPACE_KERNEL, .classes = S(KEYSTROKES), .detail = bw_dom_str(&e->d, "hid report") };

		c->ret = bw_val_ptr(bw_ext_set(e, &d), 0);
		c->ret.flags = BW_VAL_NULLABLE;
		break;
	}
	default:
		break;
	}
	return true;
}

/* Specials that write their outputs themselves. */
static bool writes_itself(enum bw_special sp)
{
	return sp == BW_SP_PROBE_READ || sp == BW_SP_PACKET_LOAD || sp == BW_SP_PACKET_LOAD_REL || sp == BW_SP_DYNPTR_READ ||
	       sp == BW_SP_MAP_POP || sp == BW_SP_GET_FUNC_ARG || sp == BW_SP_GET_FUNC_RET || sp == BW_SP_DYNPTR_SLICE;
}

static void read_args(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	unsigned int i = 1;
	bool first = true;

	c->map = BW_NONE;
	for (const char *p = c->c->args; *p && i <= 5; p++, i++) {
		struct bw_length len = ANY_LEN;
		struct bw_val v = { 0 };
		int32_t maps[BW_MAX_REGION_SET];
		uint32_t n;

		switch (*p) {
		case 'm':
			n = map_args(e, &c->arg[i], maps);
			for (uint32_t k = 0; k < n; k++)
				bw_map_use(e, maps[k], c->c->modes, NULL, NULL);
			if (n)
				c->map = maps[0];
			break;
		case 'k':
			if (c->map >= 0) {
				len = (struct bw_length){ key_size(e, c->map), key_size(e, c->map) };
				v = bw_mem_gather(e, s, &c->arg[i], len);
				bw_map_use(e, c->map, 0, &v, NULL);
			}
			continue;
		case 'r':
		case 'b':
			len = bw_len_of(&c->arg[i < 5 ? i + 1 : 5]);
			if (p[1] != 'n' || (c->arg[i].kind == BW_VAL_SCALAR && bw_val_is_const(&c->arg[i])))
				len = (struct bw_length){ 0, p[1] == 'n' ? 0 : 8 };
			if (len.max)
				v = bw_mem_gather(e, s, &c->arg[i], len);
			note_string(e, s, c, i, len);
			break;
		case 's':
			len = (struct bw_length){ 1, 256 };
			v = bw_mem_gather(e, s, &c->arg[i], len);
			note_string(e, s, c, i, len);
			break;
		case 'S':
			len = (struct bw_length){ 8, 8 };
			v = c->arg[i];
			break;
		case 'd':
			if (c->c->channel && c->c->special != BW_SP_RB_SUBMIT_DYNPTR) {
				struct bw_val mem = dynptr_get(e, s, &c->arg[i]);

				v = bw_mem_gather(e, s, &mem, ANY_LEN);
			}
			break;
		default:
			continue;
		}
		if (v.kind == BW_VAL_NONE && !v.taint)
			continue;
		if (first) {
			c->len = len;
			first = false;
		} else if (len.max > c->len.max) {
			c->len.max = len.max;
		}
		if (v.kind == BW_VAL_PTR) {
			/* The bytes of an address, not what it leads to. */
			struct bw_val u = bw_val_unknown();

			bw_val_absorb(&e->d, &u, &v);
			v = u;
		}
		bw_val_join(&e->d, &c->data, &v, true);
	}
}

static void write_args(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	unsigned int i = 1;
	struct bw_val out = bw_val_unknown();
	char detail[96];
	bool any = false;

	for (const char *p = c->c->args; *p; p++)
		any |= strchr("wbLI", *p) != NULL;
	if (!any)
		return;
	snprintf(detail, sizeof(detail), "%s%s", c->id > 0 ? "bpf_" : "", c->name);
	bw_val_absorb(&e->d, &out, &c->data);
	if (c->c->sources)
		bw_taint(e, &out, c->c->sources, bw_dom_str(&e->d, detail));
	if (out.from == 0 || out.from == BW_FROM_BIT(BW_FROM_CONSTANT))
		out.from = BW_FROM_BIT(BW_FROM_HELPER);
	for (const char *p = c->c->args; *p && i <= 5; p++, i++) {
		if ((*p == 'w' || *p == 'b') && p[1] == 'n' && i < 5) {
			struct bw_length len = bw_len_of(&c->arg[i + 1]);

			if (c->c->ret == 'l')
				len.min = 0;
			bw_mem_scatter(e, s, &c->arg[i], len, &out);
		} else if (*p == 'w' || *p == 'b') {
			bw_mem_scatter(e, s, &c->arg[i], (struct bw_length){ 8, 8 }, &out);
		} else if (*p == 'L' || *p == 'I') {
			unsigned int w = *p == 'L' ? 8 : 4;
			struct bw_val v = out;

			if (w == 4) {
				v.lo = 0;
				v.hi = UINT32_MAX;
			}
			bw_mem_write(e, s, &c->arg[i], 0, w, &v);
		}
	}
}

/* A function nobody told us about: it may read anything, write into what it is given, and give it away. */
static void unknown_callee(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	struct bw_val data = { 0 }, out = bw_val_unknown();

	for (unsigned int i = 1; i <= 5; i++) {
		const struct bw_region *g = c->arg[i].kind == BW_VAL_PTR ? bw_dom_only(&e->d, c->arg[i].ref) : NULL;
		struct bw_val v = c->arg[i];

		if (c->arg[i].kind == BW_VAL_NONE)
			continue;
		if (g && (g->kind == BW_REGION_STACK || g->kind == BW_REGION_MAPVAL || g->kind == BW_REGION_RECORD ||
			  g->kind == BW_REGION_HEAP))
			v = bw_mem_gather(e, s, &c->arg[i], (struct bw_length){ 0, 64 });
		bw_val_join(&e->d, &data, &v, true);
	}
	bw_taint(e, &out, S(KERNEL_MEMORY), bw_dom_str(&e->d, c->name));
	for (unsigned int i = 1; i <= 5; i++) {
		const struct bw_region *g = c->arg[i].kind == BW_VAL_PTR ? bw_dom_only(&e->d, c->arg[i].ref) : NULL;

		if (g && g->kind == BW_REGION_STACK)
			bw_mem_scatter(e, s, &c->arg[i], (struct bw_length){ 0, 64 }, &out);
	}
	bw_sink(e, BW_CH_BPF_SYSCALL, BW_NONE, &data, ANY_LEN);
	c->ret = out;
	c->ret.flags &= (uint8_t)~BW_VAL_DIRECT;
}

static bool call_callee(struct bw_engine *e, struct bw_state *s, struct call *c)
{
	struct bw_rec *rec = bw_rec_here(e, BW_REC_CALL, c->id, 0);
	bool back = true;

	for (unsigned int i = 1; i <= 5; i++)
		c->arg[i] = s->r[i];
	c->ret = bw_val_unknown();
	c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
	if (!c->c) {
		unknown_callee(e, s, c);
	} else {
		if (rec)
			rec->mask = 1;
		if (c->c->effects)
			bw_effect(e, c->c->effects);
		read_args(e, s, c);
		switch (c->c->ret) {
		case 'i':
			c->ret = bw_val_scalar(INT32_MIN, INT32_MAX);
			c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
			break;
		case 'l':
			c->ret = bw_val_scalar(-4095, c->len.max > INT32_MAX ? INT32_MAX : (int64_t)c->len.max);
			if (strchr(c->c->args, 'w')) {
				struct bw_length out = bw_len_of(&c->arg[2 + (strchr(c->c->args, 'w') - c->c->args)]);

				c->ret.hi = out.max > INT32_MAX ? INT32_MAX : (int64_t)out.max;
			}
			c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
			bw_val_absorb(&e->d, &c->ret, &c->data);
			c->ret.flags &= (uint8_t)~BW_VAL_DIRECT;
			break;
		case 'h':
			bw_val_absorb(&e->d, &c->ret, &c->data);
			c->ret.flags &= (uint8_t)~BW_VAL_DIRECT;
			break;
		case 'T': {
			char detail[96];

			snprintf(detail, sizeof(detail), "%s%s", c->id > 0 ? "bpf_" : "", c->name);
			bw_taint(e, &c->ret, c->c->sources, bw_dom_str(&e->d, detail));
			break;
		}
		case 'K':
			struct_ptr_ret(e, c, c->c->ret_type ? c->c->ret_type : "", true);
			break;
		case 'v':
			c->ret = bw_val_unknown();
			break;
		default:
			break;
		}
		back = special(e, s, c);
		if (!writes_itself((enum bw_special)c->c->special))
			write_args(e, s, c);
		if (c->c->channel && c->c->special != BW_SP_RB_SUBMIT && c->c->special != BW_SP_RB_SUBMIT_DYNPTR &&
		    c->c->special != BW_SP_REDIRECT && c->c->special != BW_SP_REDIRECT_MAP && c->c->special != BW_SP_PACKET_STORE)
			bw_sink(e, (enum bw_channel)(c->c->channel - 1), c->map, &c->data, c->len);
	}
	if (c->ret.kind == BW_VAL_NONE)
		c->ret = bw_val_unknown();
	s->r[0] = c->ret;
	for (unsigned int i = 1; i <= 5; i++)
		s->r[i] = (struct bw_val){ 0 };
	return back;
}

/* eBPF for Windows numbers its general helpers differently (ebpf_structs.h); those that do the same are translated. */
static uint32_t windows_helper(uint32_t id)
{
	static const uint16_t linux_id[] = { [1] = 1,  [2] = 2,   [3] = 3,  [5] = 12, [6] = 7,   [7] = 125, [8] = 8,
					     [9] = 5,  [10] = 28, [11] = 130, [12] = 6, [13] = 6, [14] = 6,  [15] = 6,
					     [16] = 87, [17] = 88, [18] = 89, [19] = 14 };

	return id < sizeof(linux_id) / sizeof(*linux_id) ? linux_id[id] : 0;
}

static bool call_sub(struct bw_engine *e, struct bw_state *s, int32_t func)
{
	struct bw_val keep[5];
	bool back;

	memcpy(keep, s->r + 6, sizeof(keep));
	for (unsigned int i = 1; i <= 5; i++)
		if (s->r[i].taint)
			s->r[i].carry |= (uint16_t)BW_CARRY_BIT(BW_CARRY_SUBPROG);
	back = bw_run_func(e, func, s);
	if (!back)
		return false;
	if (s->r[0].taint)
		s->r[0].carry |= (uint16_t)BW_CARRY_BIT(BW_CARRY_SUBPROG);
	memcpy(s->r + 6, keep, sizeof(keep));
	for (unsigned int i = 1; i <= 5; i++)
		s->r[i] = (struct bw_val){ 0 };
	return true;
}

bool bw_call(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d)
{
	const struct bw_code *code = &e->o->codes[e->o->funcs[e->func].code];
	const struct bw_reloc *rel = bw_code_reloc(code, e->insn);
	struct call c = { .id = 0 };

	if (d->op == BW_OP_CALL_REG) {
		struct bw_val ret, keep[5], f = s->r[d->target_reg < 11 ? d->target_reg : 0];

		memcpy(keep, s->r + 6, sizeof(keep));
		if (!run_funcs(e, s, &f, &ret)) {
			bw_unanalysed(e, "indirect call to an unknown function");
			ret = bw_val_unknown();
		}
		s->r[0] = ret.kind == BW_VAL_NONE ? bw_val_unknown() : ret;
		memcpy(s->r + 6, keep, sizeof(keep));
		return true;
	}
	if (rel && rel->kind == BW_RELOC_CALL && rel->target >= 0)
		return call_sub(e, s, rel->target);
	if (d->op == BW_OP_CALL_LOCAL && !(rel && rel->kind == BW_RELOC_KFUNC)) {
		int64_t t = bw_insn_target(d, e->insn, code->n_insns);
		int32_t func = t < 0 ? BW_NONE : bw_object_func_starting(e->o, e->o->funcs[e->func].code, (uint32_t)t);

		if (func < 0) {
			bw_unanalysed(e, "call to something that is not a function");
			s->r[0] = bw_val_unknown();
			return true;
		}
		return call_sub(e, s, func);
	}
	if ((rel && rel->kind == BW_RELOC_KFUNC && rel->target >= 0) || d->op == BW_OP_CALL_KFUNC) {
		c.name = rel && rel->target >= 0 ? e->o->externs[rel->target].name : "kfunc";
		c.c = bw_kfunc_get(c.name);
		c.id = -1 - (int32_t)bw_dom_str(&e->d, c.name);
		return call_callee(e, s, &c);
	}
	{
		uint32_t id = e->o->flavour == BW_FLAVOUR_WINDOWS ? windows_helper((uint32_t)d->imm) : (uint32_t)d->imm;

		c.c = bw_helper_get(id);
		c.id = c.c ? (int32_t)id : d->imm > 0 ? d->imm : 1 << 20;
		c.name = c.c ? c.c->name : "unknown helper";
		if (!c.c)
			bw_unanalysed(e, "call of an unknown helper");
	}
	return call_callee(e, s, &c);
}
