// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Typed flows with their paths, and what goes from program to program.
 */
#include "auditor/engine_result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)
#define MAX_FLOWS 20000u /* of one object */

struct builder {
	struct bw_result *r;
	struct bw_flow *flows;
	uint32_t n, cap;
	struct bw_intern keys; /* number k is flow k - 1 */
};

/* May @a reach @b by tail calls? A program array may hold any program of the same type. */
static bool tail_related(const struct bw_result *r, int32_t a, int32_t b)
{
	const struct bw_prog *p = r->e->o->progs;

	return p[a].def.prog_type == p[b].def.prog_type && (r->a->progs[a].n_tail_calls || r->a->progs[b].n_tail_calls);
}

static const char *insn_text(struct bw_result *r, int32_t func, uint32_t insn, const char *what, char *buf, size_t size)
{
	const struct bw_cfg *c = func >= 0 ? r->e->cfgs[func] : NULL;
	const struct bw_decoded *d;
	const struct bw_callee *h;

	snprintf(buf, size, "%s", what);
	if (!c || insn < c->first || insn - c->first >= c->n_insns)
		return buf;
	d = bw_cfg_insn(c, insn);
	if (d->op == BW_OP_CALL) {
		const struct bw_reloc *rel = bw_code_reloc(&r->e->o->codes[r->e->o->funcs[func].code], insn);

		h = bw_helper_get((uint32_t)d->imm);
		if (rel && rel->kind == BW_RELOC_KFUNC && rel->target >= 0)
			snprintf(buf, size, "%s: %s", r->e->o->externs[rel->target].name, what);
		else if (h && strncmp(what, "bpf_", 4))
			snprintf(buf, size, "bpf_%s: %s", h->name, what);
	} else if (d->op == BW_OP_LOAD) {
		snprintf(buf, size, "load of %s", what);
	}
	return buf;
}

static void hop_add(struct bw_result *r, int32_t map, int32_t writer, int32_t reader, uint32_t channels)
{
	if (writer == reader)
		return;
	if (r->n_hops == r->cap_hops) {
		uint32_t cap = r->cap_hops ? r->cap_hops * 2 : 64;
		struct bw_hop *p = realloc(r->hops, cap * sizeof(*p));

		if (!p) {
			r->failed = true;
			return;
		}
		r->hops = p;
		r->cap_hops = cap;
	}
	r->hops[r->n_hops++] = (struct bw_hop){ map, writer, reader, channels };
}

static void path_of(struct bw_result *r, struct bw_flow *f, uint32_t origin, const struct bw_rec_key *sink)
{
	uint32_t chain[BW_MAX_ORIGIN_DEPTH + 2], n = 0;
	char text[640], what[320];

	for (uint32_t o = origin; o && n < BW_MAX_ORIGIN_DEPTH + 1; o = bw_dom_origin(&r->e->d, o)->parent)
		chain[n++] = o;
	f->path = bw_result_alloc(r, n + 1, sizeof(*f->path));
	if (!f->path)
		return;
	for (uint32_t i = n; i-- > 0;) {
		const struct bw_origin_node *node = bw_dom_origin(&r->e->d, chain[i]);

		if (i != n - 1 && node->map >= 0)
			hop_add(r, node->map, node->prog, f->prog, BW_CH_BIT(f->channel));
		if (i == n - 1)
			snprintf(what, sizeof(what), "%s", bw_dom_cstr(&r->e->d, node->detail));
		else
			snprintf(what, sizeof(what), "into %s %s", node->carrier == BW_CARRY_GLOBAL ? "global data" : "map",
				 bw_map_name(r->e, node->map));
		f->path[f->n_path++] = (struct bw_step){ .kind = i == n - 1 ? BW_STEP_SOURCE : BW_STEP_CARRY, .prog = node->prog,
							 .func = node->func, .insn = node->insn,
							 .text = bw_result_str(r, insn_text(r, node->func, node->insn, what, text,
											    sizeof(text))) };
	}
	snprintf(what, sizeof(what), "%s%s%s", bw_channel_name(f->channel), *f->channel_detail ? " " : "", f->channel_detail);
	f->path[f->n_path++] = (struct bw_step){ .kind = BW_STEP_SINK, .prog = sink->prog, .func = sink->func, .insn = sink->insn,
						 .text = bw_result_str(r, insn_text(r, sink->func, sink->insn, what, text, sizeof(text))) };
}

static void hops_of(struct bw_result *r, uint32_t origin, int32_t reader, enum bw_channel channel)
{
	for (uint32_t o = origin; o;) {
		const struct bw_origin_node *node = bw_dom_origin(&r->e->d, o);

		if (node->parent && node->map >= 0)
			hop_add(r, node->map, node->prog, reader, BW_CH_BIT(channel));
		o = node->parent;
	}
}

