/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef ORACLE_H
#define ORACLE_H
/*
 * The recall oracle: random programs run in an interpreter that taints every byte, on random inputs and in random order; each
 * flow that really happened must be in the static result. What the static analysis lacks is a soundness bug.
 */
#include <stdbool.h>
#include <stdio.h>

#include "auditor/analysis.h"
#include "tests/unit/mini_object.h"

#define O_MAX_INSNS 400
#define O_MAX_PROGS 3
#define O_STEPS 20000

#define O_TLS BW_SRC_BIT(BW_SRC_TLS_PLAINTEXT)
#define O_USER BW_SRC_BIT(BW_SRC_USER_MEMORY)
#define O_META BW_SRC_BIT(BW_SRC_PROCESS_METADATA)

struct oracle_region {
	uint8_t *bytes;
	uint32_t *taint;
	size_t size;
	int map; /* whose value this is, -1 */
};

struct oracle {
	uint64_t seed;
	struct mini m;
	int ring, perf, hash, scratch, array, bss;
	/* generation */
	struct bw_insn out[O_MAX_INSNS];
	uint32_t n;
	int sub, callback;
	bool in_sub;
	/* execution */
	struct oracle_region regions[24];
	uint32_t n_regions;
	uint8_t pool[16384];
	uint32_t pool_taint[16384];
	size_t pool_used;
	uint32_t seen[O_MAX_PROGS][BW_CH_COUNT_][8]; /* classes by program, channel and map + 1 */
	uint32_t seen_key[O_MAX_PROGS][8];
	int prog;
	uint32_t steps, runs, flows;
	bool live[8]; /* hash map: is there an element? */
	int open_record;
};

static inline uint32_t o_rnd(struct oracle *o)
{
	o->seed ^= o->seed << 13;
	o->seed ^= o->seed >> 7;
	o->seed ^= o->seed << 17;
	return (uint32_t)(o->seed >> 11);
}

/* ---- programs: r6 is the context (or a function's pointer), r7 to r9 are numbers, the stack is always written ------------- */

static inline void o_put(struct oracle *o, struct bw_insn i)
{
	if (o->n < O_MAX_INSNS)
		o->out[o->n++] = i;
}

#define O(...) o_put(o, (struct bw_insn)__VA_ARGS__)

static inline int o_num(struct oracle *o)
{
	return 7 + (int)(o_rnd(o) % 3);
}

static inline void o_imm64(struct oracle *o, int dst, int src, int imm, int next)
{
	O({ .code = 0x18, .dst = (uint8_t)dst, .src = (uint8_t)src, .imm = imm });
	O({ .imm = next });
}

/* An offset of @width bytes in the 128 bytes of the stack that snippets use. */
static inline int16_t o_slot(struct oracle *o, unsigned int width)
{
	return (int16_t)(-(int)width - (int)(o_rnd(o) % (128 - width + 1)));
}

static inline void o_load(struct oracle *o, int dst, int src, int16_t off)
{
	static const uint8_t codes[] = { 0x71, 0x69, 0x61, 0x79 };
	unsigned int k = o_rnd(o) % 4;

	O({ .code = codes[k], .dst = (uint8_t)dst, .src = (uint8_t)src, .off = off });
}

static inline void o_store(struct oracle *o, int dst, int16_t off, int src, unsigned int k)
{
	static const uint8_t codes[] = { 0x73, 0x6b, 0x63, 0x7b };

	O({ .code = codes[k], .dst = (uint8_t)dst, .src = (uint8_t)src, .off = off });
}

static inline void o_snippet(struct oracle *o, unsigned int depth);

