// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/canonical.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/canonical_hash.h"

#define CODE_LD_IMM64 0x18
#define CODE_CALL 0x85
static const char too_long[] = "what it consists of, with the other programs, is too long";

#define MAX_INNER 8u /* templates inside templates */

/* Starts each token: what comes next cannot be taken for something else. */
enum token {
	TOKEN_FUNCTION = 1,
	TOKEN_PLAIN,
	TOKEN_CORE,
	TOKEN_MAP,
	TOKEN_DATA,
	TOKEN_CALL,
	TOKEN_FUNC_ADDR,
	TOKEN_KFUNC,
	TOKEN_KSYM,
	TOKEN_KCONFIG,
	TOKEN_JUMPTABLE,
	TOKEN_END,
};

/* A function whose instructions are being looked through for calls. */
struct frame {
	uint32_t func, at;
};

struct canon {
	const struct bw_object *o;
	struct bw_arena *arena;
	struct canon_hash h;
	struct canon_types types;
	uint64_t work; /* BW_MAX_CANONICAL_WORK, counting down */

	uint32_t *ordinal; /* per function: its place in the program's order, from 1; 0 for not in it */
	uint32_t *order, n_order;
	bool *placed; /* per function: it has its place in the other order */
	struct frame *stack;

	bool *map_ok, *map_known;		/* per map: its definition could be hashed; .defs is filled in */
	uint8_t (*defs)[BW_CANONICAL_LEN];
	bool *values_known;
	uint8_t (*values)[BW_CANONICAL_LEN];
	bool *used; /* per map: in reach of the program */
	uint32_t *used_list, n_used;
	const char *why;
};

/* ---- maps ---- */

/* Everything that a map is created with but the number of its entries. */
static void put_definition(struct canon *c, const struct bw_map *m)
{
	canon_u8(&c->h, m->kind);
	canon_u32(&c->h, m->type);
	canon_u32(&c->h, m->key_size);
	canon_u32(&c->h, m->value_size);
	canon_u32(&c->h, m->flags);
	canon_u32(&c->h, m->numa_node);
	canon_u64(&c->h, m->extra);
	canon_u32(&c->h, m->pinning);
	canon_u32(&c->h, m->id);
	canon_u8(&c->h, (uint8_t)(m->value_size_known | m->frozen << 1 | m->autocreate << 2 | m->is_inner << 3));
}

/* The types of keys and values: where locks, timers and kernel pointers are in them decides what a program may do. */
static bool put_value_types(struct canon *c, const struct bw_map *m)
{
	if (m->kind != BW_MAP_BTF || !c->types.btf)
		return true;
	canon_u8(&c->h, (uint8_t)((m->key_type != 0) | (m->value_type != 0) << 1));
	if (m->key_type && !canon_type(&c->h, &c->types, m->key_type, true, false))
		return false;
	return !m->value_type || canon_type(&c->h, &c->types, m->value_type, true, false);
}

static int map_definition(struct canon *c, uint32_t map)
{
	const struct bw_object *o = c->o;
	const struct bw_map *m = &o->maps[map];
	unsigned int depth = 0;

	if (c->map_known[map])
		return 0;
	c->map_known[map] = true;
	if (canon_start(&c->h))
		return -ENOMEM;
	canon_str(&c->h, m->name);
	put_definition(c, m);
	c->map_ok[map] = put_value_types(c, m);
	for (const struct bw_map *in = m; in->inner != BW_NONE; depth++) {
		in = &o->maps[in->inner];
		if (depth == MAX_INNER) {
			c->map_ok[map] = false;
			break;
		}
		canon_u8(&c->h, 1);
		canon_u32(&c->h, in->max_entries); /* the kernel compares it with what is put in */
		put_definition(c, in);
		c->map_ok[map] &= put_value_types(c, in);
	}
	canon_u8(&c->h, 0);
	canon_u32(&c->h, m->n_init);
	for (uint32_t i = 0; i < m->n_init; i++) {
		canon_u32(&c->h, m->init[i].key);
		canon_u8(&c->h, m->init[i].is_prog);
		canon_str(&c->h, m->init[i].name);
	}
	if (m->struct_ops != BW_NONE) {
		canon_str(&c->h, o->struct_ops[m->struct_ops].type_name);
		canon_u8(&c->h, o->struct_ops[m->struct_ops].link);
	}
	return canon_end(&c->h, c->defs[map]);
}

