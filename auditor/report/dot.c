// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The control flow in the DOT language (graphviz.org/doc/info/lang.html). */
#include "auditor/report/report.h"

static void put_text(struct bw_buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			bw_buf_char(out, '\\');
		bw_buf_char(out, (unsigned char)*s < ' ' || *s == 0x7f ? '?' : *s);
	}
}

void bw_graph_dot(const struct bw_graph *g, const char *title, struct bw_buf *out)
{
	bw_buf_str(out, "digraph \"");
	put_text(out, title);
	bw_buf_str(out, "\" {\n\tlabel=\"");
	put_text(out, title);
	bw_buf_str(out, "\";\n\tnode [shape=box, fontname=\"monospace\", fontsize=10];\n");
	for (uint32_t n = 0; n < g->n_nodes; n++) {
		const struct bw_graph_node *node = &g->nodes[n];

		bw_buf_printf(out, "\tb%u [%slabel=\"", n, node->on_flow ? "style=filled, fillcolor=\"#ffe2c6\", " : "");
		if (*node->function) {
			put_text(out, node->function);
			bw_buf_str(out, ":\\l");
		}
		for (uint32_t i = 0; i < node->n_lines; i++) {
			if (node->n_hidden && i + 1 == node->n_lines)
				bw_buf_printf(out, "  ... %u more\\l", node->n_hidden);
			if (node->lines[i].mark)
				bw_buf_printf(out, "(%u) ", node->lines[i].mark);
			bw_buf_printf(out, "%u: ", node->lines[i].insn);
			put_text(out, node->lines[i].text);
			bw_buf_str(out, "\\l");
		}
		bw_buf_str(out, "\"];\n");
	}
	for (uint32_t i = 0; i < g->n_edges; i++) {
		const struct bw_graph_edge *e = &g->edges[i];

		bw_buf_printf(out, "\tb%u -> b%u [%s%s%s];\n", e->from, e->to,
			      e->on_flow ? "color=\"#d9480f\", penwidth=2.5" : "color=\"#555555\"",
			      e->kind == BW_EDGE_CALL ? ", style=dashed" : "",
			      e->kind == BW_EDGE_TAKEN ? ", taillabel=\"jump\"" : "");
	}
	if (g->truncated)
		bw_buf_str(out, "\tmore [shape=plaintext, label=\"more blocks are not drawn\"];\n");
	bw_buf_str(out, "}\n");
}
