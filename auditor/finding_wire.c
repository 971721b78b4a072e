// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The form in which a scanned object leaves the sandboxed process. One description serves both directions: each wire_*()
 * writes its variable when .out is set and reads it otherwise.
 *
 *	u32, u64   little endian
 *	string     u32 length, bytes (no NUL inside)
 *	array      u32 count, elements
 */
#include <errno.h>
#include <string.h>

#include "auditor/finding.h"

#define BW_WIRE_VERSION 0x42573101u
/* No object has more of anything; each element takes at least one byte on the wire, so memory is bounded by the input. */
#define BW_MAX_WIRE_COUNT 4000000u

struct wire {
	struct bw_buf *out;
	struct bw_slice in;
	size_t at;
	struct bw_arena *arena;
	int error;
};

static void wire_u32(struct wire *w, uint32_t *v)
{
	uint8_t b[4];

	if (w->out) {
		for (unsigned int i = 0; i < 4; i++)
			b[i] = (uint8_t)(*v >> (8 * i));
		bw_buf_append(w->out, b, sizeof(b));
		return;
	}
	*v = 0;
	if (w->error)
		return;
	if (!bw_slice_copy(w->in, w->at, b, sizeof(b))) {
		w->error = -EBADMSG;
		return;
	}
	w->at += sizeof(b);
	*v = bw_get_u32(b, false);
}

static void wire_u64(struct wire *w, uint64_t *v)
{
	uint32_t lo = (uint32_t)*v, hi = (uint32_t)(*v >> 32);

	wire_u32(w, &lo);
	wire_u32(w, &hi);
	*v = (uint64_t)hi << 32 | lo;
}

static void wire_bool(struct wire *w, bool *v)
{
	uint32_t n = *v;

	wire_u32(w, &n);
	if (n > 1)
		w->error = w->error ? w->error : -EBADMSG;
	*v = n == 1;
}

/* An enumeration with @count members. */
static uint32_t wire_enum(struct wire *w, uint32_t v, uint32_t count)
{
	wire_u32(w, &v);
	if (v >= count) {
		w->error = w->error ? w->error : -EBADMSG;
		return 0;
	}
	return v;
}

static void wire_str(struct wire *w, const char **s)
{
	uint32_t len = w->out ? (uint32_t)strlen(*s) : 0;
	struct bw_slice sub;

	wire_u32(w, &len);
	if (w->out) {
		bw_buf_append(w->out, *s, len);
		return;
	}
	*s = "";
	if (w->error)
		return;
	if (!bw_slice_sub(w->in, w->at, len, &sub) || memchr(sub.data, 0, sub.len)) {
		w->error = -EBADMSG;
		return;
	}
	w->at += len;
	if (!len)
		return;
	*s = bw_arena_strn(w->arena, (const char *)sub.data, len);
	if (!*s) {
		*s = "";
		w->error = -ENOMEM;
	}
}

/* The count of an array, and when reading its memory. */
static uint32_t wire_array(struct wire *w, void *array, uint32_t n, size_t size)
{
	wire_u32(w, &n);
	if (w->out)
		return n;
	*(void **)array = NULL;
	if (w->error || !n)
		return 0;
	if (n > BW_MAX_WIRE_COUNT || n > w->in.len - w->at) {
		w->error = -EBADMSG;
		return 0;
	}
	*(void **)array = bw_arena_alloc(w->arena, n, size);
	if (!*(void **)array) {
		w->error = -ENOMEM;
		return 0;
	}
	return n;
}

static void wire_place(struct wire *w, struct bw_place *p)
{
	wire_str(w, &p->file);
	wire_u32(w, &p->line);
	wire_u32(w, &p->column);
	wire_str(w, &p->text);
	wire_str(w, &p->section);
	wire_u32(w, &p->insn);
}

