// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that copy memory: dynptrs, and what is read outside the program.
 */
#include "auditor/engine_call.h"

#define S(x) BW_SRC_BIT(BW_SRC_##x)

/* ---- dynptrs: the slot on the stack holds a pointer to the memory behind ----------------------------------------------------------- */

struct bw_val bw_dynptr_get(struct bw_engine *e, struct bw_state *s, const struct bw_val *arg)
{
	const struct bw_region *g = arg->kind == BW_VAL_PTR ? bw_dom_only(&e->d, arg->ref) : NULL;

	if (g && g->kind == BW_REGION_EXT)
		return *arg;
	return bw_mem_read(e, s, arg, 0, 8);
}

void bw_dynptr_set(struct bw_engine *e, struct bw_state *s, const struct bw_val *arg, const struct bw_val *mem)
{
	struct bw_val zero = bw_val_unknown();

	bw_mem_write(e, s, arg, 0, 8, mem);
	bw_mem_write(e, s, arg, 8, 8, &zero);
}

struct bw_val bw_dynptr_moved(const struct bw_val *p, const struct bw_val *off)
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

struct bw_val bw_call_copy(struct bw_engine *e, struct bw_state *s, const struct bw_val *dst, const struct bw_val *src,
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
struct bw_val bw_call_read_outside(struct bw_engine *e, struct bw_state *s, const struct bw_call_args *c, const struct bw_val *src,
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

/*
 * Registers, structures and contexts have fields: a copy of several is taken word by word. A few words of memory whose class is
 * known may be a structure, too, whose pointers lead to more of it.
 */
#define MAX_PLAIN_STRUCT 64u
static bool structured(struct bw_engine *e, const struct bw_val *src, uint64_t len)
{
	const struct bw_region *g = src->kind == BW_VAL_PTR && src->lo == src->hi ? bw_dom_only(&e->d, src->ref) : NULL;

	if (!g)
		return false;
	if (g->kind == BW_REGION_CTX)
		return true;
	if (g->kind != BW_REGION_EXT || bw_dom_desc(&e->d, (uint32_t)g->a)->kind == BW_DESC_SYSARG)
		return false;
	return bw_dom_desc(&e->d, (uint32_t)g->a)->kind != BW_DESC_PLAIN ||
	       (len <= MAX_PLAIN_STRUCT && bw_dom_desc(&e->d, (uint32_t)g->a)->classes);
}

static struct bw_val read_words(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, uint64_t len)
{
	struct bw_val all = { 0 }, src = c->arg[3];

	for (uint64_t at = 0; at < len; at += 8) {
		struct bw_val v = bw_call_read_outside(e, s, c, &src, (struct bw_length){ 8, 8 }, 8);

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

void bw_call_probe_read(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	struct bw_length len = bw_len_of(&c->arg[2]);
	bool words = len.min == len.max && c->c->ret != 'l' && len.max > 8 && len.max <= 512 && len.max % 8 == 0 &&
		     structured(e, &c->arg[3], len.max);
	bool number = len.min == len.max && c->c->ret != 'l' && (len.max == 1 || len.max == 2 || len.max == 4 || len.max == 8);
	struct bw_val v = words ? read_words(e, s, c, len.max) :
				  bw_call_read_outside(e, s, c, &c->arg[3], len, number ? (unsigned int)len.max : 0);
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

void bw_call_dynptr_fill(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	struct bw_val d, src, mem, v, zero = bw_val_const(0);

	bw_call_arg(c, 'd', &d);
	bw_call_arg(c, 'u', &src);
	mem = bw_dynptr_get(e, s, &d);
	if (src.kind != BW_VAL_NONE) {
		v = bw_call_read_outside(e, s, c, &src, BW_LEN_ANY, 0);
		mem = bw_dynptr_moved(&mem, &c->arg[2]);
	} else {
		v = bw_val_unknown();
		bw_taint(e, &v, c->c->sources, bw_dom_str(&e->d, c->name));
		mem = bw_dynptr_moved(&mem, &zero);
	}
	bw_mem_scatter(e, s, &mem, strchr(c->c->args, 'u') ? bw_len_of(&c->arg[3]) : BW_LEN_ANY, &v);
}
