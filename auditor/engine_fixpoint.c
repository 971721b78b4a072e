// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs, and the fixpoint over everything the programs of an object share.
 */
#include "auditor/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bpf_names.h"

/* The functions that BTF declaration tags of @func name: exception_callback:NAME (kernel/bpf/verifier.c). */
static int32_t exception_callback(const struct bw_engine *e, int32_t func)
{
	static const char tag[] = "exception_callback:";
	uint32_t btf_func = e->o->funcs[func].btf_func;
	struct bw_btf_type t;

	for (uint32_t id = 1; e->o->btf && btf_func && id <= e->o->btf->n_types; id++) {
		if (!bw_btf_type(e->o->btf, id, &t) || t.kind != BW_BTF_DECL_TAG || t.type != btf_func ||
		    strncmp(t.name, tag, sizeof(tag) - 1))
			continue;
		for (uint32_t i = 0; i < e->o->n_funcs; i++)
			if (!strcmp(e->o->funcs[i].name, t.name + sizeof(tag) - 1))
				return (int32_t)i;
	}
	return BW_NONE;
}

/* bpf_throw ends the program in its exception callback, whose result is the program's. */
static void run_exception(struct bw_engine *e, int32_t func)
{
	int32_t callback = exception_callback(e, func);
	struct bw_state *s = callback >= 0 ? bw_state_new(&e->d) : NULL;
	struct bw_rec *r;

	if (!s)
		return;
	s->frames[0] = bw_mem_new(&e->d);
	s->r[1] = bw_val_unknown();
	s->r[10] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_STACK, 0, 0), BW_STACK_SIZE);
	if (s->frames[0] && bw_run_func(e, callback, s)) {
		r = bw_rec_at(e, BW_REC_RETURN, func, 0, 0, 0);
		if (r)
			bw_val_join(&e->d, &r->val, &s->r[0], false);
	}
	bw_state_free(&e->d, s);
}

static void run_program(struct bw_engine *e, uint32_t prog)
{
	const struct bw_prog *p = &e->o->progs[prog];
	struct bw_state *s = bw_state_new(&e->d);
	const struct bw_cfg *c;
	struct bw_rec *r;

	if (!s)
		return;
	e->prog = (int32_t)prog;
	e->at = &e->attaches[prog];
	e->func = p->func;
	e->insn = p->func >= 0 ? e->o->funcs[p->func].first : 0;
	e->depth = 0;
	e->block = 0;
	e->calls[0].func = p->func;
	e->calls[0].block = 0;
	e->total_steps += e->steps;
	e->steps = 0;
	e->d.work = 0;
	e->inlined = 0;
	e->callbacks = 0;
	memset(e->runs, 0, e->o->n_funcs * sizeof(*e->runs));
	e->stop = false;
	if (p->func < 0 || !(c = bw_engine_cfg(e, p->func))) {
		bw_unanalysed(e, "program without code");
		bw_state_free(&e->d, s);
		return;
	}
	s->frames[0] = bw_mem_new(&e->d);
	s->r[1] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_CTX, 0, 0), 0);
	s->r[10] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_STACK, 0, 0), BW_STACK_SIZE);
	e->threw = false;
	e->trace[0].n_objs = e->trace[0].n_views = 0;
	if (s->frames[0] && c->n_blocks && bw_run_blocks(e, c, s)) {
		r = bw_rec_at(e, BW_REC_RETURN, p->func, 0, 0, 0);
		if (r)
			bw_val_join(&e->d, &r->val, &s->r[0], false);
	}
	for (uint32_t i = 0; i < c->n_problems; i++)
		bw_rec_at(e, BW_REC_UNANALYSED, p->func, c->problems[i].insn, (int32_t)bw_dom_str(&e->d, c->problems[i].reason), 0);
	bw_state_free(&e->d, s);
	if (e->threw && !e->stop)
		run_exception(e, p->func);
}

static bool is_percpu(uint32_t type)
{
	return type == 5 || type == 6 || type == 10 || type == 21; /* percpu_hash, percpu_array, lru_percpu_hash, percpu cgroup */
}

