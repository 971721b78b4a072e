// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Facts about each program, made from the records.
 */
#include "auditor/engine_result.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)

enum { T_XDP = 6, T_TRACING = 26, T_LSM = 29, ATTACH_MODIFY_RETURN = 26 };

/* ---- helpers ------------------------------------------------------------------------------------------------------------------------ */

void *bw_result_alloc(struct bw_result *r, size_t n, size_t size)
{
	void *p = n ? bw_arena_alloc(r->arena, n, size) : NULL;

	if (n && !p)
		r->failed = true;
	return p;
}

const char *bw_result_str(struct bw_result *r, const char *s)
{
	const char *p = *s ? bw_arena_str(r->arena, s) : "";

	if (!p)
		r->failed = true;
	return p ? p : "";
}

struct bw_literal bw_result_literal(struct bw_result *r, uint32_t run)
{
	uint32_t n, printable = 0;
	const uint8_t *p = bw_runs_get(&r->e->d.strings, run, &n);
	struct bw_literal l = { .text = "" };
	uint8_t *copy;

	if (!run || !n)
		return l;
	copy = bw_result_alloc(r, n + 1, 1);
	if (!copy)
		return l;
	memcpy(copy, p, n);
	l.bytes = copy;
	l.len = n;
	while (printable < n && (isprint(copy[printable]) || copy[printable] == '\n' || copy[printable] == '\t'))
		printable++;
	if (printable == n || (printable && !copy[printable])) {
		l.text = bw_arena_strn(r->arena, (const char *)copy, printable);
		if (!l.text)
			l.text = "";
	}
	return l;
}

uint32_t bw_result_from(uint32_t from)
{
	if (from & ~BW_FROM_BIT(BW_FROM_CONSTANT))
		from &= ~BW_FROM_BIT(BW_FROM_CONSTANT);
	return from ? from : BW_FROM_BIT(BW_FROM_UNKNOWN);
}

static int ref_compare(const void *pa, const void *pb)
{
	const struct bw_rec_key *a = &((const struct bw_rec_ref *)pa)->key, *b = &((const struct bw_rec_ref *)pb)->key;

#define BY(field)                    \
	if (a->field != b->field)    \
	return a->field < b->field ? -1 : 1
	BY(kind);
	BY(prog);
	BY(func);
	BY(insn);
	BY(a);
	BY(b);
#undef BY
	return 0;
}

const struct bw_rec_ref *bw_result_range(const struct bw_result *r, enum bw_rec_kind kind, int32_t prog, uint32_t *ret_n)
{
	uint32_t lo = 0, hi = r->n_refs, end;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct bw_rec_key *k = &r->refs[mid].key;

		if (k->kind < (uint32_t)kind || (k->kind == (uint32_t)kind && k->prog < prog))
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < r->n_refs && r->refs[end].key.kind == (uint32_t)kind && r->refs[end].key.prog == prog;)
		end++;
	*ret_n = end - lo;
	return r->refs + lo;
}

static const char *helper_name(struct bw_result *r, int32_t id)
{
	const struct bw_callee *c = id > 0 ? bw_helper_get((uint32_t)id) : NULL;

	if (id < 0)
		return bw_result_str(r, bw_dom_cstr(&r->e->d, (uint32_t)(-1 - id)));
	return c ? c->name : "";
}

/* What an address leads to, in words. */
static const char *address_text(struct bw_result *r, const struct bw_val *v)
{
	const struct bw_domain *d = &r->e->d;
	uint32_t n;
	const uint32_t *set;

	if (v->kind == BW_VAL_SCALAR && v->tag && bw_dom_tag(d, v->tag)->kind == BW_TAG_ADDR)
		return bw_result_str(r, bw_dom_cstr(d, bw_dom_desc(d, bw_dom_tag(d, v->tag)->a)->detail));
	if (v->kind != BW_VAL_PTR)
		return "";
	set = bw_dom_set(d, v->ref, &n);
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_region *g = bw_dom_region_get(d, set[i]);

		if (g->kind == BW_REGION_EXT && bw_dom_desc(d, (uint32_t)g->a)->detail)
			return bw_result_str(r, bw_dom_cstr(d, bw_dom_desc(d, (uint32_t)g->a)->detail));
	}
	return "";
}

