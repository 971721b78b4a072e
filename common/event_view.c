// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/event_view.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/json_check.h"

/* All of this runs over text that bw_json_check() has let pass. */

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\n\r");
}

/* Behind the closing quote of the string whose opening one is at @p. */
static const char *skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

static const char *skip_nested(const char *p)
{
	unsigned int depth = 0;

	for (;;) {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && !--depth)
			return p + 1;
		p++;
	}
}

/* Fills type and value; returns what follows. */
static const char *get_value(const char *p, struct event_member *m)
{
	const char *end;

	switch (*p) {
	case '"':
		end = skip_string(p);
		m->type = EVENT_STRING;
		m->value = p + 1;
		m->value_len = (uint32_t)(end - p - 2);
		return end;
	case '[':
	case '{':
		m->type = *p == '[' ? EVENT_LIST : EVENT_OBJECT;
		end = skip_nested(p);
		break;
	default:
		m->type = *p == 't' ? EVENT_TRUE : *p == 'f' ? EVENT_FALSE : *p == 'n' ? EVENT_NULL : EVENT_NUMBER;
		end = p + strcspn(p, ",]} \t\n\r");
	}
	m->value = p;
	m->value_len = (uint32_t)(end - p);
	return end;
}

static bool key_is_word(const struct event_member *m)
{
	if (!m->key_len || m->key_len > EVENT_VIEW_MAX_KEY)
		return false;
	for (uint32_t i = 0; i < m->key_len; i++) {
		char c = m->key[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

static bool key_is_new(const struct event_view *e, const struct event_member *m)
{
	for (unsigned int i = 0; i < e->n; i++)
		if (e->members[i].key_len == m->key_len && !memcmp(e->members[i].key, m->key, m->key_len))
			return false;
	return true;
}

int event_view_parse(const char *line, size_t len, struct event_view *ret)
{
	const char *p, *why;
	size_t offset;
	int r;

	ret->line = line;
	ret->len = len;
	ret->n = 0;
	if (len > UINT32_MAX)
		return -E2BIG;
	if (memchr(line, '\n', len) || memchr(line, '\r', len))
		return -EBADMSG; /* white space to JSON, the end of the record to others */
	r = bw_json_check(line, len, EVENT_VIEW_MAX_VALUES, &offset, &why);
	if (r < 0)
		return r;
	p = skip_space(line);
	if (*p != '{')
		return -EBADMSG;
	p = skip_space(p + 1);
	while (*p != '}') {
		struct event_member *m = &ret->members[ret->n];

		if (ret->n == EVENT_VIEW_MAX_MEMBERS)
			return -E2BIG;
		m->key = p + 1;
		p = skip_string(p);
		m->key_len = (uint32_t)(p - m->key - 1);
		if (!key_is_word(m) || !key_is_new(ret, m))
			return -EBADMSG;
		p = skip_space(skip_space(p) + 1); /* over the colon */
		p = skip_space(get_value(p, m));
		ret->n++;
		if (*p == ',')
			p = skip_space(p + 1);
	}
	if (!ret->n || strncmp(ret->members[0].key, "v\"", 2) || ret->members[0].value_len != 1 || *ret->members[0].value != '1')
		return -EBADMSG;
	return 0;
}

const struct event_member *event_get(const struct event_view *e, const char *key)
{
	size_t len = strlen(key);

	for (unsigned int i = 0; i < e->n; i++)
		if (e->members[i].key_len == len && !memcmp(e->members[i].key, key, len))
			return &e->members[i];
	return NULL;
}

bool event_is(const struct event_member *m, const char *word)
{
	return m && m->type == EVENT_STRING && m->value_len == strlen(word) && !memcmp(m->value, word, m->value_len);
}

enum event_severity event_severity(const struct event_view *e)
{
	static const char *const names[] = { "debug", "info", "low", "medium", "high", "critical" };
	const struct event_member *m = event_get(e, "severity");

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (event_is(m, names[i]))
			return (enum event_severity)i;
	return EVENT_INFO;
}

static bool digits(const char **p, const char *end, unsigned int n, char after, int *ret)
{
	int v = 0;

	for (; n; n--, (*p)++) {
		if (*p >= end || **p < '0' || **p > '9')
			return false;
		v = v * 10 + (**p - '0');
	}
	if (after && (*p >= end || *(*p)++ != after))
		return false;
	*ret = v;
	return true;
}

int64_t event_time(const struct event_view *e)
{
	const struct event_member *m = event_get(e, "time");
	const char *p, *end;
	struct tm tm = { 0 };
	int64_t ns = 0, unit = 1000000000;

	if (!m || m->type != EVENT_STRING)
		return 0;
	p = m->value;
	end = p + m->value_len;
	if (!digits(&p, end, 4, '-', &tm.tm_year) || !digits(&p, end, 2, '-', &tm.tm_mon) || !digits(&p, end, 2, 'T', &tm.tm_mday) ||
	    !digits(&p, end, 2, ':', &tm.tm_hour) || !digits(&p, end, 2, ':', &tm.tm_min) || !digits(&p, end, 2, 0, &tm.tm_sec))
		return 0;
	if (p < end && *p == '.')
		for (p++; p < end && *p >= '0' && *p <= '9' && unit > 1; p++) {
			unit /= 10;
			ns += (*p - '0') * unit;
		}
	if (p != end - 1 || *p != 'Z' || tm.tm_year > 2200 || tm.tm_year < 1900)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (int64_t)timegm(&tm) * 1000000000 + ns;
}

static unsigned int hex4(const char *p)
{
	unsigned int v = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];

		v = v << 4 | (unsigned int)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	return v;
}

uint32_t event_next_char(const char **pp, const char *end)
{
	const char *p = *pp;
	unsigned char c = (unsigned char)*p++;
	uint32_t v;
	int more;

	if (c == '\\') {
		c = (unsigned char)*p++;
		switch (c) {
		case 'b': v = '\b'; break;
		case 'f': v = '\f'; break;
		case 'n': v = '\n'; break;
		case 'r': v = '\r'; break;
		case 't': v = '\t'; break;
		case 'u':
			v = hex4(p);
			p += 4;
			if (v >= 0xd800 && v < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
				v = 0x10000 + ((v - 0xd800) << 10) + (hex4(p + 2) - 0xdc00);
				p += 6;
			}
			break;
		default: v = c;
		}
	} else if (c < 0x80) {
		v = c;
	} else {
		more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
		v = c & (0x3fu >> more);
		while (more-- && p < end)
			v = v << 6 | ((unsigned char)*p++ & 0x3f);
	}
	*pp = p;
	return v;
}

static void put_utf8(struct bw_buf *b, uint32_t c)
{
	char out[4];
	size_t n = 0;

	if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xc0 | c >> 6);
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		out[n++] = (char)(0xe0 | c >> 12);
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | c >> 18);
		out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	}
	bw_buf_append(b, out, n);
}

void event_text(const struct event_member *m, struct bw_buf *b)
{
	const char *p = m->value, *end = p + m->value_len;

	if (m->type != EVENT_STRING) {
		bw_buf_append(b, p, m->value_len);
		return;
	}
	while (p < end) {
		const char *plain = memchr(p, '\\', (size_t)(end - p));
		size_t n = (size_t)((plain ? plain : end) - p);

		bw_buf_append(b, p, n);
		p += n;
		if (p < end)
			put_utf8(b, event_next_char(&p, end));
	}
}

bool event_next(const struct event_member *list, size_t *pos, struct event_member *ret)
{
	const char *p = list->value + *pos, *end = list->value + list->value_len;

	if (list->type != EVENT_LIST)
		return false;
	if (!*pos || *p == ',')
		p++; /* over the bracket or the comma */
	p = skip_space(p);
	if (p >= end || *p == ']')
		return false;
	*ret = (struct event_member){ .key = "" };
	p = skip_space(get_value(p, ret));
	*pos = (size_t)(p - list->value);
	return true;
}
