// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Variables of a section: the symbol table knows where they are (LLVM leaves the offsets in BTF to the linker), BTF
 * knows their types. The two are joined by name, or by place for what has none in common.
 */
#include <stdlib.h>

#include "auditor/reader.h"

struct named_type {
	const char *name;
	uint32_t id;
};

static int named_compare(const void *a, const void *b)
{
	const struct named_type *x = a, *y = b;
	int r = strncmp(x->name, y->name, READER_MAX_NAME + 1);

	return r ? r : x->id < y->id ? -1 : x->id > y->id;
}

/* The first with that name. */
static const struct named_type *named_find(const struct named_type *list, uint32_t n, const char *name)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (strncmp(list[mid].name, name, READER_MAX_NAME + 1) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && !strncmp(list[lo].name, name, READER_MAX_NAME + 1) ? &list[lo] : NULL;
}

int reader_datasecs(struct bw_reader *r)
{
	const struct bw_btf *b = r->o->btf;
	struct named_type *list;
	struct bw_btf_type t;
	uint32_t n = 0;

	if (!b)
		return 0;
	for (uint32_t id = 1; bw_btf_type(b, id, &t); id++)
		n += t.kind == BW_BTF_DATASEC;
	list = bw_arena_alloc(r->arena, n, sizeof(*list));
	if (!list)
		return reader_oom(r);
	n = 0;
	for (uint32_t id = 1; bw_btf_type(b, id, &t); id++)
		if (t.kind == BW_BTF_DATASEC)
			list[n++] = (struct named_type){ t.name, id };
	if (n)
		qsort(list, n, sizeof(*list), named_compare);
	r->datasecs = list;
	r->n_datasecs = n;
	return 0;
}

uint32_t reader_datasec(const struct bw_reader *r, const char *section)
{
	const struct named_type *found = named_find(r->datasecs, r->n_datasecs, section);

	return found ? found->id : 0;
}

int reader_datasec_index(struct bw_reader *r, uint32_t datasec, struct datasec_index *ret)
{
	const struct bw_btf *b = r->o->btf;
	struct named_type *list;
	struct bw_btf_member m;
	struct bw_btf_type t;

	*ret = (struct datasec_index){ 0 };
	if (!datasec || !bw_btf_type(b, datasec, &t))
		return 0;
	list = bw_arena_alloc(r->arena, t.vlen, sizeof(*list));
	if (!list)
		return reader_oom(r);
	for (uint32_t i = 0; i < t.vlen && bw_btf_member(b, &t, i, &m); i++)
		list[ret->n++] = (struct named_type){ m.name, m.type };
	if (ret->n)
		qsort(list, ret->n, sizeof(*list), named_compare);
	ret->list = list;
	return 0;
}

uint32_t reader_datasec_find(const struct datasec_index *index, const char *name)
{
	const struct named_type *found = named_find(index->list, index->n, name);

	return found ? found->id : 0;
}

static int var_compare(const void *a, const void *b)
{
	const struct bw_var *x = a, *y = b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return strncmp(x->name, y->name, READER_MAX_NAME + 1);
}

/* "function.variable", as LLVM names the symbol of a static variable: BTF has only the last part. */
static const char *var_short_name(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : name;
}

int reader_section_symbols(struct bw_reader *r)
{
	struct bw_elf *e = &r->elf;

	/* Counting sort by section: the symbols of a section are sym_order[sym_first[s]] to [sym_first[s + 1]]. */
	r->sym_first = bw_arena_alloc(r->arena, (size_t)e->n_sections + 2, sizeof(*r->sym_first));
	r->sym_order = bw_arena_alloc(r->arena, e->n_symbols, sizeof(*r->sym_order));
	if (!r->sym_first || !r->sym_order)
		return reader_oom(r);
	for (uint32_t i = 0; i < e->n_symbols; i++)
		if (!e->symbols[i].reserved)
			r->sym_first[e->symbols[i].shndx + 2]++;
	for (uint32_t i = 0; i < e->n_sections; i++)
		r->sym_first[i + 2] += r->sym_first[i + 1];
	for (uint32_t i = 0; i < e->n_symbols; i++)
		if (!e->symbols[i].reserved)
			r->sym_order[r->sym_first[e->symbols[i].shndx + 1]++] = i;
	return 0;
}

int reader_vars(struct bw_reader *r, uint32_t shndx, uint32_t datasec, struct bw_var **ret, uint32_t *ret_n)
{
	uint32_t first = r->sym_first[shndx], last = r->sym_first[shndx + 1], n = 0;
	const struct bw_btf *b = r->o->btf;
	struct datasec_index index;
	struct bw_var *vars;
	struct bw_btf_type t;
	int err;

	err = reader_datasec_index(r, datasec, &index);
	if (err)
		return err;
	vars = bw_arena_alloc(r->arena, last - first, sizeof(*vars));
	if (!vars)
		return reader_oom(r);
	for (uint32_t i = first; i < last; i++) {
		const struct bw_elf_symbol *s = &r->elf.symbols[r->sym_order[i]];
		uint32_t var;

		if (s->type == BW_STT_SECTION || s->type == BW_STT_FILE || s->type == BW_STT_FUNC || !s->name[0])
			continue;
		var = reader_datasec_find(&index, s->name);
		if (!var && s->bind == BW_STB_LOCAL)
			var = reader_datasec_find(&index, var_short_name(s->name));
		vars[n] = (struct bw_var){ .name = reader_name(r, s->name), .off = s->value, .size = s->size,
					   .global = s->bind != BW_STB_LOCAL };
		if (var && bw_btf_type(b, var, &t) && t.kind == BW_BTF_VAR)
			vars[n].type = t.type;
		n++;
	}
	if (n)
		qsort(vars, n, sizeof(*vars), var_compare);
	/* Symbols without a size reach to the next one. */
	for (uint32_t i = 0; i < n; i++)
		if (!vars[i].size) {
			uint64_t end = i + 1 < n ? vars[i + 1].off : r->elf.sections[shndx].size;

			vars[i].size = end > vars[i].off ? end - vars[i].off : 0;
		}
	*ret = vars;
	*ret_n = n;
	return 0;
}