/* Looks up the element of a map and runs @body snippets on its pointer in r1: loads, stores, copies, sinks. */
static inline void o_value(struct oracle *o)
{
	int maps[] = { o->hash, o->scratch, o->array }, map = maps[o_rnd(o) % 3];
	uint32_t jump, uses = 1 + o_rnd(o) % 3;

	O({ .code = 0x62, .dst = 10, .off = -140, .imm = 0 });
	o_imm64(o, 1, 1, map, 0);
	O(MOV(2, 10));
	O(ADDI(2, -140));
	O(CALL(1));
	jump = o->n;
	O(JEQI(0, 0, 0));
	O({ .code = 0x7b, .dst = 10, .src = 0, .off = -152 });
	for (uint32_t i = 0; i < uses; i++) {
		O({ .code = 0x79, .dst = 1, .src = 10, .off = -152 });
		switch (o_rnd(o) % 7) {
		case 0:
			o_load(o, o_num(o), 1, (int16_t)(o_rnd(o) % 56));
			break;
		case 1:
			o_store(o, 1, (int16_t)(o_rnd(o) % 56), o_num(o), o_rnd(o) % 4);
			break;
		case 2:
			if (o->in_sub)
				break;
			O({ .code = 0x79, .dst = 3, .src = 6, .off = (int16_t)(o_rnd(o) % 2 ? 104 : 96) });
			O(ADDI(1, (int)(o_rnd(o) % 16)));
			O(MOVI(2, 1 + (int)(o_rnd(o) % 40)));
			O(CALL(112));
			break;
		case 3:
			O(MOV(2, 1));
			O(ADDI(2, (int)(o_rnd(o) % 16)));
			o_imm64(o, 1, 1, o->ring, 0);
			O(MOVI(3, 1 + (int)(o_rnd(o) % 40)));
			O(MOVI(4, 0));
			O(CALL(130));
			break;
		case 4: { /* at a variable offset */
			int r = o_num(o);

			O(MOV(2, r));
			O(ANDI(2, 31));
			O(ADD(1, 2));
			if (o_rnd(o) % 2)
				o_store(o, 1, 0, o_num(o), o_rnd(o) % 4);
			else
				o_load(o, o_num(o), 1, 0);
			break;
		}
		case 5:
			O(MOV(2, 1));
			O(MOV(1, 10));
			O(ADDI(1, -64));
			O({ .code = 0x79, .dst = 3, .src = 2, .off = 8 });
			O({ .code = 0x7b, .dst = 1, .src = 3, .off = 16 });
			break;
		default: /* an atomic addition that fetches */
			O({ .code = 0xdb, .dst = 1, .src = (uint8_t)o_num(o), .off = (int16_t)(8 * (o_rnd(o) % 6)), .imm = 1 });
		}
	}
	if (o->n < O_MAX_INSNS)
		o->out[jump].off = (int16_t)(o->n - jump - 1);
}

static inline void o_sink(struct oracle *o)
{
	int len = 1 + (int)(o_rnd(o) % 64);

	switch (o_rnd(o) % 4) {
	case 0:
		o_imm64(o, 1, 1, o->ring, 0);
		O(MOV(2, 10));
		O(ADDI(2, -len - (int)(o_rnd(o) % (unsigned int)(129 - len))));
		O(MOVI(3, len));
		O(MOVI(4, 0));
		O(CALL(130));
		break;
	case 1:
		if (o->in_sub)
			break;
		O(MOV(1, 6));
		o_imm64(o, 2, 1, o->perf, 0);
		O(MOVI(3, 0));
		O(MOV(4, 10));
		O(ADDI(4, -len - (int)(o_rnd(o) % (unsigned int)(129 - len))));
		O(MOVI(5, len));
		O(CALL(25));
		break;
	case 2: { /* a bounded length */
		int r = o_num(o);

		O(MOV(3, r));
		O(ANDI(3, 63));
		o_imm64(o, 1, 1, o->ring, 0);
		O(MOV(2, 10));
		O(ADDI(2, -128));
		O(MOVI(4, 0));
		O(CALL(130));
		break;
	}
	default: {
		int map = o_rnd(o) % 2 ? o->hash : o->array;

		O({ .code = 0x62, .dst = 10, .off = -140, .imm = 0 });
		o_imm64(o, 1, 1, map, 0);
		O(MOV(2, 10));
		O(ADDI(2, -140));
		O(MOV(3, 10));
		O(ADDI(3, -128));
		O(MOVI(4, 0));
		O(CALL(2));
	}
	}
}

static inline void o_record(struct oracle *o)
{
	uint32_t jump;

	o_imm64(o, 1, 1, o->ring, 0);
	O(MOVI(2, 48));
	O(MOVI(3, 0));
	O(CALL(131));
	jump = o->n;
	O(JEQI(0, 0, 0));
	O({ .code = 0x7b, .dst = 10, .src = 0, .off = -160 });
	for (uint32_t i = 0; i < 2; i++) {
		O({ .code = 0x79, .dst = 1, .src = 10, .off = -160 });
		if (o_rnd(o) % 2 || o->in_sub) {
			o_store(o, 1, (int16_t)(o_rnd(o) % 40), o_num(o), o_rnd(o) % 4);
		} else {
			O({ .code = 0x79, .dst = 3, .src = 6, .off = (int16_t)(o_rnd(o) % 2 ? 104 : 96) });
			O(MOVI(2, 1 + (int)(o_rnd(o) % 48)));
			O(CALL(112));
		}
	}
	O({ .code = 0x79, .dst = 1, .src = 10, .off = -160 });
	O(MOVI(2, 0));
	O(CALL(o_rnd(o) % 3 ? 132 : 133));
	if (o->n < O_MAX_INSNS)
		o->out[jump].off = (int16_t)(o->n - jump - 1);
}

