/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ELF_H
#define BW_ELF_H
/*
 * The container: ELF64 (System V gABI, chapters 4 and 5) of either byte order, from untrusted bytes. Nothing is trusted
 * that was not checked against the file's size; a section outside the file has no data and .bad set. Strings always end
 * inside their table. All work is linear in the file's size.
 */
#include <stdbool.h>
#include <stdint.h>

#include "auditor/arena.h"
#include "auditor/diag.h"
#include "common/slice.h"

#define BW_EM_BPF 247
#define BW_EM_NONE 0

#define BW_SHN_UNDEF 0u
#define BW_SHN_ABS 0xfff1u
#define BW_SHN_COMMON 0xfff2u
#define BW_SHN_XINDEX 0xffffu

enum {
	BW_SHT_NULL = 0,
	BW_SHT_PROGBITS = 1,
	BW_SHT_SYMTAB = 2,
	BW_SHT_STRTAB = 3,
	BW_SHT_RELA = 4,
	BW_SHT_NOBITS = 8,
	BW_SHT_REL = 9,
	BW_SHT_SYMTAB_SHNDX = 18,
};

enum {
	BW_SHF_WRITE = 1,
	BW_SHF_ALLOC = 2,
	BW_SHF_EXECINSTR = 4,
	BW_SHF_COMPRESSED = 0x800,
};

enum {
	BW_STT_NOTYPE = 0,
	BW_STT_OBJECT = 1,
	BW_STT_FUNC = 2,
	BW_STT_SECTION = 3,
	BW_STT_FILE = 4,
};

enum {
	BW_STB_LOCAL = 0,
	BW_STB_GLOBAL = 1,
	BW_STB_WEAK = 2,
};

struct bw_elf_section {
	const char *name;
	uint32_t type;
	uint64_t flags, size, entsize;
	uint32_t link, info;
	struct bw_slice data; /* empty for NOBITS and bad sections */
	bool bad;	      /* its bytes are not in the file */
};

struct bw_elf_symbol {
	const char *name;
	uint8_t type, bind, visibility;
	bool reserved;	/* shndx is ABS, COMMON or another special value, not a section */
	uint32_t shndx; /* section number, or a special value */
	uint64_t value, size;
};

struct bw_elf_rel {
	uint64_t offset;
	uint32_t symbol;
	uint32_t type;
	int64_t addend; /* RELA only */
};

struct bw_elf {
	struct bw_slice bytes;
	bool big_endian;
	uint16_t machine;
	struct bw_elf_section *sections;
	uint32_t n_sections;
	struct bw_elf_symbol *symbols;
	uint32_t n_symbols;
};

/* -ENOEXEC when it is not a BPF ELF file, -EINVAL when it cannot be read, -ENOMEM. Memory is the arena's. */
int bw_elf_read(struct bw_slice bytes, const char *name, struct bw_arena *arena, struct bw_elf *ret, struct bw_diag *diag);
/* How many entries a REL or RELA section has, and one of them (@i below that number). */
uint64_t bw_elf_rel_count(const struct bw_elf_section *s);
struct bw_elf_rel bw_elf_rel(const struct bw_elf *e, const struct bw_elf_section *s, uint64_t i);
/* How many bytes at the start of @bytes the headers say the file has (for carving); 0 when it is no BPF ELF file. */
uint64_t bw_elf_extent(struct bw_slice bytes);

#endif
