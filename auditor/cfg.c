// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/cfg.h"

#include <errno.h>
#include <string.h>

#define NO_BLOCK UINT32_MAX

struct builder {
	const struct bw_object *o;
	const struct bw_code *code;
	struct bw_cfg *c;
	struct bw_mem_budget *b;
	uint8_t *marks; /* per instruction */
	uint32_t *tables; /* instructions that the function's jump tables name */
	uint32_t n_tables;
};

#define MARK_LEADER 1
#define MARK_SECOND 2 /* second slot of ld_imm64 */
#define MARK_BAD 4    /* cannot be decoded: a path ends here */

static void problem(struct bw_cfg *c, uint32_t insn, const char *reason)
{
	for (uint32_t i = 0; i < c->n_problems; i++)
		if (c->problems[i].insn == insn && c->problems[i].reason == reason)
			return;
	if (c->n_problems < BW_MAX_CFG_PROBLEMS)
		c->problems[c->n_problems++] = (struct bw_cfg_problem){ insn, reason };
}

static void decode_all(struct builder *g)
{
	struct bw_cfg *c = g->c;

	for (uint32_t i = 0; i < c->n_insns;) {
		struct bw_decoded *d = &c->insns[i];
		const char *why = "unknown encoding";

		if (bw_insn_decode(g->code->insns, c->first + c->n_insns, c->first + i, bw_object_insn_mode(g->o), d, &why)) {
			memset(d, 0, sizeof(*d));
			d->slots = 1;
			g->marks[i] |= MARK_BAD;
			problem(c, c->first + i, why);
		}
		if (d->slots == 2 && i + 1 < c->n_insns)
			g->marks[i + 1] |= MARK_SECOND;
		i += d->slots ? d->slots : 1;
	}
}

/* The index in the function that a jump at @i goes to, NO_BLOCK when it leaves the function or lands in a second slot. */
static uint32_t jump_target(struct builder *g, uint32_t i)
{
	int64_t t = bw_insn_target(&g->c->insns[i], g->c->first + i, (size_t)g->c->first + g->c->n_insns);

	if (t < g->c->first) {
		problem(g->c, g->c->first + i, "jump out of the function");
		return NO_BLOCK;
	}
	t -= g->c->first;
	if (g->marks[t] & MARK_SECOND) {
		problem(g->c, g->c->first + i, "jump into the middle of ld_imm64");
		return NO_BLOCK;
	}
	return (uint32_t)t;
}

/* Successors of the instruction at @i: the fall through first. At most two, except for gotox (see tables). */
static unsigned int insn_succs(struct builder *g, uint32_t i, uint32_t next, uint32_t ret[2])
{
	const struct bw_decoded *d = &g->c->insns[i];
	unsigned int n = 0;
	uint32_t t;

	if (g->marks[i] & MARK_BAD || d->op == BW_OP_EXIT || d->op == BW_OP_GOTOX)
		return 0;
	if (d->op != BW_OP_JA) {
		if (next >= g->c->n_insns)
			problem(g->c, g->c->first + i, "falls off the end of the function");
		else
			ret[n++] = next;
	}
	if (bw_op_is_jump(d->op)) {
		t = jump_target(g, i);
		if (t != NO_BLOCK)
			ret[n++] = t;
	}
	return n;
}

static int collect_tables(struct builder *g)
{
	uint64_t n = 0;
	uint32_t at = 0;

	for (uint32_t t = 0; t < g->o->n_jumptables; t++)
		n += g->o->jumptables[t].n_targets;
	if (n > 1u << 20)
		n = 1u << 20;
	g->tables = bw_budget_alloc(g->b, (n + 1) * sizeof(*g->tables));
	if (!g->tables)
		return -ENOMEM;
	g->n_tables = (uint32_t)n;
	for (uint32_t t = 0; t < g->o->n_jumptables; t++)
		for (uint32_t i = 0; i < g->o->jumptables[t].n_targets && at < n; i++) {
			uint32_t target = g->o->jumptables[t].targets[i];

			if (g->o->jumptables[t].code == g->o->funcs[g->c->func].code && target >= g->c->first &&
			    target - g->c->first < g->c->n_insns && !(g->marks[target - g->c->first] & MARK_SECOND))
				g->tables[at++] = target - g->c->first;
		}
	/* The array is sized for all tables; what is not of this function was left out. */
	memset(g->tables + at, 0xff, (n + 1 - at) * sizeof(*g->tables));
	return (int)at;
}

/* Blocks in the order of the code; successors as block numbers of that order. */
struct raw_block {
	uint32_t first, last, succ, n_succ;
};

