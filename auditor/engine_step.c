// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Single instructions, and the blocks made of them: loads, stores and constants; engine_alu.c and engine_call.c have the rest.
 */
#include "auditor/engine.h"

#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)

static struct bw_val load_imm64(struct bw_engine *e, const struct bw_decoded *d)
{
	const struct bw_code *code = &e->o->codes[e->o->funcs[e->func].code];
	const struct bw_reloc *rel = bw_code_reloc(code, e->insn);
	struct bw_val v = bw_val_const((int64_t)d->imm64);
	const struct bw_core_relo *core;

	if (!rel) {
		core = bw_core_here(e);
		if (core && core->kind == BW_CORE_FIELD_BYTE_OFFSET)
			v.tag = bw_core_tag(e);
		else if (core)
			v.flags |= BW_VAL_SOFT;
		if (d->pseudo == BW_PSEUDO_BTF_ID || (d->pseudo && d->pseudo != BW_PSEUDO_FUNC))
			v = bw_val_unknown();
		return v;
	}
	switch (rel->kind) {
	case BW_RELOC_MAP:
		return bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAP, rel->target, 0), 0);
	case BW_RELOC_DATA:
		return bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, rel->target, 0), rel->addend);
	case BW_RELOC_FUNC_ADDR:
		return bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_FUNC, rel->target, 0), 0);
	case BW_RELOC_KSYM: {
		const char *name = rel->target >= 0 ? e->o->externs[rel->target].name : rel->symbol;
		struct bw_desc ext = { .space = BW_SPACE_KERNEL, .classes = S(KERNEL_MEMORY), .detail = bw_dom_str(&e->d, name) };

		v = bw_val_ptr(bw_ext_set(e, &ext), 0);
		v.flags = BW_VAL_NULLABLE;
		bw_taint(e, &v, S(KERNEL_POINTER), ext.detail);
		return v;
	}
	case BW_RELOC_KCONFIG:
		for (uint32_t m = 0; m < e->n_maps; m++)
			if (e->o->maps[m].kind == BW_MAP_KCONFIG)
				return bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, (int32_t)m, 0),
						  rel->target >= 0 ? e->o->externs[rel->target].offset : 0);
		return bw_val_unknown();
	default:
		return bw_val_unknown();
	}
}

/*
 * How a load's tag says where in the transport header it was, when a header of variable length comes before: 1 + the offset
 * above, and whether it is where a port is in the lowest bit.
 */
uint32_t bw_packet_place(int64_t off, unsigned int width)
{
	if (off < 0 || off >= 64)
		return 0;
	return (uint32_t)(1 + off) << 1 | (width == 2 && (off == 0 || off == 2 || off == 20 || off == 22));
}

int64_t bw_packet_header_off(const struct bw_tag *t)
{
	return (int64_t)(t->d >> 1) - 1;
}

/* A load of @width bytes from between @lo and @hi of the packet @ref. Variable places are negative, in their order. */
uint32_t bw_packet_tag(struct bw_engine *e, uint32_t ref, int64_t lo, int64_t hi, unsigned int width)
{
	int64_t w = bw_span(lo, hi), k;

	if (!w)
		return bw_dom_tag_add(&e->d, BW_TAG_LOAD, ref, lo, width, 0);
	/* An IPv4 header has 4 * ihl bytes: up to 60, or 20 to 60 when short ones were turned away. */
	k = lo + (e->at->l3 ? 14 : 0) - 14 - (w == 60 ? 0 : 60 - w);
	return bw_dom_tag_add(&e->d, BW_TAG_LOAD, ref, lo - BW_PACKET_VARIABLE, width, w > 0 && w <= 60 ? bw_packet_place(k, width) : 0);
}

/* The value of @width bytes as the register gets it. */
static void load_tag(struct bw_engine *e, struct bw_state *s, const struct bw_val *p, const struct bw_decoded *d, struct bw_val *v)
{
	const struct bw_region *g;
	int64_t lo = bw_sat_add(p->lo, d->off), w = bw_span(p->lo, p->hi);
	bool near = p->lo >= -4096 && p->hi <= 1 << 20;

	if (v->kind != BW_VAL_SCALAR || v->tag || p->kind != BW_VAL_PTR)
		return;
	g = bw_dom_only(&e->d, p->ref);
	if (!g || (!near && (g->kind == BW_REGION_PACKET || d->width != 1)))
		return;
	if (g->kind == BW_REGION_PACKET) {
		v->tag = bw_packet_tag(e, p->ref, lo, bw_sat_add(lo, w), d->width);
		return;
	}
	if (w) {
		/* A loop looks for a word byte by byte: their places are known among each other, if not in the whole. */
		v->tag = bw_dom_tag_add(&e->d, BW_TAG_LOAD, p->ref, (near ? lo : d->off) - BW_PACKET_VARIABLE, d->width, 0);
		return;
	}
	if (g->kind == BW_REGION_STACK && d->width > 1) {
		/* Bytes copied out of the packet remember their place one by one. */
		struct bw_val first = bw_mem_read(e, s, p, d->off, 1);
		const struct bw_tag *t = first.tag ? bw_dom_tag(&e->d, first.tag) : NULL;

		if (t && t->kind == BW_TAG_LOAD && t->c == 1) {
			v->tag = bw_dom_tag_add(&e->d, BW_TAG_LOAD, t->a, t->b, d->width,
						bw_packet_place(bw_packet_header_off(t), d->width));
			return;
		}
	}
	v->tag = bw_dom_tag_add(&e->d, BW_TAG_LOAD, p->ref, lo, d->width, 0);
}

