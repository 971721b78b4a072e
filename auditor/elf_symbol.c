// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* gABI: program headers, section headers, symbol tables of 64-bit files in this host's byte order. Pure. */
#include "auditor/elf_symbol.h"

#include <elf.h>

/* File offset to address, by the segment that loads it. */
static bool address_of(struct bw_slice f, const Elf64_Ehdr *h, uint64_t offset, uint64_t *ret)
{
	for (uint32_t i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr p;

		if (h->e_phoff > f.len || !bw_slice_copy(f, h->e_phoff + (uint64_t)i * sizeof(p), &p, sizeof(p)))
			return false;
		if (p.p_type == PT_LOAD && offset >= p.p_offset && offset - p.p_offset < p.p_filesz) {
			*ret = offset - p.p_offset + p.p_vaddr;
			return true;
		}
	}
	return false;
}

/* The symbol of one table that @address lies in. */
static const char *find(struct bw_slice f, const Elf64_Ehdr *h, const Elf64_Shdr *table, uint64_t address)
{
	struct bw_slice symbols, names;
	Elf64_Shdr strings;
	Elf64_Sym s;

	if (!bw_slice_copy(f, h->e_shoff + (uint64_t)table->sh_link * sizeof(strings), &strings, sizeof(strings)) ||
	    !bw_slice_sub(f, table->sh_offset, table->sh_size, &symbols) || !bw_slice_sub(f, strings.sh_offset, strings.sh_size, &names))
		return NULL;
	for (uint64_t at = 0; bw_slice_copy(symbols, at, &s, sizeof(s)); at += sizeof(s))
		if (ELF64_ST_TYPE(s.st_info) == STT_FUNC && s.st_value && address >= s.st_value &&
		    address - s.st_value < (s.st_size ? s.st_size : 1))
			return bw_slice_str(names, s.st_name);
	return NULL;
}

const char *elf_symbol_at(struct bw_slice f, uint64_t offset)
{
	uint64_t address;
	Elf64_Ehdr h;

	if (!bw_slice_copy(f, 0, &h, sizeof(h)) || memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_ident[EI_DATA] != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB) ||
	    h.e_phentsize != sizeof(Elf64_Phdr) || h.e_shentsize != sizeof(Elf64_Shdr) || h.e_shoff > f.len ||
	    !address_of(f, &h, offset, &address))
		return NULL;
	for (uint32_t i = 0; i < h.e_shnum; i++) {
		const char *name;
		Elf64_Shdr s;

		if (!bw_slice_copy(f, h.e_shoff + (uint64_t)i * sizeof(s), &s, sizeof(s)))
			return NULL;
		name = s.sh_type == SHT_SYMTAB || s.sh_type == SHT_DYNSYM ? find(f, &h, &s, address) : NULL;
		if (name && *name)
			return name;
	}
	return NULL;
}