/* ---- one kind of fact each -------------------------------------------------------------------------------------------------------- */

static int count_compare(const void *pa, const void *pb)
{
	const struct bw_call_count *a = pa, *b = pb;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return strcmp(a->name, b->name);
}

static uint64_t commands(const struct bw_result *r, const struct bw_val *v)
{
	int64_t c[BW_MAX_CONST_SET];
	unsigned int n = bw_val_consts(&r->e->d, v, c);
	uint64_t bits = n ? 0 : 1ull << 63;

	for (unsigned int i = 0; i < n; i++)
		bits |= 1ull << (c[i] >= 0 && c[i] < 63 ? c[i] : 63);
	return bits;
}

static void calls(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_CALL, prog, &n);
	struct bw_call_count *all = bw_result_alloc(r, n, sizeof(*all));
	uint32_t k = 0, split = 0;

	if (!all)
		return;
	for (uint32_t i = 0; i < n; i++)
		all[i] = (struct bw_call_count){ .id = p[i].key.a > 0 ? (uint32_t)p[i].key.a : 0, .name = helper_name(r, p[i].key.a),
						 .count = 1, .known = p[i].rec->mask & 1,
						 .commands = p[i].rec->val.kind == BW_VAL_NONE ? 0 : commands(r, &p[i].rec->val) };
	qsort(all, n, sizeof(*all), count_compare);
	for (uint32_t i = 0; i < n; i++) {
		if (k && !count_compare(&all[k - 1], &all[i])) {
			all[k - 1].count++;
			all[k - 1].commands |= all[i].commands;
		} else {
			all[k++] = all[i];
		}
	}
	while (split < k && !all[split].id)
		split++;
	f->kfuncs = all;
	f->n_kfuncs = split;
	f->helpers = all + split;
	f->n_helpers = k - split;
}

static void map_uses(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n, first = 0;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_MAP, prog, &n);

	f->maps = bw_result_alloc(r, n, sizeof(*f->maps));
	if (!f->maps)
		return;
	/* The records are in the order of map numbers: the maps themselves, then the unknown inner maps that came out of them. */
	for (uint32_t i = 0; i < n; i++) {
		struct bw_map_use u = { .map = p[i].key.a, .modes = p[i].rec->mask & ~BW_REC_COUNTED, .key_sources = p[i].rec->val.taint,
					.value_sources = p[i].rec->val2.taint };
		uint32_t j = first;

		if (u.map < (int32_t)r->e->n_maps) {
			f->maps[f->n_maps++] = u;
			continue;
		}
		u.map -= (int32_t)r->e->n_maps;
		while (j < f->n_maps && f->maps[j].map < u.map)
			j++;
		first = j;
		if (j == f->n_maps || f->maps[j].map != u.map) {
			f->maps[f->n_maps++] = u;
			continue;
		}
		f->maps[j].modes |= u.modes;
		f->maps[j].key_sources |= u.key_sources;
		f->maps[j].value_sources |= u.value_sources;
	}
}

/* A program that puts values into @map, another one than @prog where there is one. */
static int32_t map_writer(struct bw_result *r, int32_t map, int32_t prog)
{
	return r->writers[map].first != prog || r->writers[map].other < 0 ? r->writers[map].first : r->writers[map].other;
}

static void map_writers(struct bw_result *r)
{
	for (uint32_t i = 0; i < r->e->n_maps; i++)
		r->writers[i].first = r->writers[i].other = BW_NONE;
	for (uint32_t i = 0; i < r->n_refs; i++) {
		const struct bw_rec_key *k = &r->refs[i].key;

		if (k->kind != BW_REC_MAP || !(r->refs[i].rec->mask & (BW_MODE_UPDATE | BW_MODE_WRITE)))
			continue;
		if (k->a < 0 || (uint32_t)k->a >= r->e->n_maps)
			continue;
		if (r->writers[k->a].first < 0)
			r->writers[k->a].first = k->prog;
		else if (r->writers[k->a].other < 0 && r->writers[k->a].first != k->prog)
			r->writers[k->a].other = k->prog;
	}
}

