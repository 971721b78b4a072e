// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One page for a reviewer: nothing is fetched, everything an object says is escaped, and a strict policy backs that up. */
#include <stdio.h>
#include <string.h>

#include "auditor/report/html_style.h"
#include "auditor/report/report.h"
#include "common/cleanup.h"

struct writer {
	const struct bw_report *r;
	struct bw_buf *out;
	uint32_t graphs;
};

static void esc(struct writer *w, const char *s)
{
	bw_report_xml(w->out, s);
}

static void raw(struct writer *w, const char *s)
{
	bw_buf_str(w->out, s);
}

static void put_badge(struct writer *w, enum bw_severity s)
{
	bw_buf_printf(w->out, "<span class=\"badge %ssev-%s\">%s</span>", s >= BW_SEV_HIGH ? "fill " : "",
		      bw_severity_name(s), bw_severity_name(s));
}

static void put_place(struct writer *w, const struct bw_place *p)
{
	_cleanup_buf_ struct bw_buf path = { 0 };

	if (*p->file && p->line) {
		bw_report_source(w->r, p, &path);
		esc(w, bw_buf_cstr(&path));
		bw_buf_printf(w->out, ":%u:%u", p->line, p->column);
	}
	if (*p->section) {
		raw(w, *p->file && p->line ? " &middot; " : "");
		esc(w, p->section);
		bw_buf_printf(w->out, " instruction %u", p->insn);
	}
}

/* Only as a column is a caret right in a line with tabs: the line's own white space is kept in front of it. */
static void put_excerpt(struct writer *w, const struct bw_place *p)
{
	_cleanup_buf_ struct bw_buf pad = { 0 };
	char number[16];
	size_t len = strlen(p->text);

	if (!len || !p->line)
		return;
	snprintf(number, sizeof(number), "%u", p->line);
	bw_buf_printf(w->out, "<pre class=\"src\"><i>%s | </i>", number);
	esc(w, p->text);
	if (p->column && p->column <= len) {
		for (uint32_t i = 0; i + 1 < p->column; i++)
			bw_buf_char(&pad, p->text[i] == '\t' ? '\t' : ' ');
		bw_buf_printf(w->out, "\n<i>%*s | </i>%s<b aria-hidden=\"true\">^</b>", (int)strlen(number), "",
			      bw_buf_cstr(&pad));
	}
	raw(w, "</pre>\n");
}

static void put_flow(struct writer *w, const struct bw_finding *f)
{
	if (!f->n_steps)
		return;
	raw(w, "<ol class=\"flow\" aria-label=\"Evidence and flow\">\n");
	for (uint32_t i = 0; i < f->n_steps; i++) {
		const struct bw_finding_step *s = &f->steps[i];

		bw_buf_printf(w->out, "<li class=\"%s\" data-n=\"%u\"><span class=\"kind\">%s</span> ", s->kind, i + 1, s->kind);
		esc(w, s->text);
		if (*s->program && strcmp(s->program, f->program)) {
			raw(w, " <span class=\"chip\">in ");
			esc(w, s->program);
			raw(w, "</span>");
		}
		raw(w, "<div class=\"where\">");
		put_place(w, &s->at);
		raw(w, "</div>");
		put_excerpt(w, &s->at);
		raw(w, "</li>\n");
	}
	raw(w, "</ol>\n");
}

static void put_finding(struct writer *w, const struct bw_finding *f)
{
	const struct bw_rule *rule = bw_ruleset_find(w->r->rules, f->rule);

	bw_buf_printf(w->out, "<article class=\"finding sev-%s%s\" data-sev=\"%s\" data-kind=\"%s\">\n<div class=\"head\">",
		      bw_severity_name(f->severity), bw_finding_counts(f) ? "" : " off", bw_severity_name(f->severity),
		      bw_finding_kind_name(f->kind));
	put_badge(w, f->severity);
	bw_buf_printf(w->out, "<span class=\"chip\">%s</span><a href=\"#rule-", bw_finding_kind_name(f->kind));
	esc(w, f->rule);
	raw(w, "\">");
	esc(w, f->rule);
	raw(w, "</a><span class=\"title\">");
	esc(w, f->title);
	raw(w, "</span>");
	if (*f->source || *f->channel) {
		raw(w, "<span class=\"chip\">");
		esc(w, *f->source ? f->source : "?");
		raw(w, " &rarr; ");
		esc(w, *f->channel ? f->channel : "?");
		raw(w, "</span>");
	}
	raw(w, "</div>\n<p>");
	esc(w, f->message);
	raw(w, "</p>\n");
	if (*f->because) {
		raw(w, "<p class=\"because\">Why this severity: ");
		esc(w, f->because);
		raw(w, "</p>\n");
	}
	if (*f->suppressed) {
		raw(w, "<p class=\"because\">Suppressed: ");
		esc(w, f->suppressed);
		raw(w, "</p>\n");
	} else if (f->known) {
		raw(w, "<p class=\"because\">In the baseline.</p>\n");
	}
	raw(w, "<div class=\"where\">");
	put_place(w, &f->at);
	raw(w, "</div>\n");
	if (!f->n_steps)
		put_excerpt(w, &f->at);
	put_flow(w, f);
	if (rule && f->severity >= BW_SEV_MEDIUM) {
		raw(w, "<p><strong>What to do:</strong> ");
		esc(w, rule->remediation);
		raw(w, "</p>\n");
	}
	raw(w, "</article>\n");
}

