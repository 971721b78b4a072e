// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The control flow as a drawing, in layers (after Sugiyama, Tagawa, Toda 1981): each block one layer below the lowest of its
 * predecessors; long edges pass through invisible points; blocks are ordered by the mean place of their neighbours.
 * Blocks are numbered in instruction order, so an edge to a lower number is a loop's way back, and is drawn at the side.
 */
#include <string.h>

#include "auditor/report/report.h"
#include "common/cleanup.h"

#define CHAR_W 7 /* of the 11 px monospace font, rounded up */
#define LINE_H 15
#define PAD 8
#define GAP_X 28
#define GAP_Y 34
#define MAX_TEXT 64
#define MAX_POINTS 12000u /* blocks and bends together */

struct item {
	int node;  /* -1: a bend of an edge */
	int layer, order;
	int x, y, w, h; /* top left */
};

struct route {
	uint32_t first, n; /* bends in items */
	bool back;
};

struct layout {
	const struct bw_graph *g;
	struct item *items;
	uint32_t n_items;
	uint32_t *by_layer; /* item numbers, layer by layer, in order */
	uint32_t *layer_at; /* where each layer begins in by_layer; n_layers + 1 */
	uint32_t n_layers;
	struct route *routes; /* per edge */
	uint32_t (*segs)[2]; /* neighbouring items, upper and lower */
	uint32_t n_segs;
	int64_t *sum;
	int *count;
	int width, height, back_lanes;
};

static int text_cells(const char *s)
{
	size_t n = strlen(s);

	return n > MAX_TEXT ? MAX_TEXT + 3 : (int)n;
}

static void measure(const struct bw_graph_node *n, struct item *it)
{
	int cells = *n->function ? text_cells(n->function) + 2 : 6;
	int lines = (int)n->n_lines + (*n->function != 0) + (n->n_hidden != 0);

	for (uint32_t i = 0; i < n->n_lines; i++) {
		int c = text_cells(n->lines[i].text) + 7 + (n->lines[i].mark ? 3 : 0);

		cells = c > cells ? c : cells;
	}
	it->w = cells * CHAR_W + 2 * PAD;
	it->h = lines * LINE_H + 2 * PAD;
}

static bool is_back(const struct bw_graph_edge *e)
{
	return e->to <= e->from;
}

static void assign_layers(struct layout *l)
{
	bool changed = true;

	/* edges are sorted by their start, and go forward: one pass is enough, the second sees that */
	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < l->g->n_edges; i++) {
			const struct bw_graph_edge *e = &l->g->edges[i];

			if (!is_back(e) && l->items[e->to].layer <= l->items[e->from].layer) {
				l->items[e->to].layer = l->items[e->from].layer + 1;
				changed = true;
			}
		}
	}
}

static void add_seg(struct layout *l, uint32_t up, uint32_t down)
{
	l->segs[l->n_segs][0] = up;
	l->segs[l->n_segs++][1] = down;
}

static void add_bends(struct layout *l)
{
	for (uint32_t i = 0; i < l->g->n_edges; i++) {
		const struct bw_graph_edge *e = &l->g->edges[i];
		int from = l->items[e->from].layer, to = l->items[e->to].layer;
		uint32_t prev = e->from;

		l->routes[i].first = l->n_items;
		l->routes[i].back = is_back(e);
		if (is_back(e)) {
			l->back_lanes++;
			continue;
		}
		if (l->n_items + (uint32_t)(to - from) < MAX_POINTS)
			for (int layer = from + 1; layer < to; layer++) {
				l->items[l->n_items] = (struct item){ .node = -1, .layer = layer, .w = 10 };
				add_seg(l, prev, l->n_items);
				prev = l->n_items++;
				l->routes[i].n++;
			}
		add_seg(l, prev, e->to);
	}
}

static void group_layers(struct layout *l)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < l->n_items; i++)
		if ((uint32_t)l->items[i].layer + 1 > l->n_layers)
			l->n_layers = (uint32_t)l->items[i].layer + 1;
	for (uint32_t layer = 0; layer < l->n_layers; layer++) {
		l->layer_at[layer] = at;
		for (uint32_t i = 0; i < l->n_items; i++)
			if (l->items[i].layer == (int)layer) {
				l->items[i].order = (int)(at - l->layer_at[layer]);
				l->by_layer[at++] = i;
			}
	}
	l->layer_at[l->n_layers] = at;
}

