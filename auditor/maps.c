// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Maps that are not defined by BTF: internal maps over data sections, and definitions by C structures in "maps"
 * sections:
 *   struct bpf_map_def     libbpf before 1.0, samples/bpf, gobpf (with a pinning mode and a namespace)
 *   struct bpf_elf_map     iproute2 include/bpf_elf.h, also used by Cilium
 *   struct _ebpf_map_definition_in_file    eBPF for Windows, include/ebpf_structs.h
 * They are told apart by their size.
 */
#include <stdlib.h>

#include "auditor/reader.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"

#define BPF_F_RDONLY_PROG 0x80u
#define BPF_F_MMAPABLE 0x400u
#define MAP_TYPE_ARRAY 2u
#define GOBPF_NAMESPACE 256u

struct bw_map *reader_add_map(struct bw_reader *r, const char *name, enum bw_map_kind kind, int32_t *ret_index)
{
	struct bw_object *o = r->o;
	struct bw_map *m;

	if (o->n_maps >= BW_MAX_MAPS ||
	    !bw_arena_grow(r->arena, &o->maps, o->n_maps, &r->maps_cap, sizeof(*o->maps)))
		return NULL;
	m = &o->maps[o->n_maps];
	*m = (struct bw_map){
		.name = name,
		.kind = kind,
		.section = "",
		.inner = BW_NONE,
		.struct_ops = BW_NONE,
		.value_size_known = true,
		.autocreate = true,
	};
	*ret_index = (int32_t)o->n_maps++;
	return m;
}

int reader_add_place(struct bw_reader *r, uint32_t shndx, uint64_t off, uint64_t size, int32_t map)
{
	if (!bw_arena_grow(r->arena, &r->places, r->n_places, &r->places_cap, sizeof(*r->places)))
		return reader_oom(r);
	r->places[r->n_places++] = (struct map_place){ .shndx = shndx, .map = map, .off = off, .size = size };
	return 0;
}

static int place_compare(const void *a, const void *b)
{
	const struct map_place *x = a, *y = b;

	if (x->shndx != y->shndx)
		return x->shndx < y->shndx ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x->map < y->map ? -1 : x->map > y->map;
}

void reader_sort_places(struct bw_reader *r)
{
	if (r->n_places)
		qsort(r->places, r->n_places, sizeof(*r->places), place_compare);
}

int32_t reader_map_at(const struct bw_reader *r, uint32_t shndx, uint64_t off)
{
	uint32_t lo = 0, hi = r->n_places;
	const struct map_place *p;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		p = &r->places[mid];
		if (p->shndx < shndx || (p->shndx == shndx && p->off <= off))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return BW_NONE;
	p = &r->places[lo - 1];
	return p->shndx == shndx && off - p->off < (p->size ? p->size : 1) ? p->map : BW_NONE;
}

static int add_data_map(struct bw_reader *r, uint32_t shndx, enum bw_map_kind kind)
{
	const struct bw_elf_section *s = &r->elf.sections[shndx];
	struct bw_map *m;
	int32_t index;
	int err;

	m = reader_add_map(r, s->name, kind, &index);
	if (!m)
		return reader_oom(r);
	m->type = MAP_TYPE_ARRAY;
	m->key_size = 4;
	m->max_entries = 1;
	m->value_size = s->size > UINT32_MAX ? UINT32_MAX : (uint32_t)s->size;
	if (s->size > UINT32_MAX)
		reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, s->name, BW_DIAG_NO_OFFSET, "too large for a map");
	m->section = s->name;
	m->sec_size = s->size;
	m->data = s->data;
	m->frozen = kind == BW_MAP_RODATA;
	m->flags = kind == BW_MAP_RODATA ? BPF_F_RDONLY_PROG : 0;
	m->datasec = reader_datasec(r, s->name);
	err = reader_vars(r, shndx, m->datasec, &m->vars, &m->n_vars);
	if (err)
		return err;
	/* libbpf makes a section mappable as soon as one of its variables is visible outside the object. */
	for (uint32_t i = 0; i < m->n_vars; i++)
		if (m->vars[i].global)
			m->flags |= BPF_F_MMAPABLE;
	r->data_map[shndx] = index;
	return 0;
}

/* Fields of a definition, as far as it has them. */
struct raw_def {
	uint32_t f[9];
	uint32_t n;
};

static void def_linux(struct bw_reader *r, struct bw_map *m, const struct raw_def *d, uint64_t size)
{
	int hash_of_maps = bw_map_type_id("hash_of_maps"), array_of_maps = bw_map_type_id("array_of_maps");
	bool outer = (int)m->type == hash_of_maps || (int)m->type == array_of_maps;

	m->flags = d->n > 4 ? d->f[4] : 0;
	if (size == 36 || (size == 28 && !outer && (d->f[5] || d->f[6]))) {
		m->kind = BW_MAP_IPROUTE2;
		m->id = d->f[5];
		m->pinning = d->f[6];
		m->inner_id = d->n > 7 ? d->f[7] : 0;
		return;
	}
	if (d->n <= 5 || !d->f[5])
		return;
	if (outer)
		m->inner_index = d->f[5] + 1;
	else if (size == 24 || size >= 24 + GOBPF_NAMESPACE)
		m->pinning = d->f[5];
	else
		reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, m->section, m->sec_off,
			    "map %.100s: a definition of %llu bytes is not known", m->name, (unsigned long long)size);
}