static inline void o_arith(struct oracle *o)
{
	static const uint8_t regs[] = { 0x0f, 0x1f, 0x4f, 0x5f, 0xaf, 0x2f, 0xbf, 0x0c, 0xac, 0xbc };
	static const uint8_t imms[] = { 0x07, 0x17, 0x47, 0x57, 0xa7, 0x27, 0x67, 0x77, 0xc7, 0xb7, 0x04, 0x54, 0xd4, 0xdc };
	uint8_t code;

	if (o_rnd(o) % 2) {
		O({ .code = regs[o_rnd(o) % sizeof(regs)], .dst = (uint8_t)o_num(o), .src = (uint8_t)o_num(o) });
		return;
	}
	code = imms[o_rnd(o) % sizeof(imms)];
	if (code == 0xd4 || code == 0xdc)
		O({ .code = code, .dst = (uint8_t)o_num(o), .imm = o_rnd(o) % 2 ? 16 : 64 });
	else if (code == 0x67 || code == 0x77 || code == 0xc7)
		O({ .code = code, .dst = (uint8_t)o_num(o), .imm = (int32_t)(o_rnd(o) % 64) });
	else
		O({ .code = code, .dst = (uint8_t)o_num(o), .imm = (int32_t)(o_rnd(o) % 4 ? o_rnd(o) % 512 : o_rnd(o)) });
}

static inline void o_global(struct oracle *o)
{
	o_imm64(o, 1, 2, o->bss, (int)(o_rnd(o) % 24));
	if (o_rnd(o) % 2)
		o_store(o, 1, 0, o_num(o), o_rnd(o) % 4);
	else
		o_load(o, o_num(o), 1, 0);
}

static inline void o_read_user(struct oracle *o)
{
	int len = 1 + (int)(o_rnd(o) % 48);

	if (o->in_sub)
		return;
	O({ .code = 0x79, .dst = 3, .src = 6, .off = (int16_t)(o_rnd(o) % 2 ? 104 : 96) });
	if (o_rnd(o) % 3 == 0) {
		O(MOV(2, o_num(o)));
		O(ANDI(2, 31));
	} else {
		O(MOVI(2, len));
	}
	O(MOV(1, 10));
	O(ADDI(1, -len - 31 - (int)(o_rnd(o) % (unsigned int)(98 - len))));
	O(CALL(112));
}

static inline void o_branch(struct oracle *o, unsigned int depth)
{
	static const uint8_t codes[] = { 0x15, 0x55, 0x25, 0xa5, 0x65, 0xc5, 0x45, 0x16, 0x26 };
	uint32_t at = o->n, skip = 1 + o_rnd(o) % 3;

	O({ .code = codes[o_rnd(o) % sizeof(codes)], .dst = (uint8_t)o_num(o), .imm = (int32_t)(o_rnd(o) % 256) });
	for (uint32_t i = 0; i < skip; i++)
		o_snippet(o, depth + 1);
	if (o_rnd(o) % 2 && o->n < O_MAX_INSNS) {
		uint32_t end = o->n;

		O(JA(0));
		o->out[at].off = (int16_t)(o->n - at - 1);
		o_snippet(o, depth + 1);
		o->out[end].off = (int16_t)(o->n - end - 1);
		return;
	}
	o->out[at].off = (int16_t)(o->n - at - 1);
}

static inline void o_loop(struct oracle *o, unsigned int depth)
{
	uint32_t head;

	/* A counter on the stack, out of the snippets' way. */
	O({ .code = 0x7a, .dst = 10, .off = (int16_t)(-168 - 8 * (int)depth), .imm = 0 });
	head = o->n;
	o_snippet(o, depth + 1);
	o_snippet(o, depth + 1);
	O({ .code = 0x79, .dst = 1, .src = 10, .off = (int16_t)(-168 - 8 * (int)depth) });
	O(ADDI(1, 1));
	O({ .code = 0x7b, .dst = 10, .src = 1, .off = (int16_t)(-168 - 8 * (int)depth) });
	O({ .code = 0xa5, .dst = 1, .imm = 1 + (int32_t)(o_rnd(o) % 3), .off = (int16_t)((int)head - (int)o->n - 1) });
}