/* Adds up, for each item, its neighbours' values above (@down: below). */
static void sum_neighbours(struct layout *l, bool down, bool centres)
{
	memset(l->sum, 0, l->n_items * sizeof(*l->sum));
	memset(l->count, 0, l->n_items * sizeof(*l->count));
	for (uint32_t i = 0; i < l->n_segs; i++) {
		uint32_t me = l->segs[i][down ? 0 : 1], other = l->segs[i][down ? 1 : 0];
		const struct item *o = &l->items[other];

		l->sum[me] += centres ? o->x + o->w / 2 : o->order * 1000;
		l->count[me]++;
	}
}

static void order_layer(struct layout *l, uint32_t layer)
{
	uint32_t *list = &l->by_layer[l->layer_at[layer]];
	uint32_t n = l->layer_at[layer + 1] - l->layer_at[layer];

	/* insertion sort: stable, and layers are short or nearly sorted */
	for (uint32_t i = 1; i < n; i++) {
		uint32_t it = list[i], k = i;
		int64_t key = l->count[it] ? l->sum[it] / l->count[it] : l->items[it].order * 1000;

		for (; k > 0; k--) {
			uint32_t p = list[k - 1];

			if ((l->count[p] ? l->sum[p] / l->count[p] : l->items[p].order * 1000) <= key)
				break;
			list[k] = p;
		}
		list[k] = it;
	}
	for (uint32_t i = 0; i < n; i++)
		l->items[list[i]].order = (int)i;
}

static void order_items(struct layout *l)
{
	for (int sweep = 0; sweep < 6; sweep++) {
		bool down = sweep & 1;

		for (uint32_t k = 0; k < l->n_layers; k++) {
			uint32_t layer = down ? l->n_layers - 1 - k : k;

			/* sums of the whole graph for one layer would be quadratic: they are refreshed a few times a sweep */
			if (l->n_layers <= 64 || k % (l->n_layers / 16) == 0)
				sum_neighbours(l, down, false);
			order_layer(l, layer);
		}
	}
}

static void place_layer(struct layout *l, uint32_t layer)
{
	uint32_t *list = &l->by_layer[l->layer_at[layer]];
	uint32_t n = l->layer_at[layer + 1] - l->layer_at[layer];
	int64_t shift = 0;
	int right = INT32_MIN / 2;

	for (uint32_t i = 0; i < n; i++) {
		struct item *it = &l->items[list[i]];
		int want = l->count[list[i]] ? (int)(l->sum[list[i]] / l->count[list[i]]) - it->w / 2 : it->x;

		it->x = want > right ? want : right;
		right = it->x + it->w + GAP_X;
		shift += it->x - want;
	}
	/* pushing only to the right drifts: give back the mean */
	shift = n ? shift / (int64_t)n : 0;
	for (uint32_t i = 0; i < n; i++)
		l->items[list[i]].x -= (int)shift;
}

static void place_items(struct layout *l)
{
	int y = PAD + GAP_Y, left = INT32_MAX, right = 0; /* room above for ways back to the first layer */

	for (uint32_t layer = 0; layer < l->n_layers; layer++) {
		int x = 0, h = 0;

		for (uint32_t i = l->layer_at[layer]; i < l->layer_at[layer + 1]; i++) {
			struct item *it = &l->items[l->by_layer[i]];

			it->x = x;
			it->y = y;
			x += it->w + GAP_X;
			h = it->h > h ? it->h : h;
		}
		for (uint32_t i = l->layer_at[layer]; i < l->layer_at[layer + 1]; i++)
			if (l->items[l->by_layer[i]].node < 0)
				l->items[l->by_layer[i]].h = h;
		y += h + GAP_Y;
	}
	l->height = y;
	for (int pass = 0; pass < 4; pass++) {
		bool down = pass & 1;

		for (uint32_t k = 0; k < l->n_layers; k++) {
			if (l->n_layers <= 64 || k % (l->n_layers / 16) == 0)
				sum_neighbours(l, down, true);
			place_layer(l, down ? l->n_layers - 1 - k : k);
		}
	}
	for (uint32_t i = 0; i < l->n_items; i++)
		left = l->items[i].x < left ? l->items[i].x : left;
	for (uint32_t i = 0; i < l->n_items; i++) {
		l->items[i].x += PAD - left;
		right = l->items[i].x + l->items[i].w > right ? l->items[i].x + l->items[i].w : right;
	}
	l->width = right + PAD + (l->back_lanes ? 10 * (l->back_lanes < 12 ? l->back_lanes : 12) + GAP_X : 0);
}

