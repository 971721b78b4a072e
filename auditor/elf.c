// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "auditor/elf.h"
#include "auditor/object.h"

/* Layout of the gABI's ELF64 structures: only offsets, so that nothing depends on alignment or host order. */
#define EHDR_SIZE 64u
#define SHDR_SIZE 64u
#define SYM_SIZE 24u
#define REL_SIZE 16u
#define RELA_SIZE 24u
#define ET_REL 1

struct elf_header {
	bool big_endian;
	uint16_t machine, type;
	uint64_t shoff;
	uint32_t shnum, shstrndx;
};

static struct bw_elf_section elf_section_header(const struct bw_elf *e, const uint8_t *p, uint64_t *ret_off)
{
	bool be = e->big_endian;

	*ret_off = bw_get_u64(p + 24, be);
	return (struct bw_elf_section){
		.name = "",
		.type = bw_get_u32(p + 4, be),
		.flags = bw_get_u64(p + 8, be),
		.size = bw_get_u64(p + 32, be),
		.link = bw_get_u32(p + 40, be),
		.info = bw_get_u32(p + 44, be),
		.entsize = bw_get_u64(p + 56, be),
	};
}

/* NULL when it is acceptable, else the reason. */
static const char *elf_header_read(struct bw_slice b, struct elf_header *h)
{
	const uint8_t *p = b.data;
	uint16_t shentsize;

	if (b.len < EHDR_SIZE || memcmp(p, "\177ELF", 4))
		return "not an ELF file";
	if (p[4] != 2)
		return "not a 64-bit ELF file";
	if (p[5] != 1 && p[5] != 2)
		return "unknown byte order";
	h->big_endian = p[5] == 2;
	h->type = bw_get_u16(p + 16, h->big_endian);
	h->machine = bw_get_u16(p + 18, h->big_endian);
	if (h->machine != BW_EM_BPF && h->machine != BW_EM_NONE)
		return "not for the BPF machine";
	if (h->machine == BW_EM_NONE && h->type != ET_REL)
		return "not a relocatable object";
	h->shoff = bw_get_u64(p + 40, h->big_endian);
	shentsize = bw_get_u16(p + 58, h->big_endian);
	h->shnum = bw_get_u16(p + 60, h->big_endian);
	h->shstrndx = bw_get_u16(p + 62, h->big_endian);
	if (h->shoff && shentsize != SHDR_SIZE)
		return "section headers of an unknown size";
	return NULL;
}

/* A string table: only what is followed by a NUL somewhere, so that any offset inside starts a terminated string. */
static struct bw_slice elf_strings(const struct bw_elf *e, uint32_t index)
{
	struct bw_slice s;

	if (index == 0 || index >= e->n_sections || e->sections[index].type != BW_SHT_STRTAB)
		return bw_slice(NULL, 0);
	s = e->sections[index].data;
	while (s.len && s.data[s.len - 1])
		s.len--;
	return s;
}

static const char *elf_string(struct bw_slice strings, uint64_t off)
{
	return off < strings.len ? (const char *)strings.data + off : "";
}

static int elf_read_sections(struct bw_elf *e, struct elf_header *h, const char *file, struct bw_arena *arena,
			     struct bw_diag *diag)
{
	struct bw_slice table, strings;
	uint64_t off;

	if (!h->shoff)
		return bw_diag_set(diag, -EINVAL, file, "", BW_DIAG_NO_OFFSET, "no section headers");
	if (!bw_slice_sub(e->bytes, h->shoff, SHDR_SIZE, &table))
		return bw_diag_set(diag, -EINVAL, file, "section headers", h->shoff, "outside the file");
	if (h->shnum == 0 || h->shstrndx == BW_SHN_XINDEX) {
		/* More than 65,279 sections: the numbers are in the first header. */
		struct bw_elf_section first = elf_section_header(e, table.data, &off);

		if (h->shnum == 0) {
			if (first.size > BW_MAX_SECTIONS)
				return bw_diag_set(diag, -EINVAL, file, "section headers", h->shoff, "too many sections");
			h->shnum = (uint32_t)first.size;
		}
		if (h->shstrndx == BW_SHN_XINDEX)
			h->shstrndx = first.link;
	}
	if (h->shnum == 0 || !bw_slice_sub(e->bytes, h->shoff, (uint64_t)h->shnum * SHDR_SIZE, &table))
		return bw_diag_set(diag, -EINVAL, file, "section headers", h->shoff, "%u sections do not fit into the file",
				   h->shnum);
	e->sections = bw_arena_alloc(arena, h->shnum, sizeof(*e->sections));
	if (!e->sections)
		return -ENOMEM;
	e->n_sections = h->shnum;
	for (uint32_t i = 0; i < h->shnum; i++) {
		struct bw_elf_section *s = &e->sections[i];

		*s = elf_section_header(e, table.data + (size_t)i * SHDR_SIZE, &off);
		if (i == 0 || s->type == BW_SHT_NULL || s->type == BW_SHT_NOBITS)
			continue;
		if (!bw_slice_sub(e->bytes, off, s->size, &s->data))
			s->bad = true;
	}
	strings = elf_strings(e, h->shstrndx);
	for (uint32_t i = 1; i < h->shnum; i++)
		e->sections[i].name =
			elf_string(strings, bw_get_u32(table.data + (size_t)i * SHDR_SIZE, e->big_endian));
	return 0;
}

