// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What happens on one side of a branch: effects and verdicts of everything that can be reached from there, loops not gone round
 * again. Compilers turn "if (a && b)" and comparing functions into flags:
 *
 *	if r1 != 's' goto no          the matching side alone ends with w0 = 1; whoever asks for that flag later, in this
 *	...                           function or in its callers, goes one way for one side and the other way for the other
 *	w0 = 1 / no: w0 = 0
 *
 * so constants in registers are followed along the way, a branch on a known one is taken as it goes, and a function's end goes
 * on behind the places it is called from.
 */
#include "auditor/engine_result.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CALLERS_UP 4u		/* functions left towards the program's entry */
#define MAX_REACH_STEPS 4000000u	/* instructions per program; beyond, constants are not followed any more */

#define N_SPILLS 32u /* words of four bytes below the frame pointer */

struct consts {
	uint16_t known; /* bit n: register n holds .v[n] */
	bool reached;
	uint32_t spilled; /* bit n: the word at r10 - 4 * (n + 1) holds .spill[n] */
	int64_t v[11];
	int32_t spill[N_SPILLS];
};

struct walk {
	struct bw_result *r;
	int32_t prog;
	struct bw_reach *out;
};

static void set(struct consts *c, unsigned int reg, bool w32, int64_t v)
{
	c->known |= (uint16_t)(1u << reg);
	c->v[reg] = w32 ? (int64_t)(uint32_t)v : v;
}

static bool knows(const struct consts *c, unsigned int reg)
{
	return reg < 11 && c->known >> reg & 1;
}

/* The word of a flag that was put onto the stack for want of registers, -1: no such place. */
static int spill_at(const struct bw_decoded *d, unsigned int base)
{
	if (base != 10 || d->width < 4 || d->off >= 0 || d->off % 4 || d->off < -(int)(4 * N_SPILLS))
		return -1;
	return -d->off / 4 - 1;
}

static void spill(struct consts *c, const struct bw_decoded *d)
{
	int at = spill_at(d, d->dst);

	if (at < 0)
		return;
	c->spilled &= ~(1u << at);
	if (d->width == 8 && at)
		c->spilled &= ~(1u << (at - 1));
	if (!d->use_imm && !knows(c, d->src))
		return;
	c->spill[at] = (int32_t)(d->use_imm ? d->imm : c->v[d->src]);
	c->spilled |= 1u << at;
}

static bool is_relocated(const struct bw_result *r, int32_t code, uint32_t insn)
{
	const uint8_t *bits = r->e->core_bits ? r->e->core_bits[code] : NULL;

	return (bits && bits[insn / 8] >> insn % 8 & 1) || bw_code_reloc(&r->e->o->codes[code], insn);
}

/* One instruction: only what flags are made of is followed, everything else makes the register unknown. */
static void step(struct consts *c, const struct bw_decoded *d, bool relocated)
{
	bool w32 = d->width == 4;
	int64_t a, b;
	int at;

	if (d->op == BW_OP_STORE)
		spill(c, d);
	else if (d->op >= BW_OP_CALL && d->op <= BW_OP_CALL_REG)
		c->spilled = 0;
	at = d->op == BW_OP_LOAD ? spill_at(d, d->src) : -1;
	if (at >= 0 && c->spilled >> at & 1 && d->dst < 11) {
		set(c, d->dst, true, c->spill[at]);
		return;
	}
	if (d->op == BW_OP_LD_IMM64 && d->pseudo == BW_PSEUDO_CONST && d->dst < 11 && !relocated) {
		set(c, d->dst, false, (int64_t)d->imm64);
		return;
	}
	/* Whatever else a conjunction of flags is made of. */
	if (d->op == BW_OP_AND && d->dst < 11 && !d->use_imm && !relocated &&
	    ((knows(c, d->dst) && !c->v[d->dst]) || (knows(c, d->src) && !c->v[d->src]))) {
		set(c, d->dst, w32, 0);
		return;
	}
	if (d->dst < 11 && !relocated && d->op <= BW_OP_MOV && (d->use_imm || knows(c, d->src))) {
		b = d->use_imm ? d->imm : c->v[d->src];
		if (d->op == BW_OP_MOV) {
			set(c, d->dst, w32, b);
			return;
		}
		if (knows(c, d->dst)) {
			a = c->v[d->dst];
			switch (d->op) {
			case BW_OP_AND:
				set(c, d->dst, w32, a & b);
				return;
			case BW_OP_OR:
				set(c, d->dst, w32, a | b);
				return;
			case BW_OP_XOR:
				set(c, d->dst, w32, a ^ b);
				return;
			case BW_OP_LSH:
				set(c, d->dst, w32, (int64_t)((uint64_t)a << (b & (w32 ? 31 : 63))));
				return;
			case BW_OP_RSH:
				set(c, d->dst, w32, (int64_t)((w32 ? (uint64_t)(uint32_t)a : (uint64_t)a) >> (b & (w32 ? 31 : 63))));
				return;
			default:
				break;
			}
		}
	}
	c->known &= (uint16_t)~d->writes;
}

