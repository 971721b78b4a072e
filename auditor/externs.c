// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Symbols that the object needs from elsewhere: kernel functions and variables (.ksyms), configuration values
 * (.kconfig). Which one a symbol is, only BTF says (libbpf's bpf_object__collect_externs()).
 */
#include <stdlib.h>

#include "auditor/reader.h"

static uint32_t extern_align(const struct bw_btf *b, uint32_t id)
{
	struct bw_btf_array a;
	struct bw_btf_type t;

	for (uint32_t depth = 0; depth < BW_MAX_BTF_DEPTH; depth++) {
		if (!bw_btf_resolve(b, id, &t))
			return 1;
		if (!bw_btf_array(b, &t, &a))
			return t.kind == BW_BTF_PTR || t.size >= 8 ? 8 : t.size >= 4 ? 4 : t.size >= 2 ? 2 : 1;
		id = a.type;
	}
	return 1;
}

struct kconfig_slot {
	struct bw_extern *ext;
	uint32_t align;
};

/* libbpf's cmp_externs(): the largest alignment first, then the smallest size, then by name. */
static int slot_compare(const void *a, const void *b)
{
	const struct kconfig_slot *x = a, *y = b;

	if (x->align != y->align)
		return x->align > y->align ? -1 : 1;
	if (x->ext->size != y->ext->size)
		return x->ext->size < y->ext->size ? -1 : 1;
	return strncmp(x->ext->name, y->ext->name, READER_MAX_NAME + 1);
}

static int lay_out_kconfig(struct bw_reader *r)
{
	struct bw_object *o = r->o;
	struct kconfig_slot *slots;
	struct bw_btf_type t;
	uint64_t off = 0;
	uint32_t n = 0;
	int32_t map;

	slots = bw_arena_alloc(r->arena, o->n_externs, sizeof(*slots));
	if (!slots)
		return reader_oom(r);
	for (uint32_t i = 0; i < o->n_externs; i++)
		if (o->externs[i].kind == BW_EXTERN_KCONFIG && bw_btf_type(o->btf, o->externs[i].btf_id, &t))
			slots[n++] = (struct kconfig_slot){ &o->externs[i], extern_align(o->btf, t.type) };
	if (!n)
		return 0;
	qsort(slots, n, sizeof(*slots), slot_compare);
	for (uint32_t i = 0; i < n; i++) {
		off = (off + slots[i].align - 1) / slots[i].align * slots[i].align;
		slots[i].ext->offset = (uint32_t)off;
		off += slots[i].ext->size;
		if (off > UINT32_MAX) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, ".kconfig", BW_DIAG_NO_OFFSET,
				    "the values do not fit into a map");
			return 0;
		}
	}
	if (!reader_add_map(r, ".kconfig", BW_MAP_KCONFIG, &map))
		return reader_oom(r);
	o->maps[map].type = 2; /* array */
	o->maps[map].key_size = 4;
	o->maps[map].value_size = (uint32_t)off;
	o->maps[map].max_entries = 1;
	o->maps[map].flags = 0x80; /* BPF_F_RDONLY_PROG */
	o->maps[map].frozen = true;
	o->maps[map].section = ".kconfig";
	return 0;
}

/* What BTF says about the symbol. */
static void extern_classify(struct bw_reader *r, const struct datasec_index *ksyms, const struct datasec_index *kconfig,
			    struct bw_extern *ext)
{
	const struct bw_btf *b = r->o->btf;
	uint32_t id = b ? reader_datasec_find(ksyms, ext->name) : 0;
	struct bw_btf_type t, v;
	int64_t size;

	if (id && bw_btf_type(b, id, &t)) {
		ext->btf_id = id;
		if (t.kind == BW_BTF_FUNC)
			ext->kind = BW_EXTERN_KFUNC;
		else if (t.kind == BW_BTF_VAR && bw_btf_resolve(b, t.type, &v))
			ext->kind = v.kind == BW_BTF_VOID ? BW_EXTERN_KSYM_ADDR : BW_EXTERN_KSYM;
		return;
	}
	id = b ? reader_datasec_find(kconfig, ext->name) : 0;
	if (!id || !bw_btf_type(b, id, &t) || t.kind != BW_BTF_VAR)
		return;
	size = bw_btf_size(b, t.type);
	if (size <= 0 || size > UINT32_MAX)
		return;
	ext->btf_id = id;
	ext->kind = BW_EXTERN_KCONFIG;
	ext->size = (uint32_t)size;
}

int reader_externs(struct bw_reader *r)
{
	struct datasec_index ksyms, kconfig;
	struct bw_object *o = r->o;
	int err;

	r->extern_of = bw_arena_alloc(r->arena, r->elf.n_symbols, sizeof(*r->extern_of));
	if (!r->extern_of)
		return reader_oom(r);
	err = reader_datasec_index(r, reader_datasec(r, ".ksyms"), &ksyms);
	if (!err)
		err = reader_datasec_index(r, reader_datasec(r, ".kconfig"), &kconfig);
	if (err)
		return err;
	for (uint32_t i = 0; i < r->elf.n_symbols; i++) {
		const struct bw_elf_symbol *s = &r->elf.symbols[i];
		struct bw_extern *ext;

		r->extern_of[i] = BW_NONE;
		if (s->shndx != BW_SHN_UNDEF || s->reserved || !s->name[0] ||
		    (s->bind != BW_STB_GLOBAL && s->bind != BW_STB_WEAK))
			continue;
		if (!bw_arena_grow(r->arena, &o->externs, o->n_externs, &r->externs_cap, sizeof(*o->externs)))
			return reader_oom(r);
		ext = &o->externs[o->n_externs];
		*ext = (struct bw_extern){ .name = reader_name(r, s->name), .kind = BW_EXTERN_UNKNOWN,
					   .weak = s->bind == BW_STB_WEAK };
		extern_classify(r, &ksyms, &kconfig, ext);
		r->extern_of[i] = (int32_t)o->n_externs++;
	}
	return lay_out_kconfig(r);
}