static void wire_finding(struct wire *w, struct bw_finding *f)
{
	wire_str(w, &f->rule);
	wire_str(w, &f->title);
	f->severity = wire_enum(w, f->severity, BW_SEV_COUNT_);
	f->kind = wire_enum(w, f->kind, BW_KIND_COUNT_);
	wire_str(w, &f->source);
	wire_str(w, &f->channel);
	wire_str(w, &f->message);
	wire_str(w, &f->because);
	wire_str(w, &f->program);
	wire_str(w, &f->function);
	wire_u32(w, &f->ordinal);
	wire_place(w, &f->at);
	f->n_steps = wire_array(w, &f->steps, f->n_steps, sizeof(*f->steps));
	for (uint32_t i = 0; i < f->n_steps; i++) {
		struct bw_finding_step *s = &f->steps[i];

		wire_str(w, &s->kind);
		wire_str(w, &s->text);
		wire_str(w, &s->program);
		wire_str(w, &s->function);
		wire_place(w, &s->at);
	}
	wire_str(w, &f->fingerprint);
	wire_str(w, &f->suppressed);
	wire_bool(w, &f->known);
}

static void wire_graph(struct wire *w, struct bw_graph *g)
{
	g->n_nodes = wire_array(w, &g->nodes, g->n_nodes, sizeof(*g->nodes));
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		struct bw_graph_node *n = &g->nodes[i];

		wire_str(w, &n->function);
		n->n_lines = wire_array(w, &n->lines, n->n_lines, sizeof(*n->lines));
		for (uint32_t k = 0; k < n->n_lines; k++) {
			wire_u32(w, &n->lines[k].insn);
			wire_str(w, &n->lines[k].text);
			wire_u32(w, &n->lines[k].mark);
		}
		wire_u32(w, &n->n_hidden);
		wire_bool(w, &n->on_flow);
	}
	g->n_edges = wire_array(w, &g->edges, g->n_edges, sizeof(*g->edges));
	for (uint32_t i = 0; i < g->n_edges; i++) {
		struct bw_graph_edge *e = &g->edges[i];

		e->from = wire_enum(w, e->from, g->n_nodes);
		e->to = wire_enum(w, e->to, g->n_nodes);
		e->kind = wire_enum(w, e->kind, BW_EDGE_CALL + 1);
		wire_bool(w, &e->on_flow);
	}
	wire_bool(w, &g->truncated);
}

static void wire_program(struct wire *w, struct bw_scan_program *p)
{
	wire_str(w, &p->name);
	wire_str(w, &p->section);
	wire_str(w, &p->type);
	wire_str(w, &p->target);
	wire_u32(w, &p->n_insns);
	wire_str(w, &p->helpers);
	p->n_maps = wire_array(w, &p->maps, p->n_maps, sizeof(*p->maps));
	for (uint32_t i = 0; i < p->n_maps; i++) {
		wire_str(w, &p->maps[i].name);
		wire_str(w, &p->maps[i].type);
		wire_str(w, &p->maps[i].modes);
	}
	p->n_findings = wire_array(w, &p->findings, p->n_findings, sizeof(*p->findings));
	for (uint32_t i = 0; i < p->n_findings; i++)
		wire_finding(w, &p->findings[i]);
	wire_graph(w, &p->graph);
}

static void wire_object(struct wire *w, struct bw_scan_object *o)
{
	uint32_t version = BW_WIRE_VERSION;

	wire_u32(w, &version);
	if (version != BW_WIRE_VERSION)
		w->error = w->error ? w->error : -EBADMSG;
	wire_str(w, &o->path);
	wire_str(w, &o->sha256);
	o->status = wire_enum(w, o->status, BW_SCAN_STATUS_COUNT_);
	o->n_reasons = wire_array(w, &o->reasons, o->n_reasons, sizeof(*o->reasons));
	for (uint32_t i = 0; i < o->n_reasons; i++)
		wire_str(w, &o->reasons[i]);
	wire_u64(w, &o->n_insns);
	o->n_programs = wire_array(w, &o->programs, o->n_programs, sizeof(*o->programs));
	for (uint32_t i = 0; i < o->n_programs; i++)
		wire_program(w, &o->programs[i]);
}

void bw_scan_object_encode(const struct bw_scan_object *o, struct bw_buf *out)
{
	struct wire w = { .out = out };

	/* Writing changes nothing in @o: every wire_*() stores back the value it wrote. */
	wire_object(&w, (struct bw_scan_object *)o);
}

int bw_scan_object_decode(struct bw_slice bytes, struct bw_arena *arena, struct bw_scan_object *ret)
{
	struct bw_scan_object o = { 0 };
	struct wire w = { .in = bytes, .arena = arena };

	wire_object(&w, &o);
	if (w.error)
		return w.error;
	if (w.at != bytes.len)
		return -EBADMSG;
	*ret = o;
	return 0;
}
