/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_FORMAT_PARTS_H
#define BW_FORMAT_PARTS_H
/* What the formats share. Private to common/format*.c. */
#include "common/format.h"
#include "common/json.h"

/*
 * Text form, for formats that are not JSON: the characters themselves, but a backslash is doubled, and control characters,
 * C1 ones and line separators too, are \b \f \n \r \t or \uNNNN, as in JSON: nothing ends a line, nothing is lost. Characters in @hidden come
 * out as \uNNNN, too. On top of that a character in @quoted gets a backslash before it, which is the format's own escape.
 */
struct text_style {
	const char *hidden, *quoted;
};

void put_value(struct bw_buf *b, const struct event_member *m, const struct text_style *s); /* lists: elements joined by commas */
void put_text(struct bw_buf *b, const char *text, size_t len, const struct text_style *s); /* of valid UTF-8 */
void put_word(struct bw_buf *b, const char *text, const struct text_style *s);

/* One sentence for people, plain text without control characters. */
void put_summary(struct bw_buf *b, const struct event_view *e);

/* Writes a member as it stands, under its own or another name. Absent ones are left out. */
void json_copy(struct bw_json *j, const char *key, const struct event_member *m);
/* As a string, whatever it was. */
void json_copy_string(struct bw_json *j, const char *key, const struct event_member *m);
/* All members, in an object. */
void json_copy_all(struct bw_json *j, const char *key, const struct event_view *e);
void json_summary(struct bw_json *j, const char *key, const struct event_view *e);
bool event_refused(const struct event_view *e); /* denied, or would have been */
int64_t event_number(const struct event_member *m, int64_t otherwise);

void format_rfc5424(const struct format_options *o, const struct event_view *e, struct bw_buf *b);
void format_rfc3164(const struct format_options *o, const struct event_view *e, struct bw_buf *b);
void format_cef(const struct event_view *e, struct bw_buf *b);
void format_leef(const struct event_view *e, struct bw_buf *b);
void format_ecs(const struct event_view *e, struct bw_buf *b);
void format_ocsf(const struct event_view *e, struct bw_buf *b);
void format_hec(const struct format_options *o, const struct event_view *e, struct bw_buf *b);
void format_falcosidekick(const struct event_view *e, struct bw_buf *b);
void format_wazuh(const struct event_view *e, struct bw_buf *b);
void format_gelf(const struct event_view *e, struct bw_buf *b);
void format_journal(const struct event_view *e, struct bw_buf *b);

#endif
