// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Applies the rules to the facts of an object, and words what they find. */
#include <errno.h>
#include <string.h>

#include "auditor/checks/rule.h"
#include "common/buf.h"
#include "common/cleanup.h"

/* Beyond this a program's findings of one rule are counted, not listed. */
#define BW_MAX_FINDINGS_PER_RULE 64u

struct hit {
	const struct bw_rule *rule;
	const struct bw_fact *fact;
	enum bw_severity severity;
	enum bw_finding_kind kind;
	const char *because;
	struct bw_evidence ev;
	uint32_t more; /* further hits that say the same */
	uint32_t next; /* 1 + index of the program's next hit */
};

struct checker {
	const struct bw_ruleset *set;
	const struct bw_facts *x;
	struct bw_arena *arena;
	struct hit *hits;
	uint32_t n_hits;
	size_t cap;
	uint32_t *first; /* 1 + index of the first hit: of the object's own, then per program */
	uint32_t *last;
	bool failed;
};

struct bw_place bw_place_of(const struct bw_object *o, int32_t func, uint32_t insn)
{
	struct bw_place p = { .file = "", .text = "", .section = "", .insn = insn };
	const struct bw_code *c;
	const struct bw_line *l;

	if (func < 0 || func >= (int32_t)o->n_funcs)
		return p;
	c = &o->codes[o->funcs[func].code];
	p.section = c->name;
	l = bw_code_line(c, insn);
	if (!l || l->insn < o->funcs[func].first)
		return p;
	p.file = l->file;
	p.line = l->line;
	p.column = l->col;
	p.text = l->text;
	return p;
}

/* A rule on a fact: true with the verdict, its reason and the evidence when it applies. */
static bool apply(const struct bw_rule *rule, const struct bw_facts *x, const struct bw_fact *f, struct hit *h)
{
	*h = (struct hit){ .rule = rule, .fact = f, .severity = rule->severity, .kind = rule->kind, .because = "" };
	if (rule->when && !bw_cond_holds(rule->when, x, f, &h->ev))
		return false;
	for (uint32_t i = 0; i < rule->n_levels; i++) {
		const struct bw_level *l = &rule->levels[i];
		struct bw_evidence ev = h->ev;

		if (!bw_cond_holds(l->when, x, f, &ev))
			continue;
		h->ev = ev;
		h->severity = l->severity;
		h->kind = l->kind;
		h->because = l->because;
		break;
	}
	return true;
}

static bool same_finding(const struct hit *a, const struct hit *b)
{
	if (a->rule != b->rule || a->fact->prog != b->fact->prog)
		return false;
	if (a->rule->once)
		return true;
	return a->fact->func == b->fact->func && !strcmp(bw_fact_source(a->fact), bw_fact_source(b->fact)) &&
	       !strcmp(bw_fact_channel(a->fact), bw_fact_channel(b->fact)) && a->fact->kind != BW_FACT_STRING;
}

/* Hits of one rule that say the same are one, the most severe; the others are counted. */
static void add_hit(struct checker *c, const struct hit *h)
{
	uint32_t of_rule = 0, slot = (uint32_t)(h->fact->prog + 1);

	for (uint32_t i = c->first[slot]; i; i = c->hits[i - 1].next) {
		struct hit *old = &c->hits[i - 1];
		uint32_t more, next;

		if (old->rule != h->rule)
			continue;
		if (!same_finding(old, h) && ++of_rule < BW_MAX_FINDINGS_PER_RULE)
			continue;
		more = old->more + 1;
		next = old->next;
		if (h->severity > old->severity)
			*old = *h;
		old->more = more;
		old->next = next;
		return;
	}
	if (c->failed || !bw_arena_grow(c->arena, &c->hits, c->n_hits, &c->cap, sizeof(*h))) {
		c->failed = true;
		return;
	}
	c->hits[c->n_hits++] = *h;
	c->hits[c->n_hits - 1].next = 0;
	if (c->last[slot])
		c->hits[c->last[slot] - 1].next = c->n_hits;
	else
		c->first[slot] = c->n_hits;
	c->last[slot] = c->n_hits;
}

/* Of one group only the most severe rule speaks about a fact; among equals the last: special rules have higher numbers. */
static void check_fact(struct checker *c, const struct bw_fact *f)
{
	struct hit best[BW_MAX_RULE_GROUPS + 1], h;
	bool have[BW_MAX_RULE_GROUPS + 1] = { false };

	for (uint32_t i = 0; i < c->set->n_rules; i++) {
		const struct bw_rule *rule = &c->set->rules[i];

		if (rule->on != f->kind || !apply(rule, c->x, f, &h))
			continue;
		if (!rule->group) {
			add_hit(c, &h);
		} else if (!have[rule->group] || h.severity >= best[rule->group].severity) {
			best[rule->group] = h;
			have[rule->group] = true;
		}
	}
	for (uint32_t g = 1; g <= BW_MAX_RULE_GROUPS; g++)
		if (have[g])
			add_hit(c, &best[g]);
}

static const char *word_message(struct checker *c, const struct hit *h)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	const char *p = h->rule->message, *ret;

	while (*p) {
		size_t n = strcspn(p, "{");
		char word[32];

		bw_buf_append(&b, p, n);
		p += n;
		if (!*p)
			break;
		n = strcspn(++p, "}");
		memcpy(word, p, n < sizeof(word) ? n : sizeof(word) - 1);
		word[n < sizeof(word) ? n : sizeof(word) - 1] = 0;
		if (!bw_fact_word(c->x, h->fact, word, &b))
			bw_buf_str(&b, "something");
		p += n + (p[n] == '}');
	}
	if (h->more)
		bw_buf_printf(&b, " (and %u more like it)", h->more);
	ret = bw_buf_error(&b) ? NULL : bw_arena_str(c->arena, bw_buf_cstr(&b));
	if (!ret)
		c->failed = true;
	return ret ? ret : "";
}

