// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Blocks, functions, programs, and the fixpoint over everything the programs of an object share. Over 800 lines because the transfer
 * of single instructions and the walk over blocks share their helpers; the next thing that grows here moves out.
 */
#include "auditor/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bpf_names.h"

#define S(x) BW_SRC_BIT(BW_SRC_##x)
#define WIDEN_AFTER 3u /* visits of a loop's head */
#define MAX_VISITS 400u /* of one block in one run of its function: nothing should come near */

static const struct bw_cfg *cfg_of(struct bw_engine *e, int32_t func)
{
	if (!e->cfgs[func] && bw_cfg_build(e->o, func, &e->d.budget, &e->cfgs[func]))
		return NULL;
	return e->cfgs[func];
}

/* ---- single instructions --------------------------------------------------------------------------------------------------------- */

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

	if (v->kind != BW_VAL_SCALAR || v->tag || p->kind != BW_VAL_PTR || p->lo < -4096 || p->hi > 1 << 20)
		return;
	g = bw_dom_only(&e->d, p->ref);
	if (!g)
		return;
	if (g->kind == BW_REGION_PACKET) {
		v->tag = bw_packet_tag(e, p->ref, lo, bw_sat_add(lo, w), d->width);
		return;
	}
	if (w)
		return;
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

/* ---- blocks ----------------------------------------------------------------------------------------------------------------------- */

/* Runs one block on @s; false when its end is not reached. */
static bool run_block(struct bw_engine *e, const struct bw_cfg *c, const struct bw_block *b, struct bw_state *s)
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

static void note_verdict(struct bw_engine *e, const struct bw_cfg *c, uint32_t block, const struct bw_state *s)
{
	const struct bw_block *b = &c->blocks[block];
	int reg = bw_cfg_insn(c, b->last)->op == BW_OP_EXIT ? 0 : -1;
	struct bw_rec *r;

	for (uint32_t i = 0; i < b->n_succ && reg < 0; i++)
		reg = bw_block_returns(c, bw_block_succs(c, b)[i]);
	if (reg < 0)
		return;
	r = bw_rec_at(e, BW_REC_VERDICT, c->func, block, 0, 0);
	if (r)
		bw_val_join(&e->d, &r->val, &s->r[reg], false);
}

struct work {
	struct bw_state **in; /* per block */
	uint16_t *visits;
	uint64_t *pending; /* bitmap */
	uint32_t lowest;
	size_t size;
};

static int work_init(struct bw_engine *e, struct work *w, uint32_t n)
{
	uint8_t *p;

	w->size = (size_t)n * (sizeof(*w->in) + sizeof(*w->visits)) + (n / 64 + 1) * 8 + 16;
	p = bw_budget_alloc(&e->d.budget, w->size);
	if (!p)
		return -ENOMEM;
	w->in = (void *)p;
	w->pending = (void *)(p + (size_t)n * sizeof(*w->in));
	w->visits = (void *)(p + (size_t)n * sizeof(*w->in) + (n / 64 + 1) * 8);
	w->lowest = 0;
	return 0;
}

static void work_push(struct work *w, uint32_t b)
{
	w->pending[b / 64] |= 1ull << b % 64;
	if (b / 64 < w->lowest)
		w->lowest = b / 64;
}

static bool work_pop(struct work *w, uint32_t n, uint32_t *ret)
{
	for (; w->lowest <= (n - 1) / 64; w->lowest++)
		if (w->pending[w->lowest]) {
			*ret = w->lowest * 64 + (uint32_t)__builtin_ctzll(w->pending[w->lowest]);
			w->pending[w->lowest] &= w->pending[w->lowest] - 1;
			return true;
		}
	return false;
}

static void flow_into(struct bw_engine *e, const struct bw_cfg *c, struct work *w, uint32_t to, const struct bw_state *s)
{
	if (!w->in[to]) {
		w->in[to] = bw_state_new(&e->d);
		if (!w->in[to])
			return;
		bw_state_copy(&e->d, w->in[to], s);
		work_push(w, to);
	} else if (bw_state_join(&e->d, w->in[to], s, c->blocks[to].loop_head && w->visits[to] > WIDEN_AFTER)) {
		work_push(w, to);
	}
}