static inline void o_snippet(struct oracle *o, unsigned int depth)
{
	if (o->n > O_MAX_INSNS - 120)
		return;
	switch (o_rnd(o) % (depth < 3 ? 16 : 12)) {
	case 0:
	case 1:
		o_arith(o);
		break;
	case 2:
	case 3:
		o_store(o, 10, o_slot(o, 8), o_num(o), o_rnd(o) % 4);
		break;
	case 4:
		o_load(o, o_num(o), 10, o_slot(o, 8));
		break;
	case 5:
	case 6:
		o_read_user(o);
		break;
	case 7:
		o_sink(o);
		break;
	case 8:
		o_value(o);
		break;
	case 9:
		o_record(o);
		break;
	case 10:
		o_global(o);
		break;
	case 11:
		if (o_rnd(o) % 2) {
			O(CALL(14));
			O(MOV(o_num(o), 0));
		} else {
			O(MOV(1, 10));
			O(ADDI(1, -16 - (int)(o_rnd(o) % 100)));
			O(MOVI(2, 16));
			O(CALL(16));
		}
		break;
	case 12:
	case 13:
		o_branch(o, depth);
		break;
	case 14:
		o_loop(o, depth);
		break;
	default:
		if (o->in_sub) {
			o_arith(o);
		} else if (o_rnd(o) % 2) {
			O(MOV(1, 10));
			O(ADDI(1, -64));
			O(MOV(2, o_num(o)));
			O(CALLF(o->sub));
			O(MOV(o_num(o), 0));
		} else {
			O(MOVI(1, (int)(o_rnd(o) % 3)));
			o_imm64(o, 2, 4, o->callback, 0);
			O(MOV(3, 10));
			O(ADDI(3, -64));
			O(MOVI(4, 0));
			O(CALL(181));
		}
	}
}

/* Zeroes the 128 bytes that snippets use, and sets the registers. */
static inline void o_prologue(struct oracle *o)
{
	for (int i = 1; i <= 16; i++)
		O({ .code = 0x7a, .dst = 10, .off = (int16_t)(-8 * i), .imm = 0 });
	O(MOVI(7, (int)(o_rnd(o) % 100)));
	O(MOVI(8, 0));
	O(MOVI(9, 1));
}

static inline void o_generate(struct oracle *o, uint64_t seed)
{
	uint32_t progs;
	static const char *const names[] = { "p0", "p1", "p2" };

	memset(o, 0, sizeof(*o));
	o->seed = seed * 0x9e3779b97f4a7c15ull + 1;
	for (int i = 0; i < 8; i++)
		o_rnd(o);
	mini_init(&o->m);
	o->ring = mini_map(&o->m, "ring", 27, 0, 0);
	o->perf = mini_map(&o->m, "perf", 4, 4, 4);
	o->hash = mini_map(&o->m, "hash", 1, 4, 64);
	o->scratch = mini_map(&o->m, "scratch", 6, 4, 64);
	o->array = mini_map(&o->m, "array", 2, 4, 64);
	o->bss = mini_data(&o->m, ".bss", BW_MAP_BSS, NULL, 32);
	/* sub(p, x): works on the 32 bytes at p; cb(i, p) as well. */
	o->in_sub = true;
	for (int k = 0; k < 2; k++) {
		o->n = 0;
		O(MOV(6, k ? 2 : 1));
		O({ .code = 0x7b, .dst = 10, .src = 6, .off = -200 });
		O(MOV(5, k ? 1 : 2));
		o_prologue(o);
		O(MOV(8, 5));
		for (uint32_t i = 1 + o_rnd(o) % 5; i; i--) {
			if (o_rnd(o) % 2) {
				o_snippet(o, 2);
				continue;
			}
			O({ .code = 0x79, .dst = 1, .src = 10, .off = -200 });
			if (o_rnd(o) % 2)
				o_load(o, o_num(o), 1, (int16_t)(o_rnd(o) % 24));
			else
				o_store(o, 1, (int16_t)(o_rnd(o) % 24), o_num(o), o_rnd(o) % 4);
		}
		if (k)
			O(MOVI(0, 0));
		else
			O(MOV(0, 8));
		O(EXIT);
		*(k ? &o->callback : &o->sub) = mini_func(&o->m, k ? "cb" : "sub", o->out, o->n);
	}
	o->in_sub = false;
	progs = 1 + o_rnd(o) % O_MAX_PROGS;
	for (uint32_t p = 0; p < progs; p++) {
		o->n = 0;
		O(MOV(6, 1));
		o_prologue(o);
		for (uint32_t i = 4 + o_rnd(o) % 10; i; i--) {
			if (o_rnd(o) % 3 == 0)
				o_read_user(o);
			o_snippet(o, 0);
		}
		o_sink(o);
		O(MOVI(0, 0));
		O(EXIT);
		mini_prog(&o->m, names[p], "uprobe/libssl.so:SSL_write", o->out, o->n);
	}
}

