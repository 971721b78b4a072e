// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Functions from the symbol table, and which of them are entry programs. As in libbpf, functions in named sections are
 * programs and those in .text are subprograms; beyond it, static programs and objects without any named section are
 * understood, because other loaders accept them.
 */
#include <errno.h>
#include <stdlib.h>

#include "auditor/reader.h"
#include "auditor/secname.h"

static bool is_text(const char *section)
{
	return !strcmp(section, ".text") || str_has_prefix(section, ".text.");
}

/* By code and place; of several names for one place the function symbol, then the exported name comes first. */
static int func_compare(const void *a, const void *b)
{
	const struct bw_func *x = a, *y = b;

	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->typed != y->typed)
		return x->typed ? -1 : 1;
	if ((x->binding == BW_BIND_LOCAL) != (y->binding == BW_BIND_LOCAL))
		return x->binding == BW_BIND_LOCAL ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* A symbol that may start a function. LLVM before 10 gave functions no type; local untyped symbols are jump labels. */
static bool is_function(const struct bw_reader *r, const struct bw_elf_symbol *s)
{
	if (s->reserved || s->shndx == BW_SHN_UNDEF || r->code_of[s->shndx] == BW_NONE)
		return false;
	return s->type == BW_STT_FUNC || (s->type == BW_STT_NOTYPE && s->bind != BW_STB_LOCAL);
}

static struct bw_func function_from(struct bw_reader *r, const struct bw_elf_symbol *s)
{
	return (struct bw_func){
		.name = reader_name(r, s->name),
		.code = r->code_of[s->shndx],
		.first = (uint32_t)(s->value / BW_INSN_SIZE),
		.n_insns = s->size / BW_INSN_SIZE > UINT32_MAX ? UINT32_MAX : (uint32_t)(s->size / BW_INSN_SIZE),
		.binding = s->bind == BW_STB_LOCAL ? BW_BIND_LOCAL :
			   s->bind == BW_STB_WEAK  ? BW_BIND_WEAK :
						     BW_BIND_GLOBAL,
		.hidden = s->visibility == 1 || s->visibility == 2,
		.typed = s->type == BW_STT_FUNC,
		.prog = BW_NONE,
	};
}

/* Cuts and extends the sorted functions so that they do not overlap, drops aliases, and names the code in between. */
static int functions_lay_out(struct bw_reader *r, struct bw_func *in, uint32_t n_in)
{
	struct bw_object *o = r->o;
	uint32_t n = 0, k = 0;

	o->funcs = bw_arena_alloc(r->arena, 2 * (size_t)n_in + o->n_codes, sizeof(*o->funcs));
	if (!o->funcs)
		return reader_oom(r);
	for (uint32_t code = 0; code < o->n_codes; code++) {
		const struct bw_code *c = &o->codes[code];
		uint32_t at = 0;

		while (k < n_in && in[k].code == (int32_t)code) {
			struct bw_func f = in[k];
			uint32_t end = c->n_insns;

			for (k++; k < n_in && in[k].code == f.code && in[k].first == f.first; k++)
				;
			if (k < n_in && in[k].code == f.code)
				end = in[k].first;
			if (f.first > at)
				o->funcs[n++] = (struct bw_func){ .name = "", .code = (int32_t)code, .first = at,
								  .n_insns = f.first - at, .prog = BW_NONE };
			if (f.n_insns > end - f.first) {
				reader_note(r, BW_NOTE_ODD, c->name, (uint64_t)f.first * BW_INSN_SIZE,
					    "function %s overlaps what follows it", f.name);
				f.n_insns = end - f.first;
			}
			if (f.n_insns == 0)
				f.n_insns = end - f.first;
			o->funcs[n++] = f;
			at = f.first + f.n_insns;
		}
		if (at < c->n_insns)
			o->funcs[n++] = (struct bw_func){ .name = "", .code = (int32_t)code, .first = at,
							  .n_insns = c->n_insns - at, .prog = BW_NONE };
	}
	o->n_funcs = n;
	for (uint32_t i = 0; i < n; i++) {
		struct bw_func *f = &o->funcs[i];
		const char *section = o->codes[f->code].name;

		if (f->name[0])
			continue;
		/* A section without symbols is one program; other code outside functions is kept, with a made-up name. */
		f->nameless = true;
		if (f->first == 0 && f->n_insns == o->codes[f->code].n_insns) {
			f->name = section;
			f->binding = BW_BIND_GLOBAL;
			continue;
		}
		f->name = bw_arena_printf(r->arena, "%s+0x%x", section, f->first * BW_INSN_SIZE);
		if (!f->name)
			return reader_oom(r);
		reader_note(r, BW_NOTE_ODD, section, (uint64_t)f->first * BW_INSN_SIZE,
			    "%u instructions outside every function", f->n_insns);
	}
	return 0;
}

