// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reading a BPF object: what its sections are, and the order in which the parts of the reader run.
 * Section names and their meaning: libbpf 1.7 (bpf_object__elf_collect()), iproute2 lib/bpf_legacy.c, cilium/ebpf.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "auditor/reader.h"
#include "common/cleanup.h"

/* An object's model may take this many times the size of its file, and always this much. */
#define MEMORY_FACTOR 64u
#define MEMORY_MIN (16u << 20)

void reader_note(struct bw_reader *r, uint32_t flags, const char *section, uint64_t offset, const char *fmt, ...)
{
	struct bw_object *o = r->o;
	char text[256];
	va_list ap;
	char *copy;

	if (flags & BW_NOTE_INCOMPLETE)
		o->incomplete = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	copy = o->n_notes < BW_MAX_NOTES ? bw_arena_str(r->arena, text) : NULL;
	if (!copy || !bw_arena_grow(r->arena, &o->notes, o->n_notes, &r->notes_cap, sizeof(*o->notes))) {
		o->n_notes_dropped++;
		return;
	}
	o->notes[o->n_notes++] =
		(struct bw_note){ .flags = flags, .section = section, .offset = offset, .text = copy };
}

int reader_oom(struct bw_reader *r)
{
	return bw_diag_set(r->diag, -ENOMEM, r->file, "", BW_DIAG_NO_OFFSET, "needs too much memory");
}

int reader_work(struct bw_reader *r, uint64_t bytes, const char *section)
{
	if (bytes > r->elf.bytes.len - r->work)
		return bw_diag_set(r->diag, -EINVAL, r->file, section, BW_DIAG_NO_OFFSET,
				   "sections overlap: together they are larger than the file");
	r->work += bytes;
	return 0;
}

const char *reader_name(struct bw_reader *r, const char *name)
{
	const char *cut;

	if (strnlen(name, READER_MAX_NAME + 1) <= READER_MAX_NAME)
		return name;
	reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, "", BW_DIAG_NO_OFFSET, "a name of more than %u bytes was cut",
		    READER_MAX_NAME);
	cut = bw_arena_strn(r->arena, name, READER_MAX_NAME);
	return cut ? cut : "";
}

static bool is_struct_ops_section(const char *name)
{
	if (*name == '?')
		name++;
	return !strcmp(name, ".struct_ops") || !strcmp(name, ".struct_ops.link");
}

static enum section_role section_role(const struct bw_elf_section *s)
{
	const char *n = s->name;

	if (s->type == BW_SHT_NOBITS) {
		if (!s->size)
			return ROLE_NONE;
		if (!strcmp(n, ".bss") || str_has_prefix(n, ".bss."))
			return ROLE_BSS;
		/* A map definition that is all zero but for its BTF is still a map. */
		if (!strcmp(n, ".maps"))
			return ROLE_MAPS_BTF;
		if (!strcmp(n, ".addr_space.1"))
			return ROLE_ARENA;
		return ROLE_NONE;
	}
	if (s->type != BW_SHT_PROGBITS || !s->size)
		return ROLE_NONE;
	if (s->flags & BW_SHF_EXECINSTR)
		return ROLE_CODE;
	if (!strcmp(n, ".maps"))
		return ROLE_MAPS_BTF;
	/* "lirc_mode2/maps": decoders of v4l-utils (utils/keytable/bpf_protocols) */
	if (!strcmp(n, "maps") || str_has_prefix(n, "maps/") || (strlen(n) > 5 && !strcmp(n + strlen(n) - 5, "/maps")))
		return ROLE_MAPS_LEGACY;
	if (!strcmp(n, ".data") || str_has_prefix(n, ".data."))
		return ROLE_DATA;
	if (!strcmp(n, ".rodata") || str_has_prefix(n, ".rodata."))
		return ROLE_RODATA;
	if (!strcmp(n, ".bss") || str_has_prefix(n, ".bss."))
		return ROLE_BSS;
	if (is_struct_ops_section(n))
		return ROLE_STRUCT_OPS;
	if (!strcmp(n, ".addr_space.1"))
		return ROLE_ARENA;
	if (!strcmp(n, ".jumptables"))
		return ROLE_JUMPTABLES;
	return ROLE_NONE;
}

