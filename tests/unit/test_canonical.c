// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The canonical identity: fixed values for the golden objects, nothing that a loader or host decides in it, and everything
 * else: 10,000 random changes of programs, maps, data and references, and as many damaged files, none of them missed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auditor/canonical.h"
#include "auditor/carve.h"
#include "auditor/elf.h"
#include "auditor/ident.h"
#include "common/buf.h"
#include "common/cleanup.h"

#define DIR "tests/golden/object/"
#define MUTATIONS 10000u

static const char *const names[] = { "features", "features-eb", "features-19", "cpu4",	   "structops",
				     "legacy",	 "iproute2",	"windows",     "jumptable" };

struct file {
	char *data;
	size_t len;
};

static struct file load(const char *name)
{
	struct file f = { 0 };
	char path[256];

	snprintf(path, sizeof(path), DIR "%s", name);
	assert_int_equal(bw_file_read(path, BW_MAX_OBJECT_SIZE, &f.data, &f.len), 0);
	return f;
}

static struct file load_object(const char *name, struct bw_object **ret)
{
	char file[64];
	struct file f;

	snprintf(file, sizeof(file), "%s.o", name);
	f = load(file);
	assert_int_equal(bw_object_read(bw_slice(f.data, f.len), "x.o", ret, NULL), 0);
	return f;
}

static uint32_t seed = 0x2545f491;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return below ? seed % below : 0;
}

static void golden(void **state)
{
	_cleanup_buf_ struct bw_buf text = { 0 };
	_cleanup_free_ char *expected = NULL;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_object_ struct bw_object *o = NULL;
		_cleanup_canonicals_ struct bw_canonicals c = { 0 };
		struct file f = load_object(names[i], &o);

		assert_int_equal(bw_canonical(o, &c), 0);
		assert_int_equal(c.n, o->n_progs);
		for (uint32_t k = 0; k < c.n; k++) {
			bw_buf_printf(&text, "%s %s ", names[i], o->progs[k].name);
			if (c.progs[k].why) {
				bw_buf_printf(&text, "%s\n", c.progs[k].why);
				continue;
			}
			bw_buf_hex(&text, c.progs[k].hash, BW_CANONICAL_LEN);
			bw_buf_printf(&text, " %u functions, %u instructions, maps", c.progs[k].n_funcs, c.progs[k].n_insns);
			for (uint32_t m = 0; m < c.progs[k].n_maps; m++)
				bw_buf_printf(&text, " %s", c.progs[k].maps[m].name);
			bw_buf_printf(&text, "%s%s\n", c.progs[k].has_rodata ? ", rodata" : "",
				      c.progs[k].has_data ? ", data" : "");
		}
		free(f.data);
	}
	if (getenv("UPDATE_GOLDEN"))
		assert_int_equal(bw_file_write_atomic(DIR "canonical.txt", text.data, text.len, 0644), 0);
	assert_int_equal(bw_file_read(DIR "canonical.txt", 1 << 20, &expected, &len), 0);
	assert_string_equal(bw_buf_cstr(&text), expected);
}

/* One more canonicalisation, compared with an earlier one: is program @prog still the same? */
static bool same(const struct bw_object *o, const struct bw_canonicals *before, uint32_t prog)
{
	_cleanup_canonicals_ struct bw_canonicals c = { 0 };

	assert_int_equal(bw_canonical(o, &c), 0);
	return !c.progs[prog].why && !memcmp(c.progs[prog].hash, before->progs[prog].hash, BW_CANONICAL_LEN);
}

