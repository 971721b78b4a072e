// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * SARIF 2.1.0 (OASIS, docs.oasis-open.org/sarif/sarif/v2.1.0), with what GitHub's code scanning asks for in addition
 * ("SARIF support for code scanning": partialFingerprints, all four region numbers, security-severity).
 */
#include <string.h>

#include "auditor/report/report.h"
#include "common/cleanup.h"
#include "common/json.h"

struct writer {
	const struct bw_report *r;
	struct bw_json j;
	bool any_known;
	const char **seen; /* fingerprints of the results written so far */
	uint32_t n_seen;
};

/* CVSS-like numbers: GitHub shows over 9.0 as critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low. */
static const char *const security_severity[] = {
	[BW_SEV_INFO] = "0.1", [BW_SEV_LOW] = "3.0", [BW_SEV_MEDIUM] = "5.5", [BW_SEV_HIGH] = "8.0", [BW_SEV_CRITICAL] = "9.5",
};

static const char *level_of(enum bw_severity s)
{
	return s >= BW_SEV_HIGH ? "error" : s == BW_SEV_MEDIUM ? "warning" : "note";
}

static void put_message(struct bw_json *j, const char *key, const char *text)
{
	bw_json_open(j, key, '{');
	bw_json_str(j, "text", text);
	bw_json_close(j, '}');
}

/* RFC 3986: unreserved characters and the slash stay; an absolute path becomes a file URI. */
static void put_uri(struct bw_json *j, const char *path)
{
	_cleanup_buf_ struct bw_buf b = { 0 };

	while (!strncmp(path, "./", 2))
		path += 2;
	if (*path == '/')
		bw_buf_str(&b, "file://");
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
			     strchr("-._~/", *p);

		if (plain)
			bw_buf_char(&b, (char)*p);
		else
			bw_buf_printf(&b, "%%%02X", *p);
	}
	bw_json_str(j, "uri", bw_buf_cstr(&b));
}

static void put_physical(struct writer *w, const struct bw_scan_object *o, const struct bw_place *p)
{
	_cleanup_buf_ struct bw_buf path = { 0 };
	uint32_t line, col;
	size_t end = strlen(p->text);

	bw_report_location(w->r, o, p, &path, &line, &col);
	bw_json_open(&w->j, "physicalLocation", '{');
	bw_json_open(&w->j, "artifactLocation", '{');
	put_uri(&w->j, bw_buf_cstr(&path));
	bw_json_close(&w->j, '}');
	bw_json_open(&w->j, "region", '{');
	bw_json_u64(&w->j, "startLine", line);
	bw_json_u64(&w->j, "startColumn", col);
	bw_json_u64(&w->j, "endLine", line);
	bw_json_u64(&w->j, "endColumn", end >= col ? end + 1 : col + 1u);
	if (*p->text && *p->file && p->line)
		put_message(&w->j, "snippet", p->text);
	bw_json_close(&w->j, '}');
	bw_json_close(&w->j, '}');
}

static void put_logical(struct writer *w, const char *program, const char *function)
{
	_cleanup_buf_ struct bw_buf full = { 0 };

	if (!*program && !*function)
		return;
	bw_buf_printf(&full, "%s%s%s", program, *program && *function ? "/" : "", function);
	bw_json_open(&w->j, "logicalLocations", '[');
	bw_json_open(&w->j, NULL, '{');
	bw_json_str(&w->j, "name", *function ? function : program);
	bw_json_str(&w->j, "fullyQualifiedName", bw_buf_cstr(&full));
	bw_json_str(&w->j, "kind", "function");
	bw_json_close(&w->j, '}');
	bw_json_close(&w->j, ']');
}

static enum bw_severity worst_of_rule(const struct bw_scan *s, const struct bw_rule *rule)
{
	enum bw_severity worst = rule->severity;

	for (uint32_t i = 0; i < s->n_objects; i++)
		for (uint32_t p = 0; p < s->objects[i].n_programs; p++)
			for (uint32_t k = 0; k < s->objects[i].programs[p].n_findings; k++) {
				const struct bw_finding *f = &s->objects[i].programs[p].findings[k];

				if (!strcmp(f->rule, rule->id) && f->severity > worst)
					worst = f->severity;
			}
	return worst;
}

