// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The native form: rules/schema/scan-v1.schema.json. */
#include <string.h>

#include "auditor/report/report.h"
#include "common/cleanup.h"
#include "common/json.h"

static void put_place(const struct bw_report *r, struct bw_json *j, const char *key, const struct bw_place *p,
		      const char *function)
{
	_cleanup_buf_ struct bw_buf path = { 0 };

	bw_report_source(r, p, &path);
	bw_json_open(j, key, '{');
	bw_json_str(j, "file", bw_buf_cstr(&path));
	bw_json_u64(j, "line", p->line);
	bw_json_u64(j, "column", p->column);
	bw_json_str(j, "section", p->section);
	bw_json_str(j, "function", function);
	bw_json_u64(j, "insn", p->insn);
	bw_json_str(j, "text", p->text);
	bw_json_close(j, '}');
}

static void put_finding(const struct bw_report *r, struct bw_json *j, const struct bw_finding *f)
{
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "rule", f->rule);
	bw_json_str(j, "title", f->title);
	bw_json_str(j, "severity", bw_severity_name(f->severity));
	bw_json_str(j, "kind", bw_finding_kind_name(f->kind));
	bw_json_str(j, "source", f->source);
	bw_json_str(j, "channel", f->channel);
	bw_json_str(j, "message", f->message);
	bw_json_str(j, "because", f->because);
	bw_json_str(j, "fingerprint", f->fingerprint);
	put_place(r, j, "location", &f->at, f->function);
	bw_json_open(j, "flow", '[');
	for (uint32_t i = 0; i < f->n_steps; i++) {
		const struct bw_finding_step *s = &f->steps[i];

		bw_json_open(j, NULL, '{');
		bw_json_str(j, "kind", s->kind);
		bw_json_str(j, "text", s->text);
		bw_json_str(j, "program", s->program);
		put_place(r, j, "location", &s->at, s->function);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	if (*f->suppressed)
		bw_json_str(j, "suppressed", f->suppressed);
	if (f->known)
		bw_json_bool(j, "baseline", true);
	bw_json_close(j, '}');
}

void bw_report_json(const struct bw_report *r, struct bw_buf *out)
{
	struct bw_json j = { .buf = out, .indent = 1 };
	struct bw_counts c;

	bw_report_count(r->scan, &c);
	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "version", "1");
	bw_json_open(&j, "tool", '{');
	bw_json_str(&j, "name", "bpfwarden");
	bw_json_str(&j, "version", BW_VERSION);
	bw_json_close(&j, '}');
	bw_json_open(&j, "summary", '{');
	bw_json_u64(&j, "objects", c.objects);
	bw_json_u64(&j, "unreadable", c.unreadable);
	bw_json_u64(&j, "incomplete", c.incomplete);
	bw_json_u64(&j, "programs", c.programs);
	bw_json_u64(&j, "instructions", c.insns);
	for (unsigned int i = 0; i < BW_SEV_COUNT_; i++)
		bw_json_u64(&j, bw_severity_name(i), c.by_severity[i]);
	bw_json_u64(&j, "suppressed", c.suppressed);
	bw_json_u64(&j, "baseline", c.known);
	bw_json_close(&j, '}');
	bw_json_open(&j, "objects", '[');
	for (uint32_t i = 0; i < r->scan->n_objects; i++) {
		const struct bw_scan_object *o = &r->scan->objects[i];

		bw_json_open(&j, NULL, '{');
		bw_json_str(&j, "path", o->path);
		bw_json_str(&j, "sha256", o->sha256);
		bw_json_str(&j, "status", bw_scan_status_name(o->status));
		bw_json_open(&j, "reasons", '[');
		for (uint32_t k = 0; k < o->n_reasons; k++)
			bw_json_str(&j, NULL, o->reasons[k]);
		bw_json_close(&j, ']');
		bw_json_open(&j, "programs", '[');
		for (uint32_t p = 0; p < o->n_programs; p++) {
			const struct bw_scan_program *pr = &o->programs[p];

			bw_json_open(&j, NULL, '{');
			bw_json_str(&j, "name", pr->name);
			bw_json_str(&j, "section", pr->section);
			bw_json_str(&j, "type", pr->type);
			bw_json_u64(&j, "instructions", pr->n_insns);
			bw_json_open(&j, "findings", '[');
			for (uint32_t k = 0; k < pr->n_findings; k++)
				put_finding(r, &j, &pr->findings[k]);
			bw_json_close(&j, ']');
			bw_json_close(&j, '}');
		}
		bw_json_close(&j, ']');
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(out, '\n');
}
