// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Maps in SEC(".maps"): the definition is the type of the variable (libbpf's parse_btf_map_def()). Numbers are the sizes
 * of array types behind pointers (__uint), or values of one-element enums (__ulong).
 */
#include <stdlib.h>

#include "auditor/reader.h"
#include "common/bpf_names.h"

#define BPF_F_RDONLY_PROG 0x80u

static bool field_number(const struct bw_btf *b, const struct bw_btf_member *m, uint64_t *ret)
{
	struct bw_btf_member value;
	struct bw_btf_array a;
	struct bw_btf_type t;

	if (!bw_btf_resolve(b, m->type, &t))
		return false;
	if ((t.kind == BW_BTF_ENUM || t.kind == BW_BTF_ENUM64) && bw_btf_member(b, &t, 0, &value)) {
		*ret = (uint64_t)value.value;
		return true;
	}
	if (t.kind != BW_BTF_PTR || !bw_btf_type(b, t.type, &t) || !bw_btf_array(b, &t, &a))
		return false;
	*ret = a.nelems;
	return true;
}

static bool field_type(const struct bw_btf *b, const struct bw_btf_member *m, uint32_t *ret_id, uint32_t *ret_size)
{
	struct bw_btf_type t;
	int64_t size;

	if (!bw_btf_resolve(b, m->type, &t) || t.kind != BW_BTF_PTR)
		return false;
	size = bw_btf_size(b, t.type);
	if (size < 0 || size > UINT32_MAX)
		return false;
	*ret_id = t.type;
	*ret_size = (uint32_t)size;
	return true;
}

/* The structure in "struct inner *values[]", if that is what the member is. */
static bool field_inner(const struct bw_btf *b, const struct bw_btf_member *m, struct bw_btf_type *ret)
{
	struct bw_btf_array a;
	struct bw_btf_type t;

	return bw_btf_resolve(b, m->type, &t) && bw_btf_array(b, &t, &a) && bw_btf_resolve(b, a.type, &t) &&
	       t.kind == BW_BTF_PTR && bw_btf_resolve(b, t.type, ret) && ret->kind == BW_BTF_STRUCT;
}

static int fill_map(struct bw_reader *r, int32_t index, const struct bw_btf_type *def, bool inner)
{
	const struct bw_btf *b = r->o->btf;
	struct bw_btf_type inner_def;
	struct bw_btf_member m;
	bool has_inner = false;

	for (uint32_t i = 0; bw_btf_member(b, def, i, &m); i++) {
		struct bw_map *map = &r->o->maps[index];
		uint32_t size = 0;
		uint64_t v = 0;
		bool ok = true;

		if (!strcmp(m.name, "key")) {
			ok = field_type(b, &m, &map->key_type, &size);
			map->key_size = ok ? size : map->key_size;
		} else if (!strcmp(m.name, "value")) {
			ok = field_type(b, &m, &map->value_type, &size);
			map->value_size = ok ? size : map->value_size;
		} else if (!strcmp(m.name, "values")) {
			map->value_size = 4;
			has_inner = !inner && field_inner(b, &m, &inner_def);
			map->values_off = m.bit_offset / 8;
			map->has_values = true;
		} else {
			ok = field_number(b, &m, &v) && (v <= UINT32_MAX || !strcmp(m.name, "map_extra"));
			if (!ok)
				;
			else if (!strcmp(m.name, "type"))
				map->type = (uint32_t)v;
			else if (!strcmp(m.name, "max_entries"))
				map->max_entries = (uint32_t)v;
			else if (!strcmp(m.name, "map_flags"))
				map->flags = (uint32_t)v;
			else if (!strcmp(m.name, "numa_node"))
				map->numa_node = (uint32_t)v;
			else if (!strcmp(m.name, "key_size"))
				map->key_size = (uint32_t)v;
			else if (!strcmp(m.name, "value_size"))
				map->value_size = (uint32_t)v;
			else if (!strcmp(m.name, "pinning"))
				map->pinning = (uint32_t)v;
			else if (!strcmp(m.name, "map_extra"))
				map->extra = v;
			else if (!strcmp(m.name, "id"))
				map->id = (uint32_t)v;
			else
				ok = false;
		}
		if (!ok)
			reader_note(r, BW_NOTE_INCOMPLETE, ".maps", map->sec_off, "map %.100s: field %.60s is not understood",
				    map->name, m.name);
	}
	r->o->maps[index].frozen = r->o->maps[index].flags & BPF_F_RDONLY_PROG;
	if (!r->o->maps[index].type)
		reader_note(r, BW_NOTE_INCOMPLETE, ".maps", r->o->maps[index].sec_off, "map %.100s has no type",
			    r->o->maps[index].name);
	if (has_inner) {
		const char *name = bw_arena_printf(r->arena, "%s.inner", r->o->maps[index].name);
		int32_t k;

		if (!name || !reader_add_map(r, name, BW_MAP_BTF, &k))
			return reader_oom(r);
		r->o->maps[k].is_inner = true;
		r->o->maps[k].section = ".maps";
		r->o->maps[k].sec_off = r->o->maps[index].sec_off;
		r->o->maps[index].inner = k;
		return fill_map(r, k, &inner_def, true);
	}
	return 0;
}

