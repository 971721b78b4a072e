// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "auditor/disasm.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"

/* Separates comments that are about the same instruction. */
static void comment_sep(struct bw_buf *out, size_t start)
{
	if (out->len > start)
		bw_buf_str(out, ", ");
}

static void comment_data(const struct bw_object *o, const struct bw_reloc *rel, struct bw_buf *out)
{
	const struct bw_map *m = &o->maps[rel->target];
	const struct bw_var *v = rel->addend >= 0 ? bw_object_data_var(o, rel->target, (uint64_t)rel->addend) : NULL;
	uint64_t delta;

	if (!v) {
		bw_buf_printf(out, "%s+0x%" PRIx64, m->name, (uint64_t)rel->addend);
		return;
	}
	delta = (uint64_t)rel->addend - v->off;
	bw_buf_printf(out, "%s %s", m->name, v->name);
	if (delta)
		bw_buf_printf(out, "+0x%" PRIx64, delta);
}

static void comment_reloc(const struct bw_object *o, const struct bw_reloc *rel, struct bw_buf *out)
{
	switch (rel->kind) {
	case BW_RELOC_MAP:
		bw_buf_printf(out, "map %s", o->maps[rel->target].name);
		return;
	case BW_RELOC_DATA:
		comment_data(o, rel, out);
		return;
	case BW_RELOC_CALL:
	case BW_RELOC_FUNC_ADDR:
		bw_buf_printf(out, "function %s", o->funcs[rel->target].name);
		return;
	case BW_RELOC_KFUNC:
		bw_buf_printf(out, "kfunc %s%s", o->externs[rel->target].name, o->externs[rel->target].weak ? " (weak)" : "");
		return;
	case BW_RELOC_KSYM:
		bw_buf_printf(out, "ksym %s%s", o->externs[rel->target].name, o->externs[rel->target].weak ? " (weak)" : "");
		return;
	case BW_RELOC_KCONFIG:
		bw_buf_printf(out, "kconfig %s", o->externs[rel->target].name);
		return;
	case BW_RELOC_JUMPTABLE:
		bw_buf_printf(out, "jump table %s", o->jumptables[rel->target].name);
		return;
	case BW_RELOC_UNKNOWN:
		bw_buf_printf(out, "unknown reference to %s", rel->symbol[0] ? rel->symbol : "(no name)");
		return;
	}
}

static void comment_core(const struct bw_object *o, const struct bw_core_relo *core, struct bw_buf *out)
{
	static const char *const kinds[] = { "byte_off", "byte_sz", "field_exists", "signed", "lshift_u64", "rshift_u64",
					     "local_type_id", "target_type_id", "type_exists", "type_size", "enumval_exists",
					     "enumval_value", "type_matches" };
	_cleanup_buf_ struct bw_buf path = { .max = 4096 };

	if (core->kind >= ARRAY_SIZE(kinds) || !o->btf)
		return;
	bw_buf_printf(out, "CO-RE %s ", kinds[core->kind]);
	if (!bw_btf_access_path(o->btf, core->type_id, core->access, &path, NULL))
		bw_buf_str(out, bw_buf_cstr(&path));
	else
		bw_buf_printf(out, "%s %s", core->type, core->access);
}

/* In live programs: what a map reference or kfunc number is called. Objects have relocations for that. */
static void comment_pseudo(const struct bw_object *o, const struct bw_decoded *d, struct bw_buf *out)
{
	switch (d->pseudo) {
	case BW_PSEUDO_MAP_FD:
		bw_buf_printf(out, "map id %d", d->imm);
		return;
	case BW_PSEUDO_MAP_IDX:
		bw_buf_printf(out, "map index %d", d->imm);
		return;
	case BW_PSEUDO_MAP_VALUE:
		bw_buf_printf(out, "value of map id %d +0x%x", d->imm, (uint32_t)(d->imm64 >> 32));
		return;
	case BW_PSEUDO_MAP_IDX_VALUE:
		bw_buf_printf(out, "value of map index %d +0x%x", d->imm, (uint32_t)(d->imm64 >> 32));
		return;
	case BW_PSEUDO_BTF_ID:
		bw_buf_printf(out, "kernel variable, BTF id %d", d->imm);
		return;
	}
}

void bw_disasm_comment(const struct bw_object *o, int32_t code, uint32_t insn, const struct bw_decoded *d,
		       struct bw_buf *out)
{
	const struct bw_code *c = &o->codes[code];
	const struct bw_reloc *rel = bw_code_reloc(c, insn);
	const struct bw_core_relo *core = bw_code_core(c, insn);
	size_t start = out->len;
	const char *name;

	if (rel) {
		comment_reloc(o, rel, out);
	} else if (d->op == BW_OP_CALL && o->flavour == BW_FLAVOUR_LINUX) {
		name = d->imm >= 0 ? bw_helper_name((uint32_t)d->imm) : NULL;
		if (name)
			bw_buf_printf(out, "bpf_%s", name);
		else
			bw_buf_str(out, "unknown helper");
	} else if (d->op == BW_OP_CALL) {
		bw_buf_printf(out, "helper %d of eBPF for Windows", d->imm);
	} else if (d->op == BW_OP_CALL_KFUNC) {
		bw_buf_printf(out, "kfunc, BTF id %d", d->imm);
	} else if (d->op == BW_OP_LD_IMM64) {
		comment_pseudo(o, d, out);
	}
	if (core) {
		comment_sep(out, start);
		comment_core(o, core, out);
	}
}