/* ---- execution ----------------------------------------------------------------------------------------------------------- */

struct o_reg {
	uint64_t v;
	uint32_t t[8]; /* per byte, the lowest first */
};

static inline struct oracle_region *o_region(struct oracle *o, size_t size, int map)
{
	struct oracle_region *r = &o->regions[o->n_regions++];

	r->bytes = o->pool + o->pool_used;
	r->taint = o->pool_taint + o->pool_used;
	r->size = size;
	r->map = map;
	/* A gap between regions catches stray accesses. */
	o->pool_used += (size + 64 + 15) & ~(size_t)15;
	return r;
}

static inline struct oracle_region *o_at(struct oracle *o, uint64_t addr, uint64_t len)
{
	for (uint32_t i = 0; i < o->n_regions; i++) {
		uint64_t base = (uint64_t)(uintptr_t)o->regions[i].bytes;

		if (addr >= base && addr - base <= o->regions[i].size && len <= o->regions[i].size - (addr - base))
			return &o->regions[i];
	}
	return NULL;
}

static inline uint32_t o_all(const struct o_reg *r)
{
	uint32_t t = 0;

	for (int i = 0; i < 8; i++)
		t |= r->t[i];
	return t;
}

static inline void o_set(struct o_reg *r, uint64_t v, uint32_t taint)
{
	r->v = v;
	for (int i = 0; i < 8; i++)
		r->t[i] = taint;
}

static inline void o_flow(struct oracle *o, enum bw_channel c, int map, const struct oracle_region *r, uint64_t addr, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		o->seen[o->prog][c][map + 1] |= r->taint[addr - (uint64_t)(uintptr_t)r->bytes + i];
}

static inline bool o_load_mem(struct oracle *o, struct o_reg *d, uint64_t addr, unsigned int w)
{
	struct oracle_region *r = o_at(o, addr, w);
	size_t off;

	if (!r)
		return false;
	off = addr - (uint64_t)(uintptr_t)r->bytes;
	o_set(d, 0, 0);
	memcpy(&d->v, r->bytes + off, w);
	memcpy(d->t, r->taint + off, w * sizeof(*d->t));
	return true;
}

static inline bool o_store_mem(struct oracle *o, uint64_t addr, unsigned int w, const struct o_reg *s)
{
	struct oracle_region *r = o_at(o, addr, w);
	size_t off;

	if (!r)
		return false;
	off = addr - (uint64_t)(uintptr_t)r->bytes;
	memcpy(r->bytes + off, &s->v, w);
	memcpy(r->taint + off, s->t, w * sizeof(*s->t));
	if (r->map >= 0)
		for (unsigned int i = 0; i < w; i++)
			o->seen[o->prog][BW_CH_MAP][r->map + 1] |= s->t[i];
	return true;
}

static inline bool o_copy(struct oracle *o, uint64_t dst, uint64_t src, uint64_t len)
{
	struct o_reg b;

	for (uint64_t i = 0; i < len; i++)
		if (!o_load_mem(o, &b, src + i, 1) || !o_store_mem(o, dst + i, 1, &b))
			return false;
	return true;
}

static inline bool o_run(struct oracle *o, int func, struct o_reg *args, unsigned int depth, struct o_reg *ret);