int reader_maps_btf(struct bw_reader *r, uint32_t shndx)
{
	const struct bw_elf_section *s = &r->elf.sections[shndx];
	struct bw_var *vars;
	struct bw_btf_type def;
	uint32_t n;
	int err;

	err = reader_vars(r, shndx, reader_datasec(r, s->name), &vars, &n);
	for (uint32_t i = 0; i < n && !err; i++) {
		struct bw_map *m;
		int32_t index;

		if (i && vars[i].off == vars[i - 1].off)
			continue;
		m = reader_add_map(r, vars[i].name, BW_MAP_BTF, &index);
		if (!m)
			return reader_oom(r);
		m->section = s->name;
		m->sec_off = vars[i].off;
		m->sec_size = vars[i].size;
		err = reader_add_place(r, shndx, vars[i].off, vars[i].size, index);
		if (err)
			return err;
		if (!r->o->btf || !vars[i].type || !bw_btf_resolve(r->o->btf, vars[i].type, &def) ||
		    def.kind != BW_BTF_STRUCT) {
			reader_note(r, BW_NOTE_INCOMPLETE, s->name, vars[i].off,
				    "map %.100s: no type information defines it", vars[i].name);
			continue;
		}
		err = fill_map(r, index, &def, false);
	}
	return err;
}

static int init_compare(const void *a, const void *b)
{
	const struct bw_map_init *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Initial elements of maps of maps and program arrays: relocations inside the definition (collect_map_relos()). */
static int map_values(struct bw_reader *r, const struct bw_elf_section *rels)
{
	uint64_t n = bw_elf_rel_count(rels);
	uint32_t *count;

	count = bw_arena_alloc(r->arena, r->o->n_maps, sizeof(*count));
	if (!count)
		return reader_oom(r);
	for (int pass = 0; pass < 2; pass++) {
		for (uint64_t i = 0; i < n; i++) {
			struct bw_elf_rel rel = bw_elf_rel(&r->elf, rels, i);
			int32_t map = reader_map_at(r, rels->info, rel.offset), func, inner;
			const struct bw_elf_symbol *s;
			struct bw_map *m;
			uint64_t slot;

			if (map == BW_NONE || rel.symbol >= r->elf.n_symbols)
				continue;
			m = &r->o->maps[map];
			s = &r->elf.symbols[rel.symbol];
			slot = rel.offset - m->sec_off;
			if (!m->has_values || s->reserved || slot < m->values_off || (slot - m->values_off) % 8)
				continue;
			if (pass == 0) {
				count[map]++;
				continue;
			}
			func = reader_func_at(r, s->shndx, s->value);
			inner = reader_map_at(r, s->shndx, s->value);
			if (func != BW_NONE)
				r->called[func] |= CALLED_BY_MAP;
			if (func == BW_NONE && inner == BW_NONE) {
				reader_note(r, BW_NOTE_INCOMPLETE, ".maps", rel.offset,
					    "map %.100s: an initial value is neither a map nor a program", m->name);
				continue;
			}
			m->init[m->n_init++] = (struct bw_map_init){
				.key = (uint32_t)((slot - m->values_off) / 8),
				.is_prog = func != BW_NONE,
				.target = func != BW_NONE ? func : inner,
				.name = func != BW_NONE ? r->o->funcs[func].name : r->o->maps[inner].name,
			};
		}
		for (uint32_t i = 0; i < r->o->n_maps && pass == 0; i++) {
			if (!count[i])
				continue;
			r->o->maps[i].init = bw_arena_alloc(r->arena, count[i], sizeof(struct bw_map_init));
			if (!r->o->maps[i].init)
				return reader_oom(r);
		}
	}
	for (uint32_t i = 0; i < r->o->n_maps; i++) {
		struct bw_map *m = &r->o->maps[i];

		if (count[i] && m->n_init)
			qsort(m->init, m->n_init, sizeof(*m->init), init_compare);
		/* libbpf takes the first inner map as the definition when the type gives none. */
		if (count[i] && m->inner == BW_NONE && m->n_init && !m->init[0].is_prog)
			m->inner = m->init[0].target;
	}
	return 0;
}

/* iproute2: a program in section "ID/SLOT" is what slot SLOT of the map with number ID starts with. */
static int tail_sections(struct bw_reader *r)
{
	struct bw_object *o = r->o;

	for (uint32_t m = 0, seen = 0; m < o->n_maps && seen < 64; m++) {
		struct bw_map *map = &o->maps[m];
		uint32_t n = 0;

		if (map->kind != BW_MAP_IPROUTE2 || map->type != (uint32_t)bw_map_type_id("prog_array"))
			continue;
		seen++;
		map->init = bw_arena_alloc(r->arena, o->n_funcs, sizeof(*map->init));
		if (!map->init)
			return reader_oom(r);
		for (uint32_t f = 0; f < o->n_funcs; f++) {
			const char *section = o->codes[o->funcs[f].code].name;
			unsigned long id, slot;
			char *end;

			if (section[0] < '0' || section[0] > '9' || o->funcs[f].nameless)
				continue;
			id = strtoul(section, &end, 0);
			if (*end != '/' || id != map->id)
				continue;
			slot = strtoul(end + 1, &end, 0);
			if (*end || slot > UINT32_MAX)
				continue;
			map->init[n++] = (struct bw_map_init){ .key = (uint32_t)slot, .is_prog = true,
							       .target = (int32_t)f, .name = o->funcs[f].name };
		}
		map->n_init = n;
		if (n)
			qsort(map->init, n, sizeof(*map->init), init_compare);
	}
	return 0;
}

int reader_map_values(struct bw_reader *r)
{
	uint32_t seen = 0;
	int err;

	for (uint32_t i = 1; i < r->elf.n_sections; i++) {
		const struct bw_elf_section *s = &r->elf.sections[i];

		if ((s->type != BW_SHT_REL && s->type != BW_SHT_RELA) || s->info >= r->elf.n_sections ||
		    r->role[s->info] != ROLE_MAPS_BTF)
			continue;
		if (seen++) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, s->name, BW_DIAG_NO_OFFSET,
				    "a second set of relocations for the maps");
			break;
		}
		err = map_values(r, s);
		if (err)
			return err;
	}
	return tail_sections(r);
}
