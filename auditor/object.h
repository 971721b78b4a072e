/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_OBJECT_H
#define BW_OBJECT_H
/*
 * A BPF object as the auditor sees it: code, entry programs, functions, maps, externs, and what each instruction refers
 * to. Built from bytes by our own reader (no libbpf, no libelf: see docs/design.md), or from a running kernel (live.h).
 *
 * Everything hangs off one struct bw_object, is read-only after reading and freed with it. The bytes given to
 * bw_object_read() must outlive the object (names and initial data point into them).
 * Indexes are int32_t; "none" is -1 (BW_NONE). All arrays are dense.
 *
 * Three outcomes: unreadable (bw_object_read() fails with a diag), incomplete (readable, but something was not
 * understood: .incomplete and a note with BW_NOTE_INCOMPLETE), complete. Notes without that bit are oddities only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditor/arena.h"
#include "auditor/btf.h"
#include "auditor/diag.h"
#include "auditor/insn.h"
#include "common/limits.h"
#include "common/slice.h"

#define BW_NONE (-1)
#define BW_MAX_SECTIONS 65535u
#define BW_MAX_SYMBOLS 1000000u
#define BW_MAX_MAPS 65536u
#define BW_MAX_NOTES 256u /* more are counted in .n_notes_dropped */

enum bw_flavour {
	BW_FLAVOUR_LINUX,
	BW_FLAVOUR_WINDOWS, /* eBPF for Windows: other helper numbers, program types by name only */
};

enum bw_binding {
	BW_BIND_LOCAL,
	BW_BIND_GLOBAL,
	BW_BIND_WEAK,
};

/* What an instruction's field refers to. */
enum bw_reloc_kind {
	BW_RELOC_MAP,	    /* ld_imm64: address of maps[target] */
	BW_RELOC_DATA,	    /* ld_imm64: maps[target] is a data map; address of its value + addend */
	BW_RELOC_CALL,	    /* call: funcs[target]. Every pc-relative call has one, whether or not the ELF had */
	BW_RELOC_FUNC_ADDR, /* ld_imm64: address of funcs[target] (callbacks) */
	BW_RELOC_KFUNC,	    /* call: externs[target] */
	BW_RELOC_KSYM,	    /* ld_imm64: address of externs[target] in the kernel */
	BW_RELOC_KCONFIG,   /* ld_imm64: address of externs[target], a value in the .kconfig map */
	BW_RELOC_JUMPTABLE, /* ld_imm64: address of jumptables[target] + addend */
	BW_RELOC_UNKNOWN,   /* not understood; .symbol says what was named. The object is incomplete */
};

struct bw_reloc {
	uint32_t insn; /* index in the section's code */
	enum bw_reloc_kind kind;
	int32_t target;	    /* index by kind; BW_NONE for UNKNOWN */
	int64_t addend;	    /* bytes */
	const char *symbol; /* "" when it has no name */
	bool from_elf;
};

/* CO-RE relocation kinds: enum bpf_core_relo_kind of linux/bpf.h. */
enum bw_core_kind {
	BW_CORE_FIELD_BYTE_OFFSET = 0,
	BW_CORE_FIELD_BYTE_SIZE = 1,
	BW_CORE_FIELD_EXISTS = 2,
	BW_CORE_FIELD_SIGNED = 3,
	BW_CORE_FIELD_LSHIFT_U64 = 4,
	BW_CORE_FIELD_RSHIFT_U64 = 5,
	BW_CORE_TYPE_ID_LOCAL = 6,
	BW_CORE_TYPE_ID_TARGET = 7,
	BW_CORE_TYPE_EXISTS = 8,
	BW_CORE_TYPE_SIZE = 9,
	BW_CORE_ENUMVAL_EXISTS = 10,
	BW_CORE_ENUMVAL_VALUE = 11,
	BW_CORE_TYPE_MATCHES = 12,
};

struct bw_core_relo {
	uint32_t insn;
	uint32_t kind;	    /* enum bw_core_kind */
	uint32_t type_id;
	const char *access; /* "0:1:2" */
	const char *type;   /* name of the root type ("task_struct___old"), "" when it has none */
};

