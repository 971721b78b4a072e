// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same as SARIF 2.1.0 (OASIS) and as one HTML page that needs nothing else. */
#include <string.h>

#include "auditor/posture/posture.h"
#include "auditor/report/report.h"
#include "common/cleanup.h"
#include "common/json.h"

static const char *const security_severity[] = {
	[BW_SEV_INFO] = "0.1", [BW_SEV_LOW] = "3.0",	  [BW_SEV_MEDIUM] = "5.5",
	[BW_SEV_HIGH] = "8.0", [BW_SEV_CRITICAL] = "9.5",
};

static void put_message(struct bw_json *j, const char *key, const char *text)
{
	bw_json_open(j, key, '{');
	bw_json_str(j, "text", text);
	bw_json_close(j, '}');
}

static void put_rule(struct bw_json *j, const struct posture_check *k)
{
	_cleanup_buf_ struct bw_buf help = { 0 };

	bw_buf_printf(&help, "%s Fix: %s. Risk of fixing: %s. Source: %s.", k->why, k->fix, k->risk, k->source);
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "id", k->id);
	put_message(j, "shortDescription", k->title);
	put_message(j, "fullDescription", k->why);
	put_message(j, "help", bw_buf_cstr(&help));
	bw_json_open(j, "properties", '{');
	bw_json_str(j, "security-severity", security_severity[k->severity]);
	bw_json_open(j, "tags", '[');
	bw_json_str(j, NULL, "security");
	bw_json_str(j, NULL, "posture");
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

/* A host has no source lines: the place is what the fix would change, as far as it is a file. */
static const char *place_of(const struct posture_check *k)
{
	return k->sysctl		      ? "etc/sysctl.d/99-bpfwarden.conf"
	       : !strncmp(k->fix, "boot ", 5) ? "proc/cmdline"
					      : "proc/version";
}

static void put_result(struct bw_json *j, size_t index, const struct posture_result *o)
{
	static const char *const levels[] = { "note", "note", "warning", "error", "error" };
	_cleanup_buf_ struct bw_buf text = { 0 };
	bool failed = o->verdict == POSTURE_FAIL;

	bw_buf_printf(&text, "%s: %s%s; recommended: %s", o->check->title, failed ? "" : "unknown: ", o->value,
		      o->recommended);
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "ruleId", o->check->id);
	bw_json_u64(j, "ruleIndex", index);
	bw_json_str(j, "kind", failed ? "fail" : "open");
	/* section 3.27.10: where kind is not "fail", level is "none" */
	bw_json_str(j, "level", failed ? levels[o->check->severity] : "none");
	put_message(j, "message", bw_buf_cstr(&text));
	bw_json_open(j, "locations", '[');
	bw_json_open(j, NULL, '{');
	bw_json_open(j, "physicalLocation", '{');
	bw_json_open(j, "artifactLocation", '{');
	bw_json_str(j, "uri", place_of(o->check));
	bw_json_close(j, '}');
	bw_json_open(j, "region", '{');
	bw_json_u64(j, "startLine", 1);
	bw_json_u64(j, "startColumn", 1);
	bw_json_u64(j, "endLine", 1);
	bw_json_u64(j, "endColumn", 2);
	bw_json_close(j, '}');
	bw_json_close(j, '}');
	bw_json_close(j, '}');
	bw_json_close(j, ']');
	bw_json_open(j, "partialFingerprints", '{');
	bw_json_str(j, "bpfwarden/posture", o->check->id);
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

void posture_write_sarif(const struct posture_report *r, struct bw_buf *out)
{
	struct bw_json writer = { .buf = out, .indent = 1 }, *j = &writer;

	bw_json_open(j, NULL, '{');
	bw_json_str(j, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	bw_json_str(j, "version", "2.1.0");
	bw_json_open(j, "runs", '[');
	bw_json_open(j, NULL, '{');
	bw_json_open(j, "tool", '{');
	bw_json_open(j, "driver", '{');
	bw_json_str(j, "name", "bpfwarden posture");
	bw_json_str(j, "version", BW_VERSION);
	bw_json_str(j, "semanticVersion", BW_VERSION);
	bw_json_open(j, "rules", '[');
	for (size_t i = 0; i < r->n_results; i++)
		put_rule(j, r->results[i].check);
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, '}');
	bw_json_open(j, "results", '[');
	for (size_t i = 0; i < r->n_results; i++)
		if (r->results[i].verdict == POSTURE_FAIL || r->results[i].verdict == POSTURE_UNKNOWN)
			put_result(j, i, &r->results[i]);
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_buf_char(out, '\n');
}