/* Decodes the code once, to find what is unknown and which ISA level it needs. */
static void reader_check_code(struct bw_reader *r, const struct bw_code *c)
{
	struct bw_decoded d;
	const char *why;

	for (uint32_t i = 0; i < c->n_insns; i += d.slots) {
		uint32_t cpu = 1;

		if (bw_insn_decode(c->insns, c->n_insns, i, BW_INSN_OBJECT, &d, &why)) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, (uint64_t)i * BW_INSN_SIZE,
				    "instruction 0x%02x is not known: %s", c->insns[i].code, why);
			d.slots = 1;
			continue;
		}
		if ((d.op >= BW_OP_JLT && d.op <= BW_OP_JLE) || d.op == BW_OP_JSLT || d.op == BW_OP_JSLE)
			cpu = 2;
		if ((bw_op_is_cond_jump(d.op) && d.width == 4) || (bw_op_is_alu(d.op) && d.width == 4) ||
		    (bw_op_is_atomic(d.op) && d.fetch))
			cpu = 3;
		if (d.op == BW_OP_SDIV || d.op == BW_OP_SMOD || d.op == BW_OP_MOVSX || d.op == BW_OP_BSWAP ||
		    d.sign_extend || d.long_jump || d.op == BW_OP_ARENA_CAST || d.op == BW_OP_MAY_GOTO ||
		    d.op == BW_OP_GOTOX || d.op == BW_OP_LOAD_ACQUIRE || d.op == BW_OP_STORE_RELEASE)
			cpu = 4;
		if (cpu > r->o->cpu)
			r->o->cpu = cpu;
	}
}

static int reader_add_code(struct bw_reader *r, uint32_t shndx)
{
	const struct bw_elf_section *s = &r->elf.sections[shndx];
	struct bw_code *c = &r->o->codes[r->o->n_codes];
	int err;

	if (s->bad)
		return bw_diag_set(r->diag, -EINVAL, r->file, s->name, BW_DIAG_NO_OFFSET, "code outside the file");
	err = reader_work(r, s->data.len, s->name);
	if (err)
		return err;
	if (s->data.len / BW_INSN_SIZE > UINT32_MAX / 2)
		return bw_diag_set(r->diag, -EINVAL, r->file, s->name, BW_DIAG_NO_OFFSET, "too much code");
	if (s->data.len % BW_INSN_SIZE)
		reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, s->name, s->data.len / BW_INSN_SIZE * BW_INSN_SIZE,
			    "the code ends inside an instruction");
	c->name = reader_name(r, s->name);
	c->shndx = shndx;
	c->n_insns = (uint32_t)(s->data.len / BW_INSN_SIZE);
	c->insns = bw_arena_alloc(r->arena, c->n_insns, sizeof(*c->insns));
	if (!c->insns)
		return reader_oom(r);
	bw_insns_unpack(s->data.data, c->n_insns, r->elf.big_endian, c->insns);
	reader_check_code(r, c);
	r->code_of[shndx] = (int32_t)r->o->n_codes++;
	return 0;
}

static const char *section_text(struct bw_reader *r, const struct bw_elf_section *s)
{
	size_t len;
	char *p;

	if (!s->data.len)
		return "";
	len = strnlen((const char *)s->data.data, s->data.len);
	if (len > READER_MAX_NAME)
		len = READER_MAX_NAME;
	p = bw_arena_strn(r->arena, (const char *)s->data.data, len);
	return p ? p : "";
}

static int reader_sections(struct bw_reader *r)
{
	struct bw_elf *e = &r->elf;
	struct bw_object *o = r->o;
	const char **names;
	uint32_t n_code = 0;
	int err;

	r->role = bw_arena_alloc(r->arena, e->n_sections, sizeof(*r->role));
	r->code_of = bw_arena_alloc(r->arena, e->n_sections, sizeof(*r->code_of));
	r->data_map = bw_arena_alloc(r->arena, e->n_sections, sizeof(*r->data_map));
	r->referenced = bw_arena_alloc(r->arena, e->n_sections, sizeof(*r->referenced));
	names = bw_arena_alloc(r->arena, e->n_sections, sizeof(*names));
	if (!r->role || !r->code_of || !r->data_map || !r->referenced || !names)
		return reader_oom(r);
	for (uint32_t i = 0; i < e->n_sections; i++) {
		r->code_of[i] = r->data_map[i] = BW_NONE;
		names[i] = e->sections[i].name ? e->sections[i].name : "";
		if (i == 0)
			continue;
		names[i] = e->sections[i].name = reader_name(r, names[i]);
		r->role[i] = section_role(&e->sections[i]);
		n_code += r->role[i] == ROLE_CODE;
	}
	o->section_names = names;
	o->n_section_names = e->n_sections;
	o->codes = bw_arena_alloc(r->arena, n_code, sizeof(*o->codes));
	if (!o->codes)
		return reader_oom(r);
	for (uint32_t i = 1; i < e->n_sections; i++) {
		const struct bw_elf_section *s = &e->sections[i];

		if (r->role[i] == ROLE_CODE) {
			err = reader_add_code(r, i);
			if (err)
				return err;
			continue;
		}
		if (s->bad) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, s->name, BW_DIAG_NO_OFFSET,
				    "the section is not inside the file");
			r->role[i] = ROLE_NONE;
			continue;
		}
		if (s->flags & BW_SHF_COMPRESSED && s->flags & BW_SHF_ALLOC)
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, s->name, BW_DIAG_NO_OFFSET,
				    "compressed sections are not read");
		if (!strcmp(s->name, "license"))
			o->license = section_text(r, s);
		else if (!strcmp(s->name, "version") && s->data.len == 4)
			o->version = bw_get_u32(s->data.data, e->big_endian);
		else if (!strcmp(s->name, ".ebpf_for_windows"))
			o->flavour = BW_FLAVOUR_WINDOWS;
	}
	return 0;
}