static void map_info_init(struct bw_engine *e, uint32_t i, const struct bw_map *m, bool inner_of)
{
	struct bw_map_info *k = &e->maps[i];
	const char *type = bw_map_type_name(m->type);

	k->value_size = inner_of || !m->value_size ? 0 : m->value_size;
	k->carrier = BW_CARRY_MAP_VALUE;
	k->channel = true;
	if (inner_of)
		return;
	k->percpu = is_percpu(m->type);
	k->data = m->kind == BW_MAP_DATA || m->kind == BW_MAP_RODATA || m->kind == BW_MAP_BSS || m->kind == BW_MAP_KCONFIG ||
		  m->kind == BW_MAP_ARENA_DATA;
	k->rodata = m->kind == BW_MAP_RODATA || m->kind == BW_MAP_KCONFIG || m->frozen;
	if (k->percpu)
		k->carrier = BW_CARRY_PERCPU;
	if (k->data)
		k->carrier = BW_CARRY_GLOBAL;
	if (type && strstr(type, "storage"))
		k->carrier = BW_CARRY_LOCAL_STORAGE;
	if (type && !strcmp(type, "arena"))
		k->carrier = BW_CARRY_ARENA;
	/* What user space cannot read back as bytes: program, map, cgroup, socket and device references, ring buffers. */
	if (type && (!strcmp(type, "prog_array") || !strcmp(type, "perf_event_array") || !strcmp(type, "ringbuf") ||
		     !strcmp(type, "cgroup_array") || !strcmp(type, "array_of_maps") || !strcmp(type, "hash_of_maps") ||
		     !strcmp(type, "devmap") || !strcmp(type, "sockmap") || !strcmp(type, "cpumap") || !strcmp(type, "xskmap") ||
		     !strcmp(type, "sockhash") || !strcmp(type, "devmap_hash") || !strcmp(type, "user_ringbuf")))
		k->channel = false;
	if (k->rodata)
		k->channel = false;
	if (m->kind == BW_MAP_STRUCT_OPS)
		k->channel = false;
}

static void engine_free(struct bw_engine *e)
{
	struct bw_mem_budget *b = &e->d.budget;

	if (e->cfgs)
		for (uint32_t i = 0; i < e->o->n_funcs; i++)
			bw_cfg_free(e->cfgs[i], b);
	if (e->maps)
		for (uint32_t i = 0; i < 2 * e->n_maps; i++)
			bw_mem_put(&e->d, e->maps[i].content);
	bw_mem_put(&e->d, e->ctx_mem);
	bw_mem_put(&e->d, e->heap_mem);
	bw_mem_put(&e->d, e->packet_mem);
	for (uint32_t i = 0; i < e->o->n_codes; i++) {
		if (e->core_bits)
			bw_budget_free(b, e->core_bits[i], e->o->codes[i].n_insns / 8 + 1);
		if (e->core_tags)
			bw_budget_free(b, e->core_tags[i], e->o->codes[i].n_cores * sizeof(uint32_t));
	}
	bw_budget_free(b, e->core_bits, (e->o->n_codes + 1) * sizeof(*e->core_bits));
	bw_budget_free(b, e->core_tags, (e->o->n_codes + 1) * sizeof(*e->core_tags));
	bw_budget_free(b, e->runs, (e->o->n_funcs + 1) * sizeof(*e->runs));
	bw_budget_free(b, e->cfgs, (e->o->n_funcs + 1) * sizeof(*e->cfgs));
	bw_budget_free(b, e->maps, (2 * (size_t)e->n_maps + 1) * sizeof(*e->maps));
	bw_budget_free(b, e->attaches, (e->o->n_progs + 1) * sizeof(*e->attaches));
	for (uint32_t i = 0; i < e->recs_cap / BW_REC_BLOCK; i++)
		bw_budget_free(b, e->recs[i], BW_REC_BLOCK * sizeof(**e->recs));
	bw_budget_free(b, e->recs, e->recs_cap / BW_REC_BLOCK * sizeof(*e->recs));
	bw_memo_free(e);
	bw_carried_free(e);
	bw_intern_free(&e->rec_keys);
	bw_domain_free(&e->d);
}

static int engine_init(struct bw_engine *e)
{
	const struct bw_object *o = e->o;
	struct bw_mem_budget *b = &e->d.budget;

	e->d.big_endian = o->big_endian;
	e->n_maps = o->n_maps;
	bw_intern_init(&e->rec_keys, b, sizeof(struct bw_rec_key));
	e->cfgs = bw_budget_alloc(b, (o->n_funcs + 1) * sizeof(*e->cfgs));
	e->runs = bw_budget_alloc(b, (o->n_funcs + 1) * sizeof(*e->runs));
	e->maps = bw_budget_alloc(b, (2 * (size_t)o->n_maps + 1) * sizeof(*e->maps));
	e->attaches = bw_budget_alloc(b, (o->n_progs + 1) * sizeof(*e->attaches));
	e->core_bits = bw_budget_alloc(b, (o->n_codes + 1) * sizeof(*e->core_bits));
	e->core_tags = bw_budget_alloc(b, (o->n_codes + 1) * sizeof(*e->core_tags));
	if (bw_carried_init(e) || bw_memo_init(e) || b->failed)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->n_maps; i++) {
		map_info_init(e, i, &o->maps[i], false);
		map_info_init(e, o->n_maps + i, &o->maps[i], true);
	}
	for (uint32_t i = 0; i < o->n_progs; i++)
		bw_attach_of(o, &o->progs[i], &e->attaches[i]);
	for (uint32_t i = 0; i < o->n_codes; i++) {
		const struct bw_code *c = &o->codes[i];

		if (!c->n_cores)
			continue;
		e->core_bits[i] = bw_budget_alloc(b, c->n_insns / 8 + 1);
		e->core_tags[i] = bw_budget_alloc(b, c->n_cores * sizeof(uint32_t));
		if (b->failed)
			return -ENOMEM;
		for (uint32_t k = 0; k < c->n_cores; k++)
			if (c->cores[k].insn < c->n_insns)
				e->core_bits[i][c->cores[k].insn / 8] |= (uint8_t)(1u << c->cores[k].insn % 8);
	}
	return 0;
}

