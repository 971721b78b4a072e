// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What instructions and data refer to. Relocation types: llvm/include/llvm/BinaryFormat/ELFRelocs/BPF.def; what each
 * means for an instruction: libbpf's bpf_program__record_reloc() and bpf_object__reloc_code(). The instruction decides,
 * not the relocation's number, because LLVM changed those.
 */
#include <stdlib.h>

#include "auditor/reader.h"

enum {
	R_BPF_NONE = 0,
	R_BPF_64_64 = 1,
	R_BPF_64_ABS64 = 2,
	R_BPF_64_ABS32 = 3,
	R_BPF_64_NODYLD32 = 4,
	R_BPF_64_32 = 10,
};

#define CODE_CALL 0x85

/* The jump tables: symbols in .jumptables, entries are byte offsets in the section of the code that uses them. */
int reader_jumptables(struct bw_reader *r)
{
	struct bw_object *o = r->o;
	uint32_t n = 0;

	r->jt_of = bw_arena_alloc(r->arena, r->elf.n_symbols, sizeof(*r->jt_of));
	if (!r->jt_of)
		return reader_oom(r);
	for (uint32_t i = 0; i < r->elf.n_symbols; i++) {
		const struct bw_elf_symbol *s = &r->elf.symbols[i];

		r->jt_of[i] = BW_NONE;
		if (!s->reserved && r->role[s->shndx] == ROLE_JUMPTABLES && s->type != BW_STT_SECTION && s->name[0])
			r->jt_of[i] = (int32_t)n++;
	}
	o->jumptables = bw_arena_alloc(r->arena, n, sizeof(*o->jumptables));
	if (!o->jumptables)
		return reader_oom(r);
	o->n_jumptables = n;
	for (uint32_t i = 0; i < r->elf.n_symbols; i++) {
		const struct bw_elf_symbol *s = &r->elf.symbols[i];
		struct bw_jumptable *jt;
		struct bw_slice bytes;
		int err;

		if (r->jt_of[i] == BW_NONE)
			continue;
		jt = &o->jumptables[r->jt_of[i]];
		*jt = (struct bw_jumptable){ .name = reader_name(r, s->name), .code = BW_NONE, .off = s->value };
		if (!bw_slice_sub(r->elf.sections[s->shndx].data, s->value, s->size, &bytes) || s->size % 8) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, r->elf.sections[s->shndx].name, s->value,
				    "jump table %.100s is not inside its section", jt->name);
			continue;
		}
		err = reader_work(r, bytes.len, jt->name);
		if (err)
			return err;
		jt->n_targets = (uint32_t)(bytes.len / 8);
		jt->targets = bw_arena_alloc(r->arena, jt->n_targets, sizeof(*jt->targets));
		if (!jt->targets)
			return reader_oom(r);
		for (uint32_t k = 0; k < jt->n_targets; k++) {
			uint64_t off = bw_get_u64(bytes.data + (size_t)k * 8, r->elf.big_endian);

			jt->targets[k] = off % BW_INSN_SIZE || off / BW_INSN_SIZE > UINT32_MAX - 1 ?
						 UINT32_MAX :
						 (uint32_t)(off / BW_INSN_SIZE);
		}
	}
	return 0;
}

/* The table belongs to the code that refers to it; its entries must be instructions there. */
static void jumptable_used(struct bw_reader *r, struct bw_jumptable *jt, int32_t code)
{
	const struct bw_code *c = &r->o->codes[code];

	if (jt->code == code)
		return;
	if (jt->code != BW_NONE) {
		reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, BW_DIAG_NO_OFFSET,
			    "jump table %.100s is used by two sections", jt->name);
		return;
	}
	jt->code = code;
	for (uint32_t k = 0; k < jt->n_targets; k++)
		if (jt->targets[k] >= c->n_insns) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, BW_DIAG_NO_OFFSET,
				    "jump table %.100s: entry %u is outside the code", jt->name, k);
			jt->targets[k] = UINT32_MAX;
		}
}

static struct bw_reloc unknown_reloc(struct bw_reader *r, const struct bw_code *c, uint32_t insn, const char *symbol,
				     const char *why)
{
	reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, (uint64_t)insn * BW_INSN_SIZE, "%s (symbol %.100s)", why,
		    symbol[0] ? symbol : "without a name");
	return (struct bw_reloc){ .insn = insn, .kind = BW_RELOC_UNKNOWN, .target = BW_NONE, .symbol = symbol,
				  .from_elf = true };
}

