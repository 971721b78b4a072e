/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_JSON_SCAN_H
#define BW_GUARD_API_JSON_SCAN_H
/*
 * The shape of a JSON text: for each value its path, type and place. Tolerant: a text that was cut, or goes wrong, has a shape up to
 * there. Names of objects' members that look like identifiers become one name ("orders.{number}.total"), elements of
 * an array are "[]". No recursion, linear time. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "guard/api/call.h"

#define JSON_SCAN_MAX_DEPTH 64u

enum json_scan_result {
	JSON_SCAN_OK,  /* one whole value */
	JSON_SCAN_CUT, /* it ends before its end */
	JSON_SCAN_BAD, /* not JSON from some point on, or deeper than JSON_SCAN_MAX_DEPTH */
};

struct json_scan_value {
	const char *path; /* "user.emails[]"; "" for the root. Cut to API_MAX_NAME - 1 bytes */
	uint32_t type;	  /* one of enum api_type */
	size_t offset, len; /* in the text; of a string without its quotes; of objects and arrays their first byte */
	struct bw_slice key; /* the last name as it stands in the text; len 0: none */
};

/* Anything but true ends the scan with JSON_SCAN_OK. */
typedef bool (*json_scan_fn)(void *arg, const struct json_scan_value *v);

/* *ret_end (may be NULL): where the value ended. */
enum json_scan_result json_scan(struct bw_slice text, json_scan_fn fn, void *arg, size_t *ret_end);

#endif