/* What is written where the data has no class: numbers of the program's own, or an address (of the packet, the stack, a map). */
static uint32_t untainted(const struct bw_val *v)
{
	return v->kind == BW_VAL_PTR ? S(KERNEL_POINTER) : S(CONSTANT);
}

static void user_writes(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_USER_WRITE, prog, &n);

	f->user_writes = bw_result_alloc(r, n, sizeof(*f->user_writes));
	if (!f->user_writes)
		return;
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_rec *k = p[i].rec;
		struct bw_user_write *w = &f->user_writes[f->n_user_writes++];

		*w = (struct bw_user_write){ .func = p[i].key.func, .insn = p[i].key.insn, .helper = helper_name(r, p[i].key.a),
					     .dst = bw_result_from(k->val2.from), .dst_map = bw_val_map(&k->val2),
					     .dst_prog = BW_NONE, .dst_detail = address_text(r, &k->val2), .len = k->len,
					     .sources = k->val.taint, .literal = bw_result_literal(r, k->lit) };
		w->dst_off = k->val2.kind == BW_VAL_PTR && k->val2.lo == k->val2.hi ? k->val2.lo : INT64_MIN;
		if (w->dst_map >= (int32_t)r->e->n_maps)
			w->dst_map -= (int32_t)r->e->n_maps;
		if (w->dst & BW_FROM_BIT(BW_FROM_STORED_ARG) && w->dst_map >= 0)
			w->dst_prog = map_writer(r, w->dst_map, prog);
		if (!w->sources)
			w->sources = untainted(&k->val);
	}
}

static void override_add(struct bw_result *r, struct bw_prog_facts *f, int32_t func, uint32_t insn, const char *how,
			 const struct bw_val *v)
{
	struct bw_override *o = &f->overrides[f->n_overrides++];
	int64_t c[BW_MAX_CONST_SET];
	unsigned int n = v->flags & BW_VAL_SOFT ? 0 : bw_val_consts(&r->e->d, v, c);

	*o = (struct bw_override){ .func = func, .insn = insn, .how = how, .from = bw_result_from(v->from),
				   .from_map = bw_val_map(v) };
	for (unsigned int i = 0; i < n; i++) {
		int64_t value = c[i] > INT32_MAX && c[i] <= UINT32_MAX ? (int32_t)c[i] : c[i];

		/* The value that is not "go on" is the one that matters. */
		if (!o->value_known || !o->value)
			o->value = value;
		o->value_known = true;
	}
}

static void overrides(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	const struct bw_prog *p = &r->e->o->progs[prog];
	uint32_t n, m;
	const struct bw_rec_ref *rec = bw_result_range(r, BW_REC_OVERRIDE, prog, &n);
	const struct bw_rec_ref *ret = bw_result_range(r, BW_REC_RETURN, prog, &m);
	bool fmod = p->def.prog_type == T_TRACING && p->def.attach_type == ATTACH_MODIFY_RETURN;

	f->overrides = bw_result_alloc(r, n + 1, sizeof(*f->overrides));
	if (!f->overrides)
		return;
	for (uint32_t i = 0; i < n; i++)
		override_add(r, f, rec[i].key.func, rec[i].key.insn,
			     !strcmp(helper_name(r, rec[i].key.a), "set_retval") ? "bpf_set_retval" : "bpf_override_return",
			     &rec[i].rec->val);
	if (m && (fmod || p->def.prog_type == T_LSM)) {
		const struct bw_val *v = &ret[0].rec->val;
		struct bw_override *o;

		if (bw_val_is_const(v) && !v->lo)
			return;
		override_add(r, f, p->func, r->e->o->funcs[p->func].first, fmod ? "fmod_ret" : "lsm", v);
		o = &f->overrides[f->n_overrides - 1];
		if (!o->value_known && bw_result_own_error(r, prog, &o->value)) {
			o->value_known = true;
			o->from |= BW_FROM_BIT(BW_FROM_CONSTANT);
		}
	}
}