static struct bw_reloc extern_reloc(struct bw_reader *r, const struct bw_code *c, uint32_t insn, int32_t target, bool call)
{
	struct bw_extern *ext = &r->o->externs[target];
	struct bw_reloc rel = { .insn = insn, .target = target, .symbol = ext->name, .from_elf = true };

	if (call) {
		rel.kind = BW_RELOC_KFUNC;
	} else {
		rel.kind = ext->kind == BW_EXTERN_KCONFIG ? BW_RELOC_KCONFIG : BW_RELOC_KSYM;
	}
	if (ext->kind == BW_EXTERN_UNKNOWN || (call && ext->kind != BW_EXTERN_KFUNC))
		reader_note(r, BW_NOTE_INCOMPLETE, c->name, (uint64_t)insn * BW_INSN_SIZE,
			    "%.100s is not defined here and no type information says what it is", ext->name);
	return rel;
}

static struct bw_reloc call_reloc(struct bw_reader *r, const struct bw_code *c, uint32_t insn, const char *symbol,
				  uint32_t shndx, int64_t target)
{
	int32_t func = BW_NONE;

	if (target >= 0)
		func = reader_func_at(r, shndx, (uint64_t)target * BW_INSN_SIZE);
	if (func == BW_NONE)
		return unknown_reloc(r, c, insn, symbol, "a call to where no function starts");
	r->called[func] |= CALLED_BY_CODE;
	return (struct bw_reloc){ .insn = insn, .kind = BW_RELOC_CALL, .target = func, .symbol = r->o->funcs[func].name,
				  .from_elf = true };
}

/* An address: of a function, a map, a jump table or data. */
static struct bw_reloc address_reloc(struct bw_reader *r, int32_t code, uint32_t insn, const struct bw_elf_rel *rel)
{
	const struct bw_elf_symbol *s = &r->elf.symbols[rel->symbol];
	struct bw_code *c = &r->o->codes[code];
	int64_t addend = c->insns[insn].imm + rel->addend;
	struct bw_reloc ret = { .insn = insn, .symbol = s->name, .from_elf = true };
	uint64_t place = s->value + (uint64_t)addend;
	int32_t map;

	if (r->code_of[s->shndx] != BW_NONE) {
		ret.kind = BW_RELOC_FUNC_ADDR;
		ret.target = reader_func_at(r, s->shndx, place);
		if (ret.target == BW_NONE)
			return unknown_reloc(r, c, insn, s->name, "the address of code where no function starts");
		r->called[ret.target] |= CALLED_BY_CODE;
		ret.symbol = r->o->funcs[ret.target].name;
		return ret;
	}
	if (r->jt_of[rel->symbol] != BW_NONE) {
		ret.kind = BW_RELOC_JUMPTABLE;
		ret.target = r->jt_of[rel->symbol];
		ret.addend = addend;
		jumptable_used(r, &r->o->jumptables[ret.target], code);
		return ret;
	}
	if (r->role[s->shndx] == ROLE_MAPS_BTF || r->role[s->shndx] == ROLE_MAPS_LEGACY) {
		map = reader_map_at(r, s->shndx, place);
		if (map == BW_NONE)
			return unknown_reloc(r, c, insn, s->name, "no map is defined here");
		ret.kind = BW_RELOC_MAP;
		ret.target = map;
		ret.addend = (int64_t)(place - r->o->maps[map].sec_off);
		ret.symbol = r->o->maps[map].name;
		if (ret.addend)
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, (uint64_t)insn * BW_INSN_SIZE,
				    "an address inside the definition of map %.100s", ret.symbol);
		return ret;
	}
	map = r->data_map[s->shndx];
	if (map == BW_NONE)
		return unknown_reloc(r, c, insn, s->name, "an address in a section that is neither code, maps nor data");
	ret.kind = BW_RELOC_DATA;
	ret.target = map;
	ret.addend = (int64_t)place;
	return ret;
}

static struct bw_reloc code_reloc(struct bw_reader *r, int32_t code, uint32_t insn, const struct bw_elf_rel *rel)
{
	struct bw_code *c = &r->o->codes[code];
	const struct bw_insn *in = &c->insns[insn];
	const struct bw_elf_symbol *s;