static int push_succ(struct bw_cfg *c, struct bw_mem_budget *b, uint32_t s)
{
	size_t cap = c->budget_used_succs / sizeof(*c->succs);

	if (c->n_succs == cap) {
		size_t wanted = cap ? cap * 2 : 32;
		uint32_t *p = bw_budget_realloc(b, c->succs, c->budget_used_succs, wanted * sizeof(*p));

		if (!p)
			return -ENOMEM;
		c->succs = p;
		c->budget_used_succs = wanted * sizeof(*p);
	}
	c->succs[c->n_succs++] = s;
	return 0;
}

static int make_blocks(struct builder *g, struct raw_block **ret_raw, uint32_t *ret_n)
{
	struct bw_cfg *c = g->c;
	struct raw_block *raw;
	uint32_t n = 0, succs[2], n_gotox_targets = 0;
	bool gotox = false;

	for (uint32_t i = 0; i < c->n_insns; i++)
		gotox |= !(g->marks[i] & (MARK_SECOND | MARK_BAD)) && c->insns[i].op == BW_OP_GOTOX;
	if (gotox) {
		int k = collect_tables(g);

		if (k < 0)
			return k;
		n_gotox_targets = (uint32_t)k;
		for (uint32_t t = 0; t < n_gotox_targets; t++)
			g->marks[g->tables[t]] |= MARK_LEADER;
	}
	g->marks[0] |= MARK_LEADER;
	for (uint32_t i = 0; i < c->n_insns; i++) {
		const struct bw_decoded *d = &c->insns[i];
		unsigned int k;

		if (g->marks[i] & MARK_SECOND)
			continue;
		if (!bw_op_is_jump(d->op) && !bw_op_ends_block(d->op) && !(g->marks[i] & MARK_BAD))
			continue;
		k = insn_succs(g, i, i + d->slots, succs);
		for (unsigned int s = 0; s < k; s++)
			g->marks[succs[s]] |= MARK_LEADER;
		if (i + d->slots < c->n_insns)
			g->marks[i + d->slots] |= MARK_LEADER;
	}
	for (uint32_t i = 0; i < c->n_insns; i++)
		n += (g->marks[i] & (MARK_LEADER | MARK_SECOND)) == MARK_LEADER;
	raw = bw_budget_alloc(g->b, n * sizeof(*raw));
	if (!raw)
		return -ENOMEM;
	*ret_raw = raw;
	*ret_n = n;
	n = 0;
	for (uint32_t i = 0; i < c->n_insns; i++) {
		if ((g->marks[i] & (MARK_LEADER | MARK_SECOND)) == MARK_LEADER)
			raw[n++] = (struct raw_block){ .first = i, .last = i };
		else if (n && !(g->marks[i] & MARK_SECOND))
			raw[n - 1].last = i;
		if (n && !(g->marks[i] & MARK_SECOND))
			c->block_of[i] = n;
	}
	for (uint32_t k = 0; k < n; k++) {
		const struct bw_decoded *d = &c->insns[raw[k].last];
		unsigned int m = insn_succs(g, raw[k].last, raw[k].last + d->slots, succs);

		raw[k].succ = c->n_succs;
		for (unsigned int s = 0; s < m; s++)
			if (push_succ(c, g->b, c->block_of[succs[s]] - 1))
				return -ENOMEM;
		if (!(g->marks[raw[k].last] & MARK_BAD) && d->op == BW_OP_GOTOX) {
			if (!n_gotox_targets)
				problem(c, c->first + raw[k].last, "indirect jump without a jump table");
			for (uint32_t t = 0; t < n_gotox_targets; t++)
				if (push_succ(c, g->b, c->block_of[g->tables[t]] - 1))
					return -ENOMEM;
		}
		raw[k].n_succ = c->n_succs - raw[k].succ;
	}
	return 0;
}