static void signals(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_SIGNAL, prog, &n);

	f->signals = bw_result_alloc(r, n, sizeof(*f->signals));
	if (!f->signals)
		return;
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_val *v = &p[i].rec->val;
		int64_t c[BW_MAX_CONST_SET];
		unsigned int k = v->flags & BW_VAL_SOFT ? 0 : bw_val_consts(&r->e->d, v, c);

		f->signals[f->n_signals++] = (struct bw_signal){ .func = p[i].key.func, .insn = p[i].key.insn,
								  .helper = helper_name(r, p[i].key.a), .signal_known = k > 0,
								  .signal = k ? c[0] : 0, .from = bw_result_from(v->from),
								  .from_map = bw_val_map(v) };
	}
}

/* Does the program put back into the map what it took out of it, changed? */
static bool is_counted(const struct bw_result *r, int32_t prog, int32_t map)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_MAP, prog, &n);

	for (uint32_t i = 0; i < n; i++)
		if (p[i].key.a == map && p[i].rec->mask & BW_REC_COUNTED)
			return true;
	return false;
}

static void packet_writes(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_PACKET_WRITE, prog, &n);

	f->packet_writes = bw_result_alloc(r, n, sizeof(*f->packet_writes));
	if (!f->packet_writes)
		return;
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_rec *k = p[i].rec;
		struct bw_packet_write *w = &f->packet_writes[f->n_packet_writes++];

		*w = (struct bw_packet_write){ .func = p[i].key.func, .insn = p[i].key.insn,
					       .how = bw_result_str(r, bw_dom_cstr(&r->e->d, (uint32_t)p[i].key.a)),
					       .layers = k->mask, .off_min = k->x, .off_max = k->y, .len = k->len,
					       .sources = k->val.taint ? k->val.taint : untainted(&k->val),
					       .source_map = bw_val_map(&k->val),
					       .literal = bw_result_literal(r, k->lit) };
		w->counted = w->source_map >= 0 && is_counted(r, prog, w->source_map);
		if (!k->lit && bw_val_is_literal(&k->val) && k->len.min == k->len.max && k->len.max <= 8) {
			uint8_t bytes[8];

			for (unsigned int b = 0; b < k->len.max; b++)
				bytes[b] = (uint8_t)((uint64_t)k->val.lo >> 8 * (r->e->d.big_endian ? k->len.max - 1 - b : b));
			w->literal = bw_result_literal(r, bw_runs_add(&r->e->d.strings, bytes, (uint32_t)k->len.max));
		}
	}
}

static void redirects(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_REDIRECT, prog, &n);
	const struct bw_prog *pr = &r->e->o->progs[prog];

	f->redirects = bw_result_alloc(r, n + 1, sizeof(*f->redirects));
	if (!f->redirects)
		return;
	for (uint32_t i = 0; i < n; i++) {
		char how[64];
		const char *by = bw_dom_cstr(&r->e->d, (uint32_t)p[i].key.a);

		/* A helper, or a field of struct bpf_sock_addr. */
		snprintf(how, sizeof(how), "%s%s", strncmp(by, "user_", 5) && strncmp(by, "msg_src_", 8) ? "bpf_" : "", by);
		f->redirects[f->n_redirects++] = (struct bw_redirect){ .func = p[i].key.func, .insn = p[i].key.insn,
									.how = bw_result_str(r, how), .map = p[i].key.b,
									.from = bw_result_from(p[i].rec->val.from) };
	}
	if (pr->def.prog_type == T_XDP && f->return_values & 1u << 3)
		f->redirects[f->n_redirects++] = (struct bw_redirect){ .func = pr->func, .insn = r->e->o->funcs[pr->func].first,
									.how = "XDP_TX", .map = BW_NONE,
									.from = BW_FROM_BIT(BW_FROM_CONSTANT) };
}

static void strings(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_STRING, prog, &n);

	f->strings = bw_result_alloc(r, n, sizeof(*f->strings));
	if (!f->strings)
		return;
	for (uint32_t i = 0; i < n; i++)
		f->strings[f->n_strings++] = (struct bw_string_use){ .func = p[i].key.func, .insn = p[i].key.insn,
								      .helper = helper_name(r, p[i].key.a), .arg = (uint32_t)p[i].key.b,
								      .literal = bw_result_literal(r, p[i].rec->lit),
								      .rodata = p[i].rec->mask & 1 };
}