	if (rel->symbol >= r->elf.n_symbols)
		return unknown_reloc(r, c, insn, "", "a relocation against a symbol that does not exist");
	s = &r->elf.symbols[rel->symbol];
	if (in->code != CODE_CALL && !bw_insn_is_ld_imm64(in))
		return unknown_reloc(r, c, insn, s->name, "a relocation of an instruction that cannot have one");
	if (r->extern_of[rel->symbol] != BW_NONE)
		return extern_reloc(r, c, insn, r->extern_of[rel->symbol], in->code == CODE_CALL);
	if (s->reserved || s->shndx == BW_SHN_UNDEF)
		return unknown_reloc(r, c, insn, s->name, "a relocation against a symbol in no section");
	if (in->code == CODE_CALL) {
		if (in->src != 1)
			return unknown_reloc(r, c, insn, s->name, "a relocated call that is not to a subprogram");
		if (s->value % BW_INSN_SIZE || s->value / BW_INSN_SIZE > UINT32_MAX)
			return unknown_reloc(r, c, insn, s->name, "a call to a place that is no instruction");
		return call_reloc(r, c, insn, s->name, s->shndx,
				  (int64_t)(s->value / BW_INSN_SIZE) + in->imm + 1 + rel->addend / (int)BW_INSN_SIZE);
	}
	return address_reloc(r, code, insn, rel);
}

/* All relocations of one section, then the calls that need none, in the order of instructions. */
static int code_relocs(struct bw_reader *r, int32_t code, const uint32_t *sections, uint32_t n_sections)
{
	struct bw_code *c = &r->o->codes[code];
	uint64_t n_elf = 0, n = 0, n_local = 0;
	struct bw_reloc *found, *sorted;

	for (uint32_t i = 0; i < n_sections; i++)
		n_elf += bw_elf_rel_count(&r->elf.sections[sections[i]]);
	for (uint32_t i = 0; i < c->n_insns; i++)
		n_local += c->insns[i].code == CODE_CALL && c->insns[i].src == 1;
	if (!n_elf && !n_local)
		return 0;
	c->reloc_of = bw_arena_alloc(r->arena, c->n_insns, sizeof(*c->reloc_of));
	found = bw_arena_alloc(r->arena, n_elf + n_local, sizeof(*found));
	sorted = bw_arena_alloc(r->arena, n_elf + n_local, sizeof(*sorted));
	if (!c->reloc_of || !found || !sorted)
		return reader_oom(r);
	for (uint32_t i = 0; i < n_sections; i++) {
		const struct bw_elf_section *s = &r->elf.sections[sections[i]];

		for (uint64_t k = 0; k < bw_elf_rel_count(s); k++) {
			struct bw_elf_rel rel = bw_elf_rel(&r->elf, s, k);
			uint64_t insn = rel.offset / BW_INSN_SIZE;

			if (rel.type == R_BPF_NONE)
				continue;
			if (rel.offset % BW_INSN_SIZE || insn >= c->n_insns) {
				reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, rel.offset,
					    "a relocation where no instruction starts");
				continue;
			}
			if (c->reloc_of[insn]) {
				reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, rel.offset,
					    "a second relocation of one instruction");
				continue;
			}
			if (rel.type != R_BPF_64_64 && rel.type != R_BPF_64_32)
				reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, rel.offset,
					    "relocation type %u in code", rel.type);
			found[n++] = code_reloc(r, code, (uint32_t)insn, &rel);
			c->reloc_of[insn] = (uint32_t)n;
		}
	}
	for (uint32_t i = 0; i < c->n_insns; i++) {
		if (c->insns[i].code != CODE_CALL || c->insns[i].src != 1 || c->reloc_of[i])
			continue;
		found[n] = call_reloc(r, c, i, "", c->shndx, (int64_t)i + 1 + c->insns[i].imm);
		found[n++].from_elf = false;
		c->reloc_of[i] = (uint32_t)n;
	}
	for (uint32_t i = 0; i < c->n_insns; i++) {
		if (!c->reloc_of[i])
			continue;
		sorted[c->n_relocs++] = found[c->reloc_of[i] - 1];
		c->reloc_of[i] = c->n_relocs;
	}
	c->relocs = sorted;
	return 0;
}

struct rel_section {
	uint32_t target, shndx;
};

static int rel_section_compare(const void *a, const void *b)
{
	const struct rel_section *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return x->shndx < y->shndx ? -1 : x->shndx > y->shndx;
}