/* 1: jumps, 0: falls through, -1: depends. */
static int decide(const struct consts *c, const struct bw_decoded *d)
{
	uint64_t a, b;
	int64_t sa, sb;

	if (!bw_op_is_cond_jump(d->op) || !knows(c, d->dst) || (!d->use_imm && !knows(c, d->src)))
		return -1;
	sa = c->v[d->dst];
	sb = d->use_imm ? d->imm : c->v[d->src];
	if (d->width == 4) {
		sa = (int32_t)(uint32_t)sa;
		sb = (int32_t)(uint32_t)sb;
	}
	a = d->width == 4 ? (uint32_t)sa : (uint64_t)sa;
	b = d->width == 4 ? (uint32_t)sb : (uint64_t)sb;
	switch (d->op) {
	case BW_OP_JEQ:
		return a == b;
	case BW_OP_JNE:
		return a != b;
	case BW_OP_JSET:
		return !!(a & b);
	case BW_OP_JGT:
		return a > b;
	case BW_OP_JGE:
		return a >= b;
	case BW_OP_JLT:
		return a < b;
	case BW_OP_JLE:
		return a <= b;
	case BW_OP_JSGT:
		return sa > sb;
	case BW_OP_JSGE:
		return sa >= sb;
	case BW_OP_JSLT:
		return sa < sb;
	default:
		return sa <= sb;
	}
}

static void run_block(struct walk *w, const struct bw_cfg *c, uint32_t block, uint32_t from, struct consts *k)
{
	int32_t code = w->r->e->o->funcs[c->func].code;

	if (w->r->reach_steps >= MAX_REACH_STEPS) {
		k->known = 0;
		k->spilled = 0;
		return;
	}
	for (uint32_t i = from; i <= c->blocks[block].last;) {
		const struct bw_decoded *d = bw_cfg_insn(c, i);

		step(k, d, is_relocated(w->r, code, i));
		w->r->reach_steps++;
		i += d->slots ? d->slots : 1;
	}
}

static void join(struct consts *to, const struct consts *from)
{
	if (!to->reached) {
		*to = *from;
		to->reached = true;
		return;
	}
	to->known &= from->known;
	to->spilled &= from->spilled;
	for (unsigned int i = 0; i < N_SPILLS; i++)
		if (to->spilled >> i & 1 && to->spill[i] != from->spill[i])
			to->spilled &= ~(1u << i);
	for (unsigned int i = 0; i < 11; i++)
		if (to->known >> i & 1 && to->v[i] != from->v[i])
			to->known &= (uint16_t)~(1u << i);
}

/* The register with the result when the block ends the function, or goes straight to its end; else -1. */
static int leaves(const struct bw_cfg *c, uint32_t block)
{
	const struct bw_block *b = &c->blocks[block];
	int reg = bw_cfg_insn(c, b->last)->op == BW_OP_EXIT ? 0 : -1;

	for (uint32_t i = 0; i < b->n_succ && reg < 0; i++)
		reg = bw_block_returns(c, bw_block_succs(c, b)[i]);
	return reg;
}

static void add_verdict(struct bw_reach *out, int64_t v)
{
	out->verdicts |= 1ull << (v >= 0 && v < 63 ? v : 63);
}