struct bw_line {
	uint32_t insn; /* the first instruction it covers; up to the next bw_line */
	uint32_t line, col;
	const char *file;
	const char *text; /* the source line, "" when unknown */
};

struct bw_func_info {
	uint32_t insn;
	uint32_t type_id; /* BTF_KIND_FUNC */
};

/* A section with instructions. */
struct bw_code {
	const char *name;
	uint32_t shndx; /* section number in the file */
	struct bw_insn *insns;
	uint32_t n_insns;
	struct bw_reloc *relocs; /* sorted by insn, at most one each */
	uint32_t n_relocs;
	uint32_t *reloc_of; /* per instruction: 1 + index in relocs, or 0; NULL without relocations */
	struct bw_core_relo *cores; /* sorted by insn */
	uint32_t n_cores;
	struct bw_line *lines; /* sorted by insn */
	uint32_t n_lines;
	struct bw_func_info *func_infos; /* sorted by insn */
	uint32_t n_func_infos;
};

struct bw_func {
	const char *name;
	int32_t code;	       /* index in object.codes */
	uint32_t first, n_insns; /* range in that code */
	enum bw_binding binding;
	bool hidden;	       /* STV_HIDDEN or INTERNAL: verified like a static function */
	bool typed;	       /* a STT_FUNC symbol says so */
	bool nameless;	       /* code without a symbol; the name is made up from the section's */
	uint32_t btf_func;     /* BTF_KIND_FUNC id, 0 for none */
	int32_t prog;	       /* the entry program this is, or BW_NONE: a subprogram */
};

/* How SEC("...") was understood; see secname.h. Types are numbers of enum bpf_prog_type and bpf_attach_type. */
struct bw_secdef {
	bool known;	    /* the type follows from the section's name */
	uint32_t prog_type; /* BPF_PROG_TYPE_UNSPEC (0) when not known */
	int32_t attach_type; /* 0 when the type has none; BW_NONE when the name does not tell which */
	const char *rule;    /* which grammar rule matched ("kprobe.multi+"), "" for none */
	const char *target;  /* the text after the rule's prefix: "do_sys_openat2", "libssl.so:SSL_read", "" */
	uint32_t target_len; /* bytes of .target without the offset that may follow */
	uint64_t target_off; /* that offset: "+0x10" of kprobe and uprobe targets */
	bool sleepable;
	bool autoload; /* false for SEC("?...") */
	bool attach_optional; /* the attach type is left out on kernels that do not know it */
	bool needs_btf_target; /* attaches to a kernel (or program) function or type by BTF: fentry, lsm, tp_btf, ... */
	bool multi;   /* kprobe.multi, uprobe.multi: the target is a glob */
	bool session; /* kprobe.session, uprobe.session, fsession: runs at entry and return */
	bool ret;     /* runs at the return of the target: kretprobe, fexit, ... */
	bool frags;   /* xdp.frags */
	bool convention; /* not libbpf's grammar: a name by convention (tc's "from-netdev", "action/...") */
};

struct bw_prog {
	const char *name;
	const char *section;
	int32_t func;
	struct bw_secdef def;
	int32_t struct_ops; /* index of the struct_ops it belongs to, or BW_NONE */
	int32_t member;	    /* and which of its .members */
	uint32_t id;	    /* live: the kernel's program id; else 0 */
	bool loader;	    /* the program of a light skeleton that loads the others */
};

enum bw_map_kind {
	BW_MAP_BTF,	/* SEC(".maps") */
	BW_MAP_LEGACY,	/* struct bpf_map_def */
	BW_MAP_IPROUTE2, /* struct bpf_elf_map */
	BW_MAP_WINDOWS, /* struct _ebpf_map_definition_in_file */
	BW_MAP_DATA,	/* internal array over a section: .data, .data.* */
	BW_MAP_RODATA,
	BW_MAP_BSS,
	BW_MAP_KCONFIG,
	BW_MAP_ARENA_DATA, /* .addr_space.1: globals that live in the arena map */
	BW_MAP_STRUCT_OPS,
	BW_MAP_LIVE, /* read from the kernel */
	BW_MAP_LIGHT, /* of a light skeleton */
};