static void put_rule(struct writer *w, const struct bw_rule *rule)
{
	/* GitHub takes the severity of an alert from its rule: the most severe of this run */
	enum bw_severity worst = worst_of_rule(w->r->scan, rule);
	_cleanup_buf_ struct bw_buf help = { 0 }, md = { 0 };
	struct bw_json *j = &w->j;

	bw_json_open(j, NULL, '{');
	bw_json_str(j, "id", rule->id);
	put_message(j, "shortDescription", rule->title);
	put_message(j, "fullDescription", rule->rationale);
	bw_buf_printf(&help, "%s\n\nWhat to do: %s", rule->rationale, rule->remediation);
	bw_buf_printf(&md, "%s\n\n**What to do:** %s", rule->rationale, rule->remediation);
	for (uint32_t i = 0; i < rule->n_attack; i++)
		bw_buf_printf(&md, "\n\nMITRE ATT&CK: %s", rule->attack[i]);
	bw_json_open(j, "help", '{');
	bw_json_str(j, "text", bw_buf_cstr(&help));
	bw_json_str(j, "markdown", bw_buf_cstr(&md));
	bw_json_close(j, '}');
	bw_json_open(j, "defaultConfiguration", '{');
	bw_json_str(j, "level", level_of(rule->severity));
	bw_json_close(j, '}');
	bw_json_open(j, "properties", '{');
	bw_json_str(j, "security-severity", security_severity[worst]);
	bw_json_str(j, "precision", rule->kind == BW_KIND_ATTACK ? "high" : "very-high");
	bw_json_open(j, "tags", '[');
	bw_json_str(j, NULL, "security");
	bw_json_str(j, NULL, "bpf");
	bw_json_str(j, NULL, bw_finding_kind_name(rule->kind));
	for (uint32_t i = 0; i < rule->n_attack; i++) {
		_cleanup_buf_ struct bw_buf tag = { 0 };

		bw_buf_printf(&tag, "external/mitre-attack/%s", rule->attack[i]);
		bw_json_str(j, NULL, bw_buf_cstr(&tag));
	}
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

static void put_code_flow(struct writer *w, const struct bw_scan_object *o, const struct bw_finding *f)
{
	struct bw_json *j = &w->j;

	if (!f->n_steps)
		return;
	bw_json_open(j, "codeFlows", '[');
	bw_json_open(j, NULL, '{');
	bw_json_open(j, "threadFlows", '[');
	bw_json_open(j, NULL, '{');
	bw_json_open(j, "locations", '[');
	for (uint32_t i = 0; i < f->n_steps; i++) {
		const struct bw_finding_step *s = &f->steps[i];

		bw_json_open(j, NULL, '{');
		bw_json_open(j, "location", '{');
		put_physical(w, o, &s->at);
		put_logical(w, s->program, s->function);
		put_message(j, "message", s->text);
		bw_json_close(j, '}');
		bw_json_open(j, "kinds", '[');
		bw_json_str(j, NULL, s->kind);
		bw_json_close(j, ']');
		bw_json_u64(j, "executionOrder", i + 1);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, ']');
}

/* Two objects may hold the same program: results are told apart by a number after the hash, as GitHub's own tools do. */
static uint32_t occurrence(struct writer *w, const char *fingerprint)
{
	uint32_t n = 1;

	for (uint32_t i = 0; i < w->n_seen; i++)
		n += !strcmp(w->seen[i], fingerprint);
	w->seen[w->n_seen++] = fingerprint;
	return n;
}

static void put_result(struct writer *w, uint32_t object, const struct bw_scan_object *o, const struct bw_finding *f)
{
	const struct bw_rule *rule = bw_ruleset_find(w->r->rules, f->rule);
	_cleanup_buf_ struct bw_buf text = { 0 }, hash = { 0 };
	struct bw_json *j = &w->j;

	bw_report_sentence(f, &text);
	bw_buf_printf(&hash, "%.16s:%u", f->fingerprint, occurrence(w, f->fingerprint));
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "ruleId", f->rule);
	if (rule)
		bw_json_u64(j, "ruleIndex", (uint64_t)(rule - w->r->rules->rules));
	bw_json_str(j, "level", level_of(f->severity));
	put_message(j, "message", bw_buf_cstr(&text));
	bw_json_open(j, "locations", '[');
	bw_json_open(j, NULL, '{');
	put_physical(w, o, &f->at);
	put_logical(w, f->program, f->function);
	bw_json_close(j, '}');
	bw_json_close(j, ']');
	bw_json_open(j, "partialFingerprints", '{');
	bw_json_str(j, "primaryLocationLineHash", bw_buf_cstr(&hash));
	bw_json_str(j, "bpfwarden/v1", f->fingerprint);
	bw_json_close(j, '}');
	put_code_flow(w, o, f);
	if (*f->suppressed) {
		bw_json_open(j, "suppressions", '[');
		bw_json_open(j, NULL, '{');
		bw_json_str(j, "kind", "external");
		bw_json_str(j, "justification", f->suppressed);
		bw_json_close(j, '}');
		bw_json_close(j, ']');
	}
	if (w->any_known)
		bw_json_str(j, "baselineState", f->known ? "unchanged" : "new");
	bw_json_open(j, "properties", '{');
	bw_json_str(j, "severity", bw_severity_name(f->severity));
	bw_json_str(j, "kind", bw_finding_kind_name(f->kind));
	bw_json_str(j, "source", f->source);
	bw_json_str(j, "channel", f->channel);
	bw_json_str(j, "program", f->program);
	bw_json_str(j, "object", o->path);
	bw_json_u64(j, "artifactIndex", object);
	bw_json_u64(j, "instruction", f->at.insn);
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

static void put_invocation(struct writer *w)
{
	const struct bw_scan *s = w->r->scan;
	struct bw_json *j = &w->j;
	bool ok = true;

	for (uint32_t i = 0; i < s->n_objects; i++)
		ok &= s->objects[i].status == BW_SCAN_OK;
	bw_json_open(j, "invocations", '[');
	bw_json_open(j, NULL, '{');
	bw_json_bool(j, "executionSuccessful", ok);
	bw_json_open(j, "toolExecutionNotifications", '[');
	for (uint32_t i = 0; i < s->n_objects; i++)
		for (uint32_t k = 0; k < s->objects[i].n_reasons && s->objects[i].status != BW_SCAN_OK; k++) {
			_cleanup_buf_ struct bw_buf text = { 0 };

			bw_buf_printf(&text, "%s: %s", bw_scan_status_name(s->objects[i].status), s->objects[i].reasons[k]);
			bw_json_open(j, NULL, '{');
			bw_json_str(j, "level", "error");
			put_message(j, "message", bw_buf_cstr(&text));
			bw_json_open(j, "locations", '[');
			bw_json_open(j, NULL, '{');
			bw_json_open(j, "physicalLocation", '{');
			bw_json_open(j, "artifactLocation", '{');
			put_uri(j, s->objects[i].path);
			bw_json_close(j, '}');
			bw_json_close(j, '}');
			bw_json_close(j, '}');
			bw_json_close(j, ']');
			bw_json_close(j, '}');
		}
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, ']');
}

