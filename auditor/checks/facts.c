// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Collects the facts of an object and of its analysis, sorted by program. */
#include "auditor/checks/facts.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"

static const char *const kind_names[] = {
	[BW_FACT_FLOW] = "flow",
	[BW_FACT_USER_WRITE] = "user-write",
	[BW_FACT_OVERRIDE] = "override",
	[BW_FACT_SIGNAL] = "signal",
	[BW_FACT_COMPARE] = "compare",
	[BW_FACT_PACKET_WRITE] = "packet-write",
	[BW_FACT_REDIRECT] = "redirect",
	[BW_FACT_STRING] = "string",
	[BW_FACT_TAIL_CALL] = "tail-call",
	[BW_FACT_MAP_USE] = "map-use",
	[BW_FACT_CALL] = "call",
	[BW_FACT_CROSS] = "cross",
	[BW_FACT_PROGRAM] = "program",
	[BW_FACT_UNANALYSED] = "unanalysed",
	[BW_FACT_NOTE] = "note",
};
_Static_assert(ARRAY_SIZE(kind_names) == BW_FACT_COUNT_, "each kind has a name");

const char *bw_fact_kind_name(enum bw_fact_kind k)
{
	return k < BW_FACT_COUNT_ ? kind_names[k] : "?";
}

int bw_fact_kind_id(const char *name)
{
	for (unsigned int i = 0; i < BW_FACT_COUNT_; i++)
		if (!strcmp(kind_names[i], name))
			return (int)i;
	return -1;
}

struct builder {
	struct bw_facts x;
	struct bw_arena *arena;
	size_t cap[BW_FACT_COUNT_];
	bool failed;
};

static void add(struct builder *b, enum bw_fact_kind kind, int32_t prog, int32_t func, uint32_t insn, const void *p)
{
	struct bw_facts *x = &b->x;

	if (b->failed || !bw_arena_grow(b->arena, &x->list[kind], x->n[kind], &b->cap[kind], sizeof(struct bw_fact))) {
		b->failed = true;
		return;
	}
	x->list[kind][x->n[kind]++] =
		(struct bw_fact){ .kind = kind, .prog = prog, .func = func, .insn = insn, .p = p };
}

static void add_constant(struct builder *b, int32_t prog, int32_t func, uint32_t insn, struct bw_constant c)
{
	struct bw_constant *copy;

	if (b->x.n[BW_FACT_STRING] >= BW_MAX_CONSTANTS) {
		b->x.strings_dropped = true;
		return;
	}
	copy = bw_arena_alloc(b->arena, 1, sizeof(*copy));
	if (!copy) {
		b->failed = true;
		return;
	}
	*copy = c;
	add(b, BW_FACT_STRING, prog, func, insn, copy);
}

static void mark_reached(struct builder *b, int32_t prog, int32_t *queue)
{
	const struct bw_object *o = b->x.o;
	uint32_t head = 0, tail = 0;
	int32_t start = o->progs[prog].func;

	if (start < 0 || start >= (int32_t)o->n_funcs || b->x.owner[start] != BW_NONE)
		return;
	b->x.owner[start] = prog;
	queue[tail++] = start;
	while (head < tail) {
		const struct bw_func *f = &o->funcs[queue[head++]];
		const struct bw_code *c = &o->codes[f->code];

		for (uint32_t i = 0; c->reloc_of && i < f->n_insns; i++) {
			const struct bw_reloc *r = bw_code_reloc(c, f->first + i);

			if (!r || (r->kind != BW_RELOC_CALL && r->kind != BW_RELOC_FUNC_ADDR) || r->target < 0 ||
			    r->target >= (int32_t)o->n_funcs || b->x.owner[r->target] != BW_NONE)
				continue;
			b->x.owner[r->target] = prog;
			queue[tail++] = r->target;
		}
	}
}

static int find_owners(struct builder *b)
{
	const struct bw_object *o = b->x.o;
	int32_t *queue = bw_arena_alloc(b->arena, o->n_funcs + 1, sizeof(*queue));

	b->x.owner = bw_arena_alloc(b->arena, o->n_funcs + 1, sizeof(*b->x.owner));
	if (!queue || !b->x.owner)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->n_funcs; i++)
		b->x.owner[i] = BW_NONE;
	for (uint32_t i = 0; i < o->n_progs; i++)
		mark_reached(b, (int32_t)i, queue);
	return 0;
}