static void tail_calls(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_TAIL_CALL, prog, &n);

	f->tail_calls = bw_result_alloc(r, n, sizeof(*f->tail_calls));
	if (!f->tail_calls)
		return;
	for (uint32_t i = 0; i < n; i++) {
		struct bw_tail_call t = { .func = p[i].key.func, .insn = p[i].key.insn, .map = p[i].key.b, .target = BW_NONE };
		const struct bw_val *v = &p[i].rec->val;

		t.index_known = bw_val_is_const(v);
		t.index = t.index_known ? (uint32_t)v->lo : 0;
		if (t.index_known && t.map >= 0 && (uint32_t)t.map < r->e->n_maps) {
			const struct bw_map *m = &r->e->o->maps[t.map];

			for (uint32_t k = 0; k < m->n_init; k++)
				if (m->init[k].key == t.index && m->init[k].is_prog && m->init[k].target >= 0)
					t.target = r->e->o->funcs[m->init[k].target].prog;
		}
		f->tail_calls[f->n_tail_calls++] = t;
	}
}

static void unanalysed(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_UNANALYSED, prog, &n);
	bool memory = r->e->d.budget.failed;

	f->unanalysed = bw_result_alloc(r, n + memory, sizeof(*f->unanalysed));
	if (!f->unanalysed)
		return;
	for (uint32_t i = 0; i < n; i++)
		f->unanalysed[f->n_unanalysed++] = (struct bw_unanalysed){
			.func = p[i].key.func, .insn = p[i].key.insn,
			.reason = bw_result_str(r, bw_dom_cstr(&r->e->d, (uint32_t)p[i].key.a)) };
	if (memory)
		f->unanalysed[f->n_unanalysed++] = (struct bw_unanalysed){ .func = r->e->o->progs[prog].func,
									    .reason = "memory budget exhausted" };
	if (f->n_unanalysed)
		r->a->complete = false;
}

static void returns(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_RETURN, prog, &n);
	int64_t c[BW_MAX_CONST_SET];
	unsigned int k;

	if (!n)
		return;
	k = p[0].rec->val.flags & BW_VAL_SOFT ? 0 : bw_val_consts(&r->e->d, &p[0].rec->val, c);
	f->return_min = p[0].rec->val.kind == BW_VAL_SCALAR ? p[0].rec->val.lo : INT64_MIN;
	f->return_max = p[0].rec->val.kind == BW_VAL_SCALAR ? p[0].rec->val.hi : INT64_MAX;
	f->return_sources = p[0].rec->val.taint;
	for (unsigned int i = 0; i < k; i++)
		f->return_values |= 1ull << (c[i] >= 0 && c[i] < 63 ? c[i] : 63);
	if (!k && f->return_min >= 0 && f->return_max < 63)
		for (int64_t i = f->return_min; i <= f->return_max; i++)
			f->return_values |= 1ull << i;
	else if (!k)
		f->return_values |= 1ull << 63;
}

static void counts(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	uint32_t n;
	const struct bw_rec_ref *p = bw_result_range(r, BW_REC_COUNT, prog, &n);

	for (uint32_t i = 0; i < n; i++)
		switch ((enum bw_count_kind)p[i].key.a) {
		case BW_COUNT_CSUM:
			f->checksum_fixups++;
			break;
		case BW_COUNT_RESIZE:
			f->packet_resizes++;
			break;
		case BW_COUNT_LOOP:
			f->uses_bpf_loop = true;
			break;
		case BW_COUNT_CALLBACK:
			f->uses_callbacks = true;
			break;
		case BW_COUNT_EXCEPTION:
			f->uses_exceptions = true;
			break;
		case BW_COUNT_ARENA:
			f->uses_arena = true;
			break;
		case BW_COUNT_USER_LOOP:
			f->enters_user_loop = true;
			break;
		case BW_COUNT_DNS:
			f->dns_compares++;
			break;
		}
}