/* Type names that only the headers of eBPF for Windows define (include/ebpf_nethooks.h, ebpf_structs.h there). */
static bool is_windows_type(const char *name)
{
	static const char *const names[] = { "bind_md_t", "_bind_md", "xdp_md_t", "bpf_sock_addr_t", "bpf_sock_ops_t",
					     "sock_addr_md_t", "process_md_t", "netevent_event_md_t", "ebpf_map_type_t",
					     "_ebpf_map_definition_in_file" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static int reader_btf(struct bw_reader *r)
{
	struct bw_diag why = { 0 };
	struct bw_btf_type t;
	int err;

	for (uint32_t i = 1; i < r->elf.n_sections; i++) {
		const struct bw_elf_section *s = &r->elf.sections[i];

		if (strcmp(s->name, ".BTF") || s->type != BW_SHT_PROGBITS || r->o->btf)
			continue;
		err = bw_btf_read(s->data, r->elf.big_endian, r->file, r->arena, &r->o->btf, &why);
		if (err == -ENOMEM)
			return reader_oom(r);
		if (err)
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, ".BTF", why.offset, "%s", why.reason);
	}
	if (r->o->flavour == BW_FLAVOUR_LINUX && r->o->btf)
		for (uint32_t id = 1; bw_btf_type(r->o->btf, id, &t); id++)
			if ((t.kind == BW_BTF_TYPEDEF || t.kind == BW_BTF_STRUCT) && is_windows_type(t.name))
				r->o->flavour = BW_FLAVOUR_WINDOWS;
	/* The bind hook exists only there; its objects need not carry type information. */
	for (uint32_t i = 0; i < r->o->n_codes; i++)
		if (!strcmp(r->o->codes[i].name, "bind") || str_has_prefix(r->o->codes[i].name, "bind/"))
			r->o->flavour = BW_FLAVOUR_WINDOWS;
	return 0;
}

/* Which sections the code refers to: a data section nobody names is not a map. */
static int reader_references(struct bw_reader *r)
{
	for (uint32_t i = 1; i < r->elf.n_sections; i++) {
		const struct bw_elf_section *s = &r->elf.sections[i];
		int err;

		if ((s->type != BW_SHT_REL && s->type != BW_SHT_RELA) || s->info >= r->elf.n_sections ||
		    (r->role[s->info] == ROLE_NONE && !(r->elf.sections[s->info].flags & BW_SHF_ALLOC)))
			continue;
		err = reader_work(r, s->data.len, s->name);
		if (err)
			return err;
		for (uint64_t n = bw_elf_rel_count(s), k = 0; k < n; k++) {
			struct bw_elf_rel rel = bw_elf_rel(&r->elf, s, k);

			if (rel.symbol < r->elf.n_symbols && !r->elf.symbols[rel.symbol].reserved)
				r->referenced[r->elf.symbols[rel.symbol].shndx] = true;
		}
	}
	return 0;
}

int bw_object_read(struct bw_slice bytes, const char *name, struct bw_object **ret, struct bw_diag *diag)
{
	static int (*const stages[])(struct bw_reader *) = {
		reader_sections, reader_btf,	    reader_section_symbols, reader_datasecs,
		reader_references, reader_functions, reader_externs,	    reader_maps,
		reader_struct_ops, reader_jumptables, reader_relocs,	    reader_map_values,
		reader_data_relocs, reader_btf_ext,   reader_programs,
	};
	_cleanup_object_ struct bw_object *o = NULL;
	struct bw_reader r = { 0 };
	int err;

	if (bytes.len > BW_MAX_OBJECT_SIZE)
		return bw_diag_set(diag, -EINVAL, name, "", BW_DIAG_NO_OFFSET, "larger than %u MiB",
				   BW_MAX_OBJECT_SIZE >> 20);
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->arena.max = MEMORY_MIN + bytes.len * MEMORY_FACTOR;
	o->license = "";
	o->cpu = 1;
	o->size = bytes.len;
	o->path = bw_arena_str(&o->arena, name);
	if (!o->path)
		return -ENOMEM;
	r.o = o;
	r.arena = &o->arena;
	r.file = name;
	r.diag = diag;
	err = bw_elf_read(bytes, name, r.arena, &r.elf, diag);
	if (err)
		return err;
	o->big_endian = r.elf.big_endian;
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		err = stages[i](&r);
		if (err)
			return err;
	}
	if (!bw_sha256(bytes.data, bytes.len, o->sha256))
		return reader_oom(&r);
	*ret = TAKE_PTR(o);
	return 0;
}

bool bw_sha256(const void *data, size_t len, uint8_t ret[32])
{
	return EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL);
}

void bw_object_free(struct bw_object *o)
{
	if (!o)
		return;
	bw_arena_free(&o->arena);
	free(o);
}