/* The program's return values, where @seen blocks leave it. A lone exit is judged by who comes there. */
static void verdicts(struct walk *w, const struct bw_cfg *c, const struct consts *seen, uint32_t start)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(w->r, BW_REC_VERDICT, w->prog, &n);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t block = p[i].key.insn;
		int64_t v[BW_MAX_CONST_SET];
		unsigned int k;
		int reg;

		if (p[i].key.func != c->func || block >= c->n_blocks || !seen[block].reached)
			continue;
		reg = leaves(c, block);
		if (reg < 0)
			continue;
		if (block != start && !knows(&seen[block], 0) && bw_block_returns(c, block) >= 0)
			continue;
		if (knows(&seen[block], (unsigned int)reg)) {
			int32_t known = (int32_t)(uint32_t)seen[block].v[reg];

			add_verdict(w->out, known);
			if (!w->out->error && known < 0)
				w->out->error = known;
			continue;
		}
		k = p[i].rec->val.flags & BW_VAL_SOFT ? 0 : bw_val_consts(&w->r->e->d, &p[i].rec->val, v);
		for (unsigned int j = 0; j < k; j++)
			add_verdict(w->out, v[j]);
		if (!k)
			w->out->verdicts |= 1ull << 63;
	}
}

static void walk_func(struct walk *w, int32_t func, uint32_t start, uint32_t insn, const struct consts *in, unsigned int up);

static void walk_callers(struct walk *w, int32_t func, const struct consts *end, unsigned int up)
{
	struct consts in = { .known = end->known & 1u, .v = { end->v[0] } };

	for (uint32_t i = 0; i < w->r->n_sites; i++) {
		const struct bw_call_site *s = &w->r->sites[i];
		const struct bw_cfg *c;

		if (s->callee != func || s->caller == func || w->r->reach_steps >= MAX_REACH_STEPS)
			continue;
		c = w->r->e->cfgs[s->caller];
		walk_func(w, s->caller, c->block_of[s->insn - c->first] - 1, s->insn + 1, &in, up + 1);
	}
}

/* From instruction @insn of block @start. What the start block did before a call it goes on behind is not counted. */
static void walk_func(struct walk *w, int32_t func, uint32_t start, uint32_t insn, const struct consts *in, unsigned int up)
{
	const struct bw_cfg *c = w->r->e->cfgs[func];
	struct consts *at = calloc(c->n_blocks, sizeof(*at)), end = { .reached = false };
	const struct bw_rec_ref *p;
	uint32_t n;

	if (!at) {
		w->r->failed = true;
		return;
	}
	w->r->reach_steps += c->n_blocks;
	join(&at[start], in);
	for (uint32_t i = start; i < c->n_blocks; i++) {
		const struct bw_block *b = &c->blocks[i];
		const uint32_t *succs = bw_block_succs(c, b);
		int way;

		if (!at[i].reached)
			continue;
		run_block(w, c, i, i == start ? insn : b->first, &at[i]);
		way = b->n_succ == 2 ? decide(&at[i], bw_cfg_insn(c, b->last)) : -1;
		for (uint32_t s = 0; s < b->n_succ; s++)
			if (succs[s] > i && (way < 0 || (uint32_t)way == s))
				join(&at[succs[s]], &at[i]);
		if (bw_cfg_insn(c, b->last)->op == BW_OP_EXIT)
			join(&end, &at[i]);
	}
	p = bw_result_range(w->r, BW_REC_EFFECT, w->prog, &n);
	for (uint32_t i = 0; i < n; i++)
		if (p[i].key.func == func && p[i].key.insn < c->n_blocks && at[p[i].key.insn].reached &&
		    !(up && p[i].key.insn == start))
			w->out->effects |= p[i].rec->mask;
	if (func == w->r->e->o->progs[w->prog].func)
		verdicts(w, c, at, up ? UINT32_MAX : start);
	else if (end.reached && up < MAX_CALLERS_UP)
		walk_callers(w, func, &end, up);
	free(at);
}

static void begin(struct bw_result *r, int32_t prog)
{
	if (r->reach_prog != prog)
		r->reach_steps = 0;
	r->reach_prog = prog;
}

