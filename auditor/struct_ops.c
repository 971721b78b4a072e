// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * struct_ops: variables in .struct_ops and .struct_ops.link whose function-pointer members are programs
 * (libbpf's init_struct_ops_maps() and bpf_object__collect_st_ops_relos()).
 */
#include "auditor/reader.h"

#define BPF_F_LINK 0x2000u
#define MAP_TYPE_STRUCT_OPS 26u

static bool is_func_pointer(const struct bw_btf *b, uint32_t id)
{
	struct bw_btf_type t;

	return bw_btf_resolve(b, id, &t) && t.kind == BW_BTF_PTR && bw_btf_resolve(b, t.type, &t) &&
	       t.kind == BW_BTF_FUNC_PROTO;
}

static int add_struct_ops(struct bw_reader *r, uint32_t shndx, const struct bw_var *var)
{
	const struct bw_elf_section *s = &r->elf.sections[shndx];
	const char *section = s->name[0] == '?' ? s->name + 1 : s->name;
	struct bw_object *o = r->o;
	struct bw_struct_ops *ops;
	struct bw_btf_member m;
	struct bw_btf_type t;
	struct bw_map *map;
	int32_t index;
	int err;

	if (!o->btf || !var->type || !bw_btf_resolve(o->btf, var->type, &t) || t.kind != BW_BTF_STRUCT) {
		reader_note(r, BW_NOTE_INCOMPLETE, s->name, var->off, "struct_ops %.100s: no type information", var->name);
		return 0;
	}
	map = reader_add_map(r, var->name, BW_MAP_STRUCT_OPS, &index);
	if (!map || !bw_arena_grow(r->arena, &o->struct_ops, o->n_struct_ops, &r->struct_ops_cap, sizeof(*o->struct_ops)))
		return reader_oom(r);
	map->type = MAP_TYPE_STRUCT_OPS;
	map->key_size = 4;
	map->value_size = t.size;
	map->value_type = t.id;
	map->max_entries = 1;
	map->flags = !strcmp(section, ".struct_ops.link") ? BPF_F_LINK : 0;
	map->autocreate = s->name[0] != '?';
	map->section = s->name;
	map->sec_off = var->off;
	map->sec_size = var->size;
	if (!bw_slice_sub(s->data, var->off, t.size, &map->data))
		reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, s->name, var->off,
			    "struct_ops %.100s reaches beyond its section", var->name);
	map->struct_ops = (int32_t)o->n_struct_ops;
	ops = &o->struct_ops[o->n_struct_ops++];
	*ops = (struct bw_struct_ops){
		.name = var->name,
		.type_name = t.name,
		.map = index,
		.type_id = t.id,
		.link = map->flags == BPF_F_LINK,
		.autocreate = map->autocreate,
	};
	ops->members = bw_arena_alloc(r->arena, t.vlen, sizeof(*ops->members));
	if (!ops->members)
		return reader_oom(r);
	err = reader_work(r, (uint64_t)t.vlen, s->name);
	if (err)
		return err;
	for (uint32_t i = 0; bw_btf_member(o->btf, &t, i, &m); i++)
		if (is_func_pointer(o->btf, m.type))
			ops->members[ops->n_members++] = (struct bw_struct_ops_member){
				.name = m.name, .offset = m.bit_offset / 8, .func = BW_NONE };
	return reader_add_place(r, shndx, var->off, t.size, index);
}

static void link_member(struct bw_reader *r, const struct bw_elf_section *rels, const struct bw_elf_rel *rel)
{
	const char *section = r->elf.sections[rels->info].name;
	int32_t map = reader_map_at(r, rels->info, rel->offset), func = BW_NONE;
	const struct bw_elf_symbol *s;
	struct bw_struct_ops *ops;
	uint64_t off;

	if (rel->symbol < r->elf.n_symbols && !r->elf.symbols[rel->symbol].reserved) {
		s = &r->elf.symbols[rel->symbol];
		/* Static functions are named by their section; the place is in the data. */
		off = s->value;
		if (s->type == BW_STT_SECTION) {
			struct bw_slice word;

			if (bw_slice_sub(r->elf.sections[rels->info].data, rel->offset, 8, &word))
				off += bw_get_u64(word.data, r->elf.big_endian);
		}
		func = reader_func_at(r, s->shndx, off + (uint64_t)rel->addend);
	}
	if (func != BW_NONE)
		r->called[func] |= CALLED_BY_STRUCT_OPS;
	if (map == BW_NONE || r->o->maps[map].struct_ops == BW_NONE)
		return;
	ops = &r->o->struct_ops[r->o->maps[map].struct_ops];
	off = rel->offset - r->o->maps[map].sec_off;
	for (uint32_t i = 0; i < ops->n_members; i++)
		if (ops->members[i].offset == off) {
			ops->members[i].func = func;
			if (func == BW_NONE)
				break;
			return;
		}
	if (func == BW_NONE)
		return; /* a pointer to data, such as a name */
	reader_note(r, BW_NOTE_INCOMPLETE, section, rel->offset, "struct_ops %.100s: no function pointer here", ops->name);
}

int reader_struct_ops(struct bw_reader *r)
{
	struct bw_var *vars;
	uint32_t n;
	int err;

	for (uint32_t i = 1; i < r->elf.n_sections; i++) {
		if (r->role[i] != ROLE_STRUCT_OPS)
			continue;
		err = reader_vars(r, i, reader_datasec(r, r->elf.sections[i].name), &vars, &n);
		for (uint32_t k = 0; k < n && !err; k++)
			if (!k || vars[k].off != vars[k - 1].off)
				err = add_struct_ops(r, i, &vars[k]);
		if (err)
			return err;
	}
	reader_sort_places(r);
	for (uint32_t i = 1; i < r->elf.n_sections; i++) {
		const struct bw_elf_section *s = &r->elf.sections[i];

		if ((s->type != BW_SHT_REL && s->type != BW_SHT_RELA) || s->info >= r->elf.n_sections ||
		    r->role[s->info] != ROLE_STRUCT_OPS)
			continue;
		for (uint64_t n_rel = bw_elf_rel_count(s), k = 0; k < n_rel; k++) {
			struct bw_elf_rel rel = bw_elf_rel(&r->elf, s, k);

			link_member(r, s, &rel);
		}
	}
	return 0;
}