int reader_relocs(struct bw_reader *r)
{
	struct rel_section *list;
	uint32_t n = 0, k = 0, *of_code;
	int err;

	list = bw_arena_alloc(r->arena, r->elf.n_sections, sizeof(*list));
	of_code = bw_arena_alloc(r->arena, r->elf.n_sections, sizeof(*of_code));
	if (!list || !of_code)
		return reader_oom(r);
	for (uint32_t i = 1; i < r->elf.n_sections; i++) {
		const struct bw_elf_section *s = &r->elf.sections[i];

		if ((s->type == BW_SHT_REL || s->type == BW_SHT_RELA) && s->info < r->elf.n_sections &&
		    r->code_of[s->info] != BW_NONE)
			list[n++] = (struct rel_section){ s->info, i };
	}
	if (n)
		qsort(list, n, sizeof(*list), rel_section_compare);
	/* Codes are in section order, as the list is. */
	for (uint32_t code = 0; code < r->o->n_codes; code++) {
		uint32_t n_of = 0;

		while (k < n && list[k].target == r->o->codes[code].shndx)
			of_code[n_of++] = list[k++].shndx;
		err = code_relocs(r, (int32_t)code, of_code, n_of);
		if (err)
			return err;
	}
	return 0;
}

static int reloc_compare(const void *a, const void *b)
{
	const struct bw_reloc *x = a, *y = b;

	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

/* Pointers in initialised data: tables of strings, of functions, of maps. */
static int data_relocs(struct bw_reader *r, int32_t map, const struct bw_elf_section *rels)
{
	uint64_t n = bw_elf_rel_count(rels);
	struct bw_map *m = &r->o->maps[map];

	if (m->relocs) {
		reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, m->section, BW_DIAG_NO_OFFSET,
			    "a second set of relocations for one section");
		return 0;
	}
	m->relocs = bw_arena_alloc(r->arena, n, sizeof(*m->relocs));
	if (!m->relocs)
		return reader_oom(r);
	for (uint64_t i = 0; i < n; i++) {
		struct bw_elf_rel rel = bw_elf_rel(&r->elf, rels, i);
		struct bw_reloc out = { .kind = BW_RELOC_UNKNOWN, .target = BW_NONE, .symbol = "", .from_elf = true };
		const struct bw_elf_symbol *s;
		struct bw_slice word;
		uint64_t place;

		if (rel.type != R_BPF_64_ABS64 || rel.symbol >= r->elf.n_symbols ||
		    !bw_slice_sub(m->data, rel.offset, 8, &word))
			continue;
		s = &r->elf.symbols[rel.symbol];
		if (s->reserved)
			continue;
		place = s->value + bw_get_u64(word.data, r->elf.big_endian) + (uint64_t)rel.addend;
		out.insn = (uint32_t)rel.offset;
		out.symbol = s->name;
		if (r->extern_of[rel.symbol] != BW_NONE) {
			out.kind = BW_RELOC_KSYM;
			out.target = r->extern_of[rel.symbol];
		} else if (reader_func_at(r, s->shndx, place) != BW_NONE) {
			out.kind = BW_RELOC_FUNC_ADDR;
			out.target = reader_func_at(r, s->shndx, place);
			r->called[out.target] |= CALLED_BY_CODE;
		} else if (r->data_map[s->shndx] != BW_NONE) {
			out.kind = BW_RELOC_DATA;
			out.target = r->data_map[s->shndx];
			out.addend = (int64_t)place;
		} else if (reader_map_at(r, s->shndx, place) != BW_NONE) {
			out.kind = BW_RELOC_MAP;
			out.target = reader_map_at(r, s->shndx, place);
		}
		m->relocs[m->n_relocs++] = out;
	}
	if (m->n_relocs)
		qsort(m->relocs, m->n_relocs, sizeof(*m->relocs), reloc_compare);
	return 0;
}

int reader_data_relocs(struct bw_reader *r)
{
	for (uint32_t i = 1; i < r->elf.n_sections; i++) {
		const struct bw_elf_section *s = &r->elf.sections[i];
		int err;

		if ((s->type != BW_SHT_REL && s->type != BW_SHT_RELA) || s->info >= r->elf.n_sections ||
		    r->data_map[s->info] == BW_NONE)
			continue;
		err = data_relocs(r, r->data_map[s->info], s);
		if (err)
			return err;
	}
	return 0;
}
