// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The control flow of a program for people: basic blocks of all functions it reaches, with the steps of a finding marked. */
#include <errno.h>
#include <string.h>

#include "auditor/scan.h"
#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/cleanup.h"

#define BW_MAX_GRAPH_EDGES (4 * BW_MAX_GRAPH_NODES)

struct drawer {
	const struct bw_object *o;
	const struct bw_finding *f;
	uint32_t max_lines;
	struct bw_arena *arena;
	struct bw_graph g;
	int32_t *funcs; /* in the order of first call */
	uint32_t n_funcs;
	uint32_t *first_node; /* per entry of funcs */
	uint32_t *node_insn, *node_end; /* per node: its range in the code */
	uint32_t *node_func;	/* index in funcs */
};

static int32_t func_slot(const struct drawer *d, int32_t func)
{
	for (uint32_t i = 0; i < d->n_funcs; i++)
		if (d->funcs[i] == func)
			return (int32_t)i;
	return -1;
}

static bool decode(const struct bw_object *o, const struct bw_code *c, uint32_t i, struct bw_decoded *ret)
{
	return !bw_insn_decode(c->insns, c->n_insns, i, bw_object_insn_mode(o), ret, NULL);
}

static void collect_funcs(struct drawer *d, int32_t entry)
{
	d->funcs[d->n_funcs++] = entry;
	for (uint32_t at = 0; at < d->n_funcs; at++) {
		const struct bw_func *f = &d->o->funcs[d->funcs[at]];
		const struct bw_code *c = &d->o->codes[f->code];

		for (uint32_t i = 0; i < f->n_insns; i++) {
			const struct bw_reloc *r = bw_code_reloc(c, f->first + i);

			if (!r || (r->kind != BW_RELOC_CALL && r->kind != BW_RELOC_FUNC_ADDR) || r->target < 0 ||
			    r->target >= (int32_t)d->o->n_funcs || func_slot(d, r->target) >= 0 ||
			    d->n_funcs >= BW_MAX_GRAPH_NODES)
				continue;
			d->funcs[d->n_funcs++] = r->target;
		}
	}
}

/* Marks the instructions of a function that begin a block. */
static void find_leaders(const struct drawer *d, const struct bw_func *f, bool *leader)
{
	const struct bw_code *c = &d->o->codes[f->code];
	struct bw_decoded insn;

	leader[0] = true;
	for (uint32_t i = 0; i < f->n_insns; i++) {
		int64_t t;

		if (!decode(d->o, c, f->first + i, &insn))
			continue;
		if (bw_op_is_jump(insn.op)) {
			t = bw_insn_target(&insn, f->first + i, c->n_insns);
			if (t >= f->first && t < (int64_t)f->first + f->n_insns)
				leader[t - f->first] = true;
		}
		if ((bw_op_is_jump(insn.op) || bw_op_ends_block(insn.op)) && i + 1 < f->n_insns)
			leader[i + 1] = true;
		i += insn.slots - 1u;
	}
}

static uint32_t mark_of(const struct drawer *d, int32_t func, uint32_t insn)
{
	const struct bw_object *o = d->o;
	const char *section = o->codes[o->funcs[func].code].name;

	if (!d->f)
		return 0;
	for (uint32_t i = 0; i < d->f->n_steps; i++)
		if (d->f->steps[i].at.insn == insn && !strcmp(d->f->steps[i].at.section, section) &&
		    *d->f->steps[i].function)
			return i + 1;
	return d->f->at.insn == insn && !strcmp(d->f->at.section, section) ? d->f->n_steps + 1 : 0;
}

static void describe_insn(const struct drawer *d, const struct bw_code *c, uint32_t i, const struct bw_decoded *insn,
			  struct bw_buf *b)
{
	const struct bw_reloc *r = bw_code_reloc(c, i);
	const struct bw_object *o = d->o;

	if (insn->op == BW_OP_CALL && !r) {
		const char *name = o->flavour == BW_FLAVOUR_LINUX ? bw_helper_name((uint32_t)insn->imm) : NULL;

		if (name)
			bw_buf_printf(b, "call bpf_%s", name);
		else
			bw_buf_printf(b, "call helper %d", insn->imm);
		return;
	}
	if (r && r->kind == BW_RELOC_CALL && r->target >= 0 && r->target < (int32_t)o->n_funcs) {
		bw_buf_printf(b, "call %s()", o->funcs[r->target].name);
		return;
	}
	if (r && r->kind == BW_RELOC_KFUNC) {
		bw_buf_printf(b, "call %s()", r->symbol);
		return;
	}
	if (r && insn->op == BW_OP_LD_IMM64) {
		const char *name = r->symbol;

		if ((r->kind == BW_RELOC_MAP || r->kind == BW_RELOC_DATA) && r->target >= 0 &&
		    r->target < (int32_t)o->n_maps)
			name = o->maps[r->target].name;
		bw_buf_printf(b, "r%u = &%s", insn->dst, *name ? name : "?");
		if (r->kind == BW_RELOC_DATA)
			bw_buf_printf(b, "[%lld]", (long long)r->addend);
		return;
	}
	bw_insn_text(insn, b);
}

