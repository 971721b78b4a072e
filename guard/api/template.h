/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_TEMPLATE_H
#define BW_GUARD_API_TEMPLATE_H
/*
 * A path without what makes it one of many: /users/4711/orders/3f2a...c1 becomes /users/{number}/orders/{hash}. What a segment
 * is, is judged by its form alone; words stay what they are. Those that look like slugs ("iphone-14-pro") stay too: only how many
 * of them there are tells whether they are one endpoint or many (catalogue.h). Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "guard/api/call.h"

#define API_TEMPLATE_MAX_SEGMENTS 24u
#define API_TEMPLATE_MAX_SEGMENT 48u /* bytes of a word that is kept */

enum api_segment {
	API_SEGMENT_WORD,
	API_SEGMENT_SLUG,   /* kept, may be collapsed */
	API_SEGMENT_NUMBER, /* from here on replaced by {name} */
	API_SEGMENT_UUID,
	API_SEGMENT_HASH,
	API_SEGMENT_DATE,
	API_SEGMENT_TOKEN,
	API_SEGMENT_EMAIL,
	API_SEGMENT_VALUE, /* not printable, too long, or encoded */
	API_SEGMENTS
};

enum api_segment api_segment_of(struct bw_slice segment);
const char *api_segment_name(enum api_segment s);

/* Personal data in a path: what is between @offset and @offset + @length belongs to @class_name. */
struct api_template_mark {
	size_t offset, length;
	const char *class_name;
};

/*
 * Writes the template of @path (without query) as a NUL-terminated text. @marks are in rising order. With @strict, what is not
 * a plain word is never kept. Returns false when the path had more segments or bytes than a template holds; it then ends in "{...}".
 */
bool api_template_path(struct bw_slice path, const struct api_template_mark *marks, size_t nmarks, bool strict, char out[API_MAX_PATH]);

/*
 * The name of a header, parameter or field as it may be kept: letters, digits and "_-.[]:$@" without what looks like an identifier;
 * "{number}", "{email}", ... otherwise. Percent-encoding is undone. @out has API_MAX_NAME bytes.
 */
void api_template_name(struct bw_slice name, char out[API_MAX_NAME]);

/* Undoes percent-encoding into @out of @size bytes; *ret_len bytes. False: it did not fit. */
bool api_percent_decode(struct bw_slice in, bool plus, uint8_t *out, size_t size, size_t *ret_len);

#endif