/* What is known at the end of each block, whatever way led there. Kept for the function that was asked for last. */
static const struct consts *known_at_end(struct walk *w, int32_t func, uint32_t block)
{
	const struct bw_cfg *c = w->r->e->cfgs[func];
	struct consts in = { .known = 0 }, *at = w->r->reach_known;

	if (at && w->r->reach_func == func)
		return &at[block];
	free(at);
	w->r->reach_known = at = calloc(c->n_blocks, sizeof(*at));
	w->r->reach_func = func;
	if (!at) {
		w->r->failed = true;
		return NULL;
	}
	w->r->reach_steps += c->n_blocks;
	join(&at[0], &in);
	/* A loop's head is entered from below, too: nothing is known there. */
	for (uint32_t i = 0; i < c->n_blocks; i++) {
		if (c->blocks[i].loop_head)
			at[i].known = at[i].spilled = 0;
		run_block(w, c, i, c->blocks[i].first, &at[i]);
		for (uint32_t s = 0; s < c->blocks[i].n_succ; s++)
			join(&at[bw_block_succs(c, &c->blocks[i])[s]], &at[i]);
	}
	return &at[block];
}

/*
 * The error a program decides on by itself, when its result is otherwise what was decided before it: "return hidden ? -2 : ret".
 */
bool bw_result_own_error(struct bw_result *r, int32_t prog, int64_t *ret_value)
{
	int32_t func = r->e->o->progs[prog].func;
	const struct bw_cfg *c = func >= 0 ? r->e->cfgs[func] : NULL;
	struct bw_reach out = { 0 };
	struct walk w = { r, prog, &out };

	begin(r, prog);
	for (uint32_t i = 0; c && i < c->n_blocks && r->reach_steps < MAX_REACH_STEPS; i++) {
		bool sets = false;

		for (uint32_t k = c->blocks[i].first; k <= c->blocks[i].last && !sets;) {
			const struct bw_decoded *d = bw_cfg_insn(c, k);

			/* Without 32-bit moves, a negative int is loaded as the 64 bits it must look like. */
			sets = (d->op == BW_OP_MOV && d->use_imm && d->imm < 0) ||
			       (d->op == BW_OP_LD_IMM64 && d->pseudo == BW_PSEUDO_CONST && (int32_t)(uint32_t)d->imm64 < 0 &&
				(d->imm64 >> 32 == 0 || d->imm64 >> 32 == UINT32_MAX));
			k += d->slots ? d->slots : 1;
		}
		if (sets) {
			struct consts in = { .known = 0 };

			walk_func(&w, func, i, c->blocks[i].first, &in, 0);
		}
	}
	*ret_value = out.error;
	return out.error < 0;
}

void bw_result_reach(struct bw_result *r, int32_t prog, int32_t func, uint32_t branch, uint32_t side, struct bw_reach *ret)
{
	const struct bw_cfg *c = r->e->cfgs[func];
	struct walk w = { r, prog, ret };
	const struct consts *known;
	struct consts in = { .known = 0 };

	begin(r, prog);
	*ret = (struct bw_reach){ 0 };
	known = known_at_end(&w, func, branch);
	if (known)
		in = *known;
	walk_func(&w, func, side, c->blocks[side].first, &in, 0);
}

/* Where functions are called: the way back to whoever asks for their result. */
int bw_result_call_sites(struct bw_result *r)
{
	const struct bw_object *o = r->e->o;
	size_t cap = 0;

	for (int32_t f = 0; f < (int32_t)o->n_funcs; f++) {
		const struct bw_cfg *c = r->e->cfgs[f];
		const struct bw_code *code = &o->codes[o->funcs[f].code];

		for (uint32_t i = 0; c && i < c->n_insns; i++) {
			const struct bw_decoded *d = &c->insns[i];
			const struct bw_reloc *rel;
			int32_t callee = BW_NONE;
			int64_t t;

			if (!c->block_of[i] || (d->op != BW_OP_CALL && d->op != BW_OP_CALL_LOCAL))
				continue;
			rel = bw_code_reloc(code, c->first + i);
			if (rel && rel->kind == BW_RELOC_CALL)
				callee = rel->target;
			else if (!rel && d->op == BW_OP_CALL_LOCAL) {
				t = bw_insn_target(d, c->first + i, code->n_insns);
				callee = t < 0 ? BW_NONE : bw_object_func_starting(o, o->funcs[f].code, (uint32_t)t);
			}
			if (callee < 0 || callee >= (int32_t)o->n_funcs)
				continue;
			if (!bw_arena_grow(r->arena, &r->sites, r->n_sites, &cap, sizeof(*r->sites)))
				return -ENOMEM;
			r->sites[r->n_sites++] = (struct bw_call_site){ callee, f, c->first + i };
		}
	}
	return 0;
}