static void put_graph(struct writer *w, const struct bw_scan_program *p)
{
	_cleanup_buf_ struct bw_buf title = { 0 };
	char id[24];

	if (!p->graph.n_nodes)
		return;
	snprintf(id, sizeof(id), "g%u", w->graphs++);
	bw_buf_printf(&title, "Control flow of %s: %u blocks", p->name, p->graph.n_nodes);
	bw_buf_printf(w->out, "<details><summary>Control flow, with the first finding's steps marked (%u blocks%s)</summary>\n"
			      "<div class=\"cfgbox\" tabindex=\"0\" role=\"region\" aria-label=\"Control flow drawing\">\n",
		      p->graph.n_nodes, p->graph.truncated ? ", more are not drawn" : "");
	bw_graph_svg(&p->graph, bw_buf_cstr(&title), id, false, w->out);
	raw(w, "</div>\n<p class=\"legend\">Orange: blocks and ways of the flow; numbers in brackets are its steps. Green: the "
	       "jump is taken. Dashed: a call.</p></details>\n");
}

static void put_facts(struct writer *w, const struct bw_scan_program *p)
{
	raw(w, "<dl class=\"facts\"><dt>Section</dt><dd>");
	esc(w, *p->section ? p->section : "-");
	raw(w, "</dd><dt>Type</dt><dd>");
	esc(w, p->type);
	raw(w, "</dd><dt>Attached to</dt><dd>");
	esc(w, *p->target ? p->target : "-");
	bw_buf_printf(w->out, "</dd><dt>Instructions</dt><dd>%u</dd><dt>Calls</dt><dd>", p->n_insns);
	esc(w, *p->helpers ? p->helpers : "-");
	raw(w, "</dd><dt>Maps</dt><dd>");
	for (uint32_t i = 0; i < p->n_maps; i++) {
		raw(w, i ? "<br>" : "");
		esc(w, p->maps[i].name);
		raw(w, " <span class=\"where\">");
		esc(w, p->maps[i].type);
		raw(w, "; ");
		esc(w, p->maps[i].modes);
		raw(w, "</span>");
	}
	raw(w, p->n_maps ? "</dd></dl>\n" : "-</dd></dl>\n");
}

static void put_program(struct writer *w, const struct bw_scan_program *p)
{
	bool open = false;
	int worst = -1;

	for (uint32_t i = 0; i < p->n_findings; i++) {
		if (bw_finding_counts(&p->findings[i]) && (int)p->findings[i].severity > worst)
			worst = (int)p->findings[i].severity;
		open |= bw_finding_counts(&p->findings[i]) && p->findings[i].severity >= BW_SEV_MEDIUM;
	}
	bw_buf_printf(w->out, "<details class=\"program\"%s><summary><h4>", open ? " open" : "");
	esc(w, *p->name ? p->name : "(no program)");
	raw(w, "</h4> <span class=\"where\">");
	esc(w, p->section);
	raw(w, "</span>");
	if (worst >= 0)
		put_badge(w, (enum bw_severity)worst);
	else
		raw(w, "<span class=\"where\"> nothing found</span>");
	raw(w, "</summary>\n");
	put_facts(w, p);
	for (uint32_t i = 0; i < p->n_findings; i++)
		if (p->findings[i].severity >= w->r->show)
			put_finding(w, &p->findings[i]);
	put_graph(w, p);
	raw(w, "</details>\n");
}