int reader_functions(struct bw_reader *r)
{
	struct bw_object *o = r->o;
	struct bw_func *found;
	bool *has_typed;
	uint32_t n = 0;

	has_typed = bw_arena_alloc(r->arena, o->n_codes, sizeof(*has_typed));
	if (!has_typed)
		return reader_oom(r);
	for (uint32_t i = 0; i < r->elf.n_symbols; i++) {
		const struct bw_elf_symbol *s = &r->elf.symbols[i];

		if (!is_function(r, s))
			continue;
		n++;
		if (s->type == BW_STT_FUNC)
			has_typed[r->code_of[s->shndx]] = true;
	}
	r->called = bw_arena_alloc(r->arena, 2 * (size_t)n + o->n_codes, sizeof(*r->called));
	found = bw_arena_alloc(r->arena, n, sizeof(*found));
	if (!found || !r->called)
		return reader_oom(r);
	n = 0;
	for (uint32_t i = 0; i < r->elf.n_symbols; i++) {
		const struct bw_elf_symbol *s = &r->elf.symbols[i];
		const struct bw_code *c;

		if (!is_function(r, s) || (s->type == BW_STT_NOTYPE && has_typed[r->code_of[s->shndx]]))
			continue;
		c = &o->codes[r->code_of[s->shndx]];
		if (s->value % BW_INSN_SIZE || s->value / BW_INSN_SIZE >= c->n_insns) {
			reader_note(r, BW_NOTE_ODD | BW_NOTE_INCOMPLETE, c->name, s->value,
				    "function %.100s does not start at an instruction of its section", s->name);
			continue;
		}
		found[n++] = function_from(r, s);
	}
	if (n)
		qsort(found, n, sizeof(*found), func_compare);
	return functions_lay_out(r, found, n);
}

int32_t reader_func_at(const struct bw_reader *r, uint32_t shndx, uint64_t off)
{
	if (off % BW_INSN_SIZE || off / BW_INSN_SIZE > UINT32_MAX || r->code_of[shndx] == BW_NONE)
		return BW_NONE;
	return bw_object_func_starting(r->o, r->code_of[shndx], (uint32_t)(off / BW_INSN_SIZE));
}

static int add_program(struct bw_reader *r, uint32_t func)
{
	struct bw_object *o = r->o;
	struct bw_func *f = &o->funcs[func];
	struct bw_prog *p;

	if (!bw_arena_grow(r->arena, &o->progs, o->n_progs, &r->progs_cap, sizeof(*o->progs)))
		return reader_oom(r);
	p = &o->progs[o->n_progs];
	*p = (struct bw_prog){
		.name = f->name,
		.section = o->codes[f->code].name,
		.func = (int32_t)func,
		.struct_ops = BW_NONE,
		.member = BW_NONE,
	};
	bw_secname_parse(p->section, &p->def);
	f->prog = (int32_t)o->n_progs++;
	return 0;
}

/* Members of struct_ops variables say which program is what, whatever its section is called. */
static void link_struct_ops(struct bw_reader *r)
{
	struct bw_object *o = r->o;

	for (uint32_t i = 0; i < o->n_struct_ops; i++)
		for (uint32_t k = 0; k < o->struct_ops[i].n_members; k++) {
			int32_t f = o->struct_ops[i].members[k].func;
			struct bw_prog *p;

			if (f == BW_NONE || o->funcs[f].prog == BW_NONE)
				continue;
			p = &o->progs[o->funcs[f].prog];
			if (p->struct_ops != BW_NONE)
				continue;
			p->struct_ops = (int32_t)i;
			p->member = (int32_t)k;
			if (!p->def.known || p->def.convention) {
				bw_secname_parse("struct_ops", &p->def);
				p->def.convention = true;
			}
		}
}

