/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_ELF_CODE_H
#define BW_GUARD_API_ELF_CODE_H
/*
 * Other people's executables and libraries (ELF, x86-64): where a function is in the file. Pure, for bytes that nobody vouches for;
 * belongs into a sandbox. Format: System V ABI, "Object files".
 */
#include "common/slice.h"

#define ELF_CODE_MAX_SECTIONS 4096u
#define ELF_CODE_MAX_SEGMENTS 256u
#define ELF_CODE_MAX_SYMBOLS 4000000u

struct elf_code {
	struct bw_slice file;
	uint64_t phoff, shoff;
	uint32_t phnum, shnum, shstrndx;
};

struct elf_code_symbol {
	const char *name; /* wanted */
	uint64_t addr, size; /* found; 0: it is not there */
};

/* -EBADMSG: not such a file. */
int elf_code_open(struct bw_slice file, struct elf_code *ret);
/* The section with this name; false when there is none. */
bool elf_code_section(const struct elf_code *e, const char *name, struct bw_slice *ret, uint64_t *ret_addr);
/* Looks the functions up that are defined here, in both symbol tables. Returns how many of them are there. */
unsigned int elf_code_symbols(const struct elf_code *e, struct elf_code_symbol *wanted, unsigned int n);
/* The code at @addr, up to @max bytes, and where in the file it is. False when no executable segment holds it. */
bool elf_code_at(const struct elf_code *e, uint64_t addr, uint64_t max, struct bw_slice *ret, uint64_t *ret_offset);

#endif