static void print_bytes(const struct bw_object *o, const struct bw_insn *in, struct bw_buf *out)
{
	uint8_t regs = o->big_endian ? (uint8_t)(in->dst << 4 | in->src) : (uint8_t)(in->src << 4 | in->dst);
	uint16_t off = (uint16_t)in->off;
	uint32_t imm = (uint32_t)in->imm;
	uint8_t b[8] = { in->code, regs, (uint8_t)off, (uint8_t)(off >> 8), (uint8_t)imm, (uint8_t)(imm >> 8),
			 (uint8_t)(imm >> 16), (uint8_t)(imm >> 24) };

	if (o->big_endian) {
		b[2] = (uint8_t)(off >> 8);
		b[3] = (uint8_t)off;
		for (int i = 0; i < 4; i++)
			b[4 + i] = (uint8_t)(imm >> (24 - 8 * i));
	}
	for (int i = 0; i < 8; i++)
		bw_buf_printf(out, "%02x ", b[i]);
}

/* "<name+0x10>", the way objdump writes where a jump goes. */
static void print_place(const struct bw_object *o, int32_t code, int64_t target, struct bw_buf *out)
{
	int32_t f = target >= 0 ? bw_object_func_at(o, code, (uint32_t)target) : BW_NONE;

	if (f == BW_NONE) {
		bw_buf_str(out, " <outside>");
		return;
	}
	bw_buf_printf(out, " <%s", o->funcs[f].name);
	if (target > o->funcs[f].first)
		bw_buf_printf(out, "+0x%" PRIx64, (uint64_t)(target - o->funcs[f].first) * BW_INSN_SIZE);
	bw_buf_char(out, '>');
}

static void print_source(const struct bw_line *l, struct bw_buf *out)
{
	const char *text = l->text + strspn(l->text, " \t");

	if (text[0])
		bw_buf_printf(out, "; %s ; %s:%u\n", text, l->file, l->line);
	else
		bw_buf_printf(out, "; %s:%u\n", l->file, l->line);
}

static void print_insn(const struct bw_object *o, const struct bw_disasm_options *opts, int32_t code, uint32_t at,
		       const struct bw_decoded *d, struct bw_buf *out)
{
	const struct bw_code *c = &o->codes[code];
	size_t comment;

	bw_buf_printf(out, "%8u:\t", at);
	if (!opts->no_bytes) {
		print_bytes(o, &c->insns[at], out);
		if (d && d->slots == 2)
			print_bytes(o, &c->insns[at + 1], out);
		out->data[out->len - 1] = '\t';
	}
	if (!d) {
		bw_buf_str(out, "<unknown>\n");
		return;
	}
	bw_insn_text(d, out);
	if (bw_op_is_jump(d->op))
		print_place(o, code, bw_insn_target(d, at, c->n_insns), out);
	if (!opts->no_comments && !bw_buf_error(out)) {
		bw_buf_str(out, "\t; ");
		comment = out->len;
		bw_disasm_comment(o, code, at, d, out);
		if (out->len == comment && !bw_buf_error(out)) { /* there was none */
			out->len = comment - 3;
			out->data[out->len] = '\0';
		}
	}
	bw_buf_char(out, '\n');
}

static void print_func(const struct bw_object *o, const struct bw_disasm_options *opts, const struct bw_func *f,
		       struct bw_buf *out)
{
	const struct bw_code *c = &o->codes[f->code];
	const struct bw_line *line = NULL;
	struct bw_decoded d;

	bw_buf_printf(out, "\n%016" PRIx64 " <%s>:\n", (uint64_t)f->first * BW_INSN_SIZE, f->name);
	for (uint32_t i = f->first; i < f->first + f->n_insns; i += d.slots) {
		bool known = !bw_insn_decode(c->insns, c->n_insns, i, bw_object_insn_mode(o), &d, NULL);

		if (!opts->no_source) {
			const struct bw_line *l = bw_code_line(c, i);

			if (l && l != line && l->insn >= f->first && (!line || l->line != line->line || l->file != line->file))
				print_source(l, out);
			line = l;
		}
		print_insn(o, opts, f->code, i, known ? &d : NULL, out);
		if (!known)
			d.slots = 1;
		if (bw_buf_error(out))
			return;
	}
}

int bw_disasm(const struct bw_object *o, const struct bw_disasm_options *opts, struct bw_buf *out)
{
	int32_t section = BW_NONE;
	bool any = false;

	for (uint32_t i = 0; i < o->n_funcs; i++) {
		const struct bw_func *f = &o->funcs[i];

		if (opts->prog && strcmp(f->name, opts->prog))
			continue;
		if (f->code != section)
			bw_buf_printf(out, "%sDisassembly of section %s:\n", any ? "\n" : "", o->codes[f->code].name);
		section = f->code;
		any = true;
		print_func(o, opts, f, out);
	}
	if (opts->prog && !any)
		return -ENOENT;
	return bw_buf_error(out);
}