static const char *reloc_target_name(const struct bw_object *o, const struct bw_reloc *r)
{
	if (r->target == BW_NONE)
		return r->symbol;
	switch (r->kind) {
	case BW_RELOC_MAP:
	case BW_RELOC_DATA:
		return o->maps[r->target].name;
	case BW_RELOC_CALL:
	case BW_RELOC_FUNC_ADDR:
		return o->funcs[r->target].name;
	case BW_RELOC_KFUNC:
	case BW_RELOC_KSYM:
	case BW_RELOC_KCONFIG:
		return o->externs[r->target].name;
	case BW_RELOC_JUMPTABLE:
		return o->jumptables[r->target].name;
	case BW_RELOC_UNKNOWN:
		break;
	}
	return r->symbol;
}

/* What a data map starts with, and what its pointers point to. */
static int map_values(struct canon *c, uint32_t map)
{
	const struct bw_map *m = &c->o->maps[map];

	if (c->values_known[map])
		return 0;
	c->values_known[map] = true;
	if (canon_start(&c->h))
		return -ENOMEM;
	canon_u64(&c->h, m->data.len);
	canon_bytes(&c->h, m->data.data, m->data.len);
	canon_u32(&c->h, m->n_relocs);
	for (uint32_t i = 0; i < m->n_relocs; i++) {
		canon_u32(&c->h, m->relocs[i].insn);
		canon_u8(&c->h, m->relocs[i].kind);
		canon_str(&c->h, reloc_target_name(c->o, &m->relocs[i]));
		canon_u64(&c->h, (uint64_t)m->relocs[i].addend);
	}
	return canon_end(&c->h, c->values[map]);
}

static void use_map(struct canon *c, int32_t map)
{
	if (map == BW_NONE || c->used[map])
		return;
	c->used[map] = true;
	c->used_list[c->n_used++] = (uint32_t)map;
}

static bool spend(struct canon *c, uint64_t work)
{
	if (work > c->work || canon_too_long(&c->h))
		return false;
	c->work -= work;
	return true;
}

/* The maps in reach: those that the code names, what their initial values point to, and so on. */
static bool close_maps(struct canon *c)
{
	const struct bw_object *o = c->o;

	for (uint32_t i = 0; i < c->n_used; i++) {
		const struct bw_map *m = &o->maps[c->used_list[i]];

		if (!spend(c, (uint64_t)m->n_relocs + m->n_init + 1))
			return false;
		for (uint32_t k = 0; k < m->n_relocs; k++)
			if (m->relocs[k].kind == BW_RELOC_MAP || m->relocs[k].kind == BW_RELOC_DATA)
				use_map(c, m->relocs[k].target);
		for (uint32_t k = 0; k < m->n_init; k++)
			if (!m->init[k].is_prog)
				use_map(c, m->init[k].target);
	}
	return true;
}

/* ---- code ---- */

static void add_function(struct canon *c, int32_t func, uint32_t *n_stack)
{
	if (func == BW_NONE || c->ordinal[func])
		return;
	c->order[c->n_order++] = (uint32_t)func;
	c->ordinal[func] = c->n_order;
	c->stack[(*n_stack)++] = (struct frame){ .func = (uint32_t)func, .at = c->o->funcs[func].first };
}

