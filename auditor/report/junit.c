// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * JUnit XML as Jenkins' xunit plugin describes it (jenkins-junit.xsd): a suite per object, a case per program. A program
 * fails when one of its findings counts and reaches --fail-on; an object that is not readable or not complete is an error.
 */
#include "auditor/report/report.h"
#include "common/cleanup.h"

static bool fails(const struct bw_report *r, const struct bw_finding *f)
{
	return bw_finding_counts(f) && f->severity >= r->fail_on;
}

static uint32_t failures(const struct bw_report *r, const struct bw_scan_program *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_findings; i++)
		n += fails(r, &p->findings[i]);
	return n;
}

static void put_attr(struct bw_buf *out, const char *name, const char *value)
{
	bw_buf_printf(out, " %s=\"", name);
	bw_report_xml(out, value);
	bw_buf_char(out, '"');
}

static void put_line(const struct bw_report *r, const struct bw_scan_object *o, const struct bw_finding *f,
		     struct bw_buf *out)
{
	_cleanup_buf_ struct bw_buf path = { 0 }, text = { 0 };
	uint32_t line, col;

	bw_report_location(r, o, &f->at, &path, &line, &col);
	bw_report_sentence(f, &text);
	bw_report_xml(out, bw_buf_cstr(&path));
	bw_buf_printf(out, ":%u:%u: %s %s %s: ", line, col, bw_severity_name(f->severity), bw_finding_kind_name(f->kind),
		      f->rule);
	bw_report_xml(out, bw_buf_cstr(&text));
	bw_buf_char(out, '\n');
}

static void put_case(const struct bw_report *r, const struct bw_scan_object *o, const struct bw_scan_program *p,
		     struct bw_buf *out)
{
	const struct bw_finding *worst = NULL;
	uint32_t n = failures(r, p), others = 0;

	bw_buf_str(out, "    <testcase");
	put_attr(out, "name", *p->name ? p->name : "(object)");
	put_attr(out, "classname", o->path);
	bw_buf_str(out, " time=\"0\">\n");
	for (uint32_t i = 0; i < p->n_findings && !worst; i++)
		if (fails(r, &p->findings[i]))
			worst = &p->findings[i];
	others = p->n_findings - n;
	if (worst) {
		bw_buf_str(out, "      <failure");
		put_attr(out, "message", worst->message);
		put_attr(out, "type", worst->rule);
		bw_buf_char(out, '>');
		for (uint32_t i = 0; i < p->n_findings; i++)
			if (fails(r, &p->findings[i]))
				put_line(r, o, &p->findings[i], out);
		bw_buf_str(out, "</failure>\n");
	}
	if (others) {
		bw_buf_str(out, "      <system-out>");
		for (uint32_t i = 0; i < p->n_findings; i++)
			if (!fails(r, &p->findings[i]))
				put_line(r, o, &p->findings[i], out);
		bw_buf_str(out, "</system-out>\n");
	}
	bw_buf_str(out, "    </testcase>\n");
}

static void put_status(const struct bw_scan_object *o, struct bw_buf *out)
{
	bw_buf_str(out, "    <testcase name=\"(object is readable and complete)\"");
	put_attr(out, "classname", o->path);
	bw_buf_str(out, " time=\"0\">\n      <error");
	put_attr(out, "message", o->n_reasons ? o->reasons[0] : "");
	put_attr(out, "type", bw_scan_status_name(o->status));
	bw_buf_char(out, '>');
	for (uint32_t i = 0; i < o->n_reasons; i++) {
		bw_report_xml(out, o->reasons[i]);
		bw_buf_char(out, '\n');
	}
	bw_buf_str(out, "</error>\n    </testcase>\n");
}

void bw_report_junit(const struct bw_report *r, struct bw_buf *out)
{
	uint32_t tests = 0, failed = 0, errors = 0;

	for (uint32_t i = 0; i < r->scan->n_objects; i++) {
		const struct bw_scan_object *o = &r->scan->objects[i];

		tests += o->n_programs + (o->status != BW_SCAN_OK);
		errors += o->status != BW_SCAN_OK;
		for (uint32_t p = 0; p < o->n_programs; p++)
			failed += failures(r, &o->programs[p]) > 0;
	}
	bw_buf_printf(out,
		      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"bpfwarden\" tests=\"%u\" failures=\"%u\" "
		      "errors=\"%u\" time=\"0\">\n",
		      tests, failed, errors);
	for (uint32_t i = 0; i < r->scan->n_objects; i++) {
		const struct bw_scan_object *o = &r->scan->objects[i];
		uint32_t n = 0;

		for (uint32_t p = 0; p < o->n_programs; p++)
			n += failures(r, &o->programs[p]) > 0;
		bw_buf_str(out, "  <testsuite");
		put_attr(out, "name", o->path);
		bw_buf_printf(out, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"0\" time=\"0\">\n",
			      o->n_programs + (o->status != BW_SCAN_OK), n, o->status != BW_SCAN_OK);
		if (o->status != BW_SCAN_OK)
			put_status(o, out);
		for (uint32_t p = 0; p < o->n_programs; p++)
			put_case(r, o, &o->programs[p], out);
		bw_buf_str(out, "  </testsuite>\n");
	}
	bw_buf_str(out, "</testsuites>\n");
}