static void count_object(const struct bw_scan_object *o, uint32_t *by)
{
	memset(by, 0, BW_SEV_COUNT_ * sizeof(*by));
	for (uint32_t p = 0; p < o->n_programs; p++)
		for (uint32_t k = 0; k < o->programs[p].n_findings; k++)
			by[o->programs[p].findings[k].severity] += bw_finding_counts(&o->programs[p].findings[k]);
}

static void put_status(struct writer *w, const struct bw_scan_object *o)
{
	bw_buf_printf(w->out, "<span class=\"badge %s\">%s</span>", o->status == BW_SCAN_OK ? "pass" : "fill broken",
		      bw_scan_status_name(o->status));
}

static void put_overview(struct writer *w)
{
	const struct bw_scan *s = w->r->scan;
	uint32_t by[BW_SEV_COUNT_];

	raw(w, "<h2 id=\"objects\">Objects</h2>\n<div class=\"scroll\"><table>\n<caption class=\"skip\">Objects and the number of "
	       "their findings by severity</caption>\n<thead><tr><th scope=\"col\">Object</th><th scope=\"col\">Status</th>"
	       "<th scope=\"col\" class=\"num\">Programs</th>");
	for (unsigned int i = BW_SEV_COUNT_; i-- > 0;)
		bw_buf_printf(w->out, "<th scope=\"col\" class=\"num\">%s</th>", bw_severity_name(i));
	raw(w, "</tr></thead>\n<tbody>\n");
	for (uint32_t i = 0; i < s->n_objects; i++) {
		const struct bw_scan_object *o = &s->objects[i];

		count_object(o, by);
		bw_buf_printf(w->out, "<tr><td><a class=\"path\" href=\"#o%u\">", i);
		esc(w, o->path);
		raw(w, "</a></td><td>");
		put_status(w, o);
		bw_buf_printf(w->out, "</td><td class=\"num\">%u</td>", o->n_programs);
		for (unsigned int k = BW_SEV_COUNT_; k-- > 0;)
			if (by[k])
				bw_buf_printf(w->out, "<td class=\"num\"><span class=\"badge %ssev-%s\">%u</span></td>",
					      k >= BW_SEV_HIGH ? "fill " : "", bw_severity_name(k), by[k]);
			else
				raw(w, "<td class=\"num where\">0</td>");
		raw(w, "</tr>\n");
	}
	raw(w, "</tbody></table></div>\n");
}

static void put_tile(struct writer *w, const char *class_name, uint64_t n, const char *label)
{
	bw_buf_printf(w->out, "<li class=\"tile %s%s\"><b>%llu</b><span>%s</span></li>\n", class_name, n ? "" : " zero",
		      (unsigned long long)n, label);
}

static void put_summary(struct writer *w)
{
	struct bw_counts c;
	uint32_t above = 0;

	bw_report_count(w->r->scan, &c);
	for (unsigned int i = w->r->fail_on; i < BW_SEV_COUNT_; i++)
		above += c.by_severity[i];
	if (c.unreadable || c.incomplete)
		bw_buf_printf(w->out,
			      "<p class=\"verdict broken\"><strong>Not everything could be judged.</strong> %u unreadable, %u "
			      "incomplete.</p>\n",
			      c.unreadable, c.incomplete);
	if (above)
		bw_buf_printf(w->out,
			      "<p class=\"verdict fail\"><strong>%u finding%s at %s or above.</strong> Findings of kind "
			      "<em>attack</em> are evidence of hiding, tampering, stealth or theft; those of kind "
			      "<em>capability</em> are for an approver to decide on.</p>\n",
			      above, above == 1 ? "" : "s", bw_severity_name(w->r->fail_on));
	else if (!c.unreadable && !c.incomplete)
		bw_buf_printf(w->out, "<p class=\"verdict pass\"><strong>Nothing at %s or above.</strong></p>\n",
			      bw_severity_name(w->r->fail_on));
	raw(w, "<ul class=\"tiles\">\n");
	put_tile(w, "", c.objects, "objects");
	put_tile(w, "", c.programs, "programs");
	for (unsigned int i = BW_SEV_COUNT_; i-- > 0;) {
		char class_name[32];

		snprintf(class_name, sizeof(class_name), "sev-%s", bw_severity_name(i));
		put_tile(w, class_name, c.by_severity[i], bw_severity_name(i));
	}
	if (c.suppressed || c.known)
		put_tile(w, "", (uint64_t)c.suppressed + c.known, "suppressed or in the baseline");
	raw(w, "</ul>\n<form class=\"filter\" hidden role=\"search\" aria-label=\"Filter findings\">\n");
	for (unsigned int i = BW_SEV_COUNT_; i-- > 0;)
		bw_buf_printf(w->out, "<label><input type=\"checkbox\" value=\"%s\" checked> %s</label>\n", bw_severity_name(i),
			      bw_severity_name(i));
	for (unsigned int i = 0; i < BW_KIND_COUNT_; i++)
		bw_buf_printf(w->out, "<label><input type=\"checkbox\" value=\"%s\" checked> %s</label>\n",
			      bw_finding_kind_name(i), bw_finding_kind_name(i));
	raw(w, "<input type=\"search\" name=\"q\" placeholder=\"Search findings\" aria-label=\"Search findings\">"
	       "<output aria-live=\"polite\"></output></form>\n");
}