/* The work on one function; @s is the state at its entry, then at its return. */
static bool run_blocks(struct bw_engine *e, const struct bw_cfg *c, struct bw_state *s)
{
	struct work w;
	struct bw_state *now = bw_state_new(&e->d), *out = NULL;
	uint32_t b;

	if (!now || work_init(e, &w, c->n_blocks)) {
		bw_state_free(&e->d, now);
		return false;
	}
	flow_into(e, c, &w, 0, s);
	while (!e->stop && !e->d.budget.failed && work_pop(&w, c->n_blocks, &b)) {
		const struct bw_block *k = &c->blocks[b];
		const struct bw_decoded *last = bw_cfg_insn(c, k->last);
		const uint32_t *succs;

		e->func = c->func;
		e->block = b;
		e->calls[e->depth].block = b;
		e->visits++;
		if (++w.visits[b] > MAX_VISITS) {
			e->insn = k->first;
			bw_unanalysed(e, "a loop does not settle");
			continue;
		}
		if (e->steps + e->d.work / 4 > e->limits.max_steps) {
			e->insn = k->first;
			bw_unanalysed(e, "step budget exhausted");
			e->stop = true;
			break;
		}
		bw_state_copy(&e->d, now, w.in[b]);
		if (!k->in_loop) {
			/* All that lead here have run: nothing will be joined to this state again. */
			bw_state_free(&e->d, w.in[b]);
			w.in[b] = NULL;
		}
		if (!run_block(e, c, k, now))
			continue;
		e->insn = k->last;
		if (e->depth == 0)
			note_verdict(e, c, b, now);
		succs = bw_block_succs(c, k);
		if (last->op == BW_OP_EXIT) {
			if (!out) {
				out = bw_state_new(&e->d);
				if (out)
					bw_state_copy(&e->d, out, now);
			} else {
				bw_state_join(&e->d, out, now, false);
			}
		} else if ((bw_op_is_cond_jump(last->op) || last->op == BW_OP_MAY_GOTO) && k->n_succ == 2) {
			struct bw_state *taken = bw_state_new(&e->d);

			if (!taken)
				break;
			bw_compare_note(e, now, last);
			bw_state_copy(&e->d, taken, now);
			if (bw_branch(e, now, last, false))
				flow_into(e, c, &w, succs[0], now);
			if (bw_branch(e, taken, last, true))
				flow_into(e, c, &w, succs[1], taken);
			bw_state_free(&e->d, taken);
		} else {
			for (uint32_t i = 0; i < k->n_succ; i++)
				flow_into(e, c, &w, bw_block_succs(c, k)[i], now);
		}
	}
	for (uint32_t i = 0; i < c->n_blocks; i++)
		bw_state_free(&e->d, w.in[i]);
	bw_budget_free(&e->d.budget, w.in, w.size);
	bw_state_free(&e->d, now);
	if (!out)
		return false;
	bw_state_copy(&e->d, s, out);
	bw_state_free(&e->d, out);
	return true;
}

bool bw_run_func(struct bw_engine *e, int32_t func, struct bw_state *s)
{
	int32_t caller = e->func;
	uint32_t caller_insn = e->insn, caller_block = e->block;
	const struct bw_cfg *c;
	bool back = false, recursive = false, later = e->later;

	e->later = false;
	for (uint32_t i = 0; i <= e->depth; i++)
		recursive |= e->calls[i].func == func;
	/* A timer's callback that starts the timer again: what it does is being looked at already. */
	if (recursive && later) {
		s->r[0] = bw_val_unknown();
		return true;
	}
	if (recursive || e->depth + 1 >= BW_MAX_FRAMES || s->depth + 1 >= BW_MAX_FRAMES) {
		bw_unanalysed(e, recursive ? "recursive call" : "calls nest more deeply than is followed");
		s->r[0] = bw_val_unknown();
		return true;
	}
	c = cfg_of(e, func);
	if (!c) {
		return false;
	}
	e->inlined += c->n_insns;
	if (e->inlined > e->limits.max_inline) {
		bw_unanalysed(e, "too much code with all calls followed");
		e->stop = true;
		return false;
	}
	e->calls[e->depth].block = caller_block;
	e->depth++;
	e->calls[e->depth].func = func;
	s->depth++;
	bw_mem_put(&e->d, s->frames[s->depth]);
	s->frames[s->depth] = bw_mem_new(&e->d);
	for (int i = 6; i < 10; i++)
		s->r[i] = (struct bw_val){ 0 };
	s->r[0] = (struct bw_val){ 0 };
	s->r[10] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_STACK, (int32_t)s->depth, 0), BW_STACK_SIZE);
	bw_state_eq_reset(s);
	if (s->frames[s->depth] && c->n_blocks)
		back = run_blocks(e, c, s);
	bw_state_eq_reset(s);
	for (uint32_t i = 0; i < c->n_problems; i++)
		bw_rec_at(e, BW_REC_UNANALYSED, func, c->problems[i].insn, (int32_t)bw_dom_str(&e->d, c->problems[i].reason), 0);
	if (s->depth) {
		bw_mem_put(&e->d, s->frames[s->depth]);
		s->frames[s->depth] = NULL;
		s->depth--;
	}
	e->depth--;
	e->func = caller;
	e->insn = caller_insn;
	e->block = caller_block;
	return back;
}