/* What hosts and loaders decide, and what build folders leave in an object. */
static void irrelevant_things(void **state)
{
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_canonicals_ struct bw_canonicals c = { 0 };
	struct file f = load_object("features", &o);
	int32_t prog = bw_object_find_prog(o, "probe"), counts = bw_object_find_map(o, "counts");
	struct bw_code *code = &o->codes[o->funcs[o->progs[prog].func].code];

	assert_int_equal(bw_canonical(o, &c), 0);
	assert_null(c.progs[prog].why);
	o->maps[counts].max_entries = 4711;
	for (uint32_t i = 0; i < code->n_lines; i++)
		code->lines[i].file = "/somewhere/else/features.bpf.c";
	o->path = "/another/place";
	o->maps[counts].sec_off += 64;
	assert_true(same(o, &c, (uint32_t)prog));
	/* The compiler's idea of a CO-RE value: loaders overwrite it. */
	assert_int_equal(code->cores[0].insn, 1);
	assert_int_equal(code->insns[1].imm, 8);
	code->insns[1].imm = 24;
	assert_true(same(o, &c, (uint32_t)prog));
	/* ... but of no other instruction's */
	code->insns[5].imm ^= 1;
	assert_false(same(o, &c, (uint32_t)prog));
	free(f.data);
}

static void flavours(void **state)
{
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_canonicals_ struct bw_canonicals c = { 0 };
	struct file f = load_object("features", &o);
	int32_t prog = bw_object_find_prog(o, "probe");
	struct bw_code *code = &o->codes[o->funcs[o->progs[prog].func].code];
	uint8_t *strings = (uint8_t *)(uintptr_t)o->btf->strings.data;
	uint8_t *name = memmem(strings, o->btf->strings.len, "\0task_struct___golden", 22);

	assert_non_null(name);
	name++;
	assert_int_equal(bw_canonical(o, &c), 0);
	memcpy(name, "task_struct___silver", 20);
	assert_string_equal(bw_btf_str(o->btf, (uint32_t)(name - strings)), "task_struct___silver");
	assert_true(same(o, &c, (uint32_t)prog));
	memcpy(name, "task_strict___silver", 20);
	assert_false(same(o, &c, (uint32_t)prog));
	memcpy(name, "task_struct___golden", 20);
	assert_true(same(o, &c, (uint32_t)prog));
	/* Another field of the same type at the same place in the code. */
	assert_string_equal(code->cores[0].access, "0:1");
	code->cores[0].access = "0:0";
	assert_false(same(o, &c, (uint32_t)prog));
	free(f.data);
}

static void cycles_end(void **state)
{
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_canonicals_ struct bw_canonicals a = { 0 };
	struct file f = load_object("features", &o);
	struct bw_code *text = &o->codes[0];
	int32_t prog = bw_object_find_prog(o, "probe");

	assert_string_equal(text->name, ".text");
	assert_int_equal(bw_canonical(o, &a), 0);
	assert_int_equal(a.progs[prog].n_funcs, 4);
	/* global_sub calls itself instead of local_sub */
	assert_int_equal(text->relocs[0].kind, BW_RELOC_CALL);
	text->relocs[0].target = 0;
	assert_false(same(o, &a, (uint32_t)prog));
	{
		_cleanup_canonicals_ struct bw_canonicals b = { 0 };

		assert_int_equal(bw_canonical(o, &b), 0);
		assert_null(b.progs[prog].why);
		assert_int_equal(b.progs[prog].n_funcs, 3);
	}
	free(f.data);
}

/* ---- random changes ---- */

/* The functions that program @prog consists of. */
static uint32_t reach(const struct bw_object *o, uint32_t prog, uint32_t *funcs, uint32_t max)
{
	uint32_t n = 0;

	funcs[n++] = (uint32_t)o->progs[prog].func;
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_func *f = &o->funcs[funcs[i]];
		const struct bw_code *c = &o->codes[f->code];

		for (uint32_t k = 0; k < c->n_relocs; k++) {
			const struct bw_reloc *r = &c->relocs[k];
			bool known = false;

			if (r->insn < f->first || r->insn - f->first >= f->n_insns ||
			    (r->kind != BW_RELOC_CALL && r->kind != BW_RELOC_FUNC_ADDR))
				continue;
			for (uint32_t m = 0; m < n; m++)
				known |= funcs[m] == (uint32_t)r->target;
			if (!known && n < max)
				funcs[n++] = (uint32_t)r->target;
		}
	}
	return n;
}

struct undo {
	void *at;
	size_t len;
	uint8_t old[64];
};

