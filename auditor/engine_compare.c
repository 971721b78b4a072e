// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Comparisons with literals: single ones are put together to the string that a chain of them spells, and each chain says what
 * happens only when it matches, or only when it does not.
 */
#include "auditor/engine_result.h"

#include <stdlib.h>
#include <string.h>

#define MAX_COMPARES 512u /* of one program */
#define MAX_LITERAL 256u

#define M_PLACE 1 /* .x and .y say where the data lies */
#define M_DECIDED 2
#define M_JEQ 4
#define M_JNE 8

struct node {
	const struct bw_rec_ref *p;
	int32_t next; /* the comparison that follows on the matching side, of the bytes that follow */
	bool has_prev;
};

static int32_t block_at(const struct bw_result *r, int32_t func, uint32_t insn)
{
	const struct bw_cfg *c = func >= 0 ? r->e->cfgs[func] : NULL;

	if (!c || insn < c->first || insn - c->first >= c->n_insns)
		return -1;
	return (int32_t)c->block_of[insn - c->first] - 1;
}

/* The blocks on the matching and the other side of the branch that decides; false when there is none. */
static bool sides(const struct bw_result *r, const struct bw_rec *k, int32_t *ret_func, uint32_t *ret_match, uint32_t *ret_other,
		  uint32_t *ret_block)
{
	const struct bw_cfg *c;
	const struct bw_block *b;
	int32_t block;

	if (!(k->mask & (M_JEQ | M_JNE)) || !k->len.min || !k->len.max)
		return false;
	*ret_func = (int32_t)k->len.max - 1;
	block = block_at(r, *ret_func, (uint32_t)k->len.min - 1);
	if (block < 0)
		return false;
	c = r->e->cfgs[*ret_func];
	b = &c->blocks[block];
	if (b->n_succ != 2)
		return false;
	*ret_block = (uint32_t)block;
	*ret_match = bw_block_succs(c, b)[k->mask & M_JEQ ? 1 : 0];
	*ret_other = bw_block_succs(c, b)[k->mask & M_JEQ ? 0 : 1];
	return true;
}

static const uint8_t *literal_of(const struct bw_result *r, const struct bw_rec *k, uint32_t *ret_n)
{
	const uint8_t *p = bw_runs_get(&r->e->d.strings, k->lit, ret_n);

	if (!k->lit)
		*ret_n = 0;
	return p;
}

/* Does @b go on where @a ends, in the same object? Overlapping words must agree. */
static bool adjoins(const struct bw_result *r, const struct bw_rec *a, const struct bw_rec *b)
{
	uint32_t na, nb;
	const uint8_t *pa = literal_of(r, a, &na), *pb = literal_of(r, b, &nb);
	int64_t d = b->x - a->x;

	if (!(a->mask & M_PLACE) || !(b->mask & M_PLACE) || a->y != b->y || !na || !nb)
		return false;
	if (d <= 0 || d > (int64_t)na || d + (int64_t)nb <= (int64_t)na)
		return false;
	return d == (int64_t)na || !memcmp(pa + d, pb, na - (size_t)d);
}

/* Is block @to entered from @from through nothing but blocks without a choice? */
static bool leads_to(const struct bw_cfg *c, uint32_t from, uint32_t to)
{
	for (unsigned int hop = 0; hop < 4; hop++) {
		if (from == to)
			return true;
		if (c->blocks[from].n_succ != 1)
			return false;
		from = bw_block_succs(c, &c->blocks[from])[0];
	}
	return false;
}

/*
 * Words that are compared one after the other without a choice between them: each sets a flag, all flags together decide.
 *	w1 = 1; if w2 == 'a' goto next; w1 = 0; next: ...
 */
static bool is_flag_before(const struct bw_result *r, const struct bw_rec_ref *a, const struct bw_rec_ref *b)
{
	uint32_t match, other, block;
	int32_t func, to;

	if (!sides(r, a->rec, &func, &match, &other, &block) || func != b->key.func)
		return false;
	to = block_at(r, func, b->key.insn);
	return to >= 0 && leads_to(r->e->cfgs[func], match, (uint32_t)to) && leads_to(r->e->cfgs[func], other, (uint32_t)to);
}

static void link_nodes(const struct bw_result *r, struct node *nodes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_rec *a = nodes[i].p->rec;
		int32_t func = nodes[i].p->key.func, best = -1;
		uint32_t match, other, block;
		bool decided = sides(r, a, &func, &match, &other, &block);

		nodes[i].next = -1;
		if (!nodes[i].p->key.a)
			continue;
		for (uint32_t j = 0; j < n; j++) {
			const struct bw_rec *b = nodes[j].p->rec;
			bool follows;

			if (j == i || !nodes[j].p->key.a || nodes[j].has_prev || nodes[j].p->key.func != nodes[i].p->key.func ||
			    !adjoins(r, a, b))
				continue;
			/* Words of one comparison are in one block; those of a chain follow the matching side. */
			follows = block_at(r, nodes[i].p->key.func, nodes[i].p->key.insn) ==
				  block_at(r, nodes[j].p->key.func, nodes[j].p->key.insn) &&
				  (!decided || !(b->mask & (M_JEQ | M_JNE)));
			if (!follows && decided) {
				int32_t to = block_at(r, nodes[j].p->key.func, nodes[j].p->key.insn);

				follows = func == nodes[j].p->key.func && to >= 0 && leads_to(r->e->cfgs[func], match, (uint32_t)to);
			}
			/* Flags may be computed from the last word to the first. */
			follows = follows || is_flag_before(r, nodes[j].p, nodes[i].p);
			if (follows && (best < 0 || b->x < nodes[best].p->rec->x))
				best = (int32_t)j;
		}
		nodes[i].next = best;
		if (best >= 0)
			nodes[best].has_prev = true;
	}
}

