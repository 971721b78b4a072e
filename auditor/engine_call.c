// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls: helpers and kfuncs by their tables (engine_call_special.c has what those cannot say), subprograms.
 */
#include "auditor/engine_call.h"

#include <stdio.h>
#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)

struct bw_length bw_len_of(const struct bw_val *v)
{
	struct bw_length l = BW_LEN_ANY;

	if (v->kind != BW_VAL_SCALAR || v->flags & BW_VAL_SOFT)
		return l;
	if (v->lo >= 0) {
		l.min = (uint64_t)v->lo;
		l.max = v->hi >= UINT32_MAX ? BW_LENGTH_UNBOUNDED : (uint64_t)v->hi;
	} else if (v->hi >= 0 && v->hi < UINT32_MAX && v->lo > -65536) {
		/* A signed length that may be negative: helpers refuse those. */
		l.max = (uint64_t)v->hi;
	}
	return l;
}

uint32_t bw_call_site(struct bw_engine *e)
{
	return bw_dom_tag_add(&e->d, BW_TAG_SITE, (uint32_t)e->func, e->insn, 0, 0);
}

/* ---- strings that are used ----------------------------------------------------------------------------------------------------- */

static bool is_text(const uint8_t *p, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && p[i] && p[i] >= 0x20 && p[i] < 0x7f)
		i++;
	return i >= 3 && (i == n || !p[i]);
}

uint32_t bw_call_literal(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, struct bw_length len, uint32_t *ret_id,
			   bool *ret_rodata)
{
	uint8_t bytes[256];
	uint32_t max = len.max < sizeof(bytes) ? (uint32_t)len.max : (uint32_t)sizeof(bytes);
	uint32_t n = max ? bw_mem_known(e, s, ptr, max, bytes, ret_rodata) : 0;

	*ret_id = 0;
	/* Everything that goes out must be known, unless it is a string that ends in time. */
	if (!n || (n < max && !memchr(bytes, 0, n)))
		return 0;
	*ret_id = bw_runs_add(&e->d.strings, bytes, n);
	return n;
}

static void note_string(struct bw_engine *e, struct bw_state *s, const struct bw_call_args *c, unsigned int i, struct bw_length len)
{
	uint32_t id, n;
	bool rodata;
	struct bw_rec *rec;

	n = bw_call_literal(e, s, &c->arg[i], len, &id, &rodata);
	if (!n || !is_text(bw_runs_get(&e->d.strings, id, &n), n))
		return;
	rec = bw_rec_here(e, BW_REC_STRING, c->id, (int32_t)i);
	if (rec) {
		rec->lit = id;
		rec->mask = rodata;
	}
}

void bw_call_arg(const struct bw_call_args *c, char letter, struct bw_val *ret)
{
	const char *p = strchr(c->c->args, letter);

	*ret = p ? c->arg[1 + (p - c->c->args)] : (struct bw_val){ 0 };
}

static void read_args(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	unsigned int i = 1;
	bool first = true;

	c->map = BW_NONE;
	for (const char *p = c->c->args; *p && i <= 5; p++, i++) {
		struct bw_length len = BW_LEN_ANY;
		struct bw_val v = { 0 };
		int32_t maps[BW_MAX_REGION_SET];
		uint32_t n;

		switch (*p) {
		case 'm':
			n = bw_call_maps(e, &c->arg[i], maps);
			for (uint32_t k = 0; k < n; k++)
				bw_map_use(e, maps[k], c->c->modes, NULL, NULL);
			if (n)
				c->map = maps[0];
			break;
		case 'k':
			if (c->map >= 0) {
				len = (struct bw_length){ bw_map_key_size(e, c->map), bw_map_key_size(e, c->map) };
				v = bw_mem_gather(e, s, &c->arg[i], len);
				bw_map_use(e, c->map, 0, &v, NULL);
			}
			continue;
		case 'r':
		case 'b':
			len = bw_len_of(&c->arg[i < 5 ? i + 1 : 5]);
			if (p[1] != 'n' || (c->arg[i].kind == BW_VAL_SCALAR && bw_val_is_const(&c->arg[i])))
				len = (struct bw_length){ 0, p[1] == 'n' ? 0 : 8 };
			if (len.max)
				v = bw_mem_gather(e, s, &c->arg[i], len);
			note_string(e, s, c, i, len);
			break;
		case 's':
			len = (struct bw_length){ 1, 256 };
			v = bw_mem_gather(e, s, &c->arg[i], len);
			note_string(e, s, c, i, len);
			break;
		case 'S':
			len = (struct bw_length){ 8, 8 };
			v = c->arg[i];
			break;
		case 'd':
			if (c->c->channel && c->c->special != BW_SP_RB_SUBMIT_DYNPTR) {
				struct bw_val mem = bw_dynptr_get(e, s, &c->arg[i]);

				v = bw_mem_gather(e, s, &mem, BW_LEN_ANY);
			}
			break;
		default:
			continue;
		}
		if (v.kind == BW_VAL_NONE && !v.taint)
			continue;
		if (first) {
			c->len = len;
			first = false;
		} else if (len.max > c->len.max) {
			c->len.max = len.max;
		}
		if (v.kind == BW_VAL_PTR) {
			/* The bytes of an address, not what it leads to. */
			struct bw_val u = bw_val_unknown();

			bw_val_absorb(&e->d, &u, &v);
			v = u;
		}
		bw_val_join(&e->d, &c->data, &v, true);
	}
}