static void change(struct undo *u, void *at, const void *new_value, size_t len)
{
	assert_true(len <= sizeof(u->old));
	u->at = at;
	u->len = len;
	memcpy(u->old, at, len);
	memcpy(at, new_value, len);
}

#define CHANGE(u, lvalue, value)                            \
	do {                                                \
		__typeof__(lvalue) new_ = (value);          \
		change(u, &(lvalue), &new_, sizeof(new_)); \
	} while (0)

static bool core_sets(const struct bw_insn *in, bool imm)
{
	uint8_t class = in->code & 7;

	if (imm)
		return in->code == 0x18 || class == 4 || class == 7;
	return class >= 1 && class <= 3;
}

/* A field of an instruction that no loader fills in. */
static bool change_insn(struct bw_object *o, const struct bw_func *f, struct undo *u)
{
	struct bw_code *c = &o->codes[f->code];
	uint32_t at = f->first + rnd(f->n_insns);
	struct bw_insn *in = &c->insns[at];
	const struct bw_reloc *r = bw_code_reloc(c, at);
	bool second = at > f->first && bw_insn_is_ld_imm64(in - 1);
	const struct bw_core_relo *core = bw_code_core(c, at);

	if (second)
		core = bw_code_core(c, at - 1);
	switch (rnd(5)) {
	case 0:
		/* Another opcode may make another field the one that a CO-RE relocation sets: the opcode is enough. */
		CHANGE(u, in->code, in->code ^ (uint8_t)(1 + rnd(255)));
		return true;
	case 1:
		CHANGE(u, in->dst, (in->dst + 1 + rnd(10)) % 11);
		return true;
	case 2:
		CHANGE(u, in->src, (in->src + 1 + rnd(10)) % 11);
		return true;
	case 3:
		if (core && core_sets(in, false))
			return false;
		CHANGE(u, in->off, in->off ^ (int16_t)(1 + rnd(0x7ffe)));
		return true;
	default:
		if ((core && core_sets(second ? in - 1 : in, true)) ||
		    (r && r->kind != BW_RELOC_KFUNC && r->kind != BW_RELOC_KSYM && r->kind != BW_RELOC_KCONFIG))
			return false;
		CHANGE(u, in->imm, in->imm ^ (int32_t)(1u << rnd(32)));
		return true;
	}
}

static bool change_helper(struct bw_object *o, const struct bw_func *f, struct undo *u)
{
	struct bw_code *c = &o->codes[f->code];
	uint32_t start = rnd(f->n_insns);

	for (uint32_t i = 0; i < f->n_insns; i++) {
		struct bw_insn *in = &c->insns[f->first + (start + i) % f->n_insns];

		if (in->code != 0x85 || in->src)
			continue;
		CHANGE(u, in->imm, in->imm + 1 + (int32_t)rnd(200));
		return true;
	}
	return false;
}

static bool change_order(struct bw_object *o, const struct bw_func *f, struct undo *u)
{
	struct bw_code *c = &o->codes[f->code];
	uint32_t at = f->first + rnd(f->n_insns);
	struct bw_insn pair[2];

	if (at + 1 >= f->first + f->n_insns || !memcmp(&c->insns[at], &c->insns[at + 1], sizeof(pair[0])) ||
	    bw_code_reloc(c, at) || bw_code_reloc(c, at + 1) || bw_code_core(c, at) || bw_code_core(c, at + 1) ||
	    bw_insn_is_ld_imm64(&c->insns[at]) || (at && bw_insn_is_ld_imm64(&c->insns[at - 1])))
		return false;
	pair[0] = c->insns[at + 1];
	pair[1] = c->insns[at];
	change(u, &c->insns[at], pair, sizeof(pair));
	return true;
}