static int fill_node(struct drawer *d, uint32_t n)
{
	int32_t func = d->funcs[d->node_func[n]];
	const struct bw_code *c = &d->o->codes[d->o->funcs[func].code];
	struct bw_graph_node *node = &d->g.nodes[n];
	uint32_t count = d->node_end[n] - d->node_insn[n], shown = 0, total = 0;

	node->lines = bw_arena_alloc(d->arena, count < d->max_lines ? count : d->max_lines, sizeof(*node->lines));
	if (!node->lines)
		return -ENOMEM;
	for (uint32_t i = d->node_insn[n]; i < d->node_end[n]; i++) {
		_cleanup_buf_ struct bw_buf b = { 0 };
		struct bw_decoded insn;
		bool ok = decode(d->o, c, i, &insn);
		uint32_t mark = mark_of(d, func, i);

		total++;
		node->on_flow |= mark > 0;
		/* the last line is kept for the block's end, which says where it goes */
		if (shown < d->max_lines && (shown + 1 < d->max_lines || i + (ok ? insn.slots : 1u) >= d->node_end[n])) {
			if (ok)
				describe_insn(d, c, i, &insn, &b);
			else
				bw_buf_str(&b, "(unknown instruction)");
			node->lines[shown] = (struct bw_graph_line){ .insn = i, .mark = mark };
			node->lines[shown].text = bw_buf_error(&b) ? NULL : bw_arena_str(d->arena, bw_buf_cstr(&b));
			if (!node->lines[shown++].text)
				return -ENOMEM;
		}
		if (ok)
			i += insn.slots - 1u;
	}
	node->n_lines = shown;
	node->n_hidden = total - shown;
	return 0;
}

/* The node of the function that contains the instruction; -1 when it is not drawn. */
static int64_t node_at(const struct drawer *d, uint32_t slot, uint32_t insn)
{
	uint32_t end = slot + 1 < d->n_funcs ? d->first_node[slot + 1] : d->g.n_nodes;

	for (uint32_t n = d->first_node[slot]; n < end; n++)
		if (insn >= d->node_insn[n] && insn < d->node_end[n])
			return n;
	return -1;
}

static void add_edge(struct drawer *d, uint32_t from, int64_t to, enum bw_graph_edge_kind kind)
{
	if (to < 0)
		return;
	if (d->g.n_edges == BW_MAX_GRAPH_EDGES) {
		d->g.truncated = true;
		return;
	}
	for (uint32_t i = d->g.n_edges; i-- > 0 && d->g.edges[i].from == from;)
		if (d->g.edges[i].to == to && d->g.edges[i].kind == kind)
			return;
	d->g.edges[d->g.n_edges++] = (struct bw_graph_edge){ .from = from, .to = (uint32_t)to, .kind = kind };
}

static void add_edges(struct drawer *d, uint32_t n)
{
	uint32_t slot = d->node_func[n];
	const struct bw_func *f = &d->o->funcs[d->funcs[slot]];
	const struct bw_code *c = &d->o->codes[f->code];
	struct bw_decoded insn = { .op = BW_OP_EXIT }, last = insn;
	uint32_t last_at = d->node_insn[n];

	for (uint32_t i = d->node_insn[n]; i < d->node_end[n]; i++) {
		const struct bw_reloc *r = bw_code_reloc(c, i);
		int32_t callee = r && (r->kind == BW_RELOC_CALL || r->kind == BW_RELOC_FUNC_ADDR) ? func_slot(d, r->target) : -1;

		if (callee >= 0 && d->first_node[callee] < d->g.n_nodes)
			add_edge(d, n, d->first_node[callee], BW_EDGE_CALL);
		if (!decode(d->o, c, i, &insn))
			continue;
		last = insn;
		last_at = i;
		i += insn.slots - 1u;
	}
	if (last.op == BW_OP_GOTOX) {
		const struct bw_reloc *r = NULL;

		for (uint32_t i = f->first; i < f->first + f->n_insns; i++) {
			r = bw_code_reloc(c, i);
			if (!r || r->kind != BW_RELOC_JUMPTABLE || r->target < 0 || r->target >= (int32_t)d->o->n_jumptables)
				continue;
			for (uint32_t t = 0; t < d->o->jumptables[r->target].n_targets; t++)
				add_edge(d, n, node_at(d, slot, d->o->jumptables[r->target].targets[t]), BW_EDGE_TAKEN);
		}
		return;
	}
	if (bw_op_is_jump(last.op)) {
		int64_t t = bw_insn_target(&last, last_at, c->n_insns);

		add_edge(d, n, t < 0 ? -1 : node_at(d, slot, (uint32_t)t),
			 last.op == BW_OP_JA ? BW_EDGE_NEXT : BW_EDGE_TAKEN);
	}
	if (!bw_op_ends_block(last.op) && d->node_end[n] < f->first + f->n_insns)
		add_edge(d, n, node_at(d, slot, d->node_end[n]), BW_EDGE_NEXT);
}

