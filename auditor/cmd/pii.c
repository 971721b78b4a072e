// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden pii: what the detectors of personal data are, and what they say about a text. A value is never printed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auditor/commands.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/sandbox.h"
#include "guard/api/pii_load.h"

#define PII_RULES_OPT { BW_OPT_STRING, 0, "pii-rules", &dir, "DIR", "with the rules in DIR/pii-*.json; a name that is built in is replaced" }

static int load(const char *dir, struct pii_rules **ret)
{
	struct pii_error e;
	char line[700];
	int r = pii_load_rules(dir, ret, &e);

	if (r < 0)
		bw_err("%s", pii_error_text(&e, line, sizeof(line)));
	return r;
}

static void categories(const struct pii_class *c, char *text, size_t size)
{
	size_t n = 0;

	text[0] = 0;
	for (unsigned int i = 0; pii_category_name(1u << i) && n < size; i++)
		if (c->categories & 1u << i)
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? "," : "", pii_category_name(1u << i));
}

int cmd_pii_rules(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden pii rules", "", "Lists what personal data and which secrets are recognised.",
		"A class is what is reported; its detectors are the ways to recognise it (docs/personal-data.md).",
	};
	const char *dir = NULL, *format = "table";
	const struct bw_opt opts[] = {
		PII_RULES_OPT,
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json", "default: table" },
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	BW_CLEANUP(pii_rules_freep) struct pii_rules *rules = NULL;
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct bw_json j = { .buf = &out, .indent = 1 };
	bool json;
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (n) {
		bw_err("%s takes no operands", cmd.name);
		return BW_EXIT_INPUT;
	}
	if (load(dir, &rules) < 0)
		return BW_EXIT_INPUT;
	json = !strcmp(format, "json");
	if (json)
		bw_json_open(&j, NULL, '[');
	for (unsigned int id = 0; pii_class(rules, id); id++) {
		const struct pii_class *c = pii_class(rules, id);
		unsigned int detectors = pii_class_detectors(rules, id);
		char text[80];

		categories(c, text, sizeof(text));
		if (json) {
			bw_json_open(&j, NULL, '{');
			bw_json_str(&j, "class", c->name);
			bw_json_str(&j, "title", c->title);
			bw_json_open(&j, "categories", '[');
			for (unsigned int i = 0; pii_category_name(1u << i); i++)
				if (c->categories & 1u << i)
					bw_json_str(&j, NULL, pii_category_name(1u << i));
			bw_json_close(&j, ']');
			bw_json_u64(&j, "detectors", detectors);
			bw_json_close(&j, '}');
		} else {
			bw_buf_printf(&out, "%-20s %-26s %2u  %s\n", c->name, text, detectors, c->title);
		}
	}
	if (json) {
		bw_json_close(&j, ']');
		bw_buf_char(&out, '\n');
	}
	if (bw_buf_error(&out)) {
		bw_err("out of memory");
		return BW_EXIT_INTERNAL;
	}
	fputs(bw_buf_cstr(&out), stdout);
	return BW_EXIT_OK;
}

/* ---- scan: the bytes may come from anywhere, so they are read in a process without privileges */

struct scan_job {
	const struct pii_rules *rules;
	const char *path;
	struct bw_slice bytes;
	struct pii_context ctx;
	bool json, redact;
};

/* What the child says first. */
enum scan_answer { SCAN_CLEAN = 'C', SCAN_FOUND = 'F', SCAN_CUT = 'I' };

struct place {
	size_t at;
	unsigned int line, column;
};

static void place_at(struct place *p, struct bw_slice bytes, uint64_t offset)
{
	for (; p->at < offset; p->at++) {
		p->column++;
		if (bytes.data[p->at] == '\n') {
			p->line++;
			p->column = 1;
		}
	}
}

static void describe(const struct scan_job *job, const struct pii_result *res, struct bw_buf *out)
{
	struct bw_json j = { .buf = out };
	struct place at = { 0, 1, 1 };

	for (uint32_t i = 0; i < res->n_hits; i++) {
		const struct pii_hit *h = &res->hits[i];
		const struct pii_class *c = pii_class(job->rules, h->class_id);
		char text[80];

		place_at(&at, job->bytes, h->offset);
		categories(c, text, sizeof(text));
		if (job->json) {
			bw_json_open(&j, NULL, '{');
			bw_json_str(&j, "file", job->path);
			bw_json_str(&j, "class", c->name);
			bw_json_str(&j, "detector", pii_detector_name(job->rules, h->detector_id));
			bw_json_str(&j, "categories", text);
			bw_json_u64(&j, "offset", h->offset);
			bw_json_u64(&j, "length", h->length);
			bw_json_u64(&j, "line", at.line);
			bw_json_u64(&j, "column", at.column);
			bw_json_u64(&j, "confidence", h->confidence);
			bw_json_u64(&j, "depth", h->depth);
			bw_json_close(&j, '}');
			bw_buf_char(out, '\n');
		} else {
			bw_buf_printf(out, "%s:%u:%u: %s, %u bytes, confidence %u (%s%s%s)\n", job->path, at.line, at.column, c->name, h->length,
				      h->confidence, pii_detector_name(job->rules, h->detector_id), *text ? "; " : "", text);
		}
	}
}