static inline bool o_helper(struct oracle *o, uint32_t id, struct o_reg *r, unsigned int depth)
{
	struct oracle_region *g;
	struct o_reg args[6] = { 0 }, out;
	uint64_t v;

	switch (id) {
	case 1:
		v = r[1].v;
		if ((int)v == o->hash && !o->live[v])
			o_set(&r[0], 0, 0);
		else
			o_set(&r[0], (uint64_t)(uintptr_t)o->regions[v].bytes, 0);
		break;
	case 2:
		v = r[1].v;
		o->live[v] = true;
		if (!o_copy(o, (uint64_t)(uintptr_t)o->regions[v].bytes, r[3].v, 64))
			return false;
		o_set(&r[0], 0, 0);
		break;
	case 14:
		o_set(&r[0], o_rnd(o), O_META);
		break;
	case 16:
		g = o_at(o, r[1].v, 16);
		if (!g)
			return false;
		o_set(&out, 'c', O_META);
		for (unsigned int i = 0; i < 16; i++)
			o_store_mem(o, r[1].v + i, 1, &out);
		o_set(&r[0], 0, 0);
		break;
	case 25:
		g = o_at(o, r[4].v, r[5].v);
		if (!g)
			return false;
		o_flow(o, BW_CH_PERF, o->perf, g, r[4].v, r[5].v);
		o_set(&r[0], 0, 0);
		break;
	case 112:
		if (!o_at(o, r[1].v, r[2].v) || !o_at(o, r[3].v, r[2].v))
			return false;
		if (!o_copy(o, r[1].v, r[3].v, r[2].v))
			return false;
		o_set(&r[0], 0, 0);
		break;
	case 130:
		g = o_at(o, r[2].v, r[3].v);
		if (!g)
			return false;
		o_flow(o, BW_CH_RINGBUF, o->ring, g, r[2].v, r[3].v);
		o_set(&r[0], 0, 0);
		break;
	case 131:
		if (o_rnd(o) % 8 == 0) {
			o_set(&r[0], 0, 0);
			break;
		}
		g = &o->regions[o->open_record];
		memset(g->bytes, 0, 48);
		memset(g->taint, 0, 48 * sizeof(*g->taint));
		o_set(&r[0], (uint64_t)(uintptr_t)g->bytes, 0);
		break;
	case 132:
		g = o_at(o, r[1].v, 48);
		if (!g)
			return false;
		o_flow(o, BW_CH_RINGBUF, o->ring, g, r[1].v, 48);
		break;
	case 133:
		break;
	case 181:
		for (uint64_t i = 0; i < r[1].v; i++) {
			o_set(&args[1], i, 0);
			args[2] = r[3];
			if (!o_run(o, (int)r[2].v, args, depth + 1, &out))
				return false;
		}
		o_set(&r[0], r[1].v, 0);
		break;
	default:
		return false;
	}
	for (int i = 1; i <= 5; i++)
		o_set(&r[i], 0, 0);
	return true;
}

static inline uint64_t o_compute(const struct bw_decoded *d, uint64_t a, uint64_t b)
{
	bool w = d->width == 4;

	switch (d->op) {
	case BW_OP_ADD:
		a += b;
		break;
	case BW_OP_SUB:
		a -= b;
		break;
	case BW_OP_MUL:
		a *= b;
		break;
	case BW_OP_OR:
		a |= b;
		break;
	case BW_OP_AND:
		a &= b;
		break;
	case BW_OP_XOR:
		a ^= b;
		break;
	case BW_OP_LSH:
		a <<= b & (w ? 31 : 63);
		break;
	case BW_OP_RSH:
		a = (w ? (uint32_t)a : a) >> (b & (w ? 31 : 63));
		break;
	case BW_OP_ARSH:
		a = w ? (uint64_t)((int32_t)a >> (b & 31)) : (uint64_t)((int64_t)a >> (b & 63));
		break;
	case BW_OP_MOV:
		a = b;
		break;
	case BW_OP_TO_LE:
		return d->width == 2 ? (uint16_t)a : d->width == 4 ? (uint32_t)a : a;
	case BW_OP_TO_BE:
		return d->width == 2 ? __builtin_bswap16((uint16_t)a) :
		       d->width == 4 ? __builtin_bswap32((uint32_t)a) : __builtin_bswap64(a);
	default:
		break;
	}
	return w ? (uint32_t)a : a;
}

static inline bool o_taken(const struct bw_decoded *d, uint64_t a, uint64_t b)
{
	if (d->width == 4) {
		a = d->op >= BW_OP_JSGT ? (uint64_t)(int64_t)(int32_t)a : (uint32_t)a;
		b = d->op >= BW_OP_JSGT ? (uint64_t)(int64_t)(int32_t)b : (uint32_t)b;
	}
	switch (d->op) {
	case BW_OP_JEQ:
		return a == b;
	case BW_OP_JNE:
		return a != b;
	case BW_OP_JSET:
		return a & b;
	case BW_OP_JGT:
		return a > b;
	case BW_OP_JGE:
		return a >= b;
	case BW_OP_JLT:
		return a < b;
	case BW_OP_JLE:
		return a <= b;
	case BW_OP_JSGT:
		return (int64_t)a > (int64_t)b;
	case BW_OP_JSGE:
		return (int64_t)a >= (int64_t)b;
	case BW_OP_JSLT:
		return (int64_t)a < (int64_t)b;
	case BW_OP_JSLE:
		return (int64_t)a <= (int64_t)b;
	default:
		return true;
	}
}

