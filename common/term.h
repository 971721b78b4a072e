/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_TERM_H
#define BW_TERM_H
/*
 * Text chosen by strangers on a terminal: control characters (C0, DEL, C1), direction overrides, line separators and bytes
 * that are not UTF-8 come out as escapes, so that a name can neither move the cursor nor forge a line.
 */
#include <stddef.h>
#include <stdio.h>

/* Escapes as \xNN (bytes) and \u{NNNN} (characters); a backslash stays what it is. */
void term_strn(FILE *out, const char *s, size_t len);
void term_str(FILE *out, const char *s);
/* The same as a cell of a table: padded to @width bytes (which is what ASCII names, nearly all of them, need), and a space. */
void term_cell(FILE *out, const char *s, int width);
/* A line that is JSON already: the same characters as \uNNNN, so that it stays JSON with the same content. */
void term_json(FILE *out, const char *line, size_t len);

#endif