static int add_legacy_map(struct bw_reader *r, uint32_t shndx, const char *name, uint64_t off, uint64_t size)
{
	const struct bw_elf_section *s = &r->elf.sections[shndx];
	struct raw_def d = { 0 };
	struct bw_slice bytes;
	struct bw_map *m;
	int32_t index;

	m = reader_add_map(r, name, BW_MAP_LEGACY, &index);
	if (!m)
		return reader_oom(r);
	m->section = s->name;
	m->sec_off = off;
	m->sec_size = size;
	if (!bw_slice_sub(s->data, off, size, &bytes) || size < 16) {
		reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, s->name, off, "map %.100s: the definition is cut off", name);
		return reader_add_place(r, shndx, off, size, index);
	}
	for (d.n = 0; d.n < ARRAY_SIZE(d.f) && d.n < size / 4; d.n++)
		d.f[d.n] = bw_get_u32(bytes.data + (size_t)d.n * 4, r->elf.big_endian);
	m->type = d.f[0];
	m->key_size = d.f[1];
	m->value_size = d.f[2];
	m->max_entries = d.f[3];
	if (r->o->flavour == BW_FLAVOUR_WINDOWS) {
		m->kind = BW_MAP_WINDOWS;
		m->inner_index = d.f[4] ? d.f[4] + 1 : 0;
		m->pinning = d.f[5];
		m->id = d.f[6];
		m->inner_id = d.f[7];
	} else {
		def_linux(r, m, &d, size);
	}
	m->frozen = m->flags & BPF_F_RDONLY_PROG;
	return reader_add_place(r, shndx, off, size, index);
}

/* One definition per symbol; a definition reaches to the next symbol, or as far as its own size says. */
static int add_legacy_maps(struct bw_reader *r, uint32_t shndx)
{
	const struct bw_elf_section *s = &r->elf.sections[shndx];
	uint32_t n, first = r->o->n_maps;
	struct bw_var *vars;
	int err;

	err = reader_vars(r, shndx, 0, &vars, &n);
	if (err)
		return err;
	if (!n && s->size) {
		/* gobpf's "maps/NAME" without a symbol */
		err = add_legacy_map(r, shndx, str_has_prefix(s->name, "maps/") ? s->name + 5 : s->name, 0, s->size);
		if (err)
			return err;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (i && vars[i].off == vars[i - 1].off)
			continue;
		err = add_legacy_map(r, shndx, vars[i].name, vars[i].off, vars[i].size);
		if (err)
			return err;
	}
	/* Inner maps: by the index of a definition in this section, or by the number it carries. */
	for (uint32_t i = first; i < r->o->n_maps; i++) {
		struct bw_map *m = &r->o->maps[i];

		if (m->inner_index && m->inner_index - 1 < r->o->n_maps - first)
			m->inner = (int32_t)(first + m->inner_index - 1);
		for (uint32_t k = first; m->inner_id && k < r->o->n_maps && k < first + 4096; k++)
			if (k != i && r->o->maps[k].id == m->inner_id) {
				m->inner = (int32_t)k;
				break;
			}
	}
	return 0;
}

int reader_maps(struct bw_reader *r)
{
	uint32_t legacy = 0;
	int err = 0;

	for (uint32_t i = 1; i < r->elf.n_sections && !err; i++) {
		const struct bw_elf_section *s = &r->elf.sections[i];

		switch (r->role[i]) {
		case ROLE_MAPS_BTF:
			err = reader_maps_btf(r, i);
			break;
		case ROLE_MAPS_LEGACY:
			legacy++;
			err = add_legacy_maps(r, i);
			break;
		case ROLE_DATA:
			err = add_data_map(r, i, BW_MAP_DATA);
			break;
		case ROLE_RODATA:
			err = add_data_map(r, i, BW_MAP_RODATA);
			break;
		case ROLE_BSS:
			err = add_data_map(r, i, BW_MAP_BSS);
			break;
		case ROLE_ARENA:
			err = add_data_map(r, i, BW_MAP_ARENA_DATA);
			break;
		case ROLE_NONE:
			/* A section without a known name that code refers to holds data all the same. */
			if (!r->referenced[i] || !(s->flags & BW_SHF_ALLOC) || s->bad)
				break;
			reader_note(r, BW_NOTE_ODD, s->name, BW_DIAG_NO_OFFSET, "code refers to an unusual data section");
			err = add_data_map(r, i, s->type == BW_SHT_NOBITS  ? BW_MAP_BSS :
					      s->flags & BW_SHF_WRITE ? BW_MAP_DATA :
									BW_MAP_RODATA);
			break;
		}
	}
	reader_sort_places(r);
	return err;
}
