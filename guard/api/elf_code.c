// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/elf_code.h"

#include <elf.h>
#include <errno.h>

int elf_code_open(struct bw_slice file, struct elf_code *ret)
{
	Elf64_Ehdr h;

	if (!bw_slice_copy(file, 0, &h, sizeof(h)) || memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_ident[EI_DATA] != ELFDATA2LSB || h.e_machine != EM_X86_64 || (h.e_type != ET_EXEC && h.e_type != ET_DYN))
		return -EBADMSG;
	if (h.e_phentsize != sizeof(Elf64_Phdr) || h.e_phnum > ELF_CODE_MAX_SEGMENTS)
		return -EBADMSG;
	/* Without a section table there is code, but no names. */
	if (h.e_shentsize != sizeof(Elf64_Shdr) || h.e_shnum > ELF_CODE_MAX_SECTIONS)
		h.e_shnum = 0;
	*ret = (struct elf_code){
		.file = file,
		.phoff = h.e_phoff,
		.shoff = h.e_shoff,
		.phnum = h.e_phnum,
		.shnum = h.e_shnum,
		.shstrndx = h.e_shstrndx,
	};
	return 0;
}

static bool section_header(const struct elf_code *e, uint32_t i, Elf64_Shdr *ret)
{
	return i < e->shnum && e->shoff <= e->file.len && bw_slice_copy(e->file, e->shoff + i * sizeof(*ret), ret, sizeof(*ret));
}

static bool section_data(const struct elf_code *e, const Elf64_Shdr *s, struct bw_slice *ret)
{
	return s->sh_type != SHT_NOBITS && bw_slice_sub(e->file, s->sh_offset, s->sh_size, ret);
}

bool elf_code_section(const struct elf_code *e, const char *name, struct bw_slice *ret, uint64_t *ret_addr)
{
	struct bw_slice names;
	Elf64_Shdr s;

	if (!section_header(e, e->shstrndx, &s) || !section_data(e, &s, &names))
		return false;
	for (uint32_t i = 0; i < e->shnum; i++) {
		const char *n;

		if (!section_header(e, i, &s))
			return false;
		n = bw_slice_str(names, s.sh_name);
		if (!n || strcmp(n, name) || !section_data(e, &s, ret))
			continue;
		*ret_addr = s.sh_addr;
		return true;
	}
	return false;
}

static void look_through(const struct elf_code *e, const Elf64_Shdr *table, struct elf_code_symbol *wanted, unsigned int n)
{
	struct bw_slice symbols, names;
	Elf64_Shdr strings;
	uint64_t count;

	if (!section_data(e, table, &symbols) || !section_header(e, table->sh_link, &strings) || !section_data(e, &strings, &names))
		return;
	count = symbols.len / sizeof(Elf64_Sym);
	if (count > ELF_CODE_MAX_SYMBOLS)
		count = ELF_CODE_MAX_SYMBOLS;
	for (uint64_t i = 0; i < count; i++) {
		Elf64_Sym sym;

		memcpy(&sym, symbols.data + i * sizeof(sym), sizeof(sym));
		if (ELF64_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF || !sym.st_value || sym.st_name >= names.len)
			continue;
		for (unsigned int k = 0; k < n; k++) {
			size_t len = strlen(wanted[k].name) + 1;

			if (wanted[k].addr || len > names.len - sym.st_name || memcmp(names.data + sym.st_name, wanted[k].name, len))
				continue;
			wanted[k].addr = sym.st_value;
			wanted[k].size = sym.st_size;
		}
	}
}

unsigned int elf_code_symbols(const struct elf_code *e, struct elf_code_symbol *wanted, unsigned int n)
{
	unsigned int found = 0;
	Elf64_Shdr s;

	for (uint32_t i = 0; i < e->shnum; i++)
		if (section_header(e, i, &s) && (s.sh_type == SHT_DYNSYM || s.sh_type == SHT_SYMTAB))
			look_through(e, &s, wanted, n);
	for (unsigned int k = 0; k < n; k++)
		found += wanted[k].addr != 0;
	return found;
}

bool elf_code_at(const struct elf_code *e, uint64_t addr, uint64_t max, struct bw_slice *ret, uint64_t *ret_offset)
{
	for (uint32_t i = 0; i < e->phnum; i++) {
		uint64_t in, len;
		Elf64_Phdr p;

		if (e->phoff > e->file.len || !bw_slice_copy(e->file, e->phoff + i * sizeof(p), &p, sizeof(p)))
			return false;
		if (p.p_type != PT_LOAD || !(p.p_flags & PF_X) || addr < p.p_vaddr || addr - p.p_vaddr >= p.p_filesz)
			continue;
		in = addr - p.p_vaddr;
		len = p.p_filesz - in < max ? p.p_filesz - in : max;
		if (p.p_offset > UINT64_MAX - in || !bw_slice_sub(e->file, p.p_offset + in, len, ret))
			return false;
		*ret_offset = p.p_offset + in;
		return true;
	}
	return false;
}