static void put_text_line(struct bw_buf *out, int x, int y, const char *class_name, const char *prefix, const char *s)
{
	char cut[MAX_TEXT + 4];

	bw_buf_printf(out, "<text x=\"%d\" y=\"%d\"%s%s%s>", x, y, *class_name ? " class=\"" : "", class_name,
		      *class_name ? "\"" : "");
	bw_report_xml(out, prefix);
	if (strlen(s) > MAX_TEXT) {
		snprintf(cut, sizeof(cut), "%.*s...", MAX_TEXT, s);
		s = cut;
	}
	bw_report_xml(out, s);
	bw_buf_str(out, "</text>\n");
}

static void put_node(const struct layout *l, uint32_t n, struct bw_buf *out)
{
	const struct bw_graph_node *node = &l->g->nodes[n];
	const struct item *it = &l->items[n];
	int y = it->y + PAD + 11;

	bw_buf_printf(out, "<g class=\"b%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>\n",
		      node->on_flow ? " f" : "", it->x, it->y, it->w, it->h);
	if (*node->function) {
		put_text_line(out, it->x + PAD, y, "n", "", node->function);
		y += LINE_H;
	}
	for (uint32_t i = 0; i < node->n_lines; i++) {
		char prefix[40];

		if (node->n_hidden && i + 1 == node->n_lines) {
			snprintf(prefix, sizeof(prefix), "      ... %u more", node->n_hidden);
			put_text_line(out, it->x + PAD, y, "d", prefix, "");
			y += LINE_H;
		}
		if (node->lines[i].mark)
			bw_buf_printf(out, "<rect class=\"m\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", it->x + 1, y - 11,
				      it->w - 2, LINE_H);
		if (node->lines[i].mark)
			snprintf(prefix, sizeof(prefix), "%5u: (%u) ", node->lines[i].insn, node->lines[i].mark);
		else
			snprintf(prefix, sizeof(prefix), "%5u: ", node->lines[i].insn);
		put_text_line(out, it->x + PAD, y, node->lines[i].mark ? "s" : "", prefix, node->lines[i].text);
		y += LINE_H;
	}
	bw_buf_str(out, "</g>\n");
}

/* Where an edge leaves its block: the ways of a branch side by side. */
static int leave_x(const struct layout *l, const struct bw_graph_edge *e)
{
	const struct item *it = &l->items[e->from];

	return it->x + it->w / 2 + (e->kind == BW_EDGE_TAKEN ? 12 : e->kind == BW_EDGE_CALL ? 30 : -12);
}

static void put_edge(const struct layout *l, uint32_t i, const char *id, int lane, struct bw_buf *out)
{
	const struct bw_graph_edge *e = &l->g->edges[i];
	const struct item *from = &l->items[e->from], *to = &l->items[e->to];
	int x = leave_x(l, e), y = from->y + from->h, tx = to->x + to->w / 2, ty = to->y - 2;

	bw_buf_printf(out, "<path class=\"e %s%s\" marker-end=\"url(#%s%s)\" d=\"M%d %d",
		      e->kind == BW_EDGE_TAKEN ? "t" : e->kind == BW_EDGE_CALL ? "c" : "x", e->on_flow ? " f" : "", id,
		      e->on_flow ? "f" : "a", x, y);
	if (l->routes[i].back) {
		int side = l->width - PAD - 10 * (lane % 12);

		bw_buf_printf(out, " C%d %d %d %d %d %d L%d %d C%d %d %d %d %d %d\"/>\n", x, y + 22, side, y + 22, side, y,
			      side, to->y, side, to->y - 24, tx + 24, to->y - 24, tx + 24, ty);
		return;
	}
	for (uint32_t k = 0; k < l->routes[i].n; k++) {
		const struct item *b = &l->items[l->routes[i].first + k];
		int bx = b->x + b->w / 2;

		bw_buf_printf(out, " C%d %d %d %d %d %d L%d %d", x, (y + b->y) / 2, bx, (y + b->y) / 2, bx, b->y, bx,
			      b->y + b->h);
		x = bx;
		y = b->y + b->h;
	}
	bw_buf_printf(out, " C%d %d %d %d %d %d\"/>\n", x, (y + ty) / 2, tx, (y + ty) / 2, tx, ty);
}

