/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_READER_H
#define BW_READER_H
/*
 * What the parts of the object reader share while an object is being built. Private to object.c, functions.c, maps.c,
 * maps_btf.c, externs.c, relocs.c, struct_ops.c and btf_ext.c. They run in the order of bw_object_read():
 *
 *   sections -> BTF -> functions -> externs -> maps -> struct_ops -> jump tables -> relocations -> programs -> .BTF.ext
 *
 * Each returns 0, -ENOMEM, or -EINVAL with reader.diag set when the object must be refused; what it merely does not
 * understand becomes a note.
 */
#include "auditor/elf.h"
#include "auditor/object.h"

#define READER_MAX_NAME 4096u

/* What a section is for. */
enum section_role {
	ROLE_NONE,
	ROLE_CODE,
	ROLE_MAPS_BTF,
	ROLE_MAPS_LEGACY,
	ROLE_DATA,
	ROLE_RODATA,
	ROLE_BSS,
	ROLE_ARENA,
	ROLE_STRUCT_OPS,
	ROLE_JUMPTABLES,
};

/* Who refers to a function. */
enum called_by {
	CALLED_BY_CODE = 1,
	CALLED_BY_STRUCT_OPS = 2,
	CALLED_BY_MAP = 4,
};

/* Where a map is defined: sorted by section and offset for the relocations. */
struct map_place {
	uint32_t shndx;
	int32_t map;
	uint64_t off, size;
};

struct named_type;

/* The variables of a DATASEC by name. */
struct datasec_index {
	const struct named_type *list;
	uint32_t n;
};

struct bw_reader {
	struct bw_object *o;
	struct bw_arena *arena; /* &o->arena */
	const char *file;
	struct bw_diag *diag;
	struct bw_elf elf;

	uint8_t *role;	    /* per section: enum section_role */
	int32_t *code_of;   /* per section: index in codes */
	int32_t *data_map;  /* per section: the data map over it */
	int32_t *extern_of; /* per symbol */
	int32_t *jt_of;	    /* per symbol: index in jumptables */
	bool *referenced;   /* per section: code refers to it */
	uint8_t *called;    /* per function: enum called_by bits */
	uint32_t *sym_first, *sym_order; /* symbols by section: reader_section_symbols() */
	const struct named_type *datasecs; /* all of BTF, by name */
	uint32_t n_datasecs;
	struct map_place *places;
	uint32_t n_places;
	size_t maps_cap, progs_cap, externs_cap, notes_cap, places_cap, struct_ops_cap;
	size_t work; /* bytes of sections read so far: more than the file has means that they overlap */
};

int reader_functions(struct bw_reader *r);
int reader_programs(struct bw_reader *r);
int reader_externs(struct bw_reader *r);
int reader_maps(struct bw_reader *r);
int reader_maps_btf(struct bw_reader *r, uint32_t shndx);
int reader_map_values(struct bw_reader *r);
int reader_struct_ops(struct bw_reader *r);
int reader_jumptables(struct bw_reader *r);
int reader_relocs(struct bw_reader *r);
int reader_data_relocs(struct bw_reader *r);
int reader_btf_ext(struct bw_reader *r);

/* Join of symbols and BTF: datasec.c. */
int reader_section_symbols(struct bw_reader *r);
int reader_datasecs(struct bw_reader *r);
/* The DATASEC of a section's name; 0 for none. */
uint32_t reader_datasec(const struct bw_reader *r, const char *section);
int reader_datasec_index(struct bw_reader *r, uint32_t datasec, struct datasec_index *ret);
/* The type id (a VAR or FUNC) of a name; 0 for none. */
uint32_t reader_datasec_find(const struct datasec_index *index, const char *name);
/* The variables of a section, sorted by place. */
int reader_vars(struct bw_reader *r, uint32_t shndx, uint32_t datasec, struct bw_var **ret, uint32_t *ret_n);

/* Adds a note; @flags as in struct bw_note. Out of memory only loses the text. */
void reader_note(struct bw_reader *r, uint32_t flags, const char *section, uint64_t offset, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* -ENOMEM, with the diag set. */
int reader_oom(struct bw_reader *r);
/* Counts @bytes of input; -EINVAL when sections turn out to share bytes. */
int reader_work(struct bw_reader *r, uint64_t bytes, const char *section);
/* A name that is not unreasonably long; a longer one is cut, with a note. */
const char *reader_name(struct bw_reader *r, const char *name);
/* A new map, zeroed but for the "none" indexes; NULL with reader_oom() due. */
struct bw_map *reader_add_map(struct bw_reader *r, const char *name, enum bw_map_kind kind, int32_t *ret_index);
/* Says that map @map is defined at [off, off + size) of a section. */
int reader_add_place(struct bw_reader *r, uint32_t shndx, uint64_t off, uint64_t size, int32_t map);
/* The map defined around an offset of a section. */
int32_t reader_map_at(const struct bw_reader *r, uint32_t shndx, uint64_t off);
void reader_sort_places(struct bw_reader *r);
/* The function that starts at a byte offset of a section. */
int32_t reader_func_at(const struct bw_reader *r, uint32_t shndx, uint64_t off);

static inline bool str_has_prefix(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

#endif