static void chain_literal(struct bw_result *r, const struct node *nodes, uint32_t at, struct bw_compare *out, const struct bw_rec **ret_last)
{
	uint8_t bytes[MAX_LITERAL];
	uint32_t len = 0, hops = 0;
	int64_t start = nodes[at].p->rec->x;

	*ret_last = nodes[at].p->rec;
	for (int32_t i = (int32_t)at; i >= 0 && hops < MAX_LITERAL; i = nodes[i].next, hops++) {
		uint32_t n;
		const uint8_t *p = literal_of(r, nodes[i].p->rec, &n);
		uint64_t off = i == (int32_t)at ? 0 : (uint64_t)(nodes[i].p->rec->x - start);

		if (off + n > MAX_LITERAL)
			break;
		memcpy(bytes + off, p, n);
		if (off + n > len)
			len = (uint32_t)(off + n);
		if (nodes[i].p->rec->mask & (M_JEQ | M_JNE))
			*ret_last = nodes[i].p->rec;
	}
	out->literal = bw_result_literal(r, len ? bw_runs_add(&r->e->d.strings, bytes, len) : 0);
	/* One character in a word of several bytes is a number that happens to be printable: "cs == 0x33", "cmd == 10". */
	if (nodes[at].p->rec->width > 1 && strlen(out->literal.text) < 2)
		out->literal.text = "";
}

/* A fixed place is in the transport header when the IPv4 header before it has no options. */
static int64_t header_off(const struct bw_result *r, int32_t prog, int64_t off)
{
	off += r->e->attaches[prog].l3 ? 14 : 0;
	return off >= 34 && off < 54 ? off - 34 : -1;
}

void bw_result_compares(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n, kept = 0;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_COMPARE, prog, &n);
	struct node *nodes;

	if (!n)
		return;
	if (n > MAX_COMPARES)
		n = MAX_COMPARES;
	nodes = calloc(n, sizeof(*nodes));
	f->compares = bw_result_alloc(r, n, sizeof(*f->compares));
	if (!nodes || !f->compares) {
		r->failed = true;
		goto out;
	}
	for (uint32_t i = 0; i < n; i++) {
		/* XOR with a word that nothing decided on was arithmetic. */
		const struct bw_rec *k = p[i].rec;

		if (k->mask & M_DECIDED || (k->mask & M_PLACE && k->lit))
			nodes[kept++].p = &p[i];
	}
	n = kept;
	link_nodes(r, nodes, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_rec *k = nodes[i].p->rec, *last;
		const struct bw_region *g;
		struct bw_compare *c;
		uint32_t m, match, other, block;
		const uint32_t *set;
		int32_t func;

		if (nodes[i].has_prev)
			continue;
		c = &f->compares[f->n_compares];
		*c = (struct bw_compare){ .func = nodes[i].p->key.func, .insn = nodes[i].p->key.insn, .sources = k->val.taint,
					  .detail = "", .equality = nodes[i].p->key.a, .map = BW_NONE, .packet_off = -1, .header_off = -1 };
		chain_literal(r, nodes, i, c, &last);
		if (!(k->mask & M_DECIDED) && !(last->mask & (M_JEQ | M_JNE))) {
			/* Words of an OR: the branch is in the record of its first word. */
			bool decided = false;

			for (int32_t j = nodes[i].next; j >= 0; j = nodes[j].next)
				decided |= nodes[j].p->rec->mask & M_DECIDED;
			if (!decided)
				continue;
		}
		f->n_compares++;
		set = bw_dom_set(&r->e->d, k->val.prov, &m);
		if (m)
			c->detail = bw_result_str(r, bw_dom_cstr(&r->e->d, bw_dom_origin(&r->e->d, set[0])->detail));
		if (!c->literal.len) {
			c->from_map = true;
			c->map = bw_val_map(&k->val2);
			if (c->map >= (int32_t)r->e->n_maps)
				c->map -= (int32_t)r->e->n_maps;
		}
		g = k->mask & M_PLACE ? bw_dom_only(&r->e->d, (uint32_t)k->y) : NULL;
		if (g && g->kind == BW_REGION_PACKET && k->x >= 0)
			c->packet_off = k->x;
		if (g && g->kind == BW_REGION_PACKET)
			c->header_off = k->x >= 0 ? header_off(r, prog, k->x) : (int64_t)k->header - 1;
		if (sides(r, last, &func, &match, &other, &block)) {
			struct bw_reach equal, not_equal;

			bw_result_reach(r, prog, func, block, match, &equal);
			bw_result_reach(r, prog, func, block, other, &not_equal);
			c->match_verdicts = equal.verdicts;
			c->mismatch_verdicts = not_equal.verdicts;
			c->match_effects = equal.effects & ~not_equal.effects;
			c->mismatch_effects = not_equal.effects & ~equal.effects;
			if (c->match_verdicts & ~c->mismatch_verdicts)
				c->match_effects |= BW_EFFECT_RETURN;
			if (c->mismatch_verdicts & ~c->match_verdicts)
				c->mismatch_effects |= BW_EFFECT_RETURN;
		}
	}
out:
	free(nodes);
}