/* The call graph in libbpf's order (bpf_object__reloc_code()): a function is appended where it is first called, then its calls. */
static bool order_functions(struct canon *c, int32_t entry)
{
	uint32_t n = 0;

	c->n_order = 0;
	add_function(c, entry, &n);
	while (n) {
		struct frame *f = &c->stack[n - 1];
		const struct bw_func *func = &c->o->funcs[f->func];
		const struct bw_code *code = &c->o->codes[func->code];
		const struct bw_reloc *r = NULL;

		if (!code->reloc_of || f->at - func->first >= func->n_insns) {
			n--;
			continue;
		}
		if (!spend(c, 1))
			return false;
		r = bw_code_reloc(code, f->at++);
		if (r && (r->kind == BW_RELOC_CALL || r->kind == BW_RELOC_FUNC_ADDR))
			add_function(c, r->target, &n);
	}
	return true;
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct bw_object *o = arg;

	return strcmp(o->funcs[((const struct frame *)a)->func].name, o->funcs[((const struct frame *)b)->func].name);
}

/*
 * The same functions as cilium/ebpf lays them out (linker.go, flattenInstructions()): breadth first, those that one function refers
 * to by name. Returns false when it would take too long.
 */
static bool place_functions(struct canon *c, struct bw_canonical_func *ret)
{
	uint32_t n = 1;

	c->stack[0].func = c->order[0];
	c->placed[c->order[0]] = true;
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_func *f = &c->o->funcs[c->stack[i].func];
		const struct bw_code *code = &c->o->codes[f->code];
		uint32_t first = n;

		ret[c->ordinal[c->stack[i].func] - 1] = (struct bw_canonical_func){ .n_insns = f->n_insns, .place = i };
		if (!code->reloc_of)
			continue;
		if (!spend(c, f->n_insns))
			return false;
		for (uint32_t k = 0; k < f->n_insns; k++) {
			const struct bw_reloc *r = bw_code_reloc(code, f->first + k);

			if (!r || (r->kind != BW_RELOC_CALL && r->kind != BW_RELOC_FUNC_ADDR) || r->target == BW_NONE || c->placed[r->target])
				continue;
			c->placed[r->target] = true;
			c->stack[n++].func = (uint32_t)r->target;
		}
		qsort_r(c->stack + first, n - first, sizeof(*c->stack), by_name, (void *)c->o);
	}
	return true;
}

static int list_functions(struct canon *c, struct bw_canonical *ret)
{
	bool placed;

	if (c->n_order < 3)
		return 0;
	ret->funcs = bw_arena_alloc(c->arena, c->n_order, sizeof(*ret->funcs));
	if (!ret->funcs)
		return -ENOMEM;
	placed = place_functions(c, ret->funcs);
	for (uint32_t i = 0; i < c->n_order; i++)
		c->placed[c->order[i]] = false;
	if (!placed)
		c->why = too_long;
	return 0;
}

/* Offset and variable; the section is in the definition. Names may occur twice: the offset does not. */
static void put_data(struct canon *c, int32_t map, uint64_t off)
{
	const struct bw_var *v = bw_object_data_var(c->o, map, off);

	canon_u64(&c->h, off);
	canon_u8(&c->h, v != NULL);
	if (v) {
		canon_str(&c->h, v->name);
		canon_u64(&c->h, off - v->off);
	}
}

static bool put_extern(struct canon *c, const struct bw_extern *e)
{
	canon_u8(&c->h, e->kind);
	canon_str(&c->h, e->name);
	canon_u8(&c->h, e->weak);
	if (e->kind == BW_EXTERN_KCONFIG)
		canon_u32(&c->h, e->size);
	if (e->kind == BW_EXTERN_UNKNOWN)
		return false;
	/* A weak kernel function whose prototype does not fit counts as missing. */
	if (e->kind == BW_EXTERN_KFUNC && e->btf_id)
		return canon_type(&c->h, &c->types, e->btf_id, false, false);
	return true;
}

