/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SUPPRESS_H
#define BW_SUPPRESS_H
/*
 * Findings that somebody decided about: suppressions (with a reason and a last day), and a baseline (what was there when
 * scanning began to count). Both are JSON, read strictly: rules/schema/suppressions-v1.schema.json and
 * baseline-v1.schema.json. Neither touches findings of kind defect: what could not be judged cannot be waved through.
 */
#include <stdbool.h>
#include <stdint.h>

#include "auditor/diag.h"
#include "auditor/finding.h"
#include "common/buf.h"

#define BW_MAX_SUPPRESSIONS 100000u

struct bw_suppression {
	const char *rule;	 /* pattern, see bw_glob_match(); "" for any */
	const char *object;	 /* pattern of the path */
	const char *program;	 /* pattern */
	const char *function;	 /* pattern */
	const char *fingerprint; /* "" for any */
	const char *reason;
	uint32_t expires; /* 20270131: the last day it holds */
	bool used;
};

struct bw_suppressions {
	struct bw_arena arena;
	struct bw_suppression *items;
	uint32_t n;
	size_t cap;
};

/* Returns 0, -EINVAL with @diag, or -ENOMEM. */
int bw_suppressions_read(const char *text, size_t len, const char *name, struct bw_suppressions *s, struct bw_diag *diag);
/* Marks findings. Entries whose last day is before @today (20260930) do nothing; *ret_expired counts them. */
int bw_suppressions_apply(struct bw_suppressions *s, uint32_t today, struct bw_scan *scan, uint32_t *ret_expired);
void bw_suppressions_free(struct bw_suppressions *s);

/* Marks the findings that @text names as known. */
int bw_baseline_apply(const char *text, size_t len, const char *name, struct bw_scan *scan, struct bw_diag *diag);
/* The baseline of @scan: every finding but defects and suppressed ones. An object is named by the last part of its path. */
void bw_baseline_write(const struct bw_scan *scan, struct bw_buf *out);

#endif
