/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_REPORT_H
#define BW_REPORT_H
/*
 * The forms in which a scan is told. Each writer is a pure function from the scan to bytes: no clock, no environment, no
 * host name, so that the same input gives the same bytes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "auditor/checks/rule.h"
#include "auditor/finding.h"
#include "common/buf.h"

struct bw_report {
	const struct bw_scan *scan;
	const struct bw_ruleset *rules;
	enum bw_severity fail_on;
	enum bw_severity show; /* text and html: nothing below */
	bool colour;	       /* text */
	const char *source_root; /* sources below it are named relative to it; NULL: as in the object */
	const char *const *path_maps; /* "FROM=TO": the first whose FROM is a leading part of the path applies */
	uint32_t n_path_maps;
};

struct bw_report_format {
	const char *name;
	void (*write)(const struct bw_report *r, struct bw_buf *out);
	const char *help;
};

/* NULL for an unknown one. */
const struct bw_report_format *bw_report_format(const char *name);
const struct bw_report_format *bw_report_formats(uint32_t *ret_n);

void bw_report_text(const struct bw_report *r, struct bw_buf *out);
void bw_report_json(const struct bw_report *r, struct bw_buf *out);
void bw_report_sarif(const struct bw_report *r, struct bw_buf *out);
void bw_report_junit(const struct bw_report *r, struct bw_buf *out);
void bw_report_codequality(const struct bw_report *r, struct bw_buf *out);
void bw_report_github(const struct bw_report *r, struct bw_buf *out);
void bw_report_html(const struct bw_report *r, struct bw_buf *out);

/* ---- shared by the writers ------------------------------------------------------------------------------------------ */

struct bw_counts {
	uint32_t objects, programs;
	uint32_t unreadable, incomplete;
	uint32_t by_severity[BW_SEV_COUNT_]; /* those that count */
	uint32_t suppressed, known;
	uint64_t insns;
};

void bw_report_count(const struct bw_scan *s, struct bw_counts *ret);

/* The source file's name after --path-map and --source-root. Appends to @out; nothing when there is none. */
void bw_report_source(const struct bw_report *r, const struct bw_place *p, struct bw_buf *out);
/* The place to show: the source when known, else the object. Line and column are at least 1. */
void bw_report_location(const struct bw_report *r, const struct bw_scan_object *o, const struct bw_place *p,
			struct bw_buf *path, uint32_t *ret_line, uint32_t *ret_col);
/* One sentence: message and, when there is one, the reason of its severity. */
void bw_report_sentence(const struct bw_finding *f, struct bw_buf *out);
/* Control characters become '?': what comes from an object must not steer a terminal. */
void bw_report_plain(struct bw_buf *out, const char *s);
/* The same for the first character; returns its length. */
size_t bw_report_plain_char(struct bw_buf *out, const char *s);
/* As XML or HTML text; characters that XML cannot hold become U+FFFD. */
void bw_report_xml(struct bw_buf *out, const char *s);
/* "12 findings: 1 critical, ..." */
void bw_report_summary(const struct bw_report *r, struct bw_buf *out);

/* ---- drawings ------------------------------------------------------------------------------------------------------- */

/* @id makes names inside the drawing unique on a page. The style is in the drawing when @standalone. */
void bw_graph_svg(const struct bw_graph *g, const char *title, const char *id, bool standalone, struct bw_buf *out);
void bw_graph_dot(const struct bw_graph *g, const char *title, struct bw_buf *out);

#endif
