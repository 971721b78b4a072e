// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Blocks and functions: the walk over the control flow of one function, and of those it calls.
 */
#include "auditor/engine.h"

#include <errno.h>

#define WIDEN_AFTER 3u /* visits of a loop's head */
#define WIDEN_ARGS_AFTER 16u /* runs of a function that is called in a loop */
#define MAX_VISITS 400u /* of one block in one run of its function: nothing should come near */

const struct bw_cfg *bw_engine_cfg(struct bw_engine *e, int32_t func)
{
	if (!e->cfgs[func] && bw_cfg_build(e->o, func, &e->d.budget, &e->cfgs[func]))
		return NULL;
	return e->cfgs[func];
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

/* *sp comes to block @to, which takes it over when it is the first. */
static void flow_into(struct bw_engine *e, const struct bw_cfg *c, struct work *w, uint32_t to, struct bw_state **sp)
{
	if (!w->in[to]) {
		w->in[to] = *sp;
		*sp = NULL;
		work_push(w, to);
	} else if (bw_state_join(&e->d, w->in[to], *sp, c->blocks[to].loop_head && w->visits[to] > WIDEN_AFTER)) {
		work_push(w, to);
	}
}

bool bw_run_blocks(struct bw_engine *e, const struct bw_cfg *c, struct bw_state *s)
{
	struct work w;
	struct bw_state *now = bw_state_dup(&e->d, s), *out = NULL;
	uint32_t b;

	if (!now || work_init(e, &w, c->n_blocks)) {
		bw_state_free(&e->d, now);
		return false;
	}
	flow_into(e, c, &w, 0, &now);
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
		bw_state_free(&e->d, now);
		if (!k->in_loop) {
			/* All that lead here have run: nothing will be joined to this state again. */
			now = w.in[b];
			w.in[b] = NULL;
		} else {
			now = bw_state_dup(&e->d, w.in[b]);
		}
		if (!now)
			break;
		if (!bw_run_block(e, c, k, now))
			continue;
		e->insn = k->last;
		if (e->depth == 0)
			note_verdict(e, c, b, now);
		succs = bw_block_succs(c, k);
		if (last->op == BW_OP_EXIT) {
			if (!out) {
				out = now;
				now = NULL;
			} else {
				bw_state_join(&e->d, out, now, false);
			}
		} else if ((bw_op_is_cond_jump(last->op) || last->op == BW_OP_MAY_GOTO) && k->n_succ == 2) {
			struct bw_state *taken;

			bw_compare_note(e, now, last);
			taken = bw_state_dup(&e->d, now);
			if (!taken)
				break;
			if (bw_branch(e, now, last, false))
				flow_into(e, c, &w, succs[0], &now);
			if (bw_branch(e, taken, last, true))
				flow_into(e, c, &w, succs[1], &taken);
			bw_state_free(&e->d, taken);
		} else {
			for (uint32_t i = 0; i < k->n_succ; i++) {
				struct bw_state *copy = i + 1 < k->n_succ ? bw_state_dup(&e->d, now) : NULL;

				if (i + 1 < k->n_succ && !copy)
					break;
				flow_into(e, c, &w, succs[i], copy ? &copy : &now);
				bw_state_free(&e->d, copy);
			}
		}
	}
	for (uint32_t i = 0; i < c->n_blocks; i++)
		bw_state_free(&e->d, w.in[i]);
	bw_budget_free(&e->d.budget, w.in, w.size);
	bw_state_free(&e->d, now);
	if (!out)
		return false;
	bw_state_move(&e->d, s, out);
	return true;
}

bool bw_in_loop(const struct bw_engine *e)
{
	const struct bw_cfg *c = e->func >= 0 ? e->cfgs[e->func] : NULL;

	if (e->callbacks || (c && e->block < c->n_blocks && c->blocks[e->block].in_loop))
		return true;
	for (uint32_t i = 0; i < e->depth; i++) {
		c = e->calls[i].func >= 0 ? e->cfgs[e->calls[i].func] : NULL;
		if (c && e->calls[i].block < c->n_blocks && c->blocks[e->calls[i].block].in_loop)
			return true;
	}
	return false;
}

/*
 * A loop that gives a function one number after the other has it run anew for each step by which the number's bounds grow. After
 * some runs they are taken for the next of a few bounds.
 */
static void widen_args(struct bw_engine *e, int32_t func, struct bw_state *s)
{
	if (e->runs[func] < WIDEN_ARGS_AFTER || !bw_in_loop(e))
		return;
	for (int i = 1; i <= 5; i++)
		if (s->r[i].kind == BW_VAL_SCALAR && s->r[i].lo != s->r[i].hi)
			bw_val_widen(&s->r[i]);
}

bool bw_run_func(struct bw_engine *e, int32_t func, struct bw_state *s)
{
	int32_t caller = e->func;
	uint32_t caller_insn = e->insn, caller_block = e->block;
	const struct bw_cfg *c;
	bool back = false, recursive = false, later = e->later;
	struct bw_memo_input in;

	e->later = false;
	for (uint32_t i = 0; i <= e->depth; i++)
		recursive |= e->calls[i].func == func;
	/* A timer's callback that starts the timer again: what it does is being looked at already. */
	if (recursive && later) {
		e->trace[e->depth].never = true;
		s->r[0] = bw_val_unknown();
		return true;
	}
	if (recursive || e->depth + 1 >= BW_MAX_FRAMES || s->depth + 1 >= BW_MAX_FRAMES) {
		e->trace[e->depth].never = true;
		bw_unanalysed(e, recursive ? "recursive call" : "calls nest more deeply than is followed");
		s->r[0] = bw_val_unknown();
		return true;
	}
	c = bw_engine_cfg(e, func);
	if (!c) {
		return false;
	}
	widen_args(e, func, s);
	if (bw_memo_find(e, func, s, &back))
		return back;
	e->runs[func]++;
	e->inlined += c->n_insns;
	if (e->inlined > e->limits.max_inline) {
		bw_unanalysed(e, "too much code with all calls followed");
		e->stop = true;
		return false;
	}
	e->calls[e->depth].block = caller_block;
	e->depth++;
	e->calls[e->depth].func = func;
	bw_memo_begin(e, func, s, &in);
	s->depth++;
	bw_mem_put(&e->d, s->frames[s->depth]);
	s->frames[s->depth] = bw_mem_new(&e->d);
	for (int i = 6; i < 10; i++)
		s->r[i] = (struct bw_val){ 0 };
	s->r[0] = (struct bw_val){ 0 };
	s->r[10] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_STACK, (int32_t)s->depth, 0), BW_STACK_SIZE);
	bw_state_eq_reset(s);
	if (s->frames[s->depth] && c->n_blocks)
		back = bw_run_blocks(e, c, s);
	bw_state_eq_reset(s);
	for (uint32_t i = 0; i < c->n_problems; i++)
		bw_rec_at(e, BW_REC_UNANALYSED, func, c->problems[i].insn, (int32_t)bw_dom_str(&e->d, c->problems[i].reason), 0);
	if (s->depth) {
		bw_mem_put(&e->d, s->frames[s->depth]);
		s->frames[s->depth] = NULL;
		s->depth--;
	}
	bw_memo_end(e, func, s, back, &in);
	e->depth--;
	e->func = caller;
	e->insn = caller_insn;
	e->block = caller_block;
	return back;
}
