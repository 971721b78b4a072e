// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * GitHub workflow commands (docs.github.com, "Workflow commands for GitHub Actions"): one annotation per finding. Their
 * escaping is that of actions/toolkit: % CR LF in data; also : and , in properties.
 */
#include "auditor/report/report.h"
#include "common/cleanup.h"

static void put_escaped(struct bw_buf *out, const char *s, bool property)
{
	for (size_t n; *s; s += n) {
		n = 1;
		if (*s == '%')
			bw_buf_str(out, "%25");
		else if (*s == '\r')
			bw_buf_str(out, "%0D");
		else if (*s == '\n')
			bw_buf_str(out, "%0A");
		else if (property && *s == ':')
			bw_buf_str(out, "%3A");
		else if (property && *s == ',')
			bw_buf_str(out, "%2C");
		else
			n = bw_report_plain_char(out, s);
	}
}

static void put(struct bw_buf *out, const char *command, const char *file, uint32_t line, uint32_t col,
		const char *title, const char *text)
{
	bw_buf_printf(out, "::%s file=", command);
	put_escaped(out, file, true);
	bw_buf_printf(out, ",line=%u,col=%u,title=", line, col);
	put_escaped(out, title, true);
	bw_buf_str(out, "::");
	put_escaped(out, text, false);
	bw_buf_char(out, '\n');
}

void bw_report_github(const struct bw_report *r, struct bw_buf *out)
{
	for (uint32_t i = 0; i < r->scan->n_objects; i++) {
		const struct bw_scan_object *o = &r->scan->objects[i];

		if (o->status != BW_SCAN_OK)
			put(out, "error", o->path, 1, 1, bw_scan_status_name(o->status),
			    o->n_reasons ? o->reasons[0] : "not readable");
		for (uint32_t p = 0; p < o->n_programs; p++)
			for (uint32_t k = 0; k < o->programs[p].n_findings; k++) {
				const struct bw_finding *f = &o->programs[p].findings[k];
				_cleanup_buf_ struct bw_buf path = { 0 }, text = { 0 }, title = { 0 };
				uint32_t line, col;

				if (!bw_finding_counts(f) || f->severity < r->show)
					continue;
				bw_report_location(r, o, &f->at, &path, &line, &col);
				bw_buf_printf(&text, "%s: ", o->programs[p].name);
				bw_report_sentence(f, &text);
				bw_buf_printf(&title, "%s %s (%s)", f->rule, f->title, bw_severity_name(f->severity));
				put(out,
				    f->severity >= r->fail_on	? "error" :
				    f->severity >= BW_SEV_MEDIUM ? "warning" :
								   "notice",
				    bw_buf_cstr(&path), line, col, bw_buf_cstr(&title), bw_buf_cstr(&text));
			}
	}
}