struct flow_key {
	int32_t prog, source_prog, map;
	uint32_t source, channel, detail, channel_detail, as_key;
};

static void flow_add(struct builder *b, const struct bw_rec_ref *p, enum bw_source source, uint32_t origin)
{
	struct bw_result *r = b->r;
	const struct bw_domain *d = &r->e->d;
	struct bw_flow f = { .prog = p->key.prog, .source_prog = p->key.prog, .source = source, .source_detail = "",
			     .channel = (enum bw_channel)(p->key.a & 255), .channel_detail = "", .map = p->key.b,
			     .len = p->rec->len, .as_key = p->key.a & 256, .derived = source != BW_SRC_CONSTANT &&
			     !(p->rec->val.flags & BW_VAL_DIRECT), .literal = { .text = "" } };
	const char *detail = "";
	struct flow_key key;
	uint32_t id;
	char how[96];

	f.carriers = p->rec->val.carry;
	if ((f.channel == BW_CH_MAP || f.channel == BW_CH_PINNED_MAP) && f.map >= 0)
		f.carriers |= BW_CARRY_BIT(f.as_key ? BW_CARRY_MAP_KEY : r->e->maps[f.map].carrier);
	if (f.map >= 0) {
		f.channel_detail = bw_map_name(r->e, f.map);
		if (f.map >= (int32_t)r->e->n_maps)
			f.map -= (int32_t)r->e->n_maps;
	} else {
		snprintf(how, sizeof(how), "%s", insn_text(r, p->key.func, p->key.insn, "", how, sizeof(how)));
		how[strcspn(how, ":")] = 0;
		f.channel_detail = how;
	}
	if (origin) {
		const struct bw_origin_node *node = bw_dom_origin(d, origin), *at = node;

		f.source = (enum bw_source)node->source;
		detail = bw_dom_cstr(d, node->detail);
		for (;;) {
			if (at->parent)
				f.carriers |= BW_CARRY_BIT(at->carrier);
			if (!at->parent)
				break;
			at = bw_dom_origin(d, at->parent);
		}
		f.source_prog = at->prog;
		if (at->prog != f.prog) {
			f.carriers |= BW_CARRY_BIT(BW_CARRY_CROSS_PROG);
			if (tail_related(r, at->prog, f.prog))
				f.carriers |= BW_CARRY_BIT(BW_CARRY_TAIL_CALL);
		} else if (at->func != p->key.func && at->func >= 0 && p->key.func >= 0) {
			bool callback = r->is_callback[at->func] || r->is_callback[p->key.func];

			f.carriers |= BW_CARRY_BIT(callback ? BW_CARRY_CALLBACK : BW_CARRY_SUBPROG);
		}
		if (r->a->progs[f.prog].n_tail_calls || (at->prog == f.prog && f.prog >= 0 && p->key.func >= 0)) {
			/* In a chain of tail calls: what this program knows came that way when its state lives in maps. */
			for (uint32_t i = 0; i < r->e->o->n_progs; i++)
				if ((int32_t)i != f.prog && r->a->progs[i].n_tail_calls && tail_related(r, (int32_t)i, f.prog) &&
				    f.carriers & (BW_CARRY_BIT(BW_CARRY_MAP_VALUE) | BW_CARRY_BIT(BW_CARRY_PERCPU)))
					f.carriers |= BW_CARRY_BIT(BW_CARRY_TAIL_CALL);
		}
	}
	if (p->key.func >= 0 && r->is_callback[p->key.func])
		f.carriers |= BW_CARRY_BIT(BW_CARRY_CALLBACK);
	if (!f.carriers)
		f.carriers = BW_CARRY_BIT(BW_CARRY_REGISTER);
	key = (struct flow_key){ .prog = f.prog, .source_prog = f.source_prog, .map = f.map, .source = f.source, .channel = f.channel,
				 .detail = origin ? bw_dom_origin(d, origin)->detail : 0,
				 .channel_detail = bw_dom_str(&r->e->d, f.channel_detail), .as_key = f.as_key };
	detail = origin ? bw_dom_cstr(d, bw_dom_origin(d, origin)->detail) : ""; /* strings may have moved */
	if (b->n >= MAX_FLOWS)
		return;
	id = bw_intern_add(&b->keys, &key);
	if (id && id <= b->n) {
		struct bw_flow *old = &b->flows[id - 1];

		old->carriers |= f.carriers;
		if (f.len.min < old->len.min)
			old->len.min = f.len.min;
		if (f.len.max > old->len.max)
			old->len.max = f.len.max;
		old->derived &= f.derived;
		hops_of(r, origin, f.prog, f.channel);
		return;
	}
	if (b->n == b->cap) {
		uint32_t cap = b->cap ? b->cap * 2 : 64;
		struct bw_flow *q = realloc(b->flows, cap * sizeof(*q));

		if (!q) {
			r->failed = true;
			return;
		}
		b->flows = q;
		b->cap = cap;
	}
	f.source_detail = bw_result_str(r, detail);
	f.channel_detail = bw_result_str(r, f.channel_detail);
	if (f.source == BW_SRC_CONSTANT) {
		/* What is written is in the record of the write. */
		uint32_t n;
		const struct bw_rec_ref *w;

		for (int kind = BW_REC_USER_WRITE; kind <= BW_REC_PACKET_WRITE; kind++) {
			if (kind != BW_REC_USER_WRITE && kind != BW_REC_PACKET_WRITE)
				continue;
			w = bw_result_range(r, (enum bw_rec_kind)kind, f.prog, &n);
			for (uint32_t i = 0; i < n; i++)
				if (w[i].key.func == p->key.func && w[i].key.insn == p->key.insn && w[i].rec->lit)
					f.literal = bw_result_literal(r, w[i].rec->lit);
		}
	}
	path_of(r, &f, origin, &p->key);
	b->flows[b->n++] = f;
}