static bool put_jumptable(struct canon *c, const struct bw_func *f, const struct bw_reloc *r)
{
	const struct bw_jumptable *jt = &c->o->jumptables[r->target];

	canon_u64(&c->h, (uint64_t)r->addend);
	canon_u32(&c->h, jt->n_targets);
	if (!spend(c, jt->n_targets))
		return false;
	for (uint32_t i = 0; i < jt->n_targets; i++) {
		if (jt->code != f->code || jt->targets[i] < f->first || jt->targets[i] - f->first >= f->n_insns)
			return false;
		canon_u32(&c->h, jt->targets[i] - f->first);
	}
	return true;
}

static bool put_reloc(struct canon *c, const struct bw_func *f, const struct bw_reloc *r)
{
	switch (r->kind) {
	case BW_RELOC_MAP:
		canon_u8(&c->h, TOKEN_MAP);
		canon_bytes(&c->h, c->defs[r->target], BW_CANONICAL_LEN);
		canon_u64(&c->h, (uint64_t)r->addend);
		return c->map_ok[r->target];
	case BW_RELOC_DATA:
		canon_u8(&c->h, TOKEN_DATA);
		canon_bytes(&c->h, c->defs[r->target], BW_CANONICAL_LEN);
		put_data(c, r->target, (uint64_t)r->addend);
		return c->map_ok[r->target];
	case BW_RELOC_CALL:
	case BW_RELOC_FUNC_ADDR:
		canon_u8(&c->h, r->kind == BW_RELOC_CALL ? TOKEN_CALL : TOKEN_FUNC_ADDR);
		canon_u32(&c->h, c->ordinal[r->target]);
		return true;
	case BW_RELOC_KFUNC:
	case BW_RELOC_KSYM:
	case BW_RELOC_KCONFIG:
		canon_u8(&c->h, r->kind == BW_RELOC_KFUNC ? TOKEN_KFUNC :
				r->kind == BW_RELOC_KSYM  ? TOKEN_KSYM :
							    TOKEN_KCONFIG);
		return put_extern(c, &c->o->externs[r->target]);
	case BW_RELOC_JUMPTABLE:
		canon_u8(&c->h, TOKEN_JUMPTABLE);
		return put_jumptable(c, f, r);
	case BW_RELOC_UNKNOWN:
		break;
	}
	return false;
}

/* Fields that loaders fill in from the relocation alone. */
static bool reloc_sets_imm(enum bw_reloc_kind kind)
{
	return kind == BW_RELOC_MAP || kind == BW_RELOC_DATA || kind == BW_RELOC_CALL || kind == BW_RELOC_FUNC_ADDR ||
	       kind == BW_RELOC_JUMPTABLE;
}

enum core_field { CORE_NONE, CORE_IMM, CORE_OFF, CORE_IMM64 };

/* The field that a CO-RE relocation sets: libbpf's bpf_core_patch_insn(). The access size stays: it is checked there. */
static enum core_field core_field(const struct bw_insn *in)
{
	switch (in->code & 7) {
	case 0:
		return in->code == CODE_LD_IMM64 ? CORE_IMM64 : CORE_NONE;
	case 1: /* ldx, st, stx */
	case 2:
	case 3:
		return CORE_OFF;
	case 4: /* alu, alu64 */
	case 7:
		return in->code & 8 ? CORE_NONE : CORE_IMM;
	}
	return CORE_NONE;
}

static void put_insn(struct canon *c, const struct bw_insn *in, bool imm, bool off)
{
	const uint8_t b[4] = { in->code, in->dst, in->src, (uint8_t)(imm | off << 1) };

	canon_bytes(&c->h, b, sizeof(b));
	canon_u32(&c->h, off ? (uint16_t)in->off : 0);
	canon_u32(&c->h, imm ? (uint32_t)in->imm : 0);
}