static bool rule_found(const struct bw_scan *s, const char *id)
{
	for (uint32_t i = 0; i < s->n_objects; i++)
		for (uint32_t p = 0; p < s->objects[i].n_programs; p++)
			for (uint32_t k = 0; k < s->objects[i].programs[p].n_findings; k++)
				if (!strcmp(s->objects[i].programs[p].findings[k].rule, id))
					return true;
	return false;
}

static void put_rules(struct writer *w)
{
	raw(w, "<h2 id=\"rules\">Rules that spoke</h2>\n<section class=\"object\">\n");
	for (uint32_t i = 0; i < w->r->rules->n_rules; i++) {
		const struct bw_rule *rule = &w->r->rules->rules[i];

		if (!rule_found(w->r->scan, rule->id))
			continue;
		raw(w, "<dl class=\"rule\" id=\"rule-");
		esc(w, rule->id);
		raw(w, "\"><dt>");
		esc(w, rule->id);
		raw(w, " ");
		esc(w, rule->title);
		raw(w, "</dt><dd>");
		esc(w, rule->rationale);
		raw(w, "</dd><dd><strong>What to do:</strong> ");
		esc(w, rule->remediation);
		raw(w, "</dd>");
		for (uint32_t k = 0; k < rule->n_attack; k++) {
			raw(w, k ? " <span class=\"chip\">" : "<dd><span class=\"chip\">");
			raw(w, "ATT&amp;CK ");
			esc(w, rule->attack[k]);
			raw(w, "</span>");
		}
		raw(w, rule->n_attack ? "</dd></dl>\n" : "</dl>\n");
	}
	raw(w, "</section>\n");
}

void bw_report_html(const struct bw_report *r, struct bw_buf *out)
{
	struct writer writer = { .r = r, .out = out }, *w = &writer;
	_cleanup_buf_ struct bw_buf line = { 0 };

	raw(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	       "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
	       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	       "<meta name=\"color-scheme\" content=\"light dark\">\n<title>bpfwarden scan</title>\n<style>\n");
	raw(w, html_style);
	raw(w, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#objects\">Skip to the objects</a>\n"
	       "<header><h1>bpfwarden <small>scan report</small></h1>\n<p class=\"lead\">");
	bw_report_summary(r, &line);
	esc(w, bw_buf_cstr(&line));
	raw(w, "</p>\n</header>\n<main>\n");
	put_summary(w);
	put_overview(w);
	raw(w, "<h2>Findings</h2>\n");
	for (uint32_t i = 0; i < r->scan->n_objects; i++) {
		const struct bw_scan_object *o = &r->scan->objects[i];

		bw_buf_printf(out, "<section class=\"object\" id=\"o%u\" aria-labelledby=\"h%u\">\n<header><h3 id=\"h%u\">", i, i, i);
		esc(w, o->path);
		raw(w, " ");
		put_status(w, o);
		raw(w, "</h3><div class=\"hash\">");
		raw(w, *o->sha256 ? "sha256 " : "");
		esc(w, o->sha256);
		raw(w, "</div></header>\n");
		if (o->n_reasons)
			raw(w, "<ul>\n");
		for (uint32_t k = 0; k < o->n_reasons; k++) {
			raw(w, "<li>");
			esc(w, o->reasons[k]);
			raw(w, "</li>\n");
		}
		if (o->n_reasons)
			raw(w, "</ul>\n");
		for (uint32_t p = 0; p < o->n_programs; p++)
			put_program(w, &o->programs[p]);
		raw(w, "</section>\n");
	}
	put_rules(w);
	raw(w, "</main>\n<footer>Made by bpfwarden " BW_VERSION ". The page is complete in itself: it loads nothing.</footer>\n"
	       "<script>");
	raw(w, html_script);
	raw(w, "</script>\n</body>\n</html>\n");
}
