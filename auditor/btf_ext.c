// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * .BTF.ext: which BTF function starts where, which source line an instruction comes from, and the CO-RE records
 * (Documentation/bpf/btf.rst section 4, struct btf_ext_header of libbpf's libbpf_internal.h). Three tables of the same
 * shape: the size of a record, then per section its name, a count and the records, sorted by offset.
 */
#include <stdlib.h>

#include "auditor/reader.h"

#define BTF_MAGIC 0xeb9f
#define HDR_MIN 24u
#define HDR_CORE 32u

enum table {
	TABLE_FUNC,
	TABLE_LINE,
	TABLE_CORE,
};

static const struct {
	const char *name;
	uint32_t min_record;
} tables[] = {
	[TABLE_FUNC] = { "function", 8 },
	[TABLE_LINE] = { "line", 16 },
	[TABLE_CORE] = { "CO-RE", 16 },
};

struct code_name {
	const char *name;
	uint32_t code;
};

static int code_name_compare(const void *a, const void *b)
{
	const struct code_name *x = a, *y = b;
	int r = strncmp(x->name, y->name, READER_MAX_NAME + 1);

	return r ? r : x->code < y->code ? -1 : x->code > y->code;
}

static struct bw_code *code_by_name(struct bw_reader *r, const struct code_name *names, const char *name)
{
	uint32_t lo = 0, hi = r->o->n_codes;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (strncmp(names[mid].name, name, READER_MAX_NAME + 1) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->o->n_codes && !strncmp(names[lo].name, name, READER_MAX_NAME + 1) ? &r->o->codes[names[lo].code] :
											    NULL;
}

#define BY_INSN(fn, type)                                                  \
	static int fn(const void *a, const void *b)                        \
	{                                                                  \
		const type *x = a, *y = b;                                 \
		return x->insn < y->insn ? -1 : x->insn > y->insn;         \
	}
BY_INSN(func_info_compare, struct bw_func_info)
BY_INSN(line_compare, struct bw_line)
BY_INSN(core_compare, struct bw_core_relo)

static int take_records(struct bw_reader *r, enum table table, struct bw_code *c, struct bw_slice records, uint32_t size,
			uint32_t n)
{
	const struct bw_btf *b = r->o->btf;
	bool be = r->elf.big_endian, sorted = true;
	uint32_t last = 0, k = 0;
	struct bw_func_info *funcs = NULL;
	struct bw_core_relo *cores = NULL;
	struct bw_line *lines = NULL;
	struct bw_btf_type t;

	if (table == TABLE_FUNC)
		funcs = bw_arena_alloc(r->arena, n, sizeof(*funcs));
	else if (table == TABLE_LINE)
		lines = bw_arena_alloc(r->arena, n, sizeof(*lines));
	else
		cores = bw_arena_alloc(r->arena, n, sizeof(*cores));
	if (!funcs && !lines && !cores)
		return reader_oom(r);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *p = records.data + (size_t)i * size;
		uint32_t off = bw_get_u32(p, be), insn = off / BW_INSN_SIZE, word;

		if (off % BW_INSN_SIZE || insn >= c->n_insns) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, off,
				    "a %s record where no instruction starts", tables[table].name);
			continue;
		}
		sorted = sorted && insn >= last;
		last = insn;
		switch (table) {
		case TABLE_FUNC:
			funcs[k++] = (struct bw_func_info){ insn, bw_get_u32(p + 4, be) };
			break;
		case TABLE_LINE:
			word = bw_get_u32(p + 12, be);
			lines[k++] = (struct bw_line){
				.insn = insn,
				.line = word >> 10,
				.col = word & 0x3ff,
				.file = bw_btf_str(b, bw_get_u32(p + 4, be)),
				.text = bw_btf_str(b, bw_get_u32(p + 8, be)),
			};
			break;
		case TABLE_CORE:
			cores[k++] = (struct bw_core_relo){
				.insn = insn,
				.type_id = bw_get_u32(p + 4, be),
				.access = bw_btf_str(b, bw_get_u32(p + 8, be)),
				.kind = bw_get_u32(p + 12, be),
				.type = "",
			};
			if (!bw_btf_type(b, cores[k - 1].type_id, &t) || cores[k - 1].kind > BW_CORE_TYPE_MATCHES)
				reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, c->name, off,
					    "a CO-RE record of kind %u for type %u", cores[k - 1].kind,
					    cores[k - 1].type_id);
			else
				cores[k - 1].type = t.name;
			break;
		}
	}
	if (table == TABLE_FUNC) {
		if (!sorted)
			qsort(funcs, k, sizeof(*funcs), func_info_compare);
		c->func_infos = funcs;
		c->n_func_infos = k;
	} else if (table == TABLE_LINE) {
		if (!sorted)
			qsort(lines, k, sizeof(*lines), line_compare);
		c->lines = lines;
		c->n_lines = k;
	} else {
		if (!sorted)
			qsort(cores, k, sizeof(*cores), core_compare);
		c->cores = cores;
		c->n_cores = k;
	}
	return 0;
}