/*
 * Programs run until nothing they share changes. A program runs again when a map it reads changed after its last start: its
 * own changes count, because what it stores at the end it may read at the beginning of its next run.
 */
static int fixpoint(struct bw_engine *e, uint32_t *ret_rounds)
{
	const struct bw_object *o = e->o;
	size_t n_maps = 2 * (size_t)e->n_maps, size = o->n_progs * (n_maps + sizeof(uint32_t)) + 16;
	uint8_t *reads;
	uint32_t *started, round = 0;
	bool again = true;

	if (size > (8u << 20))
		n_maps = 0; /* too many to tell apart: every program runs in every round */
	size = o->n_progs * (n_maps + sizeof(uint32_t)) + 16;
	started = bw_budget_alloc(&e->d.budget, size);
	reads = bw_budget_alloc(&e->d.budget, 2 * (size_t)e->n_maps + 1);
	if (!started || !reads)
		return -ENOMEM;
	for (; again && round < e->limits.max_rounds && !e->d.budget.failed; round++) {
		again = false;
		for (uint32_t p = 0; p < o->n_progs && !e->d.budget.failed; p++) {
			uint8_t *mine = (uint8_t *)(started + o->n_progs) + p * n_maps;
			bool stale = !round || e->shared_version > started[p];

			for (size_t m = 0; m < 2 * (size_t)e->n_maps && !stale; m++)
				stale = (!n_maps || mine[m]) && e->maps[m].version > started[p];
			if (!stale)
				continue;
			started[p] = e->clock;
			memset(reads, 0, 2 * (size_t)e->n_maps + 1);
			e->map_reads = reads;
			run_program(e, p);
			if (n_maps)
				memcpy(mine, reads, n_maps);
			again = true;
		}
	}
	if (again && round >= e->limits.max_rounds) {
		/* Did the last round change anything? */
		for (uint32_t p = 0; p < o->n_progs; p++)
			if (e->clock > started[p]) {
				e->prog = (int32_t)p;
				bw_rec_at(e, BW_REC_UNANALYSED, o->progs[p].func, 0,
					  (int32_t)bw_dom_str(&e->d, "maps do not settle in the rounds allowed"), 0);
			}
	}
	bw_budget_free(&e->d.budget, started, size);
	bw_budget_free(&e->d.budget, reads, 2 * (size_t)e->n_maps + 1);
	*ret_rounds = round;
	return 0;
}

int bw_analyse(const struct bw_object *o, const struct bw_analysis_limits *limits, struct bw_analysis **ret)
{
	struct bw_engine e;
	struct bw_analysis *a = NULL;
	int r;

	memset(&e, 0, sizeof(e));
	e.o = o;
	if (limits)
		e.limits = *limits;
	if (!e.limits.max_steps)
		e.limits.max_steps = BW_ANALYSIS_STEPS;
	if (!e.limits.max_inline)
		e.limits.max_inline = BW_ANALYSIS_INLINE;
	if (!e.limits.max_rounds)
		e.limits.max_rounds = BW_ANALYSIS_ROUNDS;
	if (!e.limits.max_memory)
		e.limits.max_memory = BW_ANALYSIS_MEMORY;
	r = bw_domain_init(&e.d, e.limits.max_memory);
	if (r)
		return r;
	a = calloc(1, sizeof(*a));
	if (!a) {
		bw_domain_free(&e.d);
		return -ENOMEM;
	}
	a->object = o;
	r = engine_init(&e);
	if (!r)
		r = fixpoint(&e, &a->rounds);
	a->steps = e.total_steps + e.steps;
	a->memory = e.d.budget.peak;
	if (!r || e.d.budget.failed)
		r = bw_results(&e, a);
	engine_free(&e);
	if (r) {
		bw_analysis_free(a);
		return r;
	}
	*ret = a;
	return 0;
}