/* Numbers what is reachable in reverse postorder, with a stack of our own. */
static int order_blocks(struct builder *g, const struct raw_block *raw, uint32_t n)
{
	struct bw_cfg *c = g->c;
	uint32_t *order = bw_budget_alloc(g->b, ((size_t)n * 4 + 1) * sizeof(*order)), *stack = NULL, *next = NULL, *state = NULL;
	uint32_t depth = 0, n_order = 0;
	int r = -ENOMEM;

	if (!order)
		return -ENOMEM;
	stack = order + n;
	next = stack + n;
	state = next + n;
	stack[depth++] = 0;
	state[0] = 1;
	while (depth) {
		uint32_t b = stack[depth - 1];

		if (next[b] < raw[b].n_succ) {
			uint32_t s = c->succs[raw[b].succ + next[b]++];

			if (!state[s]) {
				state[s] = 1;
				stack[depth++] = s;
			}
		} else {
			depth--;
			order[n_order++] = b;
		}
	}
	c->blocks = bw_budget_alloc(g->b, (n_order ? n_order : 1) * sizeof(*c->blocks));
	if (!c->blocks)
		goto out;
	c->n_blocks = n_order;
	for (uint32_t i = 0; i < n_order; i++)
		state[order[n_order - 1 - i]] = i + 1; /* 1 + number; unreachable blocks keep 0 */
	for (uint32_t i = 0; i < n_order; i++) {
		const struct raw_block *k = &raw[order[n_order - 1 - i]];

		c->blocks[i] = (struct bw_block){ .first = c->first + k->first,
						  .last = c->first + k->last,
						  .succ = k->succ,
						  .n_succ = k->n_succ };
		for (uint32_t s = 0; s < k->n_succ; s++)
			c->succs[k->succ + s] = state[c->succs[k->succ + s]] - 1;
	}
	for (uint32_t i = 0; i < n_order; i++)
		for (uint32_t s = 0; s < c->blocks[i].n_succ; s++)
			if (c->succs[c->blocks[i].succ + s] <= i)
				c->blocks[c->succs[c->blocks[i].succ + s]].loop_head = true;
	for (uint32_t i = n_order, open = UINT32_MAX; i-- > 0;) {
		/* From the last block down: @open is the lowest head of a back edge seen so far. */
		for (uint32_t s = 0; s < c->blocks[i].n_succ; s++)
			if (c->succs[c->blocks[i].succ + s] <= i && c->succs[c->blocks[i].succ + s] < open)
				open = c->succs[c->blocks[i].succ + s];
		c->blocks[i].in_loop = open <= i;
		if (open == i)
			open = UINT32_MAX;
	}
	for (uint32_t i = 0; i < c->n_insns; i++)
		if (c->block_of[i])
			c->block_of[i] = state[c->block_of[i] - 1];
	r = 0;
out:
	bw_budget_free(g->b, order, ((size_t)n * 4 + 1) * sizeof(*order));
	return r;
}

int bw_cfg_build(const struct bw_object *o, int32_t func, struct bw_mem_budget *b, struct bw_cfg **ret)
{
	const struct bw_func *f = &o->funcs[func];
	struct builder g = { .o = o, .code = &o->codes[f->code], .b = b };
	struct raw_block *raw = NULL;
	uint32_t n_raw = 0;
	int r = -ENOMEM;

	g.c = bw_budget_alloc(b, sizeof(*g.c));
	if (!g.c)
		return -ENOMEM;
	g.c->func = func;
	g.c->first = f->first;
	if (f->first < g.code->n_insns)
		g.c->n_insns = f->n_insns < g.code->n_insns - f->first ? f->n_insns : g.code->n_insns - f->first;
	if (!g.c->n_insns) {
		problem(g.c, f->first, "function without instructions");
		*ret = g.c;
		return 0;
	}
	g.c->insns = bw_budget_alloc(b, (size_t)g.c->n_insns * sizeof(*g.c->insns));
	g.c->block_of = bw_budget_alloc(b, (size_t)g.c->n_insns * sizeof(*g.c->block_of));
	g.marks = bw_budget_alloc(b, g.c->n_insns);
	if (g.c->insns && g.c->block_of && g.marks) {
		decode_all(&g);
		r = make_blocks(&g, &raw, &n_raw);
		if (!r)
			r = order_blocks(&g, raw, n_raw);
	}
	bw_budget_free(b, raw, n_raw * sizeof(*raw));
	bw_budget_free(b, g.marks, g.c->n_insns);
	if (g.tables)
		bw_budget_free(b, g.tables, ((size_t)g.n_tables + 1) * sizeof(*g.tables));
	if (r) {
		bw_cfg_free(g.c, b);
		return r;
	}
	*ret = g.c;
	return 0;
}

int bw_block_returns(const struct bw_cfg *c, uint32_t block)
{
	const struct bw_block *b = &c->blocks[block];
	const struct bw_decoded *d = bw_cfg_insn(c, b->first);

	if (bw_cfg_insn(c, b->last)->op != BW_OP_EXIT)
		return -1;
	if (b->first == b->last)
		return 0;
	if (b->first + 1 != b->last || d->op != BW_OP_MOV || d->use_imm || d->dst)
		return -1;
	return d->src < 11 ? d->src : -1;
}

void bw_cfg_free(struct bw_cfg *c, struct bw_mem_budget *b)
{
	if (!c)
		return;
	bw_budget_free(b, c->insns, (size_t)c->n_insns * sizeof(*c->insns));
	bw_budget_free(b, c->block_of, (size_t)c->n_insns * sizeof(*c->block_of));
	bw_budget_free(b, c->blocks, (c->n_blocks ? c->n_blocks : 1) * sizeof(*c->blocks));
	bw_budget_free(b, c->succs, c->budget_used_succs);
	bw_budget_free(b, c, sizeof(*c));
}