static void put_artifacts(struct writer *w)
{
	const struct bw_scan *s = w->r->scan;
	struct bw_json *j = &w->j;

	bw_json_open(j, "artifacts", '[');
	for (uint32_t i = 0; i < s->n_objects; i++) {
		bw_json_open(j, NULL, '{');
		bw_json_open(j, "location", '{');
		put_uri(j, s->objects[i].path);
		bw_json_close(j, '}');
		if (*s->objects[i].sha256) {
			bw_json_open(j, "hashes", '{');
			bw_json_str(j, "sha-256", s->objects[i].sha256);
			bw_json_close(j, '}');
		}
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
}

void bw_report_sarif(const struct bw_report *r, struct bw_buf *out)
{
	struct writer writer = { .r = r, .j = { .buf = out, .indent = 1 } }, *w = &writer;
	const struct bw_scan *s = r->scan;
	struct bw_json *j = &w->j;
	struct bw_counts c;
	uint32_t total = 0;

	bw_report_count(s, &c);
	w->any_known = c.known > 0;
	for (uint32_t i = 0; i < s->n_objects; i++)
		for (uint32_t p = 0; p < s->objects[i].n_programs; p++)
			total += s->objects[i].programs[p].n_findings;
	w->seen = calloc(total + 1u, sizeof(*w->seen));
	if (!w->seen) {
		out->error = -ENOMEM;
		return;
	}
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	bw_json_str(j, "version", "2.1.0");
	bw_json_open(j, "runs", '[');
	bw_json_open(j, NULL, '{');
	bw_json_open(j, "tool", '{');
	bw_json_open(j, "driver", '{');
	bw_json_str(j, "name", "bpfwarden");
	bw_json_str(j, "version", BW_VERSION);
	bw_json_str(j, "semanticVersion", BW_VERSION);
	bw_json_open(j, "rules", '[');
	for (uint32_t i = 0; i < r->rules->n_rules; i++)
		put_rule(w, &r->rules->rules[i]);
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, '}');
	bw_json_str(j, "columnKind", "unicodeCodePoints");
	put_invocation(w);
	put_artifacts(w);
	bw_json_open(j, "results", '[');
	for (uint32_t i = 0; i < s->n_objects; i++)
		for (uint32_t p = 0; p < s->objects[i].n_programs; p++)
			for (uint32_t k = 0; k < s->objects[i].programs[p].n_findings; k++)
				put_result(w, i, &s->objects[i], &s->objects[i].programs[p].findings[k]);
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_buf_char(out, '\n');
	free(w->seen);
}
