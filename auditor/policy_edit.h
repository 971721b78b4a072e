/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_EDIT_H
#define BW_POLICY_EDIT_H
/*
 * Changes a policy's text in place: what somebody wrote stays as it is, order and layout included, so that a review shows
 * only what was added. Pure. The text must be valid JSON; the caller parses the result again before it is used.
 */
#include <stddef.h>
#include "common/buf.h"

/*
 * Adds @value (JSON text, its lines after the first indented from column 0) as last element of the list at @path, laid out
 * like the elements before it. Returns 0, -ENOENT when there is no list at @path, -E2BIG or -ENOMEM; on failure *text is
 * as before.
 */
int policy_edit_append(struct bw_buf *text, const char *path, const char *value);

/* Adds the member @key to the object at @path ("" is the document). Errors as above. */
int policy_edit_add_member(struct bw_buf *text, const char *path, const char *key, const char *value);

/* Removes element @index of the list at @path, with its comma and line. -ENOENT when there is none. */
int policy_edit_remove(struct bw_buf *text, const char *path, unsigned int index);

#endif