static const char *put_function(struct canon *c, const struct bw_func *f)
{
	const struct bw_code *code = &c->o->codes[f->code];
	uint32_t next_core = 0;

	canon_u8(&c->h, TOKEN_FUNCTION);
	canon_u32(&c->h, f->n_insns);
	if (!spend(c, f->n_insns))
		return too_long;
	for (uint32_t hi = code->n_cores; next_core < hi;) {
		uint32_t mid = next_core + (hi - next_core) / 2;

		if (code->cores[mid].insn < f->first)
			next_core = mid + 1;
		else
			hi = mid;
	}
	for (uint32_t i = f->first, end = f->first + f->n_insns; i < end; i++) {
		const struct bw_insn *in = &code->insns[i];
		const struct bw_reloc *r = bw_code_reloc(code, i);
		const struct bw_core_relo *core = NULL;
		enum core_field field = CORE_NONE;
		bool wide = bw_insn_is_ld_imm64(in) && i + 1 < end;

		if (next_core < code->n_cores && code->cores[next_core].insn == i) {
			core = &code->cores[next_core];
			field = core_field(in);
		}
		while (next_core < code->n_cores && code->cores[next_core].insn <= i) {
			if (&code->cores[next_core] != core && code->cores[next_core].insn == i)
				return "two CO-RE relocations of one instruction";
			next_core++;
		}
		canon_u8(&c->h, TOKEN_PLAIN);
		put_insn(c, in, !(r && reloc_sets_imm(r->kind)) && field != CORE_IMM && field != CORE_IMM64,
			 field != CORE_OFF);
		if (core) {
			canon_u8(&c->h, TOKEN_CORE);
			if (!canon_core(&c->h, &c->types, core))
				return "a CO-RE relocation that is not understood";
		}
		if (canon_too_long(&c->h))
			return too_long;
		if (r && !put_reloc(c, f, r))
			return "it refers to something that is not understood";
		if (!wide)
			continue;
		/* The second half is no instruction of its own, whatever bytes it holds. */
		i++;
		canon_u8(&c->h, TOKEN_PLAIN);
		put_insn(c, &code->insns[i], field != CORE_IMM64, true);
		if (bw_code_reloc(code, i) || (next_core < code->n_cores && code->cores[next_core].insn == i))
			return "a relocation of half an instruction";
	}
	return NULL;
}

/* The maps that the functions in order name; their definitions, which the code's hash contains. */
static int find_maps(struct canon *c)
{
	const struct bw_object *o = c->o;
	int r = 0;

	for (uint32_t i = 0; i < c->n_order; i++) {
		const struct bw_func *f = &o->funcs[c->order[i]];
		const struct bw_code *code = &o->codes[f->code];

		for (uint32_t k = f->first; code->reloc_of && k < f->first + f->n_insns; k++) {
			const struct bw_reloc *rel = bw_code_reloc(code, k);

			if (rel && (rel->kind == BW_RELOC_MAP || rel->kind == BW_RELOC_DATA))
				use_map(c, rel->target);
		}
	}
	if (!close_maps(c))
		c->why = too_long;
	for (uint32_t i = 0; i < c->n_used && !r; i++) {
		r = map_definition(c, c->used_list[i]);
		if (!r)
			r = map_values(c, c->used_list[i]);
	}
	return r;
}

static int code_hash(struct canon *c, const struct bw_prog *p, struct bw_canonical *ret)
{
	if (canon_start(&c->h))
		return -ENOMEM;
	canon_u32(&c->h, BW_CANONICAL_VERSION);
	for (uint32_t i = 0; i < c->n_order && !c->why; i++) {
		const struct bw_func *f = &c->o->funcs[c->order[i]];

		c->why = put_function(c, f);
		ret->n_insns += f->n_insns;
	}
	canon_u8(&c->h, TOKEN_END);
	ret->n_funcs = c->n_order;
	return canon_end(&c->h, ret->code);
}

/* ---- the whole ---- */

static int map_compare(const void *a, const void *b)
{
	const struct bw_canonical_map *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : memcmp(x->hash, y->hash, sizeof(x->hash));
}

static bool has_values(const struct bw_map *m)
{
	return m->data.len || m->n_relocs || m->kind == BW_MAP_RODATA || m->kind == BW_MAP_DATA;
}