static void write_args(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	unsigned int i = 1;
	struct bw_val out = bw_val_unknown();
	char detail[96];
	bool any = false;

	for (const char *p = c->c->args; *p; p++)
		any |= strchr("wbLI", *p) != NULL;
	if (!any)
		return;
	snprintf(detail, sizeof(detail), "%s%s", c->id > 0 ? "bpf_" : "", c->name);
	bw_val_absorb(&e->d, &out, &c->data);
	if (c->c->sources)
		bw_taint(e, &out, c->c->sources, bw_dom_str(&e->d, detail));
	if (out.from == 0 || out.from == BW_FROM_BIT(BW_FROM_CONSTANT))
		out.from = BW_FROM_BIT(BW_FROM_HELPER);
	for (const char *p = c->c->args; *p && i <= 5; p++, i++) {
		if ((*p == 'w' || *p == 'b') && p[1] == 'n' && i < 5) {
			struct bw_length len = bw_len_of(&c->arg[i + 1]);

			if (c->c->ret == 'l')
				len.min = 0;
			bw_mem_scatter(e, s, &c->arg[i], len, &out);
		} else if (*p == 'w' || *p == 'b') {
			bw_mem_scatter(e, s, &c->arg[i], (struct bw_length){ 8, 8 }, &out);
		} else if (*p == 'L' || *p == 'I') {
			unsigned int w = *p == 'L' ? 8 : 4;
			struct bw_val v = out;

			if (w == 4) {
				v.lo = 0;
				v.hi = UINT32_MAX;
			}
			bw_mem_write(e, s, &c->arg[i], 0, w, &v);
		}
	}
}

/* A function nobody told us about: it may read anything, write into what it is given, and give it away. */
static void unknown_callee(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	struct bw_val data = { 0 }, out = bw_val_unknown();

	for (unsigned int i = 1; i <= 5; i++) {
		const struct bw_region *g = c->arg[i].kind == BW_VAL_PTR ? bw_dom_only(&e->d, c->arg[i].ref) : NULL;
		struct bw_val v = c->arg[i];

		if (c->arg[i].kind == BW_VAL_NONE)
			continue;
		if (g && (g->kind == BW_REGION_STACK || g->kind == BW_REGION_MAPVAL || g->kind == BW_REGION_RECORD ||
			  g->kind == BW_REGION_HEAP))
			v = bw_mem_gather(e, s, &c->arg[i], (struct bw_length){ 0, 64 });
		bw_val_join(&e->d, &data, &v, true);
	}
	bw_taint(e, &out, S(KERNEL_MEMORY), bw_dom_str(&e->d, c->name));
	for (unsigned int i = 1; i <= 5; i++) {
		const struct bw_region *g = c->arg[i].kind == BW_VAL_PTR ? bw_dom_only(&e->d, c->arg[i].ref) : NULL;

		if (g && g->kind == BW_REGION_STACK)
			bw_mem_scatter(e, s, &c->arg[i], (struct bw_length){ 0, 64 }, &out);
	}
	bw_sink(e, BW_CH_BPF_SYSCALL, BW_NONE, &data, BW_LEN_ANY);
	c->ret = out;
	c->ret.flags &= (uint8_t)~BW_VAL_DIRECT;
}

static bool call_callee(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	struct bw_rec *rec = bw_rec_here(e, BW_REC_CALL, c->id, 0);
	bool back = true;

	for (unsigned int i = 1; i <= 5; i++)
		c->arg[i] = s->r[i];
	c->ret = bw_val_unknown();
	c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
	if (!c->c) {
		unknown_callee(e, s, c);
	} else {
		if (rec)
			rec->mask = 1;
		if (c->c->effects)
			bw_effect(e, c->c->effects);
		read_args(e, s, c);
		switch (c->c->ret) {
		case 'i':
			c->ret = bw_val_scalar(INT32_MIN, INT32_MAX);
			c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
			break;
		case 'l':
			c->ret = bw_val_scalar(-4095, c->len.max > INT32_MAX ? INT32_MAX : (int64_t)c->len.max);
			if (strchr(c->c->args, 'w')) {
				struct bw_length out = bw_len_of(&c->arg[2 + (strchr(c->c->args, 'w') - c->c->args)]);

				c->ret.hi = out.max > INT32_MAX ? INT32_MAX : (int64_t)out.max;
			}
			c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
			bw_val_absorb(&e->d, &c->ret, &c->data);
			c->ret.flags &= (uint8_t)~BW_VAL_DIRECT;
			break;
		case 'h':
			bw_val_absorb(&e->d, &c->ret, &c->data);
			c->ret.flags &= (uint8_t)~BW_VAL_DIRECT;
			break;
		case 'T': {
			char detail[96];

			snprintf(detail, sizeof(detail), "%s%s", c->id > 0 ? "bpf_" : "", c->name);
			bw_taint(e, &c->ret, c->c->sources, bw_dom_str(&e->d, detail));
			break;
		}
		case 'K':
			bw_call_struct_ret(e, c, c->c->ret_type ? c->c->ret_type : "", true);
			break;
		case 'v':
			c->ret = bw_val_unknown();
			break;
		default:
			break;
		}
		back = bw_call_special(e, s, c);
		if (!bw_call_writes_itself((enum bw_special)c->c->special))
			write_args(e, s, c);
		if (c->c->channel && c->c->special != BW_SP_RB_SUBMIT && c->c->special != BW_SP_RB_SUBMIT_DYNPTR &&
		    c->c->special != BW_SP_REDIRECT && c->c->special != BW_SP_REDIRECT_MAP && c->c->special != BW_SP_PACKET_STORE)
			bw_sink(e, (enum bw_channel)(c->c->channel - 1), c->map, &c->data, c->len);
	}
	if (c->ret.kind == BW_VAL_NONE)
		c->ret = bw_val_unknown();
	s->r[0] = c->ret;
	for (unsigned int i = 1; i <= 5; i++)
		s->r[i] = (struct bw_val){ 0 };
	return back;
}