/* The source of an initial element of a map of maps, prog array or other fd map. */
struct bw_map_init {
	uint32_t key;
	bool is_prog;
	int32_t target; /* index in maps, or in funcs when is_prog */
	const char *name;
};

/* A variable in a data map. */
struct bw_var {
	const char *name;
	uint64_t off, size;
	uint32_t type; /* its BTF type (not the VAR), 0 for none */
	bool global;
};

struct bw_map {
	const char *name;
	enum bw_map_kind kind;
	uint32_t type; /* enum bpf_map_type; on Windows its own numbering */
	uint32_t key_size, value_size, max_entries, flags, numa_node;
	uint64_t extra;
	uint32_t pinning;    /* LIBBPF_PIN_BY_NAME 1; iproute2: 1 object, 2 global, others own */
	uint32_t id;	     /* iproute2 tail-call id, or the kernel's id (live) */
	uint32_t key_type, value_type; /* BTF type ids, 0 for none */
	bool value_size_known; /* false when the size is only fixed at load (per-CPU arrays by CPU count and the like) */
	bool frozen;	     /* read-only for programs: .rodata, .kconfig, BPF_F_RDONLY_PROG */
	bool autocreate;     /* false when the loader creates it only on request (SEC("?.struct_ops")) */
	int32_t inner;	     /* maps index of the definition of the inner map, or BW_NONE */
	uint32_t inner_id, inner_index; /* how iproute2 and legacy definitions name it: a map's id; its place + 1 */
	bool has_values;     /* BTF definition with a "values" member, at values_off in the definition */
	uint32_t values_off;
	bool is_inner;	     /* exists only as another map's inner definition */
	struct bw_map_init *init;
	uint32_t n_init;
	const char *section;
	uint64_t sec_off, sec_size; /* its place in the section */
	struct bw_slice data;	    /* initial bytes of data maps; shorter than value_size (.bss: empty) means zeros follow */
	uint32_t datasec;	    /* BTF_KIND_DATASEC id of data maps, 0 for none */
	struct bw_var *vars;	    /* sorted by off */
	uint32_t n_vars;
	struct bw_reloc *relocs;    /* pointers inside the initial data; .insn is the byte offset here. Sorted */
	uint32_t n_relocs;
	int32_t struct_ops; /* index in object.struct_ops, or BW_NONE */
};

enum bw_extern_kind {
	BW_EXTERN_KFUNC,    /* a kernel function to call */
	BW_EXTERN_KSYM,	    /* a kernel variable with a BTF type (SEC(".ksyms") extern struct ...) */
	BW_EXTERN_KSYM_ADDR, /* an address without a type (extern void ...) */
	BW_EXTERN_KCONFIG,  /* a CONFIG_ or LINUX_ value */
	BW_EXTERN_UNKNOWN,
};

struct bw_extern {
	const char *name;
	enum bw_extern_kind kind;
	bool weak;
	uint32_t btf_id; /* BTF_KIND_FUNC or BTF_KIND_VAR, 0 for none */
	uint32_t size;	 /* KCONFIG: bytes */
	uint32_t offset; /* KCONFIG: in the .kconfig map's value */
};

struct bw_struct_ops_member {
	const char *name;
	uint32_t offset; /* bytes */
	int32_t func;	 /* index in funcs, or BW_NONE for a null member */
};

struct bw_struct_ops {
	const char *name;      /* the variable */
	const char *type_name; /* "tcp_congestion_ops" */
	int32_t map;
	uint32_t type_id;
	bool link;	       /* .struct_ops.link */
	bool autocreate;       /* false for "?.struct_ops" */
	struct bw_struct_ops_member *members; /* those that are function pointers */
	uint32_t n_members;
};

struct bw_jumptable {
	const char *name;
	int32_t code;	 /* where its targets are; BW_NONE when empty */
	uint64_t off;	 /* in the .jumptables section */
	uint32_t *targets; /* instruction indexes in that code */
	uint32_t n_targets;
};