static int list_maps(struct canon *c, struct bw_canonical *ret)
{
	ret->maps = bw_arena_alloc(c->arena, c->n_used, sizeof(*ret->maps));
	if (!ret->maps)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_used; i++) {
		const struct bw_map *m = &c->o->maps[c->used_list[i]];

		ret->maps[i] = (struct bw_canonical_map){ .name = m->name, .map = (int32_t)c->used_list[i] };
		memcpy(ret->maps[i].hash, c->defs[c->used_list[i]], BW_CANONICAL_LEN);
		if (!c->map_ok[c->used_list[i]] && !c->why)
			c->why = "the definition of a map is not understood";
		if (has_values(m))
			*(m->frozen ? &ret->has_rodata : &ret->has_data) = true;
	}
	ret->n_maps = c->n_used;
	if (ret->n_maps)
		qsort(ret->maps, ret->n_maps, sizeof(*ret->maps), map_compare);
	return 0;
}

/* The initial values of the maps in reach: with @frozen, of those that programs cannot change. */
static int values_hash(struct canon *c, const struct bw_canonical *prog, bool frozen, uint8_t ret[BW_CANONICAL_LEN])
{
	if (canon_start(&c->h))
		return -ENOMEM;
	for (uint32_t i = 0; i < prog->n_maps; i++) {
		const struct bw_map *m = &c->o->maps[prog->maps[i].map];

		if (!has_values(m) || m->frozen != frozen)
			continue;
		canon_str(&c->h, m->name);
		canon_bytes(&c->h, c->values[prog->maps[i].map], BW_CANONICAL_LEN);
	}
	return canon_end(&c->h, ret);
}

static int whole_hash(struct canon *c, const struct bw_prog *p, struct bw_canonical *ret)
{
	const struct bw_object *o = c->o;

	if (canon_start(&c->h))
		return -ENOMEM;
	canon_str(&c->h, "bpfwarden canonical");
	canon_u32(&c->h, BW_CANONICAL_VERSION);
	canon_u8(&c->h, o->flavour);
	canon_u8(&c->h, o->big_endian);
	canon_u8(&c->h, p->def.known);
	canon_u32(&c->h, p->def.prog_type);
	canon_u32(&c->h, (uint32_t)p->def.attach_type);
	canon_str(&c->h, p->section);
	canon_strn(&c->h, p->def.target ? p->def.target : "", p->def.target ? p->def.target_len : 0);
	canon_u8(&c->h, (uint8_t)(p->def.sleepable | p->def.autoload << 1 | p->def.frags << 2));
	canon_u8(&c->h, p->struct_ops != BW_NONE);
	if (p->struct_ops != BW_NONE) {
		canon_str(&c->h, o->struct_ops[p->struct_ops].type_name);
		canon_str(&c->h, o->struct_ops[p->struct_ops].members[p->member].name);
	}
	canon_bytes(&c->h, ret->code, BW_CANONICAL_LEN);
	canon_u32(&c->h, ret->n_maps);
	for (uint32_t i = 0; i < ret->n_maps; i++)
		canon_bytes(&c->h, ret->maps[i].hash, BW_CANONICAL_LEN);
	canon_u8(&c->h, (uint8_t)(ret->has_rodata | ret->has_data << 1));
	canon_bytes(&c->h, ret->rodata, BW_CANONICAL_LEN);
	canon_bytes(&c->h, ret->data, BW_CANONICAL_LEN);
	return canon_end(&c->h, ret->hash);
}