static bool has_table(const struct bw_code *c, enum table table)
{
	return table == TABLE_FUNC ? c->n_func_infos : table == TABLE_LINE ? c->n_lines : c->n_cores;
}

static int read_table(struct bw_reader *r, enum table table, struct bw_slice data, const struct code_name *names)
{
	bool be = r->elf.big_endian;
	uint64_t off = 4;
	uint32_t size;

	if (data.len == 0)
		return 0;
	size = data.len >= 4 ? bw_get_u32(data.data, be) : 0;
	if (size < tables[table].min_record || size > 4096) {
		reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, ".BTF.ext", BW_DIAG_NO_OFFSET,
			    "%s records of %u bytes", tables[table].name, size);
		return 0;
	}
	for (uint32_t sections = 0; off < data.len; sections++) {
		struct bw_slice head, records;
		struct bw_code *c;
		uint32_t n;
		int err;

		if (sections > r->o->n_codes + 16 || !bw_slice_sub(data, off, 8, &head)) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, ".BTF.ext", off, "malformed %s table",
				    tables[table].name);
			return 0;
		}
		n = bw_get_u32(head.data + 4, be);
		if (n == 0 || !bw_slice_sub(data, off + 8, (uint64_t)n * size, &records)) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, ".BTF.ext", off, "%u %s records do not fit", n,
				    tables[table].name);
			return 0;
		}
		off += 8 + records.len;
		c = code_by_name(r, names, bw_btf_str(r->o->btf, bw_get_u32(head.data, be)));
		if (!c)
			continue; /* a section that the linker dropped */
		if (has_table(c, table)) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, ".BTF.ext", off, "a second %s table for %.100s",
				    tables[table].name, c->name);
			continue;
		}
		err = take_records(r, table, c, records, size, n);
		if (err)
			return err;
	}
	return 0;
}

/* Gives functions the BTF type that starts where they do. */
static void functions_get_types(struct bw_reader *r)
{
	struct bw_object *o = r->o;

	for (uint32_t i = 0; i < o->n_codes; i++)
		for (uint32_t k = 0; k < o->codes[i].n_func_infos; k++) {
			const struct bw_func_info *info = &o->codes[i].func_infos[k];
			int32_t f = bw_object_func_starting(o, (int32_t)i, info->insn);
			struct bw_btf_type t;

			if (f != BW_NONE && bw_btf_type(o->btf, info->type_id, &t) && t.kind == BW_BTF_FUNC)
				o->funcs[f].btf_func = info->type_id;
		}
}

int reader_btf_ext(struct bw_reader *r)
{
	const struct bw_elf_section *s = NULL;
	struct code_name *names;
	struct bw_slice table;
	uint32_t hdr_len;
	bool be = r->elf.big_endian;
	int err = 0;

	for (uint32_t i = 1; i < r->elf.n_sections && !s; i++)
		if (!strcmp(r->elf.sections[i].name, ".BTF.ext") && r->elf.sections[i].type == BW_SHT_PROGBITS)
			s = &r->elf.sections[i];
	if (!s || !r->o->btf)
		return 0;
	hdr_len = s->data.len >= HDR_MIN ? bw_get_u32(s->data.data + 4, be) : 0;
	if (hdr_len < HDR_MIN || hdr_len > s->data.len || bw_get_u16(s->data.data, be) != BTF_MAGIC ||
	    s->data.data[2] != 1) {
		reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, ".BTF.ext", 0, "malformed header");
		return 0;
	}
	err = reader_work(r, s->data.len, s->name);
	if (err)
		return err;
	names = bw_arena_alloc(r->arena, r->o->n_codes, sizeof(*names));
	if (!names)
		return reader_oom(r);
	for (uint32_t i = 0; i < r->o->n_codes; i++)
		names[i] = (struct code_name){ r->o->codes[i].name, i };
	if (r->o->n_codes)
		qsort(names, r->o->n_codes, sizeof(*names), code_name_compare);
	for (enum table t = TABLE_FUNC; t <= TABLE_CORE && !err; t++) {
		uint32_t at = 8 + 8 * (uint32_t)t;

		/* Older headers end before the CO-RE table. */
		if (t == TABLE_CORE && hdr_len < HDR_CORE)
			break;
		if (!bw_slice_sub(s->data, (uint64_t)hdr_len + bw_get_u32(s->data.data + at, be),
				  bw_get_u32(s->data.data + at + 4, be), &table)) {
			reader_note(r, BW_NOTE_INCOMPLETE | BW_NOTE_ODD, ".BTF.ext", at, "the %s table is not inside",
				    tables[t].name);
			continue;
		}
		err = read_table(r, t, table, names);
	}
	functions_get_types(r);
	return err;
}
