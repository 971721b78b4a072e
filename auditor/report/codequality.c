// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * GitLab Code Quality: the subset of the Code Climate report format that GitLab reads (docs.gitlab.com, "Code Quality report
 * format"). GitLab wants relative paths and a fingerprint that is unique in the report, so the object's path goes into it.
 */
#include <openssl/sha.h>
#include <string.h>

#include "auditor/report/report.h"
#include "common/cleanup.h"
#include "common/json.h"

static const char *const severities[] = {
	[BW_SEV_INFO] = "info",	 [BW_SEV_LOW] = "minor",	[BW_SEV_MEDIUM] = "major",
	[BW_SEV_HIGH] = "critical", [BW_SEV_CRITICAL] = "blocker",
};

static void put_issue(struct bw_json *j, const char *check, const char *text, const char *severity, const char *path,
		      uint32_t line, const char *identity, const char *object)
{
	_cleanup_buf_ struct bw_buf id = { 0 };
	uint8_t digest[SHA256_DIGEST_LENGTH];

	bw_buf_append(&id, object, strlen(object) + 1);
	bw_buf_str(&id, identity);
	SHA256((const unsigned char *)bw_buf_cstr(&id), id.len, digest);
	while (!strncmp(path, "./", 2))
		path += 2;
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "type", "issue");
	bw_json_str(j, "check_name", check);
	bw_json_str(j, "description", text);
	bw_json_open(j, "categories", '[');
	bw_json_str(j, NULL, "Security");
	bw_json_close(j, ']');
	bw_json_hex(j, "fingerprint", digest, 16);
	bw_json_str(j, "severity", severity);
	bw_json_open(j, "location", '{');
	bw_json_str(j, "path", path);
	bw_json_open(j, "lines", '{');
	bw_json_u64(j, "begin", line);
	bw_json_u64(j, "end", line);
	bw_json_close(j, '}');
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

void bw_report_codequality(const struct bw_report *r, struct bw_buf *out)
{
	struct bw_json j = { .buf = out, .indent = 1 };

	bw_json_open(&j, NULL, '[');
	for (uint32_t i = 0; i < r->scan->n_objects; i++) {
		const struct bw_scan_object *o = &r->scan->objects[i];

		if (o->status != BW_SCAN_OK)
			put_issue(&j, bw_scan_status_name(o->status), o->n_reasons ? o->reasons[0] : "not readable",
				  "blocker", o->path, 1, bw_scan_status_name(o->status), o->path);
		for (uint32_t p = 0; p < o->n_programs; p++)
			for (uint32_t k = 0; k < o->programs[p].n_findings; k++) {
				const struct bw_finding *f = &o->programs[p].findings[k];
				_cleanup_buf_ struct bw_buf path = { 0 }, text = { 0 };
				uint32_t line, col;

				if (!bw_finding_counts(f))
					continue;
				bw_report_location(r, o, &f->at, &path, &line, &col);
				bw_buf_printf(&text, "%s: ", o->programs[p].name);
				bw_report_sentence(f, &text);
				put_issue(&j, f->rule, bw_buf_cstr(&text), severities[f->severity], bw_buf_cstr(&path),
					  line, f->fingerprint, o->path);
			}
	}
	bw_json_close(&j, ']');
	bw_buf_char(out, '\n');
}
