/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_JSON_H
#define BW_JSON_H
/*
 * A streaming JSON writer (RFC 8259) on a bw_buf. Commas are its business; nesting mistakes are assertion failures.
 * Strings are written as valid UTF-8 whatever they contain: invalid bytes become U+FFFD, control characters \u00XX.
 * @key is NULL inside an array and at the top.
 */
#include <stdbool.h>
#include <stdint.h>
#include "common/buf.h"
#include "common/limits.h"

struct bw_json {
	struct bw_buf *buf;
	unsigned int indent; /* spaces per level; 0 writes everything on one line */
	unsigned int depth;
	uint64_t used; /* bit n: level n already has a member */
};

void bw_json_open(struct bw_json *j, const char *key, char bracket); /* '{' or '[' */
void bw_json_close(struct bw_json *j, char bracket);		     /* '}' or ']' */
void bw_json_str(struct bw_json *j, const char *key, const char *value); /* NULL writes null */
void bw_json_strn(struct bw_json *j, const char *key, const char *value, size_t len);
void bw_json_hex(struct bw_json *j, const char *key, const void *data, size_t len);
void bw_json_u64(struct bw_json *j, const char *key, uint64_t value);
void bw_json_i64(struct bw_json *j, const char *key, int64_t value);
void bw_json_bool(struct bw_json *j, const char *key, bool value);
void bw_json_null(struct bw_json *j, const char *key);
/* @value is already JSON text. */
void bw_json_raw(struct bw_json *j, const char *key, const char *value, size_t len);

/* Appends @value as the inside of a JSON string (no quotes): the escaping above, for those who write JSON themselves. */
void bw_json_escape(struct bw_buf *b, const char *value, size_t len);

/*
 * The length of the well-formed UTF-8 sequence at @p (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF), or 0.
 */
size_t bw_utf8_len(const uint8_t *p, size_t len);

/*
 * Finds where in @text (@len bytes of syntactically valid JSON) the value at @path stands, for error messages.
 * @path is like "programs[3].digest"; a last "!KEY" component means the key itself, not its value.
 * Lines and columns count from 1. Returns false when there is no such place.
 */
bool bw_json_locate(const char *text, size_t len, const char *path, unsigned int *ret_line, unsigned int *ret_col);

#endif