static inline void o_alu(const struct bw_decoded *d, struct o_reg *r)
{
	struct o_reg b, *a = &r[d->dst];
	uint32_t taint;

	if (d->use_imm)
		o_set(&b, d->width == 4 ? (uint64_t)(uint32_t)d->imm : (uint64_t)(int64_t)d->imm, 0);
	else
		b = r[d->src];
	if (d->op == BW_OP_MOV) {
		*a = b;
		if (d->width == 4) {
			a->v = (uint32_t)a->v;
			memset(a->t + 4, 0, 4 * sizeof(*a->t));
		}
		return;
	}
	taint = o_all(a);
	if (d->op != BW_OP_TO_LE && d->op != BW_OP_TO_BE)
		taint |= o_all(&b);
	if (!d->use_imm && d->src == d->dst && (d->op == BW_OP_XOR || d->op == BW_OP_SUB))
		taint = 0;
	/* Zero by an untainted zero says nothing about the data. */
	if ((d->op == BW_OP_AND || d->op == BW_OP_MUL) && !b.v && !o_all(&b))
		taint = 0;
	o_set(a, o_compute(d, a->v, b.v), taint);
}

static inline bool o_run(struct oracle *o, int func, struct o_reg *args, unsigned int depth, struct o_reg *ret)
{
	const struct bw_code *c = &o->m.codes[func];
	struct oracle_region *stack = &o->regions[16 + depth];
	struct o_reg r[11] = { 0 };

	memset(stack->bytes, 0, stack->size);
	memset(stack->taint, 0, stack->size * sizeof(*stack->taint));
	memcpy(r + 1, args + 1, 5 * sizeof(*args));
	o_set(&r[10], (uint64_t)(uintptr_t)stack->bytes + 512, 0);
	for (uint32_t i = 0; i < c->n_insns;) {
		struct bw_decoded d;
		struct o_reg old;

		if (++o->steps > O_STEPS || bw_insn_decode(c->insns, c->n_insns, i, BW_INSN_OBJECT, &d, NULL))
			return false;
		if (d.op == BW_OP_EXIT) {
			*ret = r[0];
			return true;
		}
		if (bw_op_is_alu(d.op)) {
			o_alu(&d, r);
		} else if (d.op == BW_OP_LD_IMM64) {
			o_set(&r[d.dst], d.pseudo == 2 ? (uint64_t)(uintptr_t)o->regions[c->insns[i].imm].bytes + (uint32_t)c->insns[i + 1].imm :
							d.imm64, 0);
			if (d.pseudo == 4 || d.pseudo == 1)
				r[d.dst].v = (uint64_t)c->insns[i].imm;
		} else if (d.op == BW_OP_LOAD) {
			if (!o_load_mem(o, &r[d.dst], r[d.src].v + (uint64_t)(int64_t)d.off, d.width))
				return false;
		} else if (d.op == BW_OP_STORE) {
			struct o_reg imm;

			o_set(&imm, (uint64_t)(int64_t)d.imm, 0);
			if (!o_store_mem(o, r[d.dst].v + (uint64_t)(int64_t)d.off, d.width, d.use_imm ? &imm : &r[d.src]))
				return false;
		} else if (d.op == BW_OP_ATOMIC_ADD) {
			struct o_reg sum;

			if (!o_load_mem(o, &old, r[d.dst].v + (uint64_t)(int64_t)d.off, d.width))
				return false;
			o_set(&sum, old.v + r[d.src].v, o_all(&old) | o_all(&r[d.src]));
			o_store_mem(o, r[d.dst].v + (uint64_t)(int64_t)d.off, d.width, &sum);
			if (d.fetch)
				r[d.src] = old;
		} else if (d.op == BW_OP_CALL && c->insns[i].src == 1) {
			if (!o_run(o, c->insns[i].imm, r, depth + 1, &old))
				return false;
			r[0] = old;
		} else if (d.op == BW_OP_CALL_LOCAL) {
			if (!o_run(o, c->insns[i].imm, r, depth + 1, &old))
				return false;
			r[0] = old;
		} else if (d.op == BW_OP_CALL) {
			if (!o_helper(o, (uint32_t)d.imm, r, depth))
				return false;
		} else if (d.op == BW_OP_JA) {
			i = (uint32_t)((int64_t)i + 1 + d.jump);
			continue;
		} else if (bw_op_is_cond_jump(d.op)) {
			uint64_t b = d.use_imm ? (uint64_t)(int64_t)d.imm : r[d.src].v;

			if (o_taken(&d, r[d.dst].v, b)) {
				i = (uint32_t)((int64_t)i + 1 + d.jump);
				continue;
			}
		} else {
			return false;
		}
		i += d.slots;
	}
	return false;
}