static bool change_reloc(struct bw_object *o, const struct bw_func *f, struct undo *u)
{
	struct bw_code *c = &o->codes[f->code];
	struct bw_reloc *r;
	uint32_t n = 0;

	if (!c->n_relocs)
		return false;
	r = &c->relocs[rnd(c->n_relocs)];
	if (r->insn < f->first || r->insn - f->first >= f->n_insns)
		return false;
	if (rnd(3) == 0 && r->kind != BW_RELOC_CALL && r->kind != BW_RELOC_FUNC_ADDR && r->kind != BW_RELOC_KFUNC &&
	    r->kind != BW_RELOC_KSYM && r->kind != BW_RELOC_KCONFIG) {
		CHANGE(u, r->addend, r->addend ^ (1 << rnd(12)));
		return true;
	}
	switch (r->kind) {
	case BW_RELOC_MAP:
	case BW_RELOC_DATA:
		n = o->n_maps;
		break;
	case BW_RELOC_CALL:
	case BW_RELOC_FUNC_ADDR:
		n = o->n_funcs;
		break;
	case BW_RELOC_KFUNC:
	case BW_RELOC_KSYM:
	case BW_RELOC_KCONFIG:
		n = o->n_externs;
		break;
	case BW_RELOC_JUMPTABLE:
		n = o->n_jumptables;
		break;
	case BW_RELOC_UNKNOWN:
		break;
	}
	if (n < 2)
		return false;
	CHANGE(u, r->target, (int32_t)(((uint32_t)r->target + 1 + rnd(n - 1)) % n));
	return true;
}

static bool change_core(struct bw_object *o, const struct bw_func *f, struct undo *u)
{
	struct bw_code *c = &o->codes[f->code];
	struct bw_core_relo *r;

	if (!c->n_cores)
		return false;
	r = &c->cores[rnd(c->n_cores)];
	if (r->insn < f->first || r->insn - f->first >= f->n_insns)
		return false;
	switch (rnd(3)) {
	case 0:
		CHANGE(u, r->kind, (r->kind + 1 + rnd(5)) % 6);
		return true;
	case 1:
		CHANGE(u, r->access, strcmp(r->access, "0:1") ? "0:1" : "0:2");
		return true;
	default:
		CHANGE(u, r->type_id, r->type_id + 1 + rnd(10));
		return true;
	}
}

static bool change_extern(struct bw_object *o, const struct bw_func *f, struct undo *u)
{
	struct bw_code *c = &o->codes[f->code];

	for (uint32_t i = 0; i < c->n_relocs; i++) {
		struct bw_reloc *r = &c->relocs[(i + rnd(c->n_relocs)) % c->n_relocs];
		struct bw_extern *e;

		if (r->insn < f->first || r->insn - f->first >= f->n_insns ||
		    (r->kind != BW_RELOC_KFUNC && r->kind != BW_RELOC_KSYM && r->kind != BW_RELOC_KCONFIG))
			continue;
		e = &o->externs[r->target];
		if (rnd(2))
			CHANGE(u, e->name, "something_else");
		else
			CHANGE(u, e->weak, !e->weak);
		return true;
	}
	return false;
}

static bool change_map(struct bw_object *o, const struct bw_canonical *c, struct undo *u)
{
	struct bw_map *m;
	bool inner = false;

	if (!c->n_maps)
		return false;
	m = &o->maps[c->maps[rnd(c->n_maps)].map];
	if (m->inner != BW_NONE && rnd(2)) {
		m = &o->maps[m->inner];
		inner = true;
	}
	switch (rnd(12)) {
	case 0:
		CHANGE(u, m->type, m->type + 1 + rnd(30));
		break;
	case 1:
		CHANGE(u, m->key_size, m->key_size + 1 + rnd(30));
		break;
	case 2:
		CHANGE(u, m->value_size, m->value_size + 1 + rnd(30));
		break;
	case 3:
		CHANGE(u, m->flags, m->flags ^ 1u << rnd(20));
		break;
	case 4:
		CHANGE(u, m->numa_node, m->numa_node + 1);
		break;
	case 5:
		CHANGE(u, m->extra, m->extra + 1 + rnd(8));
		break;
	case 6:
		CHANGE(u, m->pinning, m->pinning + 1);
		break;
	case 7:
		CHANGE(u, m->frozen, !m->frozen);
		break;
	case 8:
		if (inner) /* a template's name is nothing to the map */
			return false;
		CHANGE(u, m->name, "another_name");
		break;
	case 9:
		CHANGE(u, m->kind, m->kind == BW_MAP_LEGACY ? BW_MAP_BTF : BW_MAP_LEGACY);
		break;
	case 10:
		if (m->kind != BW_MAP_BTF || !m->value_type)
			return false;
		CHANGE(u, m->value_type, m->value_type > 3 ? 2 : m->value_type + 1);
		break;
	default:
		if (!m->n_init || inner)
			return false;
		if (rnd(2))
			CHANGE(u, m->init[rnd(m->n_init)].key, 1000 + rnd(1000));
		else
			CHANGE(u, m->init[rnd(m->n_init)].name, "other");
		break;
	}
	return true;
}

