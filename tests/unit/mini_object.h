/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef MINI_OBJECT_H
#define MINI_OBJECT_H
/*
 * Objects made by hand, for tests of the analysis. Each function is a code of its own. References are written into the
 * instructions as loaders see them: ld_imm64 with source 1 names map imm, 2 a place in data map imm, 4 function imm; a call
 * with source 1 calls function imm.
 */
#include <stdlib.h>
#include <string.h>

#include "auditor/object.h"
#include "auditor/secname.h"

#define MINI_MAX 64

struct mini {
	struct bw_object o;
	struct bw_code codes[MINI_MAX];
	struct bw_func funcs[MINI_MAX];
	struct bw_prog progs[MINI_MAX];
	struct bw_map maps[MINI_MAX];
	void *owned[3 * MINI_MAX];
	unsigned int n_owned;
};

static inline void *mini_own(struct mini *m, void *p)
{
	m->owned[m->n_owned++] = p;
	return p;
}

static inline void mini_init(struct mini *m)
{
	memset(m, 0, sizeof(*m));
	m->o.path = "mini";
	m->o.license = "GPL";
	m->o.codes = m->codes;
	m->o.funcs = m->funcs;
	m->o.progs = m->progs;
	m->o.maps = m->maps;
}

static inline void mini_free(struct mini *m)
{
	for (unsigned int i = 0; i < m->n_owned; i++)
		free(m->owned[i]);
}

static inline int mini_map(struct mini *m, const char *name, uint32_t type, uint32_t key, uint32_t value)
{
	m->maps[m->o.n_maps] = (struct bw_map){ .name = name, .type = type, .key_size = key, .value_size = value, .max_entries = 1,
						.inner = BW_NONE, .struct_ops = BW_NONE, .value_size_known = true, .section = "" };
	return (int)m->o.n_maps++;
}

static inline int mini_data(struct mini *m, const char *name, enum bw_map_kind kind, const void *bytes, uint32_t n)
{
	int i = mini_map(m, name, 2, 4, n);

	m->maps[i].kind = kind;
	m->maps[i].data = bw_slice(bytes, bytes ? n : 0);
	m->maps[i].frozen = kind == BW_MAP_RODATA;
	return i;
}

static inline int mini_func(struct mini *m, const char *name, const struct bw_insn *insns, uint32_t n)
{
	uint32_t i = m->o.n_codes++;
	struct bw_code *c = &m->codes[i];

	m->o.n_funcs++;
	c->name = name;
	c->n_insns = n;
	c->insns = mini_own(m, malloc(n * sizeof(*insns)));
	c->relocs = mini_own(m, calloc(n, sizeof(*c->relocs)));
	c->reloc_of = mini_own(m, calloc(n, sizeof(*c->reloc_of)));
	memcpy(c->insns, insns, n * sizeof(*insns));
	for (uint32_t k = 0; k < n; k++) {
		struct bw_insn *p = &c->insns[k];
		struct bw_reloc r = { .insn = k, .target = p->imm, .symbol = "" };

		if (p->code == 0x18 && k + 1 < n && (p->src == 1 || p->src == 2 || p->src == 4)) {
			r.kind = p->src == 1 ? BW_RELOC_MAP : p->src == 2 ? BW_RELOC_DATA : BW_RELOC_FUNC_ADDR;
			r.addend = p->src == 2 ? c->insns[k + 1].imm : 0;
		} else if (p->code == 0x85 && p->src == 1) {
			r.kind = BW_RELOC_CALL;
		} else {
			k += p->code == 0x18;
			continue;
		}
		c->relocs[c->n_relocs++] = r;
		c->reloc_of[k] = c->n_relocs;
		k += p->code == 0x18;
	}
	m->funcs[i] = (struct bw_func){ .name = name, .code = (int32_t)i, .n_insns = n, .prog = BW_NONE };
	return (int)i;
}

static inline int mini_prog(struct mini *m, const char *name, const char *section, const struct bw_insn *insns, uint32_t n)
{
	int f = mini_func(m, name, insns, n);
	struct bw_prog *p = &m->progs[m->o.n_progs];

	*p = (struct bw_prog){ .name = name, .section = section, .func = f, .struct_ops = BW_NONE, .member = BW_NONE };
	bw_secname_parse(section, &p->def);
	m->funcs[f].prog = (int32_t)m->o.n_progs;
	return (int)m->o.n_progs++;
}

/* Instructions, in the words of the kernel's selftests. */
#define MOV(d, s) { .code = 0xbf, .dst = d, .src = s }
#define MOVI(d, i) { .code = 0xb7, .dst = d, .imm = i }
#define ADD(d, s) { .code = 0x0f, .dst = d, .src = s }
#define ADDI(d, i) { .code = 0x07, .dst = d, .imm = i }
#define ANDI(d, i) { .code = 0x57, .dst = d, .imm = i }
#define XOR(d, s) { .code = 0xaf, .dst = d, .src = s }
#define MULI(d, i) { .code = 0x27, .dst = d, .imm = i }
#define LSHI(d, i) { .code = 0x67, .dst = d, .imm = i }
#define LD8(d, s, o) { .code = 0x71, .dst = d, .src = s, .off = o }
#define LD16(d, s, o) { .code = 0x69, .dst = d, .src = s, .off = o }
#define LD32(d, s, o) { .code = 0x61, .dst = d, .src = s, .off = o }
#define LD64(d, s, o) { .code = 0x79, .dst = d, .src = s, .off = o }
#define ST8(d, o, s) { .code = 0x73, .dst = d, .src = s, .off = o }
#define ST32(d, o, s) { .code = 0x63, .dst = d, .src = s, .off = o }
#define ST64(d, o, s) { .code = 0x7b, .dst = d, .src = s, .off = o }
#define STI32(d, o, i) { .code = 0x62, .dst = d, .off = o, .imm = i }
#define STI64(d, o, i) { .code = 0x7a, .dst = d, .off = o, .imm = i }
#define IMM64(d, s, i, j) { .code = 0x18, .dst = d, .src = s, .imm = i }, { .imm = j }
#define MAP(d, m) IMM64(d, 1, m, 0)
#define DATA(d, m, o) IMM64(d, 2, m, o)
#define FUNC(d, f) IMM64(d, 4, f, 0)
#define CALL(h) { .code = 0x85, .imm = h }
#define CALLF(f) { .code = 0x85, .src = 1, .imm = f }
#define JEQI(d, i, o) { .code = 0x15, .dst = d, .imm = i, .off = o }
#define JNEI(d, i, o) { .code = 0x55, .dst = d, .imm = i, .off = o }
#define JGTI(d, i, o) { .code = 0x25, .dst = d, .imm = i, .off = o }
#define JGT(d, s, o) { .code = 0x2d, .dst = d, .src = s, .off = o }
#define JA(o) { .code = 0x05, .off = o }
#define EXIT { .code = 0x95 }
#define INSNS(...) (const struct bw_insn[]){ __VA_ARGS__ }, sizeof((struct bw_insn[]){ __VA_ARGS__ }) / sizeof(struct bw_insn)

#endif
