/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_JSON_CHECK_H
#define BW_JSON_CHECK_H
/*
 * Strict syntax check of a JSON text (RFC 8259) before cJSON reads it. cJSON lets pass what would make two readers see two
 * different documents: text after the value, control characters, invalid UTF-8, "\u0000" (it cuts the string there),
 * numbers such as 01 or 1., a byte order mark; and it allows 1000 levels of nesting. Duplicate keys are legal JSON and are
 * left to the reader of the document.
 */
#include <stddef.h>

/*
 * Returns 0, -EBADMSG, or -E2BIG for more than BW_MAX_JSON_DEPTH levels or @max_values values. *ret_offset is then the place
 * and *ret_reason a static text. No recursion; time is linear.
 */
int bw_json_check(const char *text, size_t len, size_t max_values, size_t *ret_offset, const char **ret_reason);

/* Line and column (in bytes), from 1, of an offset. */
void bw_json_position(const char *text, size_t offset, unsigned int *ret_line, unsigned int *ret_col);

#endif