/* ---- HTML -----------------------------------------------------------------------------------------------------------
 */

static void cell(struct bw_buf *out, const char *name, const char *text)
{
	if (!*text)
		return;
	bw_buf_printf(out, "<dt>%s</dt><dd>", name);
	bw_report_xml(out, text);
	bw_buf_str(out, "</dd>");
}

static void html_cves(const struct posture_cves *s, struct bw_buf *out)
{
	bw_buf_printf(out, "<h2>Known vulnerabilities</h2><p>Data as of %s; ", posture_cve_as_of());
	bw_report_xml(out, s->basis);
	if (*s->changelog) {
		bw_buf_str(out, "; fixes of the distribution: ");
		bw_report_xml(out, s->changelog);
	}
	bw_buf_str(out, "</p><table><tr><th>CVE</th><th>Verdict</th><th>Why</th><th>Fixed in</th></tr>\n");
	for (size_t i = 0; i < s->n_results; i++) {
		const struct posture_cve_result *o = &s->results[i];

		if (o->verdict < POSTURE_CVE_UNREACHABLE)
			continue;
		bw_buf_printf(out, "<tr><td>%s</td><td>%s</td><td>", o->cve->cve, posture_cve_verdict_name(o->verdict));
		bw_report_xml(out, o->why);
		bw_buf_printf(out, "</td><td>%s</td></tr>\n", o->cve->fixed);
	}
	bw_buf_str(out, "</table>\n");
}

void posture_write_html(const struct posture_report *r, struct bw_buf *out)
{
	bw_buf_str(out,
		   "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>bpfwarden posture</title>"
		   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta "
		   "http-equiv=\"Content-Security-Policy\" "
		   "content=\"default-src 'none'; style-src 'unsafe-inline'\"><style>\n"
		   ":root{color-scheme:light dark}body{font:15px/1.5 "
		   "system-ui,sans-serif;max-width:960px;margin:auto;padding:1rem}"
		   "article{border:1px solid #8886;border-left:.4rem solid #888;border-radius:.5rem;padding:.4rem "
		   "1rem;margin:.6rem 0}"
		   ".fail{border-left-color:#c0341d}.pass{border-left-color:#2c7a3f}.unknown{border-left-color:#b7791f}"
		   "h3{font-size:1rem;margin:.2rem 0}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem "
		   "1rem;margin:.3rem 0}"
		   "dt{color:#777}dd{margin:0;overflow-wrap:anywhere}td,th{text-align:left;padding:.1rem "
		   ".6rem;vertical-align:top}"
		   "</style></head><body>\n<h1>Posture: ");
	bw_buf_printf(out, "%u of 100</h1>\n<p>Profile %s, kernel ", r->score, posture_profile_name(r->profile));
	bw_report_xml(out, r->host->release.state == POSTURE_VALUE ? r->host->release.text : "unknown");
	bw_buf_printf(out,
		      ". %u of %u points; %u checks passed, %u failed, %u unknown (which earn nothing), %u not "
		      "applicable.</p>\n",
		      r->earned, r->possible, r->count[POSTURE_PASS], r->count[POSTURE_FAIL], r->count[POSTURE_UNKNOWN],
		      r->count[POSTURE_NA]);
	for (size_t i = 0; i < r->n_results; i++) {
		const struct posture_result *o = &r->results[i];

		bw_buf_printf(out, "<article class=\"%s\" id=\"%s\"><h3>%s %s (%s): ", posture_verdict_name(o->verdict),
			      o->check->id, o->check->id, posture_verdict_name(o->verdict),
			      bw_severity_name(o->check->severity));
		bw_report_xml(out, o->check->title);
		bw_buf_str(out, "</h3><dl>");
		cell(out, "value", o->value);
		cell(out, "recommended", o->recommended);
		cell(out, "detail", o->detail);
		cell(out, "why", o->check->why);
		cell(out, "fix", o->check->fix);
		cell(out, "risk of fixing", o->check->risk);
		cell(out, "source", o->check->source);
		bw_buf_str(out, "</dl></article>\n");
	}
	if (r->list_cves && r->cves)
		html_cves(r->cves, out);
	bw_buf_str(out, "</body></html>\n");
}