static const char style[] =
	"<style>svg.cfg{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace}"
	".cfg text{fill:#24292f;white-space:pre}.cfg .n{font-weight:700;fill:#0550ae}.cfg .d{fill:#6e7781}.cfg .s{font-weight:700}"
	".cfg .b rect{fill:#fff;stroke:#8c959f}.cfg .b.f>rect:first-child{stroke:#d9480f;stroke-width:2;fill:#fff8f1}"
	".cfg .b .m{fill:#ffd8a8;stroke:none}.cfg .e{fill:none;stroke:#6e7781;stroke-width:1.2}"
	".cfg .e.t{stroke:#1a7f37}.cfg .e.c{stroke-dasharray:4 3}.cfg .e.f{stroke:#d9480f;stroke-width:2.4}</style>";

static int make_layout(const struct bw_graph *g, struct layout *l)
{
	uint32_t max = MAX_POINTS + g->n_nodes;

	l->g = g;
	l->items = calloc(max, sizeof(*l->items));
	l->by_layer = calloc(max, sizeof(*l->by_layer));
	l->layer_at = calloc(max + 1u, sizeof(*l->layer_at));
	l->routes = calloc(g->n_edges + 1u, sizeof(*l->routes));
	l->segs = calloc(max + g->n_edges, sizeof(*l->segs));
	l->sum = calloc(max, sizeof(*l->sum));
	l->count = calloc(max, sizeof(*l->count));
	if (!l->items || !l->by_layer || !l->layer_at || !l->routes || !l->segs || !l->sum || !l->count)
		return -ENOMEM;
	for (uint32_t n = 0; n < g->n_nodes; n++) {
		l->items[n].node = (int)n;
		measure(&g->nodes[n], &l->items[n]);
	}
	l->n_items = g->n_nodes;
	assign_layers(l);
	add_bends(l);
	group_layers(l);
	order_items(l);
	place_items(l);
	return 0;
}

static void free_layout(struct layout *l)
{
	free(l->items);
	free(l->by_layer);
	free(l->layer_at);
	free(l->routes);
	free(l->segs);
	free(l->sum);
	free(l->count);
}

void bw_graph_svg(const struct bw_graph *g, const char *title, const char *id, bool standalone, struct bw_buf *out)
{
	struct layout l = { 0 };
	int lane = 0;

	if (make_layout(g, &l) < 0) {
		free_layout(&l);
		out->error = -ENOMEM;
		return;
	}
	bw_buf_printf(out,
		      "<svg class=\"cfg\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" height=\"%d\" "
		      "viewBox=\"0 0 %d %d\" aria-labelledby=\"%st\">\n<title id=\"%st\">",
		      l.width, l.height, l.width, l.height, id, id);
	bw_report_xml(out, title);
	bw_buf_str(out, "</title>\n");
	if (standalone)
		bw_buf_str(out, style);
	bw_buf_printf(out,
		      "<defs><marker id=\"%sa\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
		      "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#6e7781\"/></marker><marker id=\"%sf\" "
		      "viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"5\" markerHeight=\"5\" orient=\"auto\">"
		      "<path d=\"M0 0L8 4L0 8z\" fill=\"#d9480f\"/></marker></defs>\n",
		      id, id);
	for (uint32_t i = 0; i < g->n_edges; i++)
		put_edge(&l, i, id, l.routes[i].back ? lane++ : 0, out);
	for (uint32_t n = 0; n < g->n_nodes; n++)
		put_node(&l, n, out);
	bw_buf_str(out, "</svg>\n");
	free_layout(&l);
}