static int flow_compare(const void *pa, const void *pb)
{
	const struct bw_flow *a = pa, *b = pb;
	int c;

#define BY(field)                 \
	if (a->field != b->field) \
	return a->field < b->field ? -1 : 1
	BY(prog);
	BY(source);
	BY(channel);
	c = strcmp(a->channel_detail, b->channel_detail);
	if (c)
		return c;
	c = strcmp(a->source_detail, b->source_detail);
	if (c)
		return c;
	BY(as_key);
	BY(source_prog);
	BY(map);
#undef BY
	return 0;
}

static void return_flows(struct builder *b, int32_t prog)
{
	struct bw_result *r = b->r;
	const struct bw_prog *p = &r->e->o->progs[prog];
	struct bw_prog_facts *f = &r->a->progs[prog];
	uint32_t n, m;
	const struct bw_rec_ref *ret = bw_result_range(r, BW_REC_RETURN, prog, &n);
	struct bw_rec_ref as;

	if (!n)
		return;
	as = ret[0];
	as.key.b = BW_NONE;
	as.key.insn = p->func >= 0 ? r->e->o->funcs[p->func].first : 0;
	((struct bw_rec *)as.rec)->len = (struct bw_length){ 8, 8 };
	if (as.rec->val.taint) {
		const uint32_t *set = bw_dom_set(&r->e->d, as.rec->val.prov, &m);

		as.key.a = BW_CH_RETURN_VALUE;
		for (uint32_t i = 0; i < m; i++)
			flow_add(b, &as, BW_SRC_CONSTANT, set[i]);
	}
	for (uint32_t i = 0; i < f->n_overrides; i++)
		if (!strcmp(f->overrides[i].how, "fmod_ret") || !strcmp(f->overrides[i].how, "lsm")) {
			as.key.a = BW_CH_RETURN_OVERRIDE;
			flow_add(b, &as, BW_SRC_CONSTANT, 0);
		}
	for (uint32_t i = 0; i < f->n_redirects; i++)
		if (!strcmp(f->redirects[i].how, "XDP_TX")) {
			as.key.a = BW_CH_PACKET_REDIRECT;
			((struct bw_rec *)as.rec)->len = (struct bw_length){ 0, BW_LENGTH_UNBOUNDED };
			flow_add(b, &as, BW_SRC_PACKET_HEADER, 0);
			flow_add(b, &as, BW_SRC_PACKET_PAYLOAD, 0);
		}
}