/* eBPF for Windows numbers its general helpers differently (ebpf_structs.h); those that do the same are translated. */
static uint32_t windows_helper(uint32_t id)
{
	static const uint16_t linux_id[] = { [1] = 1,  [2] = 2,   [3] = 3,  [5] = 12, [6] = 7,   [7] = 125, [8] = 8,
					     [9] = 5,  [10] = 28, [11] = 130, [12] = 6, [13] = 6, [14] = 6,  [15] = 6,
					     [16] = 87, [17] = 88, [18] = 89, [19] = 14 };

	return id < sizeof(linux_id) / sizeof(*linux_id) ? linux_id[id] : 0;
}

static bool call_sub(struct bw_engine *e, struct bw_state *s, int32_t func)
{
	struct bw_val keep[5];
	bool back;

	memcpy(keep, s->r + 6, sizeof(keep));
	for (unsigned int i = 1; i <= 5; i++)
		if (s->r[i].taint)
			s->r[i].carry |= (uint16_t)BW_CARRY_BIT(BW_CARRY_SUBPROG);
	back = bw_run_func(e, func, s);
	if (!back)
		return false;
	if (s->r[0].taint)
		s->r[0].carry |= (uint16_t)BW_CARRY_BIT(BW_CARRY_SUBPROG);
	memcpy(s->r + 6, keep, sizeof(keep));
	for (unsigned int i = 1; i <= 5; i++)
		s->r[i] = (struct bw_val){ 0 };
	return true;
}

bool bw_call(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d)
{
	const struct bw_code *code = &e->o->codes[e->o->funcs[e->func].code];
	const struct bw_reloc *rel = bw_code_reloc(code, e->insn);
	struct bw_call_args c = { .id = 0 };

	if (d->op == BW_OP_CALL_REG) {
		struct bw_val ret, keep[5], f = s->r[d->target_reg < 11 ? d->target_reg : 0];

		memcpy(keep, s->r + 6, sizeof(keep));
		if (!bw_call_funcs(e, s, &f, &ret)) {
			bw_unanalysed(e, "indirect call to an unknown function");
			ret = bw_val_unknown();
		}
		s->r[0] = ret.kind == BW_VAL_NONE ? bw_val_unknown() : ret;
		memcpy(s->r + 6, keep, sizeof(keep));
		return true;
	}
	if (rel && rel->kind == BW_RELOC_CALL && rel->target >= 0)
		return call_sub(e, s, rel->target);
	if (d->op == BW_OP_CALL_LOCAL && !(rel && rel->kind == BW_RELOC_KFUNC)) {
		int64_t t = bw_insn_target(d, e->insn, code->n_insns);
		int32_t func = t < 0 ? BW_NONE : bw_object_func_starting(e->o, e->o->funcs[e->func].code, (uint32_t)t);

		if (func < 0) {
			bw_unanalysed(e, "call to something that is not a function");
			s->r[0] = bw_val_unknown();
			return true;
		}
		return call_sub(e, s, func);
	}
	if ((rel && rel->kind == BW_RELOC_KFUNC && rel->target >= 0) || d->op == BW_OP_CALL_KFUNC) {
		c.name = rel && rel->target >= 0 ? e->o->externs[rel->target].name : "kfunc";
		c.c = bw_kfunc_get(c.name);
		c.id = -1 - (int32_t)bw_dom_str(&e->d, c.name);
		return call_callee(e, s, &c);
	}
	{
		uint32_t id = e->o->flavour == BW_FLAVOUR_WINDOWS ? windows_helper((uint32_t)d->imm) : (uint32_t)d->imm;

		c.c = bw_helper_get(id);
		c.id = c.c ? (int32_t)id : d->imm > 0 ? d->imm : 1 << 20;
		c.name = c.c ? c.c->name : "unknown helper";
		if (!c.c)
			bw_unanalysed(e, "call of an unknown helper");
	}
	return call_callee(e, s, &c);
}