/* The functions that BTF declaration tags of @func name: exception_callback:NAME (kernel/bpf/verifier.c). */
static int32_t exception_callback(const struct bw_engine *e, int32_t func)
{
	static const char tag[] = "exception_callback:";
	uint32_t btf_func = e->o->funcs[func].btf_func;
	struct bw_btf_type t;

	for (uint32_t id = 1; e->o->btf && btf_func && id <= e->o->btf->n_types; id++) {
		if (!bw_btf_type(e->o->btf, id, &t) || t.kind != BW_BTF_DECL_TAG || t.type != btf_func ||
		    strncmp(t.name, tag, sizeof(tag) - 1))
			continue;
		for (uint32_t i = 0; i < e->o->n_funcs; i++)
			if (!strcmp(e->o->funcs[i].name, t.name + sizeof(tag) - 1))
				return (int32_t)i;
	}
	return BW_NONE;
}

/* bpf_throw ends the program in its exception callback, whose result is the program's. */
static void run_exception(struct bw_engine *e, int32_t func)
{
	int32_t callback = exception_callback(e, func);
	struct bw_state *s = callback >= 0 ? bw_state_new(&e->d) : NULL;
	struct bw_rec *r;

	if (!s)
		return;
	s->frames[0] = bw_mem_new(&e->d);
	s->r[1] = bw_val_unknown();
	s->r[10] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_STACK, 0, 0), BW_STACK_SIZE);
	if (s->frames[0] && bw_run_func(e, callback, s)) {
		r = bw_rec_at(e, BW_REC_RETURN, func, 0, 0, 0);
		if (r)
			bw_val_join(&e->d, &r->val, &s->r[0], false);
	}
	bw_state_free(&e->d, s);
}

/* ---- programs ------------------------------------------------------------------------------------------------------------------------- */

static void run_program(struct bw_engine *e, uint32_t prog)
{
	const struct bw_prog *p = &e->o->progs[prog];
	struct bw_state *s = bw_state_new(&e->d);
	const struct bw_cfg *c;
	struct bw_rec *r;

	if (!s)
		return;
	e->prog = (int32_t)prog;
	e->at = &e->attaches[prog];
	e->func = p->func;
	e->insn = p->func >= 0 ? e->o->funcs[p->func].first : 0;
	e->depth = 0;
	e->block = 0;
	e->calls[0].func = p->func;
	e->calls[0].block = 0;
	e->total_steps += e->steps;
	e->steps = 0;
	e->d.work = 0;
	e->inlined = 0;
	e->stop = false;
	if (p->func < 0 || !(c = cfg_of(e, p->func))) {
		bw_unanalysed(e, "program without code");
		bw_state_free(&e->d, s);
		return;
	}
	s->frames[0] = bw_mem_new(&e->d);
	s->r[1] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_CTX, 0, 0), 0);
	s->r[10] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_STACK, 0, 0), BW_STACK_SIZE);
	e->threw = false;
	if (s->frames[0] && c->n_blocks && run_blocks(e, c, s)) {
		r = bw_rec_at(e, BW_REC_RETURN, p->func, 0, 0, 0);
		if (r)
			bw_val_join(&e->d, &r->val, &s->r[0], false);
	}
	for (uint32_t i = 0; i < c->n_problems; i++)
		bw_rec_at(e, BW_REC_UNANALYSED, p->func, c->problems[i].insn, (int32_t)bw_dom_str(&e->d, c->problems[i].reason), 0);
	bw_state_free(&e->d, s);
	if (e->threw && !e->stop)
		run_exception(e, p->func);
}

static bool is_percpu(uint32_t type)
{
	return type == 5 || type == 6 || type == 10 || type == 21; /* percpu_hash, percpu_array, lru_percpu_hash, percpu cgroup */
}

