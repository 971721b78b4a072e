// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For people at a terminal. Colour says severity; nothing is said by colour alone. */
#include <string.h>

#include "auditor/report/report.h"
#include "common/cleanup.h"

struct writer {
	const struct bw_report *r;
	struct bw_buf *out;
};

static const char *const severity_colours[] = {
	[BW_SEV_INFO] = "2",	 [BW_SEV_LOW] = "36",	      [BW_SEV_MEDIUM] = "33",
	[BW_SEV_HIGH] = "1;31", [BW_SEV_CRITICAL] = "1;97;41",
};

static void put(struct writer *w, const char *colour, const char *s)
{
	if (w->r->colour)
		bw_buf_printf(w->out, "\033[%sm", colour);
	bw_report_plain(w->out, s);
	if (w->r->colour)
		bw_buf_str(w->out, "\033[0m");
}

/* The source line with a caret under the column; tabs are widened so that the caret stands where it should. */
static void put_excerpt(struct writer *w, const struct bw_place *p)
{
	_cleanup_buf_ struct bw_buf line = { 0 };
	const char *text = p->text;
	uint32_t caret = 0, col = 1, cells = 0;
	char number[16];
	bool leading = true;

	if (!*text || !p->line)
		return;
	while (*text && line.len < 200) {
		size_t n = 1;

		if (col == p->column)
			caret = cells;
		if (*text == '\t') {
			bw_buf_str(&line, leading ? "    " : " ");
			cells += leading ? 4 : 1;
		} else {
			n = bw_report_plain_char(&line, text);
			leading &= *text == ' ';
			cells++;
		}
		text += n;
		col += (uint32_t)n;
	}
	snprintf(number, sizeof(number), "%u", p->line);
	bw_buf_str(w->out, "      ");
	put(w, "34", number);
	put(w, "34", " | ");
	bw_buf_str(w->out, bw_buf_cstr(&line));
	bw_buf_char(w->out, '\n');
	if (!p->column || p->column >= col)
		return;
	bw_buf_printf(w->out, "      %*s", (int)strlen(number), "");
	put(w, "34", " | ");
	bw_buf_printf(w->out, "%*s", (int)caret, "");
	put(w, "1;32", "^");
	bw_buf_char(w->out, '\n');
}

static void put_place(struct writer *w, const struct bw_place *p)
{
	_cleanup_buf_ struct bw_buf path = { 0 };

	if (*p->file && p->line) {
		bw_report_source(w->r, p, &path);
		bw_report_plain(w->out, bw_buf_cstr(&path));
		bw_buf_printf(w->out, ":%u:%u", p->line, p->column);
	} else if (*p->section) {
		bw_report_plain(w->out, p->section);
		bw_buf_printf(w->out, ", instruction %u", p->insn);
	}
}

static void put_steps(struct writer *w, const struct bw_finding *f)
{
	for (uint32_t i = 0; i < f->n_steps; i++) {
		const struct bw_finding_step *s = &f->steps[i];

		bw_buf_printf(w->out, "      %2u. %-8s ", i + 1, s->kind);
		bw_report_plain(w->out, s->text);
		if (*s->program && strcmp(s->program, f->program)) {
			bw_buf_str(w->out, " [in ");
			bw_report_plain(w->out, s->program);
			bw_buf_char(w->out, ']');
		}
		if (*s->at.file || *s->at.section) {
			bw_buf_str(w->out, "  (");
			put_place(w, &s->at);
			bw_buf_char(w->out, ')');
		}
		bw_buf_char(w->out, '\n');
	}
}

static void put_finding(struct writer *w, const struct bw_finding *f)
{
	bw_buf_str(w->out, "    ");
	put(w, severity_colours[f->severity], bw_severity_name(f->severity));
	bw_buf_printf(w->out, " %s ", bw_finding_kind_name(f->kind));
	put(w, "1", f->rule);
	bw_buf_str(w->out, " ");
	bw_report_plain(w->out, f->message);
	bw_buf_char(w->out, '\n');
	if (*f->because) {
		bw_buf_str(w->out, "      why: ");
		bw_report_plain(w->out, f->because);
		bw_buf_char(w->out, '\n');
	}
	if (*f->at.section || *f->at.file) {
		bw_buf_str(w->out, "      --> ");
		put_place(w, &f->at);
		bw_buf_char(w->out, '\n');
		put_excerpt(w, &f->at);
	}
	put_steps(w, f);
	if (*f->suppressed) {
		bw_buf_str(w->out, "      suppressed: ");
		bw_report_plain(w->out, f->suppressed);
		bw_buf_char(w->out, '\n');
	} else if (f->known) {
		bw_buf_str(w->out, "      in the baseline\n");
	}
}

static uint32_t put_program(struct writer *w, const struct bw_scan_program *p)
{
	uint32_t hidden = 0, shown = 0;

	for (uint32_t i = 0; i < p->n_findings; i++)
		p->findings[i].severity >= w->r->show ? shown++ : hidden++;
	if (!shown)
		return hidden;
	bw_buf_str(w->out, "  ");
	put(w, "1", *p->name ? p->name : "(no program)");
	if (*p->section) {
		bw_buf_str(w->out, "  ");
		bw_report_plain(w->out, p->section);
	}
	bw_buf_printf(w->out, "  (%s)\n", p->type);
	for (uint32_t i = 0; i < p->n_findings; i++)
		if (p->findings[i].severity >= w->r->show)
			put_finding(w, &p->findings[i]);
	return hidden;
}

void bw_report_text(const struct bw_report *r, struct bw_buf *out)
{
	struct writer w = { .r = r, .out = out };
	uint32_t hidden = 0;

	for (uint32_t i = 0; i < r->scan->n_objects; i++) {
		const struct bw_scan_object *o = &r->scan->objects[i];

		put(&w, "1", o->path);
		bw_buf_str(out, ": ");
		put(&w, o->status == BW_SCAN_OK ? "32" : "1;31", bw_scan_status_name(o->status));
		if (o->status != BW_SCAN_UNREADABLE)
			bw_buf_printf(out, ", %u program%s", o->n_programs, o->n_programs == 1 ? "" : "s");
		bw_buf_char(out, '\n');
		for (uint32_t k = 0; k < o->n_reasons; k++) {
			bw_buf_str(out, "  ");
			bw_report_plain(out, o->reasons[k]);
			bw_buf_char(out, '\n');
		}
		for (uint32_t p = 0; p < o->n_programs; p++)
			hidden += put_program(&w, &o->programs[p]);
	}
	bw_report_summary(r, out);
	if (hidden)
		bw_buf_printf(out, " (%u below %s not shown; --show info shows them)", hidden, bw_severity_name(r->show));
	bw_buf_char(out, '\n');
}
