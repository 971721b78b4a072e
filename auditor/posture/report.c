// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Results and score, as text and JSON. */
#include <stdio.h>
#include <string.h>

#include "auditor/posture/posture.h"
#include "auditor/report/report.h"
#include "common/cleanup.h"
#include "common/json.h"

static const char *const profiles[] = { "workstation", "server", "container-host", "strict" };

const char *posture_profile_name(enum posture_profile p)
{
	return profiles[p];
}

int posture_profile_id(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		if (!strcmp(profiles[i], name))
			return (int)i;
	return -1;
}

const char *posture_verdict_name(enum posture_verdict v)
{
	static const char *const names[] = { "pass", "fail", "unknown", "not-applicable" };

	return names[v];
}

uint32_t posture_weight(enum bw_severity s)
{
	static const uint32_t weights[] = { 0, 2, 5, 10, 20 };

	return weights[s];
}

int posture_judge(const struct posture_host *h, const struct posture_cves *cves, enum posture_profile profile,
		  struct posture_report *ret)
{
	struct posture_report r = { .profile = profile, .cves = cves, .host = h };
	struct posture_ctx c = { .host = h, .cves = cves, .profile = profile };
	const struct posture_check *checks;
	size_t n;

	checks = posture_checks(&n);
	r.results = bw_arena_alloc(&r.arena, n, sizeof(*r.results));
	if (!r.results)
		return -ENOMEM;
	c.arena = &r.arena;
	for (size_t i = 0; i < n; i++) {
		struct posture_result *o = &r.results[r.n_results];
		uint32_t weight = posture_weight(checks[i].severity);

		if (!(checks[i].profiles & POSTURE_IN(profile)))
			continue;
		*o = (struct posture_result){ .check = &checks[i], .value = "", .recommended = "", .detail = "" };
		o->verdict = checks[i].judge(&c, &checks[i], o);
		if (!o->value || !o->recommended || !o->detail) {
			bw_arena_free(&r.arena);
			return -ENOMEM;
		}
		if (!*o->value)
			o->value = o->verdict == POSTURE_UNKNOWN ? "could not be read" : "-";
		r.count[o->verdict]++;
		if (o->verdict != POSTURE_NA) {
			r.possible += weight;
			r.earned += o->verdict == POSTURE_PASS ? weight : 0;
		}
		r.n_results++;
	}
	r.score = r.possible ? r.earned * 100 / r.possible : 0;
	*ret = r;
	return 0;
}

void posture_report_free(struct posture_report *r)
{
	bw_arena_free(&r->arena);
	memset(r, 0, sizeof(*r));
}

/* ---- text -----------------------------------------------------------------------------------------------------------
 */

static void line(struct bw_buf *out, const char *name, const char *text)
{
	if (!*text)
		return;
	bw_buf_printf(out, "        %-12s", name);
	bw_report_plain(out, text);
	bw_buf_char(out, '\n');
}

static void write_cves(const struct posture_cves *s, struct bw_buf *out)
{
	static const enum posture_cve_verdict order[] = { POSTURE_CVE_ANYONE, POSTURE_CVE_PRIVILEGED,
							  POSTURE_CVE_BACKPORT, POSTURE_CVE_UNKNOWN,
							  POSTURE_CVE_UNREACHABLE };

	bw_buf_printf(out, "\nKnown vulnerabilities (data as of %s)\n", posture_cve_as_of());
	if (s->known)
		bw_buf_printf(out, "  kernel %u.%u.%u%s: %s\n", s->kernel.major, s->kernel.minor, s->kernel.patch,
			      s->kernel.rc ? "-rc" : "", s->basis);
	if (s->backport != POSTURE_STREAM) {
		bw_buf_str(out, "  fixes of the distribution: ");
		bw_report_plain(out, *s->changelog ? s->changelog : "no change log of the kernel's package was found");
		bw_buf_char(out, '\n');
	}
	for (size_t k = 0; k < ARRAY_SIZE(order); k++)
		for (size_t i = 0; i < s->n_results; i++) {
			const struct posture_cve_result *o = &s->results[i];

			if (o->verdict != order[k])
				continue;
			bw_buf_printf(out, "  %-16s %-22s %-9s %s", o->cve->cve, posture_cve_verdict_name(o->verdict),
				      o->cve->class, o->why);
			bw_buf_printf(out, "; fixed in %s%s\n", *o->cve->fixed ? o->cve->fixed : "?",
				      strcmp(o->cve->condition_verified, "heuristic") &&
						      strcmp(o->cve->condition_verified, "unverified")
					      ? ""
					      : " (condition not verified)");
		}
	bw_buf_printf(out, "  fixed %u, not introduced %u, other architecture %u\n", s->count[POSTURE_CVE_FIXED],
		      s->count[POSTURE_CVE_BEFORE], s->count[POSTURE_CVE_OTHER_ARCH]);
}