void bw_result_flows(struct bw_result *r)
{
	struct builder b = { .r = r };
	uint32_t n, m;

	bw_intern_init(&b.keys, &r->e->d.budget, sizeof(struct flow_key));

	for (uint32_t prog = 0; prog < r->e->o->n_progs; prog++) {
		const struct bw_rec_ref *p = bw_result_range(r, BW_REC_FLOW, (int32_t)prog, &n);

		for (uint32_t i = 0; i < n; i++) {
			const struct bw_val *v = &p[i].rec->val;
			const uint32_t *set = bw_dom_set(&r->e->d, v->prov, &m);
			uint32_t left = v->taint;

			for (uint32_t k = 0; k < m; k++) {
				uint32_t source = bw_dom_origin(&r->e->d, set[k])->source;

				flow_add(&b, &p[i], (enum bw_source)source, set[k]);
				left &= ~BW_SRC_BIT(source);
			}
			for (; left; left &= left - 1)
				flow_add(&b, &p[i], (enum bw_source)__builtin_ctz(left), 0);
			if (!v->taint)
				flow_add(&b, &p[i], BW_SRC_CONSTANT, 0);
		}
		return_flows(&b, (int32_t)prog);
	}
	if (b.n)
		qsort(b.flows, b.n, sizeof(*b.flows), flow_compare);
	r->a->flows = bw_result_alloc(r, b.n, sizeof(*b.flows));
	if (r->a->flows) {
		memcpy(r->a->flows, b.flows, b.n * sizeof(*b.flows));
		r->a->n_flows = b.n;
	}
	free(b.flows);
	bw_intern_free(&b.keys);
}

/* ---- from program to program -------------------------------------------------------------------------------------------------------- */

#define MAX_CROSS 4096u

static int hop_compare(const void *pa, const void *pb)
{
	return memcmp(pa, pb, 3 * sizeof(int32_t));
}

/* Sorts the hops and gives those of the same map, writer and reader one entry. */
static void hops_sort(struct bw_result *r)
{
	uint32_t kept = 0;

	if (r->n_hops)
		qsort(r->hops, r->n_hops, sizeof(*r->hops), hop_compare);
	for (uint32_t i = 0; i < r->n_hops; i++) {
		if (kept && !hop_compare(&r->hops[kept - 1], &r->hops[i]))
			r->hops[kept - 1].channels |= r->hops[i].channels;
		else
			r->hops[kept++] = r->hops[i];
	}
	r->n_hops = kept;
}

static uint32_t channels_through(const struct bw_result *r, int32_t map, int32_t writer, int32_t reader)
{
	struct bw_hop key = { .map = map, .writer = writer, .reader = reader };
	const struct bw_hop *h = r->n_hops ? bsearch(&key, r->hops, r->n_hops, sizeof(key), hop_compare) : NULL;

	return h ? h->channels : 0;
}

/* Who uses which map, sorted by map. */
struct user {
	int32_t map, prog;
	uint32_t sources; /* put there; 0 for a reader */
	bool writer;
};

static int user_compare(const void *pa, const void *pb)
{
	const struct user *a = pa, *b = pb;

	if (a->map != b->map)
		return a->map < b->map ? -1 : 1;
	if (a->writer != b->writer)
		return a->writer ? -1 : 1;
	return a->prog < b->prog ? -1 : a->prog > b->prog;
}

void bw_result_cross(struct bw_result *r)
{
	const uint32_t put = BW_MODE_UPDATE | BW_MODE_WRITE, get = BW_MODE_LOOKUP | BW_MODE_READ | BW_MODE_ITERATE;
	struct user *users;
	size_t n_users = 0, cap = 0;
	uint32_t n = 0;

	hops_sort(r);
	for (uint32_t p = 0; p < r->a->n_progs; p++)
		cap += 2 * (size_t)r->a->progs[p].n_maps;
	users = calloc(cap + 1, sizeof(*users));
	r->a->cross = bw_result_alloc(r, MAX_CROSS, sizeof(*r->a->cross));
	if (!users || !r->a->cross) {
		r->failed = true;
		free(users);
		return;
	}
	for (uint32_t p = 0; p < r->a->n_progs; p++)
		for (uint32_t i = 0; i < r->a->progs[p].n_maps; i++) {
			const struct bw_map_use *u = &r->a->progs[p].maps[i];

			if (u->modes & put && u->value_sources | u->key_sources)
				users[n_users++] = (struct user){ u->map, (int32_t)p, u->value_sources | u->key_sources, true };
			if (u->modes & get)
				users[n_users++] = (struct user){ u->map, (int32_t)p, 0, false };
		}
	qsort(users, n_users, sizeof(*users), user_compare);
	for (size_t from = 0, to; from < n_users; from = to) {
		for (to = from; to < n_users && users[to].map == users[from].map;)
			to++;
		for (size_t w = from; w < to && users[w].writer; w++)
			for (size_t d = w + 1; d < to && n < MAX_CROSS; d++) {
				if (users[d].writer || users[d].prog == users[w].prog)
					continue;
				r->a->cross[n++] = (struct bw_cross_flow){
					.map = users[w].map, .writer = users[w].prog, .reader = users[d].prog, .sources = users[w].sources,
					.reader_channels = channels_through(r, users[w].map, users[w].prog, users[d].prog) };
			}
	}
	r->a->n_cross = n;
	free(users);
}