static void map_info_init(struct bw_engine *e, uint32_t i, const struct bw_map *m, bool inner_of)
{
	struct bw_map_info *k = &e->maps[i];
	const char *type = bw_map_type_name(m->type);

	k->value_size = inner_of || !m->value_size ? 0 : m->value_size;
	k->carrier = BW_CARRY_MAP_VALUE;
	k->channel = true;
	if (inner_of)
		return;
	k->percpu = is_percpu(m->type);
	k->data = m->kind == BW_MAP_DATA || m->kind == BW_MAP_RODATA || m->kind == BW_MAP_BSS || m->kind == BW_MAP_KCONFIG ||
		  m->kind == BW_MAP_ARENA_DATA;
	k->rodata = m->kind == BW_MAP_RODATA || m->kind == BW_MAP_KCONFIG || m->frozen;
	if (k->percpu)
		k->carrier = BW_CARRY_PERCPU;
	if (k->data)
		k->carrier = BW_CARRY_GLOBAL;
	if (type && strstr(type, "storage"))
		k->carrier = BW_CARRY_LOCAL_STORAGE;
	if (type && !strcmp(type, "arena"))
		k->carrier = BW_CARRY_ARENA;
	/* What user space cannot read back as bytes: program, map, cgroup, socket and device references, ring buffers. */
	if (type && (!strcmp(type, "prog_array") || !strcmp(type, "perf_event_array") || !strcmp(type, "ringbuf") ||
		     !strcmp(type, "cgroup_array") || !strcmp(type, "array_of_maps") || !strcmp(type, "hash_of_maps") ||
		     !strcmp(type, "devmap") || !strcmp(type, "sockmap") || !strcmp(type, "cpumap") || !strcmp(type, "xskmap") ||
		     !strcmp(type, "sockhash") || !strcmp(type, "devmap_hash") || !strcmp(type, "user_ringbuf")))
		k->channel = false;
	if (k->rodata)
		k->channel = false;
	if (m->kind == BW_MAP_STRUCT_OPS)
		k->channel = false;
}

static void engine_free(struct bw_engine *e)
{
	struct bw_mem_budget *b = &e->d.budget;

	if (e->cfgs)
		for (uint32_t i = 0; i < e->o->n_funcs; i++)
			bw_cfg_free(e->cfgs[i], b);
	if (e->maps)
		for (uint32_t i = 0; i < 2 * e->n_maps; i++)
			bw_mem_put(&e->d, e->maps[i].content);
	bw_mem_put(&e->d, e->ctx_mem);
	bw_mem_put(&e->d, e->heap_mem);
	bw_mem_put(&e->d, e->packet_mem);
	for (uint32_t i = 0; i < e->o->n_codes; i++) {
		if (e->core_bits)
			bw_budget_free(b, e->core_bits[i], e->o->codes[i].n_insns / 8 + 1);
		if (e->core_tags)
			bw_budget_free(b, e->core_tags[i], e->o->codes[i].n_cores * sizeof(uint32_t));
	}
	bw_budget_free(b, e->core_bits, (e->o->n_codes + 1) * sizeof(*e->core_bits));
	bw_budget_free(b, e->core_tags, (e->o->n_codes + 1) * sizeof(*e->core_tags));
	bw_budget_free(b, e->cfgs, (e->o->n_funcs + 1) * sizeof(*e->cfgs));
	bw_budget_free(b, e->maps, (2 * (size_t)e->n_maps + 1) * sizeof(*e->maps));
	bw_budget_free(b, e->attaches, (e->o->n_progs + 1) * sizeof(*e->attaches));
	for (uint32_t i = 0; i < e->recs_cap / BW_REC_BLOCK; i++)
		bw_budget_free(b, e->recs[i], BW_REC_BLOCK * sizeof(**e->recs));
	bw_budget_free(b, e->recs, e->recs_cap / BW_REC_BLOCK * sizeof(*e->recs));
	bw_carried_free(e);
	bw_intern_free(&e->rec_keys);
	bw_domain_free(&e->d);
}

static int engine_init(struct bw_engine *e)
{
	const struct bw_object *o = e->o;
	struct bw_mem_budget *b = &e->d.budget;

	e->d.big_endian = o->big_endian;
	e->n_maps = o->n_maps;
	bw_intern_init(&e->rec_keys, b, sizeof(struct bw_rec_key));
	e->cfgs = bw_budget_alloc(b, (o->n_funcs + 1) * sizeof(*e->cfgs));
	e->maps = bw_budget_alloc(b, (2 * (size_t)o->n_maps + 1) * sizeof(*e->maps));
	e->attaches = bw_budget_alloc(b, (o->n_progs + 1) * sizeof(*e->attaches));
	e->core_bits = bw_budget_alloc(b, (o->n_codes + 1) * sizeof(*e->core_bits));
	e->core_tags = bw_budget_alloc(b, (o->n_codes + 1) * sizeof(*e->core_tags));
	if (bw_carried_init(e) || b->failed)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->n_maps; i++) {
		map_info_init(e, i, &o->maps[i], false);
		map_info_init(e, o->n_maps + i, &o->maps[i], true);
	}
	for (uint32_t i = 0; i < o->n_progs; i++)
		bw_attach_of(o, &o->progs[i], &e->attaches[i]);
	for (uint32_t i = 0; i < o->n_codes; i++) {
		const struct bw_code *c = &o->codes[i];

		if (!c->n_cores)
			continue;
		e->core_bits[i] = bw_budget_alloc(b, c->n_insns / 8 + 1);
		e->core_tags[i] = bw_budget_alloc(b, c->n_cores * sizeof(uint32_t));
		if (b->failed)
			return -ENOMEM;
		for (uint32_t k = 0; k < c->n_cores; k++)
			if (c->cores[k].insn < c->n_insns)
				e->core_bits[i][c->cores[k].insn / 8] |= (uint8_t)(1u << c->cores[k].insn % 8);
	}
	return 0;
}

