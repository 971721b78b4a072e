/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_MANIFEST_H
#define BW_MANIFEST_H
/*
 * The manifest: what each program of a file can do, as canonical JSON (docs/manifest.md). Members are in the order of the
 * alphabet, arrays are sorted, nothing depends on where in the code something is: the same program compiled again has the
 * same manifest as long as it does the same.
 */
#include <stdbool.h>
#include <stdint.h>

#include "auditor/analysis.h"
#include "common/buf.h"

#define BW_MANIFEST_VERSION 1u
#define BW_MAX_MANIFEST_SIZE (64u << 20)

struct bw_object;

/* One object of the file: @name tells several apart ("" when there is only one). */
struct bw_manifest_part {
	const char *name;
	const struct bw_object *object;
	const struct bw_analysis *analysis;
};

/* Appends the document. Returns 0, -ENOMEM or -E2BIG. */
int bw_manifest_write(const struct bw_manifest_part *parts, uint32_t n, struct bw_buf *out);

/*
 * What grew from one manifest to another. Appends lines to @out: "+ ..." for what is new or larger, "- ..." for what is gone.
 * Returns the number of "+" lines, or -EINVAL with *ret_why (static) when one of the documents is not a manifest, -ENOMEM.
 */
int bw_manifest_diff(const char *old_text, const char *new_text, struct bw_buf *out, const char **ret_why);

#endif