static inline void o_execute(struct oracle *o, unsigned int runs)
{
	struct oracle_region *ctx, *tls, *user;

	/* The regions of maps are numbered like the maps. */
	for (uint32_t i = 0; i < o->m.o.n_maps; i++)
		o_region(o, o->m.maps[i].value_size ? o->m.maps[i].value_size : 8, (int)i == o->ring || (int)i == o->perf ? -1 : (int)i);
	ctx = o_region(o, 168, -1);
	tls = o_region(o, 64, -1);
	user = o_region(o, 64, -1);
	o->open_record = (int)o->n_regions;
	o_region(o, 48, -1);
	while (o->n_regions < 16)
		o_region(o, 1, -1);
	for (int i = 0; i < 4; i++)
		o_region(o, 512, -1);
	for (unsigned int k = 0; k < runs; k++) {
		struct o_reg args[6] = { 0 }, ret;
		uint64_t p;

		for (int i = 0; i < 64; i++) {
			tls->bytes[i] = (uint8_t)o_rnd(o);
			tls->taint[i] = O_TLS;
			user->bytes[i] = (uint8_t)(o_rnd(o) % 3);
			user->taint[i] = O_USER;
		}
		p = (uint64_t)(uintptr_t)tls->bytes;
		memcpy(ctx->bytes + 104, &p, 8);
		p = (uint64_t)(uintptr_t)user->bytes;
		memcpy(ctx->bytes + 96, &p, 8);
		o->prog = (int)(o_rnd(o) % o->m.o.n_progs);
		o_set(&args[1], (uint64_t)(uintptr_t)ctx->bytes, 0);
		o->steps = 0;
		o->runs += o_run(o, o->m.progs[o->prog].func, args, 0, &ret);
	}
}

/* Runs one random object; the number of flows that happened and are missing. *ret_flows: those that happened. */
static inline unsigned int oracle_try(struct oracle *o, uint64_t seed, unsigned int runs, unsigned int *ret_flows, char *why, size_t size)
{
	struct bw_analysis *a = NULL;
	unsigned int missing = 0;

	o_generate(o, seed);
	o_execute(o, runs);
	*ret_flows = 0;
	if (bw_analyse(&o->m.o, NULL, &a)) {
		mini_free(&o->m);
		snprintf(why, size, "seed %llu: no result", (unsigned long long)seed);
		return 1;
	}
	for (uint32_t p = 0; p < o->m.o.n_progs; p++)
		for (int c = 0; c < BW_CH_COUNT_; c++)
			for (int map = -1; map < 7; map++) {
				uint32_t have = 0, want = o->seen[p][c][map + 1];

				for (uint32_t i = 0; want && i < a->n_flows; i++)
					if (a->flows[i].prog == (int32_t)p && a->flows[i].channel == (enum bw_channel)c &&
					    a->flows[i].map == map && !a->flows[i].as_key)
						have |= BW_SRC_BIT(a->flows[i].source);
				*ret_flows += (unsigned int)__builtin_popcount(want);
				if (want & ~have) {
					snprintf(why, size, "seed %llu: program %u, %s %s: classes %#x are missing", (unsigned long long)seed,
						 p, bw_channel_name((enum bw_channel)c), map >= 0 ? o->m.maps[map].name : "", want & ~have);
					missing++;
				}
			}
	if (!a->complete) {
		snprintf(why, size, "seed %llu: %s", (unsigned long long)seed,
			 a->progs[0].n_unanalysed ? a->progs[0].unanalysed[0].reason : "incomplete");
		missing++;
	}
	bw_analysis_free(a);
	mini_free(&o->m);
	return missing;
}

#endif
