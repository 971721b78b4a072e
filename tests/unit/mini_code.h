/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_TEST_MINI_CODE_H
#define BW_TEST_MINI_CODE_H
/* Small x86-64 ELF libraries, made in memory: one executable segment, function symbols, optionally a .gopclntab. */
#include <elf.h>
#include <stdint.h>
#include <string.h>

#include "common/slice.h"

#define MINI_ADDR 0x10000u /* of the first byte of the file, in memory: offsets and addresses differ */
#define MINI_CODE 0x400u   /* where the code is in the file */

struct mini_code {
	uint8_t file[16384];
	size_t len;
	uint32_t code;	     /* next free byte of code */
	Elf64_Sym sym[32];
	uint32_t nsym;
	char names[1024];
	uint32_t names_len;
	struct bw_slice pclntab; /* of the Go functions */
};

static inline void mini_begin(struct mini_code *m)
{
	memset(m, 0, sizeof(*m));
	m->code = MINI_CODE;
	m->nsym = 1;
	m->names_len = 1;
}

/* Adds bytes of code, with a name or without; returns the address. */
static inline uint64_t mini_function(struct mini_code *m, const char *name, const void *code, size_t len)
{
	uint64_t addr = MINI_ADDR + m->code;

	memcpy(m->file + m->code, code, len);
	m->code += (uint32_t)((len + 15) & ~15ul);
	if (name) {
		m->sym[m->nsym++] = (Elf64_Sym){
			.st_name = m->names_len, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1, .st_value = addr, .st_size = len,
		};
		memcpy(m->names + m->names_len, name, strlen(name) + 1);
		m->names_len += (uint32_t)strlen(name) + 1;
	}
	return addr;
}

/* call @target, at @at. */
static inline void mini_call(struct mini_code *m, uint64_t at, uint64_t target)
{
	int32_t rel = (int32_t)(target - (at + 5));

	m->file[at - MINI_ADDR] = 0xe8;
	memcpy(m->file + (at - MINI_ADDR) + 1, &rel, 4);
}

static inline struct bw_slice mini_end(struct mini_code *m)
{
	static const char names[] = "\0.dynsym\0.dynstr\0.shstrtab\0.text\0.gopclntab";
	uint64_t at = (m->code + 63) & ~63u, dynsym = at, dynstr, shstr, pcln, shoff;
	Elf64_Ehdr h = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN, .e_machine = EM_X86_64,
		.e_phoff = sizeof(h), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 6, .e_shstrndx = 4,
	};
	Elf64_Phdr p = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0, .p_vaddr = MINI_ADDR };

	memcpy(m->file + dynsym, m->sym, m->nsym * sizeof(m->sym[0]));
	dynstr = dynsym + m->nsym * sizeof(m->sym[0]);
	memcpy(m->file + dynstr, m->names, m->names_len);
	shstr = dynstr + m->names_len;
	memcpy(m->file + shstr, names, sizeof(names));
	pcln = (shstr + sizeof(names) + 7) & ~7ul;
	if (m->pclntab.len)
		memcpy(m->file + pcln, m->pclntab.data, m->pclntab.len);
	shoff = (pcln + m->pclntab.len + 7) & ~7ul;
	Elf64_Shdr s[6] = {
		{ 0 },
		{ .sh_name = 27, .sh_type = SHT_PROGBITS, .sh_flags = SHF_EXECINSTR, .sh_addr = MINI_ADDR + MINI_CODE, .sh_offset = MINI_CODE, .sh_size = m->code - MINI_CODE },
		{ .sh_name = 1, .sh_type = SHT_DYNSYM, .sh_offset = dynsym, .sh_size = m->nsym * sizeof(m->sym[0]), .sh_link = 3, .sh_entsize = sizeof(Elf64_Sym) },
		{ .sh_name = 9, .sh_type = SHT_STRTAB, .sh_offset = dynstr, .sh_size = m->names_len },
		{ .sh_name = 17, .sh_type = SHT_STRTAB, .sh_offset = shstr, .sh_size = sizeof(names) },
		{ .sh_name = 33, .sh_type = m->pclntab.len ? SHT_PROGBITS : SHT_NULL, .sh_offset = pcln, .sh_size = m->pclntab.len },
	};
	memcpy(m->file + shoff, s, sizeof(s));
	m->len = shoff + sizeof(s);
	p.p_filesz = p.p_memsz = m->len;
	h.e_shoff = shoff;
	memcpy(m->file, &h, sizeof(h));
	memcpy(m->file + sizeof(h), &p, sizeof(p));
	return bw_slice(m->file, m->len);
}

#endif