static int split_blocks(struct drawer *d)
{
	for (uint32_t s = 0; s < d->n_funcs; s++) {
		const struct bw_func *f = &d->o->funcs[d->funcs[s]];
		_cleanup_free_ bool *leader = calloc(f->n_insns + 1u, sizeof(*leader));

		if (!leader)
			return -ENOMEM;
		d->first_node[s] = d->g.n_nodes;
		if (!f->n_insns)
			continue;
		find_leaders(d, f, leader);
		for (uint32_t i = 0; i < f->n_insns; i++) {
			if (!leader[i])
				continue;
			if (d->g.n_nodes == BW_MAX_GRAPH_NODES) {
				d->g.truncated = true;
				break;
			}
			d->g.nodes[d->g.n_nodes].function = i ? "" : bw_arena_str(d->arena, f->name);
			if (!d->g.nodes[d->g.n_nodes].function)
				return -ENOMEM;
			d->node_func[d->g.n_nodes] = s;
			d->node_insn[d->g.n_nodes] = f->first + i;
			d->node_end[d->g.n_nodes] = f->first + i + 1;
			while (++i < f->n_insns && !leader[i])
				d->node_end[d->g.n_nodes]++;
			i--;
			d->g.n_nodes++;
		}
	}
	return 0;
}

/* The shortest way from one block to another: its edges are marked. Nothing when there is none. */
static void mark_way(struct drawer *d, uint32_t from, uint32_t to, uint32_t *via, uint32_t *queue)
{
	uint32_t head = 0, tail = 0, at = to;

	if (from == to)
		return;
	/* via: 1 + the edge by which a block was reached first */
	memset(via, 0, d->g.n_nodes * sizeof(*via));
	queue[tail++] = from;
	while (head < tail && !via[to]) {
		uint32_t n = queue[head++];

		for (uint32_t i = 0; i < d->g.n_edges; i++) {
			const struct bw_graph_edge *e = &d->g.edges[i];

			if (e->from != n || e->to == from || via[e->to])
				continue;
			via[e->to] = i + 1;
			queue[tail++] = e->to;
		}
	}
	while (via[to] && at != from) {
		d->g.edges[via[at] - 1].on_flow = true;
		at = d->g.edges[via[at] - 1].from;
	}
}

/* The block of each step, in the order of the steps; the way goes from one to the next that is in this drawing. */
static int mark_flow(struct drawer *d)
{
	uint32_t n_steps = d->f ? d->f->n_steps : 0;
	_cleanup_free_ uint32_t *via = calloc(d->g.n_nodes + 1u, sizeof(*via));
	_cleanup_free_ uint32_t *queue = calloc(d->g.n_nodes + 1u, sizeof(*queue));
	int64_t last = -1;

	if (!via || !queue)
		return -ENOMEM;
	for (uint32_t step = 1; step <= n_steps; step++)
		for (uint32_t n = 0; n < d->g.n_nodes; n++)
			for (uint32_t k = 0; k < d->g.nodes[n].n_lines; k++) {
				if (d->g.nodes[n].lines[k].mark != step)
					continue;
				if (last >= 0)
					mark_way(d, (uint32_t)last, n, via, queue);
				last = n;
			}
	return 0;
}

int bw_graph_build(const struct bw_object *o, int32_t prog, const struct bw_finding *f, uint32_t max_lines,
		   struct bw_arena *arena, struct bw_graph *ret)
{
	struct drawer drawer = { .o = o, .f = f, .max_lines = max_lines, .arena = arena }, *d = &drawer;
	int r;

	if (prog < 0 || prog >= (int32_t)o->n_progs || o->progs[prog].func < 0)
		return -ENOENT;
	d->funcs = bw_arena_alloc(arena, BW_MAX_GRAPH_NODES + 1, sizeof(*d->funcs));
	d->first_node = bw_arena_alloc(arena, BW_MAX_GRAPH_NODES + 1, sizeof(*d->first_node));
	d->node_insn = bw_arena_alloc(arena, BW_MAX_GRAPH_NODES, sizeof(*d->node_insn));
	d->node_end = bw_arena_alloc(arena, BW_MAX_GRAPH_NODES, sizeof(*d->node_end));
	d->node_func = bw_arena_alloc(arena, BW_MAX_GRAPH_NODES, sizeof(*d->node_func));
	d->g.nodes = bw_arena_alloc(arena, BW_MAX_GRAPH_NODES, sizeof(*d->g.nodes));
	d->g.edges = bw_arena_alloc(arena, BW_MAX_GRAPH_EDGES, sizeof(*d->g.edges));
	if (!d->funcs || !d->first_node || !d->node_insn || !d->node_end || !d->node_func || !d->g.nodes || !d->g.edges)
		return -ENOMEM;
	collect_funcs(d, o->progs[prog].func);
	r = split_blocks(d);
	for (uint32_t n = 0; n < d->g.n_nodes && r >= 0; n++)
		r = fill_node(d, n);
	for (uint32_t n = 0; n < d->g.n_nodes && r >= 0; n++)
		add_edges(d, n);
	if (r >= 0)
		r = mark_flow(d);
	if (r < 0)
		return r;
	*ret = d->g;
	return 0;
}