static int scan_run(void *arg, struct bw_sandbox_out *out)
{
	const struct scan_job *job = arg;
	_cleanup_buf_ struct bw_buf text = { 0 };
	BW_CLEANUP(pii_scanner_freep) struct pii_scanner *s = NULL;
	struct pii_result res;
	int r;

	r = pii_scanner_new(job->rules, &s);
	if (r >= 0)
		r = pii_scan(s, job->bytes, &job->ctx, &res);
	if (r < 0)
		return r;
	bw_buf_char(&text, res.complete_to < job->bytes.len || res.partial_decode ? SCAN_CUT : res.n_hits ? SCAN_FOUND : SCAN_CLEAN);
	if (job->redact)
		pii_redact(job->rules, job->bytes, 0, &res, &text);
	else
		describe(job, &res, &text);
	if (bw_buf_error(&text))
		return bw_buf_error(&text);
	return bw_sandbox_write(out, bw_buf_cstr(&text), text.len);
}

static int read_input(const char *path, char **ret, size_t *ret_len)
{
	_cleanup_buf_ struct bw_buf in = { .max = PII_MAX_SCAN };
	char block[65536];
	size_t n;

	if (strcmp(path, "-"))
		return bw_file_read(path, PII_MAX_SCAN, ret, ret_len);
	while ((n = fread(block, 1, sizeof(block), stdin)) > 0)
		bw_buf_append(&in, block, n);
	if (ferror(stdin))
		return -EIO;
	bw_buf_append(&in, "", 0);
	if (bw_buf_error(&in))
		return bw_buf_error(&in) == -E2BIG ? -EFBIG : bw_buf_error(&in);
	*ret_len = in.len;
	*ret = in.data ? bw_buf_steal(&in) : strdup("");
	return *ret ? 0 : -ENOMEM;
}

static int scan_file(const struct scan_job *proto, const char *path)
{
	const struct bw_sandbox conf = { .wall_ms = 60000, .max_output = 1ull << 30 };
	_cleanup_buf_ struct bw_buf out = { 0 };
	_cleanup_free_ char *data = NULL;
	struct scan_job job = *proto;
	char reason[256];
	size_t len;
	int r;

	r = read_input(path, &data, &len);
	if (r < 0) {
		bw_err("%s: %s", path, r == -EFBIG ? "too large" : strerror(-r));
		return BW_EXIT_INPUT;
	}
	job.path = strcmp(path, "-") ? path : "standard input";
	job.bytes = bw_slice(data, len);
	r = bw_sandbox_run(&conf, scan_run, &job, &out, reason, sizeof(reason));
	if (r || !out.len) {
		bw_err("%s: %s", path, reason[0] ? reason : strerror(-r));
		return r == -EPERM ? BW_EXIT_INTERNAL : BW_EXIT_INPUT;
	}
	for (size_t i = 1; i < out.len; i++) {
		unsigned char c = (unsigned char)out.data[i];

		putchar((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ? '?' : c);
	}
	if (out.data[0] == SCAN_CUT) {
		bw_err("%s: there is more than a scan takes; the rest was not looked at", path);
		return BW_EXIT_INPUT;
	}
	return out.data[0] == SCAN_CLEAN ? BW_EXIT_OK : BW_EXIT_FINDINGS;
}

int cmd_pii_scan(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden pii scan", "FILE...|-", "Says where in a text there is personal data, never which.",
		"Prints class, place and length of what the detectors find; --redact prints the text with each hit replaced by its\n"
		"class. Exit status: 0 nothing found, 1 something found, 2 a file that could not be read, or not in full.",
	};
	static const char *const contents[PII_CONTENTS] = { "auto", "text", "json", "form", "xml", "multipart", "headers", "binary" };
	const char *dir = NULL, *format = "text", *content = "auto";
	struct scan_job job = { 0 };
	const struct bw_opt opts[] = {
		PII_RULES_OPT,
		{ BW_OPT_CHOICE, 0, "content", &content, "auto|text|json|form|xml|multipart|headers|binary", "what the text is; default: auto" },
		{ BW_OPT_STRING, 0, "field", &job.ctx.field, "NAME", "the text is the value of this field" },
		{ BW_OPT_FLAG, 0, "redact", &job.redact, NULL, "print the text without what was found" },
		{ BW_OPT_CHOICE, 0, "format", &format, "text|json", "json: one object per line" },
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	BW_CLEANUP(pii_rules_freep) struct pii_rules *rules = NULL;
	int n, r, status = BW_EXIT_OK;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (!n) {
		bw_err("%s needs a file, or - for standard input", cmd.name);
		return BW_EXIT_INPUT;
	}
	if (load(dir, &rules) < 0)
		return BW_EXIT_INPUT;
	job.rules = rules;
	job.json = !strcmp(format, "json");
	for (unsigned int i = 0; i < PII_CONTENTS; i++)
		if (!strcmp(contents[i], content))
			job.ctx.content = (enum pii_content)i;
	for (int i = 1; i <= n; i++) {
		r = scan_file(&job, argv[i]);
		if (r > status)
			status = r;
	}
	return status;
}