static void attach_facts(struct bw_result *r, int32_t prog, struct bw_prog_facts *f)
{
	const struct bw_attach *a = &r->e->attaches[prog];
	const struct bw_prog *p = &r->e->o->progs[prog];
	struct bw_arg arg;

	f->sleepable = p->def.sleepable;
	f->attach_internal = a->internal;
	if (a->network)
		f->entry_sources |= S(PACKET_HEADER) | S(PACKET_PAYLOAD);
	f->entry_sources |= a->user_classes;
	if (a->ctx == BW_CTX_TP)
		f->entry_sources |= a->record_classes;
	if (a->target != BW_TARGET_NONE)
		for (int i = -1; i < 6; i++) {
			bw_attach_arg(a, i, &arg);
			f->entry_sources |= arg.classes;
			if (arg.kind == BW_ARG_STRUCT)
				f->entry_sources |= bw_struct_classes(arg.type);
		}
	for (uint32_t i = 0; i < 1; i++)
		f->n_insns = p->func >= 0 ? r->e->o->funcs[p->func].n_insns : 0;
}

int bw_results(struct bw_engine *e, struct bw_analysis *a)
{
	struct bw_result r = { .e = e, .a = a, .reach_prog = BW_NONE };

	a->priv = calloc(1, sizeof(*a->priv));
	if (!a->priv)
		return -ENOMEM;
	r.arena = &a->priv->arena;
	a->complete = true;
	r.n_refs = e->rec_keys.n ? e->rec_keys.n - 1 : 0;
	if (e->recs_cap && r.n_refs >= e->recs_cap)
		r.n_refs = e->recs_cap - 1;
	r.refs = malloc((r.n_refs + 1) * sizeof(*r.refs));
	r.is_callback = calloc(e->o->n_funcs + 1, 1);
	a->progs = bw_result_alloc(&r, e->o->n_progs, sizeof(*a->progs));
	r.writers = bw_result_alloc(&r, (size_t)e->n_maps + 1, sizeof(*r.writers));
	if (!r.refs || !r.is_callback || r.failed || bw_result_call_sites(&r) < 0) {
		free(r.refs);
		free(r.is_callback);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < r.n_refs; i++)
		r.refs[i] = (struct bw_rec_ref){ *(const struct bw_rec_key *)bw_intern_get(&e->rec_keys, i + 1), bw_rec_get(e, i + 1) };
	qsort(r.refs, r.n_refs, sizeof(*r.refs), ref_compare);
	for (uint32_t c = 0; c < e->o->n_codes; c++)
		for (uint32_t i = 0; i < e->o->codes[c].n_relocs; i++)
			if (e->o->codes[c].relocs[i].kind == BW_RELOC_FUNC_ADDR && e->o->codes[c].relocs[i].target >= 0)
				r.is_callback[e->o->codes[c].relocs[i].target] = 1;
	map_writers(&r);
	/* Interning goes on while results are made, also when the budget is spent. */
	e->d.budget.max = SIZE_MAX / 2;
	a->n_progs = e->o->n_progs;
	for (uint32_t i = 0; i < e->o->n_progs; i++) {
		struct bw_prog_facts *f = &a->progs[i];
		int32_t prog = (int32_t)i;

		f->prog = prog;
		attach_facts(&r, prog, f);
		returns(&r, prog, f);
		calls(&r, prog, f);
		map_uses(&r, prog, f);
		user_writes(&r, prog, f);
		overrides(&r, prog, f);
		signals(&r, prog, f);
		bw_result_compares(&r, prog, f);
		packet_writes(&r, prog, f);
		redirects(&r, prog, f);
		strings(&r, prog, f);
		tail_calls(&r, prog, f);
		unanalysed(&r, prog, f);
		counts(&r, prog, f);
	}
	bw_result_flows(&r);
	bw_result_cross(&r);
	free(r.refs);
	free(r.hops);
	free(r.is_callback);
	free(r.reach_known);
	return r.failed ? -ENOMEM : 0;
}

void bw_analysis_free(struct bw_analysis *a)
{
	if (!a)
		return;
	if (a->priv)
		bw_arena_free(&a->priv->arena);
	free(a->priv);
	free(a);
}