static void load(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d)
{
	struct bw_val p = s->r[d->src < 11 ? d->src : 0], v = bw_mem_read(e, s, &p, d->off, d->width);

	if (d->sign_extend && v.kind == BW_VAL_SCALAR) {
		int64_t m = d->width == 1 ? INT8_MAX : d->width == 2 ? INT16_MAX : INT32_MAX;

		if (bw_val_is_literal(&v)) {
			v.lo = v.hi = d->width == 1 ? (int8_t)v.lo : d->width == 2 ? (int16_t)v.lo : (int32_t)v.lo;
		} else if (v.lo < 0 || v.hi > m) {
			v.lo = -m - 1;
			v.hi = m;
			v.ref = 0;
		}
	}
	load_tag(e, s, &p, d, &v);
	s->r[d->dst < 11 ? d->dst : 0] = v;
}

static struct bw_val truncated(struct bw_engine *e, const struct bw_val *v, unsigned int width)
{
	struct bw_val t = bw_val_of_width(width);

	if (width == 8 && v->kind != BW_VAL_NONE)
		return *v;
	if (v->kind == BW_VAL_NONE)
		return t;
	if (v->kind == BW_VAL_SCALAR && v->lo >= t.lo && v->hi <= t.hi)
		return *v;
	bw_val_absorb(&e->d, &t, v);
	t.map = v->map;
	if (bw_val_is_literal(v)) {
		t.lo = t.hi = (int64_t)((uint64_t)v->lo & (uint64_t)t.hi);
		t.flags |= v->flags & BW_VAL_SOFT;
	}
	return t;
}

static void store(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d)
{
	struct bw_val v = d->use_imm ? bw_val_const(d->imm) : s->r[d->src < 11 ? d->src : 0], p = s->r[d->dst < 11 ? d->dst : 0];

	v = truncated(e, &v, d->width);
	bw_mem_write(e, s, &p, d->off, d->width, &v);
}

static void atomic(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d)
{
	struct bw_val p = s->r[d->dst < 11 ? d->dst : 0], v = s->r[d->src < 11 ? d->src : 0], old, new;

	old = bw_mem_read(e, s, &p, d->off, d->width);
	v = truncated(e, &v, d->width);
	if (d->op == BW_OP_ATOMIC_XCHG) {
		new = v;
	} else if (d->op == BW_OP_ATOMIC_CMPXCHG) {
		new = old;
		bw_val_join(&e->d, &new, &v, false);
	} else {
		new = bw_val_of_width(d->width);
		bw_val_absorb(&e->d, &new, &old);
		bw_val_absorb(&e->d, &new, &v);
	}
	bw_mem_write(e, s, &p, d->off, d->width, &new);
	if (d->op == BW_OP_ATOMIC_CMPXCHG)
		s->r[0] = old;
	else if (d->fetch && d->src < 11)
		s->r[d->src] = old;
}

static void load_packet(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d)
{
	struct bw_val v = bw_val_of_width(d->width), off = bw_val_const(d->imm);
	int64_t lo = d->imm, hi = d->imm;

	if (d->op == BW_OP_LD_IND && d->src < 11) {
		off = s->r[d->src];
		if (off.kind != BW_VAL_SCALAR || off.flags & BW_VAL_SOFT || off.lo < 0 || off.hi > UINT32_MAX) {
			lo = INT64_MIN;
			hi = INT64_MAX;
		} else {
			lo += off.lo;
			hi += off.hi;
		}
	}
	v.from = BW_FROM_BIT(BW_FROM_PACKET);
	bw_taint(e, &v, bw_packet_classes(e, s, lo, hi, d->width),
		 lo == hi ? bw_dom_strf(&e->d, "packet+%lld", (long long)lo) : bw_dom_str(&e->d, "packet"));
	v.tag = bw_dom_tag_add(&e->d, BW_TAG_LOAD, bw_dom_region_set(&e->d, BW_REGION_PACKET, 0, 0), lo == hi ? lo : -1, d->width,
			       lo != hi && d->width == 2);
	s->r[0] = v;
	for (int i = 1; i <= 5; i++)
		s->r[i] = (struct bw_val){ 0 };
}

