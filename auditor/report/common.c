// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "auditor/report/report.h"
#include "common/cleanup.h"

static const struct bw_report_format formats[] = {
	{ "text", bw_report_text, "for people" },
	{ "json", bw_report_json, "rules/schema/scan-v1.schema.json" },
	{ "sarif", bw_report_sarif, "SARIF 2.1.0: GitHub code scanning, editors" },
	{ "junit", bw_report_junit, "JUnit XML: one test case per program" },
	{ "codequality", bw_report_codequality, "GitLab Code Quality" },
	{ "github", bw_report_github, "GitHub workflow commands (annotations)" },
	{ "html", bw_report_html, "one page that needs nothing else" },
};

const struct bw_report_format *bw_report_formats(uint32_t *ret_n)
{
	*ret_n = ARRAY_SIZE(formats);
	return formats;
}

const struct bw_report_format *bw_report_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

void bw_report_count(const struct bw_scan *s, struct bw_counts *ret)
{
	*ret = (struct bw_counts){ .objects = s->n_objects };
	for (uint32_t i = 0; i < s->n_objects; i++) {
		const struct bw_scan_object *o = &s->objects[i];

		ret->unreadable += o->status == BW_SCAN_UNREADABLE;
		ret->incomplete += o->status == BW_SCAN_INCOMPLETE;
		ret->programs += o->n_programs;
		ret->insns += o->n_insns;
		for (uint32_t p = 0; p < o->n_programs; p++)
			for (uint32_t k = 0; k < o->programs[p].n_findings; k++) {
				const struct bw_finding *f = &o->programs[p].findings[k];

				ret->suppressed += *f->suppressed != 0;
				ret->known += f->known && !*f->suppressed;
				ret->by_severity[f->severity] += bw_finding_counts(f);
			}
	}
}

static bool below(const char *path, const char *root)
{
	size_t n = strlen(root);

	while (n && root[n - 1] == '/')
		n--;
	return n && !strncmp(path, root, n) && path[n] == '/';
}

void bw_report_source(const struct bw_report *r, const struct bw_place *p, struct bw_buf *out)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	const char *path = p->file;

	for (uint32_t i = 0; i < r->n_path_maps; i++) {
		const char *eq = strchr(r->path_maps[i], '=');
		size_t n = eq ? (size_t)(eq - r->path_maps[i]) : 0;

		if (!n || strncmp(path, r->path_maps[i], n))
			continue;
		bw_buf_str(&b, eq + 1);
		bw_buf_str(&b, path + n);
		path = bw_buf_cstr(&b);
		break;
	}
	if (r->source_root && below(path, r->source_root)) {
		path += strlen(r->source_root);
		while (*path == '/')
			path++;
	}
	while (!strncmp(path, "./", 2))
		path += 2;
	bw_buf_str(out, path);
}

void bw_report_location(const struct bw_report *r, const struct bw_scan_object *o, const struct bw_place *p,
			struct bw_buf *path, uint32_t *ret_line, uint32_t *ret_col)
{
	bool known = *p->file && p->line;

	if (known)
		bw_report_source(r, p, path);
	else
		bw_buf_str(path, o->path);
	*ret_line = known ? p->line : 1;
	*ret_col = known && p->column ? p->column : 1;
}

void bw_report_sentence(const struct bw_finding *f, struct bw_buf *out)
{
	bw_buf_str(out, f->message);
	if (*f->because)
		bw_buf_printf(out, " (%s: %s)", bw_severity_name(f->severity), f->because);
}

/* The length of a well-formed UTF-8 sequence that XML 1.0 allows (section 2.2), or 0. */
static size_t xml_char(const unsigned char *p)
{
	if (p[0] < 0x80)
		return p[0] >= 0x20 || p[0] == '\t' || p[0] == '\n';
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return (p[1] & 0xc0) == 0x80 ? 2 : 0;
	if (p[0] >= 0xe0 && p[0] <= 0xef) {
		if ((p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
			return 0;
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe ? 0 : 3;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		if ((p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80)
			return 0;
		return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ? 0 : 4;
	}
	return 0;
}

/* Also 8-bit control characters, bare or in UTF-8 (U+0080 to U+009F), and what is no UTF-8. */
size_t bw_report_plain_char(struct bw_buf *out, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = xml_char(p);

	if (!n || (p[0] == 0xc2 && p[1] < 0xa0) || p[0] < ' ' || p[0] == 0x7f)
		bw_buf_char(out, '?');
	else
		bw_buf_append(out, s, n);
	return n ? n : 1;
}

void bw_report_plain(struct bw_buf *out, const char *s)
{
	while (*s)
		s += bw_report_plain_char(out, s);
}

void bw_report_xml(struct bw_buf *out, const char *s)
{
	while (*s) {
		size_t n = xml_char((const unsigned char *)s);

		if (!n)
			bw_buf_str(out, "\xef\xbf\xbd");
		else if (*s == '&')
			bw_buf_str(out, "&amp;");
		else if (*s == '<')
			bw_buf_str(out, "&lt;");
		else if (*s == '>')
			bw_buf_str(out, "&gt;");
		else if (*s == '"')
			bw_buf_str(out, "&quot;");
		else if (*s == '\'')
			bw_buf_str(out, "&#39;");
		else
			bw_buf_append(out, s, n);
		s += n ? n : 1;
	}
}

void bw_report_summary(const struct bw_report *r, struct bw_buf *out)
{
	struct bw_counts c;
	uint32_t total = 0;
	const char *sep = ": ";

	bw_report_count(r->scan, &c);
	for (unsigned int i = 0; i < BW_SEV_COUNT_; i++)
		total += c.by_severity[i];
	bw_buf_printf(out, "%u object%s, %u program%s, %u finding%s", c.objects, c.objects == 1 ? "" : "s", c.programs,
		      c.programs == 1 ? "" : "s", total, total == 1 ? "" : "s");
	for (unsigned int i = BW_SEV_COUNT_; i-- > 0;)
		if (c.by_severity[i]) {
			bw_buf_printf(out, "%s%u %s", sep, c.by_severity[i], bw_severity_name(i));
			sep = ", ";
		}
	if (c.known)
		bw_buf_printf(out, "; %u in the baseline", c.known);
	if (c.suppressed)
		bw_buf_printf(out, "; %u suppressed", c.suppressed);
	if (c.unreadable)
		bw_buf_printf(out, "; %u unreadable", c.unreadable);
	if (c.incomplete)
		bw_buf_printf(out, "; %u incomplete", c.incomplete);
}
