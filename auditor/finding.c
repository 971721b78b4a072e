// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/finding.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static const char *const severity_names[] = {
	[BW_SEV_INFO] = "info", [BW_SEV_LOW] = "low",		[BW_SEV_MEDIUM] = "medium",
	[BW_SEV_HIGH] = "high", [BW_SEV_CRITICAL] = "critical",
};
static const char *const kind_names[] = {
	[BW_KIND_CAPABILITY] = "capability",
	[BW_KIND_ATTACK] = "attack",
	[BW_KIND_DEFECT] = "defect",
};
static const char *const status_names[] = {
	[BW_SCAN_OK] = "ok",
	[BW_SCAN_INCOMPLETE] = "incomplete",
	[BW_SCAN_UNREADABLE] = "unreadable",
};

const char *bw_severity_name(enum bw_severity s)
{
	return s < BW_SEV_COUNT_ ? severity_names[s] : "?";
}

const char *bw_finding_kind_name(enum bw_finding_kind k)
{
	return k < BW_KIND_COUNT_ ? kind_names[k] : "?";
}

const char *bw_scan_status_name(enum bw_scan_status s)
{
	return s < BW_SCAN_STATUS_COUNT_ ? status_names[s] : "?";
}

static int id_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

int bw_severity_id(const char *name)
{
	return id_of(severity_names, ARRAY_SIZE(severity_names), name);
}

int bw_finding_kind_id(const char *name)
{
	return id_of(kind_names, ARRAY_SIZE(kind_names), name);
}

void bw_scan_free(struct bw_scan *s)
{
	bw_arena_free(&s->arena);
	*s = (struct bw_scan){ 0 };
}

void bw_fingerprint(const char *rule, const char *program, const char *function, uint32_t ordinal, char *ret)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	uint8_t digest[SHA256_DIGEST_LENGTH];

	bw_buf_append(&b, rule, strlen(rule) + 1);
	bw_buf_append(&b, program, strlen(program) + 1);
	bw_buf_append(&b, function, strlen(function) + 1);
	bw_buf_printf(&b, "%u", ordinal);
	SHA256((const unsigned char *)bw_buf_cstr(&b), b.len, digest);
	for (unsigned int i = 0; i < 16; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static int by_place(const struct bw_finding *a, const struct bw_finding *b)
{
	int r = strcmp(a->at.section, b->at.section);

	if (r)
		return r;
	if (a->at.insn != b->at.insn)
		return a->at.insn < b->at.insn ? -1 : 1;
	r = strcmp(a->source, b->source);
	if (r)
		return r;
	r = strcmp(a->channel, b->channel);
	return r ? r : strcmp(a->message, b->message);
}

/* The order in which findings of one rule, program and function are numbered. */
static int by_identity(const void *va, const void *vb)
{
	const struct bw_finding *a = va, *b = vb;
	int r = strcmp(a->rule, b->rule);

	if (!r)
		r = strcmp(a->program, b->program);
	if (!r)
		r = strcmp(a->function, b->function);
	return r ? r : by_place(a, b);
}

static int by_severity(const void *va, const void *vb)
{
	const struct bw_finding *a = va, *b = vb;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	return by_identity(va, vb);
}

int bw_findings_finish(struct bw_finding *f, uint32_t n, struct bw_arena *arena)
{
	if (n > 1)
		qsort(f, n, sizeof(*f), by_identity);
	for (uint32_t i = 0; i < n; i++) {
		bool same = i && !strcmp(f[i].rule, f[i - 1].rule) && !strcmp(f[i].program, f[i - 1].program) &&
			    !strcmp(f[i].function, f[i - 1].function);
		char hex[33];

		f[i].ordinal = same ? f[i - 1].ordinal + 1 : 0;
		bw_fingerprint(f[i].rule, f[i].program, f[i].function, f[i].ordinal, hex);
		f[i].fingerprint = bw_arena_str(arena, hex);
		if (!f[i].fingerprint)
			return -ENOMEM;
	}
	if (n > 1)
		qsort(f, n, sizeof(*f), by_severity);
	return 0;
}