static bool change_data(struct bw_object *o, const struct bw_canonical *c, struct undo *u)
{
	struct bw_map *m;

	if (!c->n_maps)
		return false;
	m = &o->maps[c->maps[rnd(c->n_maps)].map];
	if (m->n_relocs && rnd(2)) {
		CHANGE(u, m->relocs[rnd(m->n_relocs)].addend, 1000 + (int64_t)rnd(1000));
		return true;
	}
	if (!m->data.len)
		return false;
	{
		uint8_t *p = (uint8_t *)(uintptr_t)m->data.data + rnd((uint32_t)m->data.len);

		CHANGE(u, *p, *p ^ (uint8_t)(1 + rnd(255)));
	}
	return true;
}

static bool change_prog(struct bw_object *o, struct bw_prog *p, struct undo *u)
{
	switch (rnd(5)) {
	case 0:
		CHANGE(u, p->section, "kprobe/another");
		break;
	case 1:
		CHANGE(u, p->def.prog_type, p->def.prog_type + 1 + rnd(20));
		break;
	case 2:
		CHANGE(u, p->def.attach_type, p->def.attach_type + 1 + (int32_t)rnd(20));
		break;
	case 3:
		CHANGE(u, p->def.sleepable, !p->def.sleepable);
		break;
	default:
		if (!p->def.target_len)
			return false;
		CHANGE(u, p->def.target_len, 0);
		break;
	}
	return true;
}

static bool change_jumptable(struct bw_object *o, const struct bw_func *f, struct undo *u)
{
	struct bw_code *c = &o->codes[f->code];

	for (uint32_t i = 0; i < c->n_relocs; i++) {
		struct bw_jumptable *jt;
		uint32_t *target;

		if (c->relocs[i].kind != BW_RELOC_JUMPTABLE || c->relocs[i].insn < f->first ||
		    c->relocs[i].insn - f->first >= f->n_insns)
			continue;
		jt = &o->jumptables[c->relocs[i].target];
		target = &jt->targets[rnd(jt->n_targets)];
		CHANGE(u, *target, *target + 1);
		return true;
	}
	return false;
}

static const char *const kinds[] = { "instruction", "helper", "order", "reference", "CO-RE",	 "extern",
				     "map",	    "data",   "program", "jump table" };

static bool mutate(struct bw_object *o, const struct bw_canonicals *c, uint32_t prog, unsigned int kind, struct undo *u)
{
	uint32_t funcs[64], n = reach(o, prog, funcs, 64);
	const struct bw_func *f = &o->funcs[funcs[rnd(n)]];

	switch (kind) {
	case 0:
		return change_insn(o, f, u);
	case 1:
		return change_helper(o, f, u);
	case 2:
		return change_order(o, f, u);
	case 3:
		return change_reloc(o, f, u);
	case 4:
		return change_core(o, f, u);
	case 5:
		return change_extern(o, f, u);
	case 6:
		return change_map(o, &c->progs[prog], u);
	case 7:
		return change_data(o, &c->progs[prog], u);
	case 8:
		return change_prog(o, &o->progs[prog], u);
	default:
		return change_jumptable(o, f, u);
	}
}