/*
 * Programs run until nothing they share changes. A program runs again when a map it reads changed after its last start: its
 * own changes count, because what it stores at the end it may read at the beginning of its next run.
 */
static int fixpoint(struct bw_engine *e, uint32_t *ret_rounds)
{
	const struct bw_object *o = e->o;
	size_t n_maps = 2 * (size_t)e->n_maps, size = o->n_progs * (n_maps + sizeof(uint32_t)) + 16;
	uint8_t *reads;
	uint32_t *started, round = 0;
	bool again = true;

	if (size > (8u << 20))
		n_maps = 0; /* too many to tell apart: every program runs in every round */
	size = o->n_progs * (n_maps + sizeof(uint32_t)) + 16;
	started = bw_budget_alloc(&e->d.budget, size);
	reads = bw_budget_alloc(&e->d.budget, 2 * (size_t)e->n_maps + 1);
	if (!started || !reads)
		return -ENOMEM;
	for (; again && round < e->limits.max_rounds && !e->d.budget.failed; round++) {
		again = false;
		for (uint32_t p = 0; p < o->n_progs && !e->d.budget.failed; p++) {
			uint8_t *mine = (uint8_t *)(started + o->n_progs) + p * n_maps;
			bool stale = !round || e->shared_version > started[p];

			for (size_t m = 0; m < 2 * (size_t)e->n_maps && !stale; m++)
				stale = (!n_maps || mine[m]) && e->maps[m].version > started[p];
			if (!stale)
				continue;
			started[p] = e->clock;
			memset(reads, 0, 2 * (size_t)e->n_maps + 1);
			e->map_reads = reads;
			run_program(e, p);
			if (n_maps)
				memcpy(mine, reads, n_maps);
			again = true;
		}
	}
	if (again && round >= e->limits.max_rounds) {
		/* Did the last round change anything? */
		for (uint32_t p = 0; p < o->n_progs; p++)
			if (e->clock > started[p]) {
				e->prog = (int32_t)p;
				bw_rec_at(e, BW_REC_UNANALYSED, o->progs[p].func, 0,
					  (int32_t)bw_dom_str(&e->d, "maps do not settle in the rounds allowed"), 0);
			}
	}
	bw_budget_free(&e->d.budget, started, size);
	bw_budget_free(&e->d.budget, reads, 2 * (size_t)e->n_maps + 1);
	*ret_rounds = round;
	return 0;
}

int bw_analyse(const struct bw_object *o, const struct bw_analysis_limits *limits, struct bw_analysis **ret)
{
	struct bw_engine e;
	struct bw_analysis *a = NULL;
	int r;

	memset(&e, 0, sizeof(e));
	e.o = o;
	if (limits)
		e.limits = *limits;
	if (!e.limits.max_steps)
		e.limits.max_steps = BW_ANALYSIS_STEPS;
	if (!e.limits.max_inline)
		e.limits.max_inline = BW_ANALYSIS_INLINE;
	if (!e.limits.max_rounds)
		e.limits.max_rounds = BW_ANALYSIS_ROUNDS;
	if (!e.limits.max_memory)
		e.limits.max_memory = BW_ANALYSIS_MEMORY;
	r = bw_domain_init(&e.d, e.limits.max_memory);
	if (r)
		return r;
	a = calloc(1, sizeof(*a));
	if (!a) {
		bw_domain_free(&e.d);
		return -ENOMEM;
	}
	a->object = o;
	r = engine_init(&e);
	if (!r)
		r = fixpoint(&e, &a->rounds);
	a->steps = e.total_steps + e.steps;
	a->memory = e.d.budget.peak;
	if (!r || e.d.budget.failed)
		r = bw_results(&e, a);
	engine_free(&e);
	if (r) {
		bw_analysis_free(a);
		return r;
	}
	*ret = a;
	return 0;
}