void posture_write_text(const struct posture_report *r, bool all, struct bw_buf *out)
{
	uint32_t lost_fail = 0, lost_unknown = 0;

	for (size_t i = 0; i < r->n_results; i++) {
		const struct posture_result *o = &r->results[i];
		bool good = o->verdict == POSTURE_PASS || o->verdict == POSTURE_NA;

		lost_fail += o->verdict == POSTURE_FAIL ? posture_weight(o->check->severity) : 0;
		lost_unknown += o->verdict == POSTURE_UNKNOWN ? posture_weight(o->check->severity) : 0;
		bw_buf_printf(out, "%s %-8s %-8s %s: ", o->check->id,
			      o->verdict == POSTURE_NA ? "n/a" : posture_verdict_name(o->verdict),
			      bw_severity_name(o->check->severity), o->check->title);
		bw_report_plain(out, o->value);
		bw_buf_char(out, '\n');
		if (good && !all)
			continue;
		line(out, "recommended", o->recommended);
		line(out, "detail", o->detail);
		line(out, "why", o->check->why);
		line(out, "fix", o->check->fix);
		line(out, "risk", o->check->risk);
		line(out, "source", o->check->source);
	}
	if (r->list_cves && r->cves)
		write_cves(r->cves, out);
	bw_buf_printf(
		out,
		"\nScore %u of 100 for profile %s: %u of %u points (a check is worth 20, 10, 5 or 2 by its severity "
		"from critical\n"
		"to low); %u lost to %u failed, %u to %u unknown, which earn nothing; %u passed, %u not applicable.\n",
		r->score, posture_profile_name(r->profile), r->earned, r->possible, lost_fail, r->count[POSTURE_FAIL],
		lost_unknown, r->count[POSTURE_UNKNOWN], r->count[POSTURE_PASS], r->count[POSTURE_NA]);
}

/* ---- JSON: rules/schema/posture-v1.schema.json
 * -------------------------------------------------------------------------- */

static void json_cves(struct bw_json *j, const struct posture_report *r)
{
	const struct posture_cves *s = r->cves;
	char version[48];

	bw_json_open(j, "vulnerabilities", '{');
	bw_json_str(j, "as_of", posture_cve_as_of());
	snprintf(version, sizeof(version), "%u.%u.%u%s", s->kernel.major, s->kernel.minor, s->kernel.patch,
		 s->kernel.rc ? "-rc" : "");
	bw_json_str(j, "kernel", s->known ? version : NULL);
	bw_json_str(j, "basis", s->basis);
	bw_json_str(j, "changelog", *s->changelog ? s->changelog : NULL);
	bw_json_open(j, "counts", '{');
	for (int i = 0; i < POSTURE_CVE_COUNT; i++)
		bw_json_u64(j, posture_cve_verdict_name(i), s->count[i]);
	bw_json_close(j, '}');
	if (r->list_cves) {
		bw_json_open(j, "list", '[');
		for (size_t i = 0; i < s->n_results; i++) {
			const struct posture_cve_result *o = &s->results[i];

			bw_json_open(j, NULL, '{');
			bw_json_str(j, "cve", o->cve->cve);
			bw_json_str(j, "verdict", posture_cve_verdict_name(o->verdict));
			bw_json_str(j, "why", o->why);
			bw_json_str(j, "class", o->cve->class);
			bw_json_str(j, "introduced", o->cve->introduced);
			bw_json_str(j, "fixed", o->cve->fixed);
			bw_json_str(j, "condition", o->cve->condition);
			bw_json_str(j, "source", o->cve->source);
			bw_json_bool(j, "fixed_verified", o->cve->fixed_verified);
			bw_json_bool(j, "introduced_verified", o->cve->introduced_verified);
			bw_json_str(j, "condition_verified", o->cve->condition_verified);
			bw_json_close(j, '}');
		}
		bw_json_close(j, ']');
	}
	bw_json_close(j, '}');
}

void posture_write_json(const struct posture_report *r, struct bw_buf *out)
{
	struct bw_json writer = { .buf = out, .indent = 1 }, *j = &writer;

	bw_json_open(j, NULL, '{');
	bw_json_u64(j, "version", 1);
	bw_json_str(j, "tool", BW_VERSION);
	bw_json_str(j, "profile", posture_profile_name(r->profile));
	bw_json_str(j, "release", r->host->release.state == POSTURE_VALUE ? r->host->release.text : NULL);
	bw_json_str(j, "config_from", r->host->config.state == POSTURE_VALUE ? r->host->config_from : NULL);
	bw_json_u64(j, "score", r->score);
	bw_json_u64(j, "earned", r->earned);
	bw_json_u64(j, "possible", r->possible);
	bw_json_open(j, "counts", '{');
	for (int i = 0; i < POSTURE_VERDICT_COUNT; i++)
		bw_json_u64(j, posture_verdict_name(i), r->count[i]);
	bw_json_close(j, '}');
	bw_json_open(j, "checks", '[');
	for (size_t i = 0; i < r->n_results; i++) {
		const struct posture_result *o = &r->results[i];

		bw_json_open(j, NULL, '{');
		bw_json_str(j, "id", o->check->id);
		bw_json_str(j, "title", o->check->title);
		bw_json_str(j, "verdict", posture_verdict_name(o->verdict));
		bw_json_str(j, "severity", bw_severity_name(o->check->severity));
		bw_json_u64(j, "weight", posture_weight(o->check->severity));
		bw_json_str(j, "value", o->value);
		bw_json_str(j, "recommended", o->recommended);
		bw_json_str(j, "detail", o->detail);
		bw_json_str(j, "why", o->check->why);
		bw_json_str(j, "fix", o->check->fix);
		bw_json_str(j, "risk", o->check->risk);
		bw_json_str(j, "source", o->check->source);
		bw_json_bool(j, "fixable", o->verdict == POSTURE_FAIL && o->check->settable);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	if (r->cves)
		json_cves(j, r);
	bw_json_close(j, '}');
	bw_buf_char(out, '\n');
}