static void no_mutation_is_missed(void **state)
{
	struct bw_object *objects[ARRAY_SIZE(names)] = { 0 };
	struct bw_canonicals before[ARRAY_SIZE(names)] = { 0 };
	struct file files[ARRAY_SIZE(names)];
	unsigned int done = 0, by_kind[ARRAY_SIZE(kinds)] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		files[i] = load_object(names[i], &objects[i]);
		assert_int_equal(bw_canonical(objects[i], &before[i]), 0);
	}
	while (done < MUTATIONS) {
		uint32_t i = rnd(ARRAY_SIZE(names)), prog = rnd(objects[i]->n_progs);
		unsigned int kind = rnd(ARRAY_SIZE(kinds));
		struct undo u = { 0 };

		if (before[i].progs[prog].why || !mutate(objects[i], &before[i], prog, kind, &u))
			continue;
		if (same(objects[i], &before[i], prog))
			fail_msg("%s, program %s: %s", names[i], objects[i]->progs[prog].name, kinds[kind]);
		memcpy(u.at, u.old, u.len);
		by_kind[kind]++;
		done++;
	}
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		if (by_kind[k] < 25)
			fail_msg("only %u changes of a %s", by_kind[k], kinds[k]);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		for (uint32_t p = 0; p < objects[i]->n_progs; p++)
			assert_true(before[i].progs[p].why || same(objects[i], &before[i], p));
		bw_canonicals_free(&before[i]);
		bw_object_free(objects[i]);
		free(files[i].data);
	}
}

/*
 * The same from outside: a changed byte of the code, the relocations or the initial data in the file. It makes the object
 * unreadable, or the program unknown, or another one. Only CO-RE values and what no program uses may stay unnoticed.
 */
static void no_byte_of_code_is_missed(void **state)
{
	static const char *const with[] = { "cpu4", "structops", "legacy", "iproute2" };
	unsigned int changed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
		_cleanup_object_ struct bw_object *o = NULL;
		_cleanup_canonicals_ struct bw_canonicals c = { 0 };
		struct file f = load_object(with[i], &o);
		uint32_t progs = 0;

		assert_int_equal(bw_canonical(o, &c), 0);
		for (unsigned int k = 0; k < 700; k++) {
			uint32_t prog = rnd(o->n_progs);
			const struct bw_func *fn = &o->funcs[o->progs[prog].func];
			struct bw_code *code = &o->codes[fn->code];
			uint32_t insn = fn->first + rnd(fn->n_insns), byte = rnd(8);
			_cleanup_object_ struct bw_object *m = NULL;
			_cleanup_canonicals_ struct bw_canonicals mc = { 0 };
			struct bw_elf elf = { 0 };
			BW_CLEANUP(bw_arena_free) struct bw_arena arena = { 0 };
			uint8_t *p, old;
			int32_t again;

			if (c.progs[prog].why || bw_code_core(code, insn) || (insn && bw_code_core(code, insn - 1)))
				continue;
			assert_int_equal(bw_elf_read(bw_slice(f.data, f.len), "x.o", &arena, &elf, NULL), 0);
			p = (uint8_t *)(uintptr_t)elf.sections[code->shndx].data.data + (size_t)insn * 8 + byte;
			old = *p;
			*p ^= (uint8_t)(1u << rnd(8));
			if (!bw_object_read(bw_slice(f.data, f.len), "x.o", &m, NULL)) {
				assert_int_equal(bw_canonical(m, &mc), 0);
				again = bw_object_find_prog(m, o->progs[prog].name);
				if (again >= 0 && !mc.progs[again].why &&
				    !memcmp(mc.progs[again].hash, c.progs[prog].hash, BW_CANONICAL_LEN))
					fail_msg("%s, program %s: byte %u of instruction %u", with[i], o->progs[prog].name,
						 byte, insn);
			}
			*p = old;
			changed++;
			progs++;
		}
		assert_true(progs > 100);
		free(f.data);
	}
	assert_true(changed > 2000);
}

/* ---- the sandbox's wire ---- */