static int canonical_prog(struct canon *c, const struct bw_prog *p, struct bw_canonical *ret)
{
	struct bw_canonical out = { 0 };
	const char *why = NULL;
	int r = 0;

	c->why = NULL;
	c->n_used = 0;
	if (!order_functions(c, p->func)) {
		why = too_long;
	} else {
		if (p->struct_ops != BW_NONE)
			use_map(c, c->o->struct_ops[p->struct_ops].map);
		r = find_maps(c);
		if (!r)
			r = code_hash(c, p, &out);
		if (!r && !c->why)
			r = list_functions(c, &out);
		if (!r)
			r = list_maps(c, &out);
		if (!r && out.has_rodata)
			r = values_hash(c, &out, true, out.rodata);
		if (!r && out.has_data)
			r = values_hash(c, &out, false, out.data);
		if (!r)
			r = whole_hash(c, p, &out);
		why = c->why;
	}
	for (uint32_t i = 0; i < c->n_order; i++)
		c->ordinal[c->order[i]] = 0;
	for (uint32_t i = 0; i < c->n_used; i++)
		c->used[c->used_list[i]] = false;
	if (!r)
		*ret = why ? (struct bw_canonical){ .why = why } : out;
	return r;
}

static int canon_init(struct canon *c, const struct bw_object *o, struct bw_arena *scratch)
{
	*c = (struct canon){
		.o = o,
		.work = BW_MAX_CANONICAL_WORK,
		.types = { .btf = o->btf, .budget = BW_MAX_CANONICAL_TYPES },
		.types.stack = bw_arena_alloc(scratch, BW_MAX_CANONICAL_STACK, sizeof(*c->types.stack)),
		.ordinal = bw_arena_alloc(scratch, o->n_funcs, sizeof(*c->ordinal)),
		.order = bw_arena_alloc(scratch, o->n_funcs, sizeof(*c->order)),
		.placed = bw_arena_alloc(scratch, o->n_funcs, sizeof(*c->placed)),
		.stack = bw_arena_alloc(scratch, o->n_funcs, sizeof(*c->stack)),
		.map_ok = bw_arena_alloc(scratch, o->n_maps, sizeof(*c->map_ok)),
		.map_known = bw_arena_alloc(scratch, o->n_maps, sizeof(*c->map_known)),
		.defs = bw_arena_alloc(scratch, o->n_maps, sizeof(*c->defs)),
		.values_known = bw_arena_alloc(scratch, o->n_maps, sizeof(*c->values_known)),
		.values = bw_arena_alloc(scratch, o->n_maps, sizeof(*c->values)),
		.used = bw_arena_alloc(scratch, o->n_maps, sizeof(*c->used)),
		.used_list = bw_arena_alloc(scratch, o->n_maps, sizeof(*c->used_list)),
		.h.ctx = EVP_MD_CTX_new(),
	};
	return c->types.stack && c->ordinal && c->order && c->placed && c->stack && c->map_ok && c->map_known && c->defs &&
			       c->values_known && c->values && c->used && c->used_list && c->h.ctx ?
		       0 :
		       -ENOMEM;
}

int bw_canonical(const struct bw_object *o, struct bw_canonicals *ret)
{
	BW_CLEANUP(bw_arena_free) struct bw_arena scratch = { 0 };
	_cleanup_canonicals_ struct bw_canonicals out = { 0 };
	struct canon c;
	int r;

	out.progs = bw_arena_alloc(&out.arena, o->n_progs, sizeof(*out.progs));
	r = canon_init(&c, o, &scratch);
	if (!out.progs)
		r = -ENOMEM;
	c.arena = &out.arena;
	out.arena.max = BW_MAX_CANONICAL_MEMORY;
	for (; out.n < o->n_progs && !r; out.n++) {
		if (o->live)
			out.progs[out.n].why = "it was read back from a kernel, which has rewritten it";
		else
			r = canonical_prog(&c, &o->progs[out.n], &out.progs[out.n]);
	}
	EVP_MD_CTX_free(c.h.ctx);
	if (r)
		return r;
	*ret = out;
	out = (struct bw_canonicals){ 0 };
	return 0;
}

void bw_canonicals_free(struct bw_canonicals *c)
{
	bw_arena_free(&c->arena);
	*c = (struct bw_canonicals){ 0 };
}