static int elf_read_symbols(struct bw_elf *e, const char *file, struct bw_arena *arena, struct bw_diag *diag)
{
	const struct bw_elf_section *symtab = NULL;
	struct bw_slice xindex = { 0 }, strings;
	uint32_t symtab_index = 0;
	uint64_t n;

	for (uint32_t i = 1; i < e->n_sections; i++) {
		if (e->sections[i].type != BW_SHT_SYMTAB)
			continue;
		if (symtab)
			return bw_diag_set(diag, -EINVAL, file, e->sections[i].name, BW_DIAG_NO_OFFSET,
					   "a second symbol table");
		symtab = &e->sections[i];
		symtab_index = i;
	}
	if (!symtab)
		return 0;
	if (symtab->bad || symtab->entsize != SYM_SIZE)
		return bw_diag_set(diag, -EINVAL, file, symtab->name, BW_DIAG_NO_OFFSET, "unreadable symbol table");
	n = symtab->size / SYM_SIZE;
	if (n > BW_MAX_SYMBOLS)
		return bw_diag_set(diag, -EINVAL, file, symtab->name, BW_DIAG_NO_OFFSET, "more than %u symbols",
				   BW_MAX_SYMBOLS);
	for (uint32_t i = 1; i < e->n_sections; i++)
		if (e->sections[i].type == BW_SHT_SYMTAB_SHNDX && e->sections[i].link == symtab_index)
			xindex = e->sections[i].data;
	strings = elf_strings(e, symtab->link);
	e->symbols = bw_arena_alloc(arena, n, sizeof(*e->symbols));
	if (!e->symbols)
		return -ENOMEM;
	e->n_symbols = (uint32_t)n;
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *p = symtab->data.data + (size_t)i * SYM_SIZE;
		struct bw_elf_symbol *s = &e->symbols[i];
		struct bw_slice wide;

		s->name = elf_string(strings, bw_get_u32(p, e->big_endian));
		s->type = p[4] & 0xf;
		s->bind = p[4] >> 4;
		s->visibility = p[5] & 3;
		s->shndx = bw_get_u16(p + 6, e->big_endian);
		s->value = bw_get_u64(p + 8, e->big_endian);
		s->size = bw_get_u64(p + 16, e->big_endian);
		if (s->shndx == BW_SHN_XINDEX && bw_slice_sub(xindex, (uint64_t)i * 4, 4, &wide))
			s->shndx = bw_get_u32(wide.data, e->big_endian);
		else if (s->shndx >= 0xff00)
			s->reserved = true;
		if (!s->reserved && s->shndx >= e->n_sections)
			s->reserved = true;
	}
	return 0;
}

int bw_elf_read(struct bw_slice bytes, const char *name, struct bw_arena *arena, struct bw_elf *ret, struct bw_diag *diag)
{
	struct bw_elf e = { .bytes = bytes };
	struct elf_header h = { 0 };
	const char *why = elf_header_read(bytes, &h);
	int r;

	if (why)
		return bw_diag_set(diag, -ENOEXEC, name, "", BW_DIAG_NO_OFFSET, "%s", why);
	e.big_endian = h.big_endian;
	e.machine = h.machine;
	r = elf_read_sections(&e, &h, name, arena, diag);
	if (!r)
		r = elf_read_symbols(&e, name, arena, diag);
	if (r == -ENOMEM)
		bw_diag_set(diag, r, name, "", BW_DIAG_NO_OFFSET, "needs too much memory");
	if (r)
		return r;
	*ret = e;
	return 0;
}

uint64_t bw_elf_rel_count(const struct bw_elf_section *s)
{
	return s->data.len / (s->type == BW_SHT_RELA ? RELA_SIZE : REL_SIZE);
}

struct bw_elf_rel bw_elf_rel(const struct bw_elf *e, const struct bw_elf_section *s, uint64_t i)
{
	bool rela = s->type == BW_SHT_RELA;
	const uint8_t *p = s->data.data + i * (rela ? RELA_SIZE : REL_SIZE);
	uint64_t info = bw_get_u64(p + 8, e->big_endian);

	return (struct bw_elf_rel){
		.offset = bw_get_u64(p, e->big_endian),
		.symbol = (uint32_t)(info >> 32),
		.type = (uint32_t)info,
		.addend = rela ? (int64_t)bw_get_u64(p + 16, e->big_endian) : 0,
	};
}

uint64_t bw_elf_extent(struct bw_slice bytes)
{
	struct bw_elf e = { .bytes = bytes };
	struct elf_header h = { 0 };
	struct bw_slice table;
	uint64_t end, off;

	if (elf_header_read(bytes, &h) || !h.shoff || h.shnum == 0 || h.type != ET_REL)
		return 0;
	if (!bw_slice_sub(bytes, h.shoff, (uint64_t)h.shnum * SHDR_SIZE, &table))
		return 0;
	e.big_endian = h.big_endian;
	end = h.shoff + (uint64_t)h.shnum * SHDR_SIZE;
	for (uint32_t i = 1; i < h.shnum; i++) {
		struct bw_elf_section s = elf_section_header(&e, table.data + (size_t)i * SHDR_SIZE, &off);

		if (s.type == BW_SHT_NULL || s.type == BW_SHT_NOBITS)
			continue;
		if (off > bytes.len || s.size > bytes.len - off)
			return 0;
		if (off + s.size > end)
			end = off + s.size;
	}
	return end;
}
