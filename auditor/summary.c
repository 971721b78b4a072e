// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>

#include "auditor/summary.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"

static const char *const map_kinds[] = { "btf",	   "legacy", "iproute2",   "windows",	 "data", "rodata", "bss",
					 "kconfig", "arena",  "struct_ops", "live", "light" };
static const char *const extern_kinds[] = { "kfunc", "ksym", "ksym-address", "kconfig", "unknown" };
static const char *const reloc_kinds[] = { "map",  "data",    "call",	   "func-address", "kfunc",
					   "ksym", "kconfig", "jumptable", "unknown" };
static const char *const bindings[] = { "local", "global", "weak" };

/* ", word" when @on. */
static void flag(struct bw_buf *out, bool on, const char *word)
{
	if (on)
		bw_buf_printf(out, ", %s", word);
}

static void number(struct bw_buf *out, const char *word, uint64_t v)
{
	if (v)
		bw_buf_printf(out, ", %s %" PRIu64, word, v);
}

static void named(struct bw_buf *out, const char *word, const char *name, int64_t v)
{
	if (name)
		bw_buf_printf(out, "%s%s", word, name);
	else
		bw_buf_printf(out, "%s%" PRId64, word, v);
}

static void print_prog(const struct bw_object *o, const struct bw_prog *p, struct bw_buf *out)
{
	const struct bw_secdef *d = &p->def;

	bw_buf_printf(out, "program %s, section %s", p->name, p->section);
	if (d->known)
		named(out, ", type ", bw_prog_type_name(d->prog_type), d->prog_type);
	else
		bw_buf_str(out, ", type unknown");
	if (d->attach_type == BW_NONE)
		bw_buf_str(out, ", attach open");
	else if (d->attach_type)
		named(out, ", attach ", bw_attach_type_name((uint32_t)d->attach_type), d->attach_type);
	if (d->rule[0])
		bw_buf_printf(out, ", rule %s", d->rule);
	if (d->target_len)
		bw_buf_printf(out, ", target %.*s", (int)d->target_len, d->target);
	number(out, "target offset", d->target_off);
	flag(out, d->sleepable, "sleepable");
	flag(out, !d->autoload, "not loaded by default");
	flag(out, d->attach_optional, "attach type optional");
	flag(out, d->needs_btf_target, "BTF target");
	flag(out, d->multi, "multi");
	flag(out, d->session, "session");
	flag(out, d->ret, "return");
	flag(out, d->frags, "frags");
	flag(out, d->convention, "by convention");
	flag(out, p->loader, "loader");
	if (p->struct_ops != BW_NONE)
		bw_buf_printf(out, ", member %s of %s", o->struct_ops[p->struct_ops].members[p->member].name,
			      o->struct_ops[p->struct_ops].name);
	bw_buf_char(out, '\n');
}

static void print_map(const struct bw_object *o, const struct bw_map *m, struct bw_buf *out)
{
	bw_buf_printf(out, "map %s, %s", m->name, map_kinds[m->kind]);
	named(out, ", type ", o->flavour == BW_FLAVOUR_LINUX ? bw_map_type_name(m->type) : NULL, m->type);
	bw_buf_printf(out, ", key %u, value %u, entries %u", m->key_size, m->value_size, m->max_entries);
	if (m->flags)
		bw_buf_printf(out, ", flags 0x%x", m->flags);
	number(out, "numa", m->numa_node);
	number(out, "extra", m->extra);
	number(out, "pinning", m->pinning);
	number(out, "id", m->id);
	number(out, "key type", m->key_type);
	number(out, "value type", m->value_type);
	number(out, "initial bytes", m->data.len);
	flag(out, m->frozen, "read-only");
	flag(out, !m->autocreate, "not created by default");
	flag(out, m->is_inner, "inner definition");
	if (m->inner != BW_NONE)
		bw_buf_printf(out, ", inner %s", o->maps[m->inner].name);
	bw_buf_char(out, '\n');
	for (uint32_t i = 0; i < m->n_init; i++)
		bw_buf_printf(out, "  [%u] = %s %s\n", m->init[i].key, m->init[i].is_prog ? "program" : "map",
			      m->init[i].name);
	for (uint32_t i = 0; i < m->n_vars; i++)
		bw_buf_printf(out, "  +0x%" PRIx64 " %s, %" PRIu64 " bytes, type %u%s\n", m->vars[i].off, m->vars[i].name,
			      m->vars[i].size, m->vars[i].type, m->vars[i].global ? ", global" : "");
	for (uint32_t i = 0; i < m->n_relocs; i++)
		bw_buf_printf(out, "  +0x%x -> %s %d+%" PRId64 "\n", m->relocs[i].insn, reloc_kinds[m->relocs[i].kind],
			      m->relocs[i].target, m->relocs[i].addend);
}

