/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_DIAG_H
#define BW_DIAG_H
/*
 * The one way the auditor's input stages say why they failed: which file, where in it, what was wrong.
 * Fixed storage, so that reporting a failure cannot fail. A diag is only written on failure.
 */
#include <stddef.h>
#include <stdint.h>

struct bw_diag {
	char file[256];
	char place[128]; /* a section, a symbol, a type: "" when the whole file is meant */
	uint64_t offset; /* bytes into the place; BW_DIAG_NO_OFFSET when it has none */
	char reason[256];
};

#define BW_DIAG_NO_OFFSET UINT64_MAX

/* Fills @d (may be NULL) and returns @err, so that "return bw_diag_set(...)" is a complete failure. */
int bw_diag_set(struct bw_diag *d, int err, const char *file, const char *place, uint64_t offset, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* "file: place+0x10: reason", control characters replaced, always terminated. Returns @buf. */
const char *bw_diag_text(const struct bw_diag *d, char *buf, size_t size);

#endif