static void wire(void **state)
{
	struct file f = load("features.o"), light = load("light.bin");
	_cleanup_ident_ struct bw_ident_file a = { 0 }, b = { 0 }, none = { 0 };
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_canonicals_ struct bw_canonicals c = { 0 };
	const struct bw_ident_program *p;

	assert_int_equal(bw_ident_read(bw_slice(f.data, f.len), "dir/features.o", &a), 0);
	assert_null(a.error);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.objects[0].name, "dir/features.o");
	assert_ptr_equal(a.objects[0].elf.data, f.data);
	assert_int_equal(a.objects[0].elf.len, f.len);
	assert_int_equal(a.objects[0].n, 4);
	assert_int_equal(bw_object_read(bw_slice(f.data, f.len), "x.o", &o, NULL), 0);
	assert_int_equal(bw_canonical(o, &c), 0);
	p = bw_ident_find(&a.objects[0], "probe", "kprobe/do_unlinkat+0x4");
	assert_non_null(p);
	assert_memory_equal(p->canonical, c.progs[bw_object_find_prog(o, "probe")].hash, BW_CANONICAL_LEN);
	assert_int_equal(p->n_maps, c.progs[bw_object_find_prog(o, "probe")].n_maps);
	assert_string_equal(p->target, "do_unlinkat");
	assert_true(p->autoload && p->type_known && !p->has_digest);
	assert_null(bw_ident_find(&a.objects[0], "probe", "kprobe"));

	assert_int_equal(bw_ident_read(bw_slice(light.data, light.len), "light", &b), 0);
	assert_int_equal(b.n, 1);
	assert_true(b.objects[0].light);
	assert_int_equal(b.objects[0].elf.len, 0);
	p = bw_ident_find(&b.objects[0], "entered", "entered");
	assert_non_null(p);
	assert_true(p->has_digest);
	assert_null(p->why);

	assert_int_equal(bw_ident_read(bw_slice("no object", 9), "x", &none), 0);
	assert_non_null(none.error);
	assert_int_equal(none.n, 0);
	free(f.data);
	free(light.data);
}

/* A child that was taken over may send anything. */
static void wire_is_not_trusted(void **state)
{
	struct file f = load("features.o");
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_buf_ struct bw_buf b = { 0 };
	const uint32_t head[] = { 1, 1, 'x', 1, 0, 16 };
	unsigned int good = 0;

	assert_int_equal(bw_object_read(bw_slice(f.data, f.len), "x.o", &o, NULL), 0);
	bw_buf_append(&b, head, 8);
	bw_buf_char(&b, 'x');
	bw_buf_append(&b, head + 3, 12);
	assert_int_equal(bw_ident_encode(o, &b), 0);
	{
		struct bw_ident_file whole = { 0 };

		assert_int_equal(bw_ident_decode(bw_slice(b.data, b.len), bw_slice(f.data, f.len), &whole), 0);
		assert_int_equal(whole.n, 1);
		assert_int_equal(whole.objects[0].n, 4);
		bw_ident_free(&whole);
	}
	for (size_t len = 0; len < b.len; len++) {
		struct bw_ident_file part = { 0 };
		int r = bw_ident_decode(bw_slice(b.data, len), bw_slice(f.data, f.len), &part);

		assert_true(r == -EBADMSG || (r == 0 && len == 0));
		bw_ident_free(&part);
	}
	for (unsigned int i = 0; i < 3000; i++) {
		_cleanup_free_ char *copy = malloc(b.len);
		struct bw_ident_file any = { 0 };

		assert_non_null(copy);
		memcpy(copy, b.data, b.len);
		for (unsigned int k = 0; k <= rnd(3); k++)
			copy[rnd((uint32_t)b.len)] = (char)rnd(256);
		good += !bw_ident_decode(bw_slice(copy, b.len), bw_slice(f.data, f.len), &any);
		bw_ident_free(&any);
	}
	assert_true(good > 100 && good < 3000);
	free(f.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(irrelevant_things),
		cmocka_unit_test(flavours),
		cmocka_unit_test(cycles_end),
		cmocka_unit_test(no_mutation_is_missed),
		cmocka_unit_test(no_byte_of_code_is_missed),
		cmocka_unit_test(wire),
		cmocka_unit_test(wire_is_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