static void print_code(const struct bw_object *o, const struct bw_code *c, struct bw_buf *out)
{
	bw_buf_printf(out, "code %s, %u instructions, %u lines, %u functions with types\n", c->name, c->n_insns, c->n_lines,
		      c->n_func_infos);
	for (uint32_t i = 0; i < c->n_relocs; i++)
		bw_buf_printf(out, "  %u -> %s %d+%" PRId64 " %s%s\n", c->relocs[i].insn, reloc_kinds[c->relocs[i].kind],
			      c->relocs[i].target, c->relocs[i].addend, c->relocs[i].symbol,
			      c->relocs[i].from_elf ? "" : " (no relocation)");
	for (uint32_t i = 0; i < c->n_cores; i++) {
		_cleanup_buf_ struct bw_buf path = { .max = 4096 };
		int r = bw_btf_access_path(o->btf, c->cores[i].type_id, c->cores[i].access, &path, NULL);

		bw_buf_printf(out, "  %u CO-RE %u %s %s: %s\n", c->cores[i].insn, c->cores[i].kind, c->cores[i].type,
			      c->cores[i].access, r ? "?" : bw_buf_cstr(&path));
	}
}

void bw_object_summary(const struct bw_object *o, struct bw_buf *out)
{
	bw_buf_printf(out, "object, %s endian, %s, license \"%s\", version 0x%x, cpu v%u%s%s\n", o->big_endian ? "big" : "little",
		      o->flavour == BW_FLAVOUR_LINUX ? "linux" : "windows", o->license, o->version, o->cpu,
		      o->btf ? ", BTF" : "", o->incomplete ? ", incomplete" : "");
	for (uint32_t i = 0; i < o->n_progs; i++)
		print_prog(o, &o->progs[i], out);
	for (uint32_t i = 0; i < o->n_funcs; i++) {
		const struct bw_func *f = &o->funcs[i];

		bw_buf_printf(out, "function %s, %s+0x%x, %u instructions, %s%s%s, type %u\n", f->name,
			      o->codes[f->code].name, f->first * BW_INSN_SIZE, f->n_insns, bindings[f->binding],
			      f->hidden ? ", hidden" : "", f->prog == BW_NONE ? ", subprogram" : "", f->btf_func);
	}
	for (uint32_t i = 0; i < o->n_maps; i++)
		print_map(o, &o->maps[i], out);
	for (uint32_t i = 0; i < o->n_externs; i++) {
		const struct bw_extern *e = &o->externs[i];

		bw_buf_printf(out, "extern %s, %s%s", e->name, extern_kinds[e->kind], e->weak ? ", weak" : "");
		if (e->kind == BW_EXTERN_KCONFIG)
			bw_buf_printf(out, ", %u bytes at %u", e->size, e->offset);
		bw_buf_char(out, '\n');
	}
	for (uint32_t i = 0; i < o->n_struct_ops; i++) {
		const struct bw_struct_ops *s = &o->struct_ops[i];

		bw_buf_printf(out, "struct_ops %s, %s%s%s\n", s->name, s->type_name, s->link ? ", link" : "",
			      s->autocreate ? "" : ", not created by default");
		for (uint32_t k = 0; k < s->n_members; k++)
			bw_buf_printf(out, "  %s at %u = %s\n", s->members[k].name, s->members[k].offset,
				      s->members[k].func == BW_NONE ? "none" : o->funcs[s->members[k].func].name);
	}
	for (uint32_t i = 0; i < o->n_jumptables; i++) {
		bw_buf_printf(out, "jump table %s:", o->jumptables[i].name);
		for (uint32_t k = 0; k < o->jumptables[i].n_targets; k++)
			bw_buf_printf(out, " %u", o->jumptables[i].targets[k]);
		bw_buf_char(out, '\n');
	}
	for (uint32_t i = 0; i < o->n_codes; i++)
		print_code(o, &o->codes[i], out);
	for (uint32_t i = 0; i < o->n_notes; i++)
		bw_buf_printf(out, "note %u %s+0x%" PRIx64 ": %s\n", o->notes[i].flags, o->notes[i].section, o->notes[i].offset,
			      o->notes[i].text);
}
