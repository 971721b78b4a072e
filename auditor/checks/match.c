// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Evaluates conditions on facts. */
#include <errno.h>
#include <string.h>

#include "auditor/checks/rule.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Linear: on a mismatch it goes back to the last star only. */
bool bw_glob_match(const char *glob, const char *text)
{
	const char *star = NULL, *resume = NULL;
	bool fold = *glob == '~';

	glob += fold;
	while (*text) {
		if (*glob == '*') {
			star = ++glob;
			resume = text;
		} else if (*glob && (*glob == *text || (fold && lower(*glob) == lower(*text)))) {
			glob++;
			text++;
		} else if (star) {
			glob = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}

static bool text_matches(const struct bw_cond *c, const char *text)
{
	for (uint32_t i = 0; i < c->n_globs; i++)
		if (bw_glob_match(c->globs[i], text))
			return true;
	return false;
}

static bool field_holds(const struct bw_cond *c, const struct bw_facts *x, const struct bw_fact *f)
{
	struct bw_value v;

	v.bits = 0;
	v.number = INT64_MIN;
	v.flag = false;
	v.text = "";
	v.n_texts = 0;
	c->field->get(x, f, &v);
	switch (c->field->type) {
	case BW_FIELD_BITS:
	case BW_FIELD_VERDICTS:
		if (c->test == BW_TEST_ALL)
			return (v.bits & c->bits) == c->bits;
		if (c->test == BW_TEST_ONLY)
			return v.bits && !(v.bits & ~c->bits);
		return v.bits & c->bits;
	case BW_FIELD_NUMBER:
		if (v.number == INT64_MIN)
			return false;
		if (!c->numbers)
			return v.number >= c->min && v.number <= c->max;
		for (uint32_t i = 0; i < c->n_numbers; i++)
			if (c->numbers[i] == v.number)
				return true;
		return false;
	case BW_FIELD_BOOL:
		return v.flag == c->flag;
	case BW_FIELD_TEXT:
		return text_matches(c, v.text);
	case BW_FIELD_TEXTS:
		for (uint32_t i = 0; i < v.n_texts; i++)
			if (text_matches(c, v.texts[i]))
				return true;
		return false;
	}
	return false;
}

/* The program a fact's data or address came from. */
static int32_t origin_of(const struct bw_fact *f)
{
	switch (f->kind) {
	case BW_FACT_FLOW:
		return ((const struct bw_flow *)f->p)->source_prog;
	case BW_FACT_USER_WRITE:
		return ((const struct bw_user_write *)f->p)->dst_prog;
	case BW_FACT_CROSS:
		return ((const struct bw_cross_flow *)f->p)->writer;
	default:
		return f->prog;
	}
}

/* Whether @prog is in the scope of a fact of @self. */
static bool in_scope(enum bw_scope scope, const struct bw_facts *x, int32_t self, int32_t prog)
{
	switch (scope) {
	case BW_SCOPE_OTHERS:
		return prog != self;
	case BW_SCOPE_FEEDERS:
		if (prog < 0 || self < 0 || !x->feeds)
			return prog == self;
		return x->feeds[(size_t)self * x->o->n_progs + (uint32_t)prog];
	default:
		return true;
	}
}

static bool exists(const struct bw_cond *c, const struct bw_facts *x, const struct bw_fact *f, struct bw_evidence *ev)
{
	int32_t prog = c->scope == BW_SCOPE_ORIGIN ? origin_of(f) : f->prog;
	uint32_t from = 0, to = x->n[c->on], found = 0;

	if (c->scope == BW_SCOPE_PROGRAM || c->scope == BW_SCOPE_FUNCTION || c->scope == BW_SCOPE_ORIGIN) {
		if (prog < 0 || prog >= (int32_t)x->o->n_progs)
			return false;
		from = x->first[c->on][prog];
		to = x->first[c->on][prog + 1];
	}
	for (uint32_t i = from; i < to; i++) {
		const struct bw_fact *g = &x->list[c->on][i];

		if (!in_scope(c->scope, x, f->prog, g->prog))
			continue;
		if (c->scope == BW_SCOPE_FUNCTION && g->func != f->func)
			continue;
		if (c->n_kids && !bw_cond_holds(c->kids[0], x, g, ev))
			continue;
		if (ev && g != f && ev->n < BW_MAX_EVIDENCE)
			ev->facts[ev->n++] = g;
		if (++found >= c->at_least)
			return true;
	}
	return false;
}

bool bw_cond_holds(const struct bw_cond *c, const struct bw_facts *x, const struct bw_fact *f, struct bw_evidence *ev)
{
	uint32_t n = ev ? ev->n : 0;
	bool holds = true;

	switch (c->op) {
	case BW_COND_FIELD:
		return field_holds(c, x, f);
	case BW_COND_EXISTS:
		holds = exists(c, x, f, ev);
		break;
	case BW_COND_ANY:
		holds = false;
		for (uint32_t i = 0; i < c->n_kids && !holds; i++)
			holds = bw_cond_holds(c->kids[i], x, f, ev);
		break;
	case BW_COND_NOT:
		for (uint32_t i = 0; i < c->n_kids && holds; i++)
			holds = !bw_cond_holds(c->kids[i], x, f, NULL);
		break;
	case BW_COND_ALL:
		for (uint32_t i = 0; i < c->n_kids && holds; i++)
			holds = bw_cond_holds(c->kids[i], x, f, ev);
		break;
	}
	if (ev && !holds)
		ev->n = n; /* what a failed branch found is no evidence */
	return holds;
}