/* The type that the context argument of the program's BTF prototype speaks for. Returns false when there is no prototype. */
static bool type_from_context(struct bw_reader *r, struct bw_prog *p)
{
	const struct bw_btf *b = r->o->btf;
	struct bw_btf_type t;
	struct bw_btf_member m;

	if (!b || !r->o->funcs[p->func].btf_func || !bw_btf_type(b, r->o->funcs[p->func].btf_func, &t) ||
	    !bw_btf_resolve(b, t.type, &t) || t.kind != BW_BTF_FUNC_PROTO)
		return false;
	if (bw_btf_member(b, &t, 0, &m) && bw_btf_resolve(b, m.type, &t) && t.kind == BW_BTF_PTR && bw_btf_resolve(b, t.type, &t))
		bw_secname_from_context(t.name, &p->def);
	return true;
}

/*
 * What the section and the prototype do not say, the instructions may. A guess is remarked; it is incomplete only when there is
 * none and it matters. A function of .text with a prototype is a library's, whose arguments are known as far as they can be.
 */
static void type_from_use(struct bw_reader *r, struct bw_prog *p, bool has_prototype)
{
	const struct bw_func *f = &r->o->funcs[p->func];
	bool text = is_text(p->section), reads;
	const char *context = bw_program_use(r->o->codes[f->code].insns + f->first, f->n_insns, &reads);

	if (context && !(text && has_prototype))
		bw_secname_from_context(context, &p->def);
	if (p->def.known)
		reader_note(r, 0, p->section, BW_DIAG_NO_OFFSET, "the type of program %.100s is taken from what it does", p->name);
	else if (text)
		reader_note(r, has_prototype ? 0 : BW_NOTE_INCOMPLETE, p->section, BW_DIAG_NO_OFFSET,
			    "there is no program in it: what %.100s is called from is not known", p->name);
	else
		reader_note(r, reads ? BW_NOTE_INCOMPLETE : 0, p->section, BW_DIAG_NO_OFFSET,
			    "the section's name does not tell the type of program %.100s", p->name);
}

int reader_programs(struct bw_reader *r)
{
	struct bw_object *o = r->o;
	bool any = false;

	for (uint32_t i = 0; i < o->n_funcs; i++) {
		const struct bw_func *f = &o->funcs[i];
		const char *section = o->codes[f->code].name;
		struct bw_secdef def;
		bool in_map = r->called[i] & (CALLED_BY_STRUCT_OPS | CALLED_BY_MAP);
		int err;

		if (is_text(section) && !in_map)
			continue;
		/* A static function that others call is a subprogram with a section of its own. */
		if (f->binding == BW_BIND_LOCAL && (r->called[i] & CALLED_BY_CODE) && !in_map)
			continue;
		if (f->nameless && f->first)
			continue;
		/* So is one in a section whose name means nothing. */
		bw_secname_parse(section, &def);
		if ((r->called[i] & CALLED_BY_CODE) && !in_map && !def.known)
			continue;
		err = add_program(r, i);
		if (err)
			return err;
		any = true;
	}
	for (uint32_t i = 0; i < o->n_funcs && !any; i++) {
		int err = 0;

		if (!r->called[i] && o->funcs[i].binding != BW_BIND_LOCAL)
			err = add_program(r, i);
		if (err)
			return err;
	}
	if (!o->n_progs)
		reader_note(r, 0, "", BW_DIAG_NO_OFFSET, "no programs");
	link_struct_ops(r);
	for (uint32_t i = 0; i < o->n_progs; i++) {
		struct bw_prog *p = &o->progs[i];

		if (o->flavour == BW_FLAVOUR_WINDOWS) {
			bw_secname_parse_windows(p->section, &p->def);
			continue;
		}
		if (!p->def.known) {
			bool has_prototype = type_from_context(r, p);

			if (!p->def.known)
				type_from_use(r, p, has_prototype);
		}
	}
	return 0;
}