/* Keeps track of which registers are equal, after instruction @d. */
static void track_equals(struct bw_state *s, const struct bw_decoded *d)
{
	bool shift = d->use_imm && d->imm == 32 && d->width == 8 && d->dst < 11;
	uint8_t was = d->dst < 11 ? s->eq[d->dst] : 0;
	int leader = -1;

	for (uint16_t left = d->writes & 0x7ff; left; left &= left - 1) {
		int l = bw_state_eq_written(s, (unsigned int)__builtin_ctz(left));

		if ((unsigned int)__builtin_ctz(left) == d->dst)
			leader = l;
	}
	if (d->op == BW_OP_MOV && !d->use_imm && d->dst < 11 && d->src < 11 && d->src != d->dst &&
	    !memcmp(&s->r[d->dst], &s->r[d->src], sizeof(*s->r))) {
		s->eq[d->dst] = s->eq[d->src];
	} else if (d->op == BW_OP_LSH && shift && leader >= 0) {
		s->eq[d->dst] = (uint8_t)(leader | BW_EQ_SHIFTED);
	} else if ((d->op == BW_OP_RSH || d->op == BW_OP_ARSH) && shift && was & BW_EQ_SHIFTED) {
		/* Shifted left and back: the number itself, when it fits; its lower half otherwise. */
		unsigned int l = was & BW_EQ_REG;
		const struct bw_val *v = &s->r[l];
		struct bw_val *r = &s->r[d->dst];

		if (l == d->dst || v->kind != BW_VAL_SCALAR || v->flags & BW_VAL_SOFT || r->kind != BW_VAL_SCALAR)
			return;
		if (d->op == BW_OP_RSH ? v->lo >= 0 && v->hi <= UINT32_MAX : v->lo >= INT32_MIN && v->hi <= INT32_MAX) {
			r->lo = v->lo;
			r->hi = v->hi;
			r->ref = v->ref;
			s->eq[d->dst] = (uint8_t)l;
		} else if (d->op == BW_OP_RSH) {
			s->eq[d->dst] = (uint8_t)(l | BW_EQ_ZEXT);
		}
	}
}

bool bw_run_block(struct bw_engine *e, const struct bw_cfg *c, const struct bw_block *b, struct bw_state *s)
{
	const struct bw_core_relo *core;

	for (uint32_t i = b->first; i <= b->last;) {
		const struct bw_decoded *d = bw_cfg_insn(c, i);

		e->insn = i;
		e->steps++;
		switch (d->op) {
		case BW_OP_MOV:
			core = d->use_imm ? bw_core_here(e) : NULL;
			bw_alu(e, s, d);
			if (core && core->kind != BW_CORE_FIELD_BYTE_OFFSET && d->dst < 11)
				s->r[d->dst].flags |= BW_VAL_SOFT;
			break;
		case BW_OP_LD_IMM64:
			if (d->dst < 11)
				s->r[d->dst] = load_imm64(e, d);
			break;
		case BW_OP_LD_ABS:
		case BW_OP_LD_IND:
			load_packet(e, s, d);
			break;
		case BW_OP_LOAD:
		case BW_OP_LOAD_ACQUIRE:
			load(e, s, d);
			break;
		case BW_OP_STORE:
		case BW_OP_STORE_RELEASE:
			store(e, s, d);
			break;
		case BW_OP_ATOMIC_ADD:
		case BW_OP_ATOMIC_AND:
		case BW_OP_ATOMIC_OR:
		case BW_OP_ATOMIC_XOR:
		case BW_OP_ATOMIC_XCHG:
		case BW_OP_ATOMIC_CMPXCHG:
			atomic(e, s, d);
			break;
		case BW_OP_CALL:
		case BW_OP_CALL_LOCAL:
		case BW_OP_CALL_KFUNC:
		case BW_OP_CALL_REG:
			if (!bw_call(e, s, d))
				return false;
			e->func = c->func;
			e->block = (uint32_t)(b - c->blocks);
			e->insn = i;
			break;
		case BW_OP_NOSPEC:
		case BW_OP_JA:
		case BW_OP_GOTOX:
		case BW_OP_EXIT:
		case BW_OP_MAY_GOTO:
			if (d->op == BW_OP_MAY_GOTO)
				bw_count(e, BW_COUNT_LOOP);
			break;
		default:
			if (bw_op_is_alu(d->op))
				bw_alu(e, s, d);
			break;
		}
		if (d->writes)
			track_equals(s, d);
		if (e->stop || e->d.budget.failed)
			return false;
		i += d->slots ? d->slots : 1;
	}
	return true;
}
