/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_EVENT_VIEW_H
#define BW_EVENT_VIEW_H
/*
 * A native event (docs/events.md) as a list of its members, without copying: what every other format is made from. Values
 * stay JSON text, so that 64-bit integers keep their digits. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define EVENT_VIEW_MAX_MEMBERS 256u
#define EVENT_VIEW_MAX_KEY 64u
#define EVENT_VIEW_MAX_VALUES 4096u /* in the whole event, with the elements of lists */

enum event_type { EVENT_STRING, EVENT_NUMBER, EVENT_TRUE, EVENT_FALSE, EVENT_NULL, EVENT_LIST, EVENT_OBJECT };

/* Borrowed from the line. */
struct event_member {
	const char *key;   /* a lower_case word, not terminated */
	const char *value; /* JSON text; of a string without its quotes */
	uint32_t key_len, value_len;
	enum event_type type;
};

struct event_view {
	const char *line;
	size_t len;
	unsigned int n;
	struct event_member members[EVENT_VIEW_MAX_MEMBERS];
};

/* Severity by number; in the order of the names "debug" .. "critical". */
enum event_severity { EVENT_DEBUG, EVENT_INFO, EVENT_LOW, EVENT_MEDIUM, EVENT_HIGH, EVENT_CRITICAL };

/*
 * -EBADMSG: not one strict JSON object of version 1 with words as keys, each once; -E2BIG: too many members or values.
 * @line must have a NUL behind its @len bytes.
 */
int event_view_parse(const char *line, size_t len, struct event_view *ret);

/* NULL when there is none. */
const struct event_member *event_get(const struct event_view *e, const char *key);
/* Is it a string, and this one? (For words that need no escape.) */
bool event_is(const struct event_member *m, const char *word);
enum event_severity event_severity(const struct event_view *e); /* EVENT_INFO when it says nothing that is known */
/* The member "time" in nanoseconds since 1970, 0 when it is not a time. */
int64_t event_time(const struct event_view *e);

/* Appends what a value says: a string unescaped, anything else as it stands. */
void event_text(const struct event_member *m, struct bw_buf *b);

/* Walks over the elements of a list: *ret is the next one (its key is empty). Begins with *pos 0. */
bool event_next(const struct event_member *list, size_t *pos, struct event_member *ret);

/* Takes the JSON string (without quotes, valid) at *p apart: the next character. */
uint32_t event_next_char(const char **p, const char *end);

#endif