static const char *func_name(const struct bw_object *o, int32_t func)
{
	return func >= 0 && func < (int32_t)o->n_funcs ? o->funcs[func].name : "";
}

static const char *prog_name(const struct bw_object *o, int32_t prog)
{
	return prog >= 0 && prog < (int32_t)o->n_progs ? o->progs[prog].name : "";
}

/* The flow that ends where this fact is: its way is the best explanation of a write. */
static const struct bw_flow *flow_of(const struct bw_facts *x, const struct bw_fact *f)
{
	const struct bw_flow *best = NULL;

	if (f->kind == BW_FACT_FLOW)
		return f->p;
	if (f->kind != BW_FACT_USER_WRITE && f->kind != BW_FACT_PACKET_WRITE)
		return NULL;
	for (uint32_t i = x->first[BW_FACT_FLOW][f->prog]; i < x->first[BW_FACT_FLOW][f->prog + 1]; i++) {
		const struct bw_fact *g = &x->list[BW_FACT_FLOW][i];
		const struct bw_flow *flow = g->p;

		if (g->func == f->func && g->insn == f->insn && flow->n_path && (!best || flow->source < best->source))
			best = flow;
	}
	return best;
}

static void add_steps(struct checker *c, const struct hit *h, struct bw_finding *ret)
{
	const struct bw_object *o = c->x->o;
	const struct bw_flow *flow = flow_of(c->x, h->fact);
	uint32_t n = h->ev.n + (flow ? flow->n_path : 0);

	if (!n)
		return;
	ret->steps = bw_arena_alloc(c->arena, n, sizeof(*ret->steps));
	if (!ret->steps) {
		c->failed = true;
		return;
	}
	for (uint32_t i = 0; i < h->ev.n; i++) {
		const struct bw_fact *f = h->ev.facts[i];
		_cleanup_buf_ struct bw_buf b = { 0 };
		const char *text;

		bw_fact_describe(c->x, f, &b);
		text = bw_buf_error(&b) ? NULL : bw_arena_str(c->arena, bw_buf_cstr(&b));
		if (!text) {
			c->failed = true;
			return;
		}
		ret->steps[ret->n_steps++] = (struct bw_finding_step){ .kind = "evidence",
								       .text = text,
								       .program = prog_name(o, f->prog),
								       .function = func_name(o, f->func),
								       .at = bw_place_of(o, f->func, f->insn) };
	}
	for (uint32_t i = 0; flow && i < flow->n_path; i++) {
		const struct bw_step *s = &flow->path[i];

		ret->steps[ret->n_steps++] = (struct bw_finding_step){ .kind = bw_step_kind_name(s->kind),
								       .text = s->text,
								       .program = prog_name(o, s->prog),
								       .function = func_name(o, s->func),
								       .at = bw_place_of(o, s->func, s->insn) };
	}
}

static void word_finding(struct checker *c, const struct hit *h, const char *program, struct bw_finding *ret)
{
	const struct bw_object *o = c->x->o;

	*ret = (struct bw_finding){
		.rule = h->rule->id,
		.title = h->rule->title,
		.severity = h->severity,
		.kind = h->kind,
		.source = bw_fact_source(h->fact),
		.channel = bw_fact_channel(h->fact),
		.message = word_message(c, h),
		.because = h->because,
		.program = program,
		.function = func_name(o, h->fact->func),
		.at = bw_place_of(o, h->fact->func, h->fact->insn),
		.suppressed = "",
	};
	add_steps(c, h, ret);
}

static int fill_program(struct checker *c, struct bw_scan_program *sp, uint32_t p)
{
	/* what is the object's own goes to its first program */
	const uint32_t lists[2] = { c->first[p + 1], p ? 0 : c->first[0] };
	uint32_t n = 0;

	for (unsigned int l = 0; l < 2; l++)
		for (uint32_t i = lists[l]; i; i = c->hits[i - 1].next)
			n++;
	if (!n)
		return 0;
	sp->findings = bw_arena_alloc(c->arena, n, sizeof(*sp->findings));
	if (!sp->findings)
		return -ENOMEM;
	for (unsigned int l = 0; l < 2; l++)
		for (uint32_t i = lists[l]; i && !c->failed; i = c->hits[i - 1].next)
			word_finding(c, &c->hits[i - 1], sp->name, &sp->findings[sp->n_findings++]);
	return c->failed ? -ENOMEM : bw_findings_finish(sp->findings, sp->n_findings, c->arena);
}

int bw_check(const struct bw_ruleset *s, const struct bw_facts *x, struct bw_arena *arena, struct bw_scan_object *ret)
{
	struct checker checker = { .set = s, .x = x, .arena = arena }, *c = &checker;

	int r = 0;

	c->first = bw_arena_alloc(arena, x->o->n_progs + 1, sizeof(*c->first));
	c->last = bw_arena_alloc(arena, x->o->n_progs + 1, sizeof(*c->last));
	if (!c->first || !c->last)
		return -ENOMEM;
	for (unsigned int k = 0; k < BW_FACT_COUNT_; k++)
		for (uint32_t i = 0; i < x->n[k] && !c->failed; i++)
			check_fact(c, &x->list[k][i]);
	if (c->failed)
		return -ENOMEM;
	for (uint32_t p = 0; p < ret->n_programs && !r; p++)
		r = fill_program(c, &ret->programs[p], p);
	return r;
}