static bool printable(uint8_t c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

struct data_use {
	int32_t prog, func;
	uint32_t insn;
};

/* Where a data map's byte is referred to: the reference with the largest addend not beyond it. */
struct data_ref {
	uint64_t addend;
	struct data_use use;
};

static int by_addend(const void *va, const void *vb)
{
	const struct data_ref *a = va, *b = vb;

	if (a->addend != b->addend)
		return a->addend < b->addend ? -1 : 1;
	if (a->use.func != b->use.func)
		return a->use.func < b->use.func ? -1 : 1;
	return a->use.insn < b->use.insn ? -1 : a->use.insn > b->use.insn;
}

static struct data_ref *data_refs(struct builder *b, int32_t map, size_t *ret_n)
{
	const struct bw_object *o = b->x.o;
	struct data_ref *refs = NULL;
	size_t n = 0, cap = 0;

	for (uint32_t f = 0; f < o->n_funcs; f++) {
		const struct bw_func *fn = &o->funcs[f];
		const struct bw_code *c = &o->codes[fn->code];

		for (uint32_t i = 0; c->reloc_of && i < fn->n_insns; i++) {
			const struct bw_reloc *r = bw_code_reloc(c, fn->first + i);

			if (!r || r->kind != BW_RELOC_DATA || r->target != map)
				continue;
			if (!bw_arena_grow(b->arena, &refs, n, &cap, sizeof(*refs))) {
				b->failed = true;
				return NULL;
			}
			refs[n++] = (struct data_ref){ (uint64_t)r->addend,
						       { b->x.owner[f], (int32_t)f, fn->first + i } };
		}
	}
	if (n > 1)
		qsort(refs, n, sizeof(*refs), by_addend);
	*ret_n = n;
	return refs;
}

static void add_data_strings(struct builder *b, int32_t map)
{
	const struct bw_object *o = b->x.o;
	struct bw_slice d = o->maps[map].data;
	struct data_use none = { o->n_progs ? 0 : BW_NONE, BW_NONE, 0 };
	size_t n_refs = 0, at = 0;
	struct data_ref *refs;

	if (!d.len)
		return;
	refs = data_refs(b, map, &n_refs);
	for (size_t i = 0; i < d.len && !b->failed;) {
		struct data_use use = none;
		size_t end = i;
		char *text;

		while (end < d.len && end - i < BW_MAX_CONSTANT_LEN && printable(d.data[end]))
			end++;
		if (end - i < 4) {
			i = end + 1;
			continue;
		}
		while (at < n_refs && refs[at].addend < end)
			at++;
		if (n_refs)
			use = refs[at ? at - 1 : 0].use;
		if (use.prog == BW_NONE)
			use.prog = none.prog;
		text = bw_arena_strn(b->arena, (const char *)d.data + i, end - i);
		if (!text) {
			b->failed = true;
			return;
		}
		add_constant(b, use.prog, use.func, use.insn,
			     (struct bw_constant){ .text = text, .len = (uint32_t)(end - i), .helper = "", .rodata = true });
		i = end + 1;
	}
}

static bool same_text(const struct bw_constant *c, const struct bw_string_use *s)
{
	return c->len == strlen(s->literal.text) && !memcmp(c->text, s->literal.text, c->len);
}

/* A string in a data section that a program uses is one fact, with what is known of its use. */
static void add_used_string(struct builder *b, int32_t prog, const struct bw_string_use *s)
{
	if (!*s->literal.text)
		return;
	if (s->rodata) {
		for (uint32_t i = 0; i < b->x.n[BW_FACT_STRING]; i++) {
			struct bw_fact *f = &b->x.list[BW_FACT_STRING][i];
			struct bw_constant *c = (struct bw_constant *)f->p;

			if (!same_text(c, s) || *c->helper)
				continue;
			f->prog = prog;
			f->func = s->func;
			f->insn = s->insn;
			c->helper = s->helper;
			c->arg = s->arg;
			return;
		}
	}
	add_constant(b, prog, s->func, s->insn,
		     (struct bw_constant){ .text = s->literal.text,
					   .len = (uint32_t)strlen(s->literal.text),
					   .helper = s->helper,
					   .arg = s->arg,
					   .rodata = s->rodata });
}

static void add_strings(struct builder *b)
{
	const struct bw_object *o = b->x.o;

	for (uint32_t i = 0; i < o->n_maps && !b->failed; i++)
		if (o->maps[i].kind == BW_MAP_DATA || o->maps[i].kind == BW_MAP_RODATA ||
		    o->maps[i].kind == BW_MAP_ARENA_DATA)
			add_data_strings(b, (int32_t)i);
	for (uint32_t i = 0; b->x.a && i < b->x.a->n_progs && !b->failed; i++) {
		const struct bw_prog_facts *p = &b->x.a->progs[i];

		for (uint32_t k = 0; k < p->n_strings; k++)
			add_used_string(b, p->prog, &p->strings[k]);
	}
}

#define ADD_EACH(kind, array, n)                                                                      \
	for (uint32_t k_ = 0; k_ < (n); k_++)                                                          \
	add(b, kind, p->prog, (array)[k_].func, (array)[k_].insn, &(array)[k_])

static void add_prog(struct builder *b, const struct bw_prog_facts *p)
{
	const struct bw_object *o = b->x.o;
	int32_t func = o->progs[p->prog].func;
	uint32_t first = func >= 0 && func < (int32_t)o->n_funcs ? o->funcs[func].first : 0;

	ADD_EACH(BW_FACT_USER_WRITE, p->user_writes, p->n_user_writes);
	ADD_EACH(BW_FACT_OVERRIDE, p->overrides, p->n_overrides);
	ADD_EACH(BW_FACT_SIGNAL, p->signals, p->n_signals);
	ADD_EACH(BW_FACT_COMPARE, p->compares, p->n_compares);
	ADD_EACH(BW_FACT_PACKET_WRITE, p->packet_writes, p->n_packet_writes);
	ADD_EACH(BW_FACT_REDIRECT, p->redirects, p->n_redirects);
	ADD_EACH(BW_FACT_TAIL_CALL, p->tail_calls, p->n_tail_calls);
	ADD_EACH(BW_FACT_UNANALYSED, p->unanalysed, p->n_unanalysed);
	for (uint32_t i = 0; i < p->n_maps; i++)
		add(b, BW_FACT_MAP_USE, p->prog, func, first, &p->maps[i]);
	for (uint32_t i = 0; i < p->n_helpers; i++)
		add(b, BW_FACT_CALL, p->prog, func, first, &p->helpers[i]);
	for (uint32_t i = 0; i < p->n_kfuncs; i++)
		add(b, BW_FACT_CALL, p->prog, func, first, &p->kfuncs[i]);
	add(b, BW_FACT_PROGRAM, p->prog, func, first, p);
}

static int by_prog(const void *va, const void *vb)
{
	const struct bw_fact *a = va, *b = vb;

	if (a->prog != b->prog)
		return a->prog < b->prog ? -1 : 1;
	if (a->func != b->func)
		return a->func < b->func ? -1 : 1;
	if (a->insn != b->insn)
		return a->insn < b->insn ? -1 : 1;
	return a->p < b->p ? -1 : a->p > b->p; /* in the order of one array, whose order is fixed */
}

/* Strings are separate allocations: a stable sort by program, so that the order does not hang on addresses. */
static int sort_strings(struct builder *b)
{
	uint32_t n_progs = b->x.o->n_progs, n = b->x.n[BW_FACT_STRING];
	const struct bw_fact *list = b->x.list[BW_FACT_STRING];
	struct bw_fact *sorted = bw_arena_alloc(b->arena, n, sizeof(*sorted));
	uint32_t *at = bw_arena_alloc(b->arena, n_progs + 2, sizeof(*at));

	if (!sorted || !at)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		at[list[i].prog + 2 <= (int32_t)n_progs + 1 ? list[i].prog + 2 : 0]++;
	for (uint32_t i = 1; i < n_progs + 2; i++)
		at[i] += at[i - 1];
	for (uint32_t i = 0; i < n; i++)
		sorted[at[list[i].prog + 1]++] = list[i];
	b->x.list[BW_FACT_STRING] = sorted;
	return 0;
}

static int index_facts(struct builder *b)
{
	uint32_t n_progs = b->x.o->n_progs;

	for (unsigned int k = 0; k < BW_FACT_COUNT_; k++) {
		uint32_t at = 0;

		if (k == BW_FACT_STRING) {
			if (b->x.n[k] > 1 && sort_strings(b) < 0)
				return -ENOMEM;
		} else if (b->x.n[k] > 1) {
			qsort(b->x.list[k], b->x.n[k], sizeof(struct bw_fact), by_prog);
		}
		b->x.first[k] = bw_arena_alloc(b->arena, n_progs + 1, sizeof(uint32_t));
		if (!b->x.first[k])
			return -ENOMEM;
		for (uint32_t p = 0; p <= n_progs; p++) {
			while (at < b->x.n[k] && b->x.list[k][at].prog < (int32_t)p)
				at++;
			b->x.first[k][p] = at;
		}
	}
	return 0;
}

/*
 * Who hands data to whom through maps, however many hops: the closure of what the analysis saw.
 */
static int find_feeders(struct builder *b)
{
	const struct bw_analysis *a = b->x.a;
	uint32_t n = b->x.o->n_progs;
	uint8_t *feeds;

	if (!n || n > BW_MAX_FEEDER_PROGS)
		return 0;
	feeds = bw_arena_alloc(b->arena, (size_t)n * n, 1);
	if (!feeds)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		feeds[(size_t)i * n + i] = 1;
	for (uint32_t i = 0; i < a->n_cross; i++)
		if ((uint32_t)a->cross[i].reader < n && (uint32_t)a->cross[i].writer < n)
			feeds[(size_t)a->cross[i].reader * n + a->cross[i].writer] = 1;
	for (uint32_t via = 0; via < n; via++)
		for (uint32_t r = 0; r < n; r++)
			for (uint32_t w = 0; feeds[(size_t)r * n + via] && w < n; w++)
				feeds[(size_t)r * n + w] |= feeds[(size_t)via * n + w];
	b->x.feeds = feeds;
	return 0;
}

int bw_facts_build(const struct bw_object *o, const struct bw_analysis *a, struct bw_arena *arena,
		   struct bw_facts *ret)
{
	struct builder build = { .x = { .o = o, .a = a }, .arena = arena }, *b = &build;
	int r;

	b->x.hooks = bw_arena_alloc(arena, o->n_progs + 1, sizeof(*b->x.hooks));
	if (!b->x.hooks)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->n_progs; i++) {
		r = bw_hook_of(o, &o->progs[i], arena, &b->x.hooks[i]);
		if (r < 0)
			return r;
	}
	r = find_owners(b);
	if (r >= 0)
		r = find_feeders(b);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < a->n_flows; i++) {
		const struct bw_flow *f = &a->flows[i];
		const struct bw_step *sink = f->n_path ? &f->path[f->n_path - 1] : NULL;
		int32_t func = sink ? sink->func : o->progs[f->prog].func;

		add(b, BW_FACT_FLOW, f->prog, func, sink ? sink->insn : func >= 0 ? o->funcs[func].first : 0, f);
	}
	for (uint32_t i = 0; i < a->n_progs; i++)
		add_prog(b, &a->progs[i]);
	for (uint32_t i = 0; i < a->n_cross; i++)
		add(b, BW_FACT_CROSS, a->cross[i].reader, o->progs[a->cross[i].reader].func, 0, &a->cross[i]);
	for (uint32_t i = 0; i < o->n_notes; i++)
		add(b, BW_FACT_NOTE, BW_NONE, BW_NONE, 0, &o->notes[i]);
	add_strings(b);
	if (b->failed)
		return -ENOMEM;
	r = index_facts(b);
	if (r < 0)
		return r;
	*ret = b->x;
	return 0;
}