enum bw_note_flag {
	BW_NOTE_INCOMPLETE = 1, /* something was not understood */
	BW_NOTE_ODD = 2,	/* well-formed tools do not make this: worth a finding of its own */
};

struct bw_note {
	uint32_t flags;
	const char *section; /* "" for the file */
	uint64_t offset;     /* bytes into the section; BW_DIAG_NO_OFFSET for none */
	const char *text;
};

struct bw_object {
	const char *path;
	uint8_t sha256[32];
	size_t size; /* bytes of the file */
	bool big_endian;
	bool live; /* read from a running kernel: code is translated (decode with BW_INSN_XLATED), see live.h */
	bool light_skeleton; /* carved out of a light skeleton: code as given to BPF_PROG_LOAD */
	enum bw_flavour flavour;
	const char *license; /* "" when it has none */
	uint32_t version;    /* SEC("version") */
	uint32_t cpu;	     /* the ISA level its code needs at least: 1 to 4 */
	bool incomplete;

	struct bw_code *codes;
	uint32_t n_codes;
	struct bw_func *funcs; /* sorted by code, then first */
	uint32_t n_funcs;
	struct bw_prog *progs;
	uint32_t n_progs;
	struct bw_map *maps;
	uint32_t n_maps;
	struct bw_extern *externs;
	uint32_t n_externs;
	struct bw_struct_ops *struct_ops;
	uint32_t n_struct_ops;
	struct bw_jumptable *jumptables;
	uint32_t n_jumptables;
	struct bw_note *notes;
	uint32_t n_notes, n_notes_dropped;
	struct bw_btf *btf; /* NULL without (readable) .BTF */
	const char *const *section_names; /* all sections, for reports */
	uint32_t n_section_names;

	struct bw_arena arena;
};

/*
 * Reads an object from @bytes; @name is for messages. Does no I/O. Returns 0; -ENOEXEC when it is not a BPF ELF object
 * at all; -EINVAL when it is one that cannot be read; -ENOMEM, also for what would need unreasonably much of it.
 * @diag (may be NULL) is filled on failure. The caller frees *ret with bw_object_free().
 */
int bw_object_read(struct bw_slice bytes, const char *name, struct bw_object **ret, struct bw_diag *diag);
void bw_object_free(struct bw_object *o);
/* SHA-256; false when the crypto library fails. */
bool bw_sha256(const void *data, size_t len, uint8_t ret[32]);

static inline void bw_object_freep(struct bw_object **o)
{
	bw_object_free(*o);
}
#define _cleanup_object_ BW_CLEANUP(bw_object_freep)

static inline enum bw_insn_mode bw_object_insn_mode(const struct bw_object *o)
{
	return o->live ? BW_INSN_XLATED : BW_INSN_OBJECT;
}

/* What instruction @insn refers to; NULL when it is what it says. */
static inline const struct bw_reloc *bw_code_reloc(const struct bw_code *c, uint32_t insn)
{
	return c->reloc_of && c->reloc_of[insn] ? &c->relocs[c->reloc_of[insn] - 1] : NULL;
}

/* The CO-RE record of an instruction, or NULL. */
const struct bw_core_relo *bw_code_core(const struct bw_code *c, uint32_t insn);
/* The source line that covers an instruction, or NULL. */
const struct bw_line *bw_code_line(const struct bw_code *c, uint32_t insn);
/* The function around an instruction (BW_NONE for none), and the one that starts exactly there. */
int32_t bw_object_func_at(const struct bw_object *o, int32_t code, uint32_t insn);
int32_t bw_object_func_starting(const struct bw_object *o, int32_t code, uint32_t insn);
/* By name; BW_NONE when there is none. */
int32_t bw_object_find_prog(const struct bw_object *o, const char *name);
int32_t bw_object_find_map(const struct bw_object *o, const char *name);
/* The variable of data map @map that covers byte @off; NULL when not known. */
const struct bw_var *bw_object_data_var(const struct bw_object *o, int32_t map, uint64_t off);

#endif
