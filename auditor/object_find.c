// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Questions about an object that was read. */
#include <string.h>

#include "auditor/object.h"

const struct bw_core_relo *bw_code_core(const struct bw_code *c, uint32_t insn)
{
	uint32_t lo = 0, hi = c->n_cores;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->cores[mid].insn < insn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->n_cores && c->cores[lo].insn == insn ? &c->cores[lo] : NULL;
}

const struct bw_line *bw_code_line(const struct bw_code *c, uint32_t insn)
{
	uint32_t lo = 0, hi = c->n_lines;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->lines[mid].insn <= insn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &c->lines[lo - 1] : NULL;
}

/* The last function of @code that starts at or before @insn. */
static int32_t func_before(const struct bw_object *o, int32_t code, uint32_t insn)
{
	uint32_t lo = 0, hi = o->n_funcs;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct bw_func *f = &o->funcs[mid];

		if (f->code < code || (f->code == code && f->first <= insn))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && o->funcs[lo - 1].code == code ? (int32_t)lo - 1 : BW_NONE;
}

int32_t bw_object_func_at(const struct bw_object *o, int32_t code, uint32_t insn)
{
	int32_t f = func_before(o, code, insn);

	return f != BW_NONE && insn - o->funcs[f].first < o->funcs[f].n_insns ? f : BW_NONE;
}

int32_t bw_object_func_starting(const struct bw_object *o, int32_t code, uint32_t insn)
{
	int32_t f = func_before(o, code, insn);

	return f != BW_NONE && o->funcs[f].first == insn ? f : BW_NONE;
}

int32_t bw_object_find_prog(const struct bw_object *o, const char *name)
{
	for (uint32_t i = 0; i < o->n_progs; i++)
		if (!strcmp(o->progs[i].name, name))
			return (int32_t)i;
	return BW_NONE;
}

int32_t bw_object_find_map(const struct bw_object *o, const char *name)
{
	for (uint32_t i = 0; i < o->n_maps; i++)
		if (!strcmp(o->maps[i].name, name))
			return (int32_t)i;
	return BW_NONE;
}

const struct bw_var *bw_object_data_var(const struct bw_object *o, int32_t map, uint64_t off)
{
	const struct bw_map *m = &o->maps[map];
	uint32_t lo = 0, hi = m->n_vars;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->vars[mid].off <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && off - m->vars[lo - 1].off < m->vars[lo - 1].size ? &m->vars[lo - 1] : NULL;
}
