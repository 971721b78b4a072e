// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/format.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/format_parts.h"

static const char *const names[] = {
	[FORMAT_NATIVE] = "native", [FORMAT_RFC5424] = "rfc5424", [FORMAT_RFC3164] = "rfc3164", [FORMAT_CEF] = "cef",
	[FORMAT_LEEF] = "leef",	    [FORMAT_ECS] = "ecs",	  [FORMAT_OCSF] = "ocsf",	[FORMAT_HEC] = "hec",
	[FORMAT_OTLP] = "otlp",	    [FORMAT_FALCOSIDEKICK] = "falcosidekick", [FORMAT_WAZUH] = "wazuh",
	[FORMAT_GELF] = "gelf",	    [FORMAT_JOURNAL] = "journal",
};
_Static_assert(ARRAY_SIZE(names) == FORMAT_COUNT, "a name for each format");

const char *format_name(enum format_id id)
{
	return (unsigned int)id < FORMAT_COUNT ? names[id] : NULL;
}

int format_parse(const char *name, enum format_id *ret)
{
	for (unsigned int i = 0; i < FORMAT_COUNT; i++) {
		if (!strcmp(names[i], name)) {
			*ret = (enum format_id)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool format_is_line(enum format_id id)
{
	return id != FORMAT_JOURNAL;
}

unsigned int format_syslog_level(enum event_severity s)
{
	static const unsigned int levels[] = { 7, 6, 5, 4, 3, 2 };

	return levels[s];
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static void put_char(struct bw_buf *b, uint32_t c, const char *raw, size_t raw_len, const struct text_style *s)
{
	static const char names_of[] = "btn?fr"; /* from 8 on; 11 has no name */
	char escape[8];
	size_t n = 0;

	if (c == '\\') {
		escape[n++] = '\\';
		escape[n++] = '\\';
	} else if (c >= 8 && c <= 13 && c != 11) {
		escape[n++] = '\\';
		escape[n++] = names_of[c - 8];
	} else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c < 0x80 && strchr(s->hidden, (char)c))) {
		n = (size_t)snprintf(escape, sizeof(escape), "\\u%04x", c);
	} else if (c < 0x80 && strchr(s->quoted, (char)c)) {
		bw_buf_char(b, '\\');
		bw_buf_char(b, (char)c);
		return;
	} else {
		bw_buf_append(b, raw, raw_len);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (escape[i] == '\\' && strchr(s->quoted, '\\'))
			bw_buf_char(b, '\\');
		bw_buf_char(b, escape[i]);
	}
}

/* What needs no look: letters, digits and the like. */
static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/' || c == '.' || c == '-';
}

/* @escaped: the text is the inside of a JSON string. */
static void put_range(struct bw_buf *b, const char *p, size_t len, bool escaped, const struct text_style *s)
{
	const char *end = p + len;

	while (p < end) {
		const char *begin = p;
		char utf8[4];
		uint32_t c;

		while (p < end && is_plain((unsigned char)*p))
			p++;
		bw_buf_append(b, begin, (size_t)(p - begin));
		if (p == end)
			break;
		begin = p;
		if (!escaped && *p == '\\') {
			c = '\\';
			p++;
		} else {
			c = event_next_char(&p, end);
		}
		if (*begin != '\\') {
			put_char(b, c, begin, (size_t)(p - begin), s);
		} else if (c < 0x80) {
			utf8[0] = (char)c;
			put_char(b, c, utf8, 1, s);
		} else {
			/* Written as \uNNNN: becomes itself. */
			struct event_member one = { .value = begin, .value_len = (uint32_t)(p - begin), .type = EVENT_STRING };
			_cleanup_buf_ struct bw_buf t = { 0 };

			event_text(&one, &t);
			put_char(b, c, bw_buf_cstr(&t), t.len, s);
		}
	}
}

void put_text(struct bw_buf *b, const char *text, size_t len, const struct text_style *s)
{
	put_range(b, text, len, false, s);
}

void put_word(struct bw_buf *b, const char *text, const struct text_style *s)
{
	put_text(b, text, strlen(text), s);
}

void put_value(struct bw_buf *b, const struct event_member *m, const struct text_style *s)
{
	struct event_member item;
	char hidden[32];
	size_t pos = 0;

	if (m->type == EVENT_LIST) {
		/* Elements are separated by commas: those inside an element are hidden. */
		struct text_style in = { .hidden = hidden, .quoted = s->quoted };

		snprintf(hidden, sizeof(hidden), "%s,", s->hidden);
		for (bool first = true; event_next(m, &pos, &item); first = false) {
			if (!first)
				bw_buf_char(b, ',');
			put_range(b, item.value, item.value_len, item.type == EVENT_STRING, &in);
		}
		return;
	}
	put_range(b, m->value, m->value_len, m->type == EVENT_STRING, s);
}

static const struct text_style plain_style = { .hidden = "", .quoted = "" };

static bool put_member(struct bw_buf *b, const struct event_view *e, const char *before, const char *key, const char *after)
{
	const struct event_member *m = event_get(e, key);

	if (!m || !m->value_len)
		return false;
	bw_buf_str(b, before);
	put_value(b, m, &plain_style);
	bw_buf_str(b, after);
	return true;
}

void put_summary(struct bw_buf *b, const struct event_view *e)
{
	const struct event_member *kind = event_get(e, "kind");

	if (put_member(b, e, "", "message", ""))
		return;
	if (event_is(kind, "load")) {
		put_member(b, e, "load of ", "prog_type", " program");
		put_member(b, e, " \"", "prog_name", "\"");
	} else if (event_is(kind, "command")) {
		put_member(b, e, "bpf() command ", "command", "");
	} else if (event_is(kind, "map")) {
		put_member(b, e, "descriptor of ", "map_type", " map");
		put_member(b, e, " \"", "map_name", "\"");
	} else if (!put_member(b, e, "", "rule", "")) {
		bw_buf_str(b, "event");
	}
	if (put_member(b, e, " by ", "loader_exe", "") || put_member(b, e, " by ", "loader_comm", ""))
		put_member(b, e, "[", "loader_tgid", "]");
	if (put_member(b, e, ": ", "action", ""))
		put_member(b, e, " (", "reason", ")");
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

void json_copy(struct bw_json *j, const char *key, const struct event_member *m)
{
	if (!m)
		return;
	if (m->type != EVENT_STRING) {
		bw_json_raw(j, key, m->value, m->value_len);
		return;
	}
	/* The quotes are part of the line. */
	bw_json_raw(j, key, m->value - 1, (size_t)m->value_len + 2);
}

void json_copy_string(struct bw_json *j, const char *key, const struct event_member *m)
{
	if (!m)
		return;
	if (m->type == EVENT_STRING)
		json_copy(j, key, m);
	else
		bw_json_strn(j, key, m->value, m->value_len);
}

void json_copy_all(struct bw_json *j, const char *key, const struct event_view *e)
{
	bw_json_raw(j, key, e->line, e->len);
}

void json_summary(struct bw_json *j, const char *key, const struct event_view *e)
{
	_cleanup_buf_ struct bw_buf t = { 0 };

	put_summary(&t, e);
	if (bw_buf_error(&t) && !j->buf->error)
		j->buf->error = bw_buf_error(&t);
	bw_json_strn(j, key, bw_buf_cstr(&t), t.len);
}

bool event_refused(const struct event_view *e)
{
	const struct event_member *m = event_get(e, "action");

	return event_is(m, "denied") || event_is(m, "would-deny");
}

int64_t event_number(const struct event_member *m, int64_t otherwise)
{
	char text[24], *end;
	long long v;

	if (!m || m->type != EVENT_NUMBER || m->value_len >= sizeof(text))
		return otherwise;
	memcpy(text, m->value, m->value_len);
	text[m->value_len] = '\0';
	errno = 0;
	v = strtoll(text, &end, 10);
	return errno || *end ? otherwise : v;
}

int format_event(enum format_id id, const struct format_options *o, const struct event_view *e, struct bw_buf *b)
{
	switch (id) {
	case FORMAT_NATIVE:
		bw_buf_append(b, e->line, e->len);
		break;
	case FORMAT_RFC5424:
		format_rfc5424(o, e, b);
		break;
	case FORMAT_RFC3164:
		format_rfc3164(o, e, b);
		break;
	case FORMAT_CEF:
		format_cef(e, b);
		break;
	case FORMAT_LEEF:
		format_leef(e, b);
		break;
	case FORMAT_ECS:
		format_ecs(e, b);
		break;
	case FORMAT_OCSF:
		format_ocsf(e, b);
		break;
	case FORMAT_HEC:
		format_hec(o, e, b);
		break;
	case FORMAT_OTLP:
		format_otlp_begin(e, b);
		format_otlp_record(e, b);
		format_otlp_end(b);
		break;
	case FORMAT_FALCOSIDEKICK:
		format_falcosidekick(e, b);
		break;
	case FORMAT_WAZUH:
		format_wazuh(e, b);
		break;
	case FORMAT_GELF:
		format_gelf(e, b);
		break;
	case FORMAT_JOURNAL:
		format_journal(e, b);
		break;
	default:
		return -EINVAL;
	}
	return bw_buf_error(b);
}
