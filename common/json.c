// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static void json_newline(struct bw_json *j)
{
	static const char spaces[] = "\n                                                                ";
	size_t n = (size_t)j->depth * j->indent;

	if (!j->indent)
		return;
	bw_buf_append(j->buf, spaces, n < sizeof(spaces) - 2 ? n + 1 : sizeof(spaces) - 1);
	for (size_t i = sizeof(spaces) - 2; i < n; i++)
		bw_buf_char(j->buf, ' ');
}

static void json_key(struct bw_json *j, const char *key)
{
	if (j->depth) {
		if (j->used >> j->depth & 1)
			bw_buf_char(j->buf, ',');
		j->used |= 1ULL << j->depth;
		json_newline(j);
	}
	if (key) {
		bw_buf_char(j->buf, '"');
		bw_json_escape(j->buf, key, strlen(key));
		bw_buf_str(j->buf, j->indent ? "\": " : "\":");
	}
}

void bw_json_open(struct bw_json *j, const char *key, char bracket)
{
	assert(bracket == '{' || bracket == '[');
	json_key(j, key);
	bw_buf_char(j->buf, bracket);
	j->depth++;
	assert(j->depth < BW_MAX_JSON_DEPTH);
	j->used &= ~(1ULL << j->depth);
}

void bw_json_close(struct bw_json *j, char bracket)
{
	bool any = j->used >> j->depth & 1;

	assert(bracket == '}' || bracket == ']');
	assert(j->depth);
	j->depth--;
	if (any)
		json_newline(j);
	bw_buf_char(j->buf, bracket);
}

size_t bw_utf8_len(const uint8_t *p, size_t len)
{
	uint8_t lo = 0x80, hi = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

void bw_json_escape(struct bw_buf *b, const char *value, size_t len)
{
	const uint8_t *p = (const uint8_t *)value;
	size_t run = 0, i = 0;

	while (i < len) {
		size_t n = bw_utf8_len(p + i, len - i);

		if (n && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && p[i] != 0x7f) {
			i += n;
			continue;
		}
		bw_buf_append(b, p + run, i - run);
		if (!n) {
			bw_buf_str(b, "\xef\xbf\xbd");
			n = 1;
		} else if (p[i] == '"' || p[i] == '\\') {
			bw_buf_char(b, '\\');
			bw_buf_char(b, (char)p[i]);
		} else if (p[i] == '\n') {
			bw_buf_str(b, "\\n");
		} else if (p[i] == '\t') {
			bw_buf_str(b, "\\t");
		} else {
			bw_buf_printf(b, "\\u%04x", p[i]);
		}
		i += n;
		run = i;
	}
	bw_buf_append(b, p + run, len - run);
}

void bw_json_strn(struct bw_json *j, const char *key, const char *value, size_t len)
{
	json_key(j, key);
	bw_buf_char(j->buf, '"');
	bw_json_escape(j->buf, value, len);
	bw_buf_char(j->buf, '"');
}

void bw_json_str(struct bw_json *j, const char *key, const char *value)
{
	if (value)
		bw_json_strn(j, key, value, strlen(value));
	else
		bw_json_null(j, key);
}

void bw_json_hex(struct bw_json *j, const char *key, const void *data, size_t len)
{
	json_key(j, key);
	bw_buf_char(j->buf, '"');
	bw_buf_hex(j->buf, data, len);
	bw_buf_char(j->buf, '"');
}

void bw_json_u64(struct bw_json *j, const char *key, uint64_t value)
{
	json_key(j, key);
	bw_buf_printf(j->buf, "%" PRIu64, value);
}

void bw_json_i64(struct bw_json *j, const char *key, int64_t value)
{
	json_key(j, key);
	bw_buf_printf(j->buf, "%" PRId64, value);
}

void bw_json_bool(struct bw_json *j, const char *key, bool value)
{
	json_key(j, key);
	bw_buf_str(j->buf, value ? "true" : "false");
}

void bw_json_null(struct bw_json *j, const char *key)
{
	json_key(j, key);
	bw_buf_str(j->buf, "null");
}

void bw_json_raw(struct bw_json *j, const char *key, const char *value, size_t len)
{
	json_key(j, key);
	bw_buf_append(j->buf, value, len);
}

/* ---- bw_json_locate: a tokenizer that only counts; the text was parsed before, so mistakes just end the search ---- */

struct locator {
	const char *p, *end;
	const char *start;
};

static void loc_space(struct locator *l)
{
	while (l->p < l->end && strchr(" \t\r\n", *l->p) && *l->p)
		l->p++;
}

/* Skips a string; *ret_text is its raw inside. */
static bool loc_string(struct locator *l, const char **ret_text, size_t *ret_len)
{
	const char *begin;

	if (l->p >= l->end || *l->p != '"')
		return false;
	begin = ++l->p;
	while (l->p < l->end && *l->p != '"')
		l->p += *l->p == '\\' ? 2 : 1;
	if (l->p >= l->end)
		return false;
	*ret_text = begin;
	*ret_len = (size_t)(l->p - begin);
	l->p++;
	return true;
}

/* Skips one value of any kind, without recursion: brackets are only counted. */
static bool loc_skip(struct locator *l)
{
	unsigned int depth = 0;
	const char *text;
	size_t len;

	do {
		loc_space(l);
		if (l->p >= l->end)
			return false;
		switch (*l->p) {
		case '{':
		case '[':
			depth++;
			l->p++;
			break;
		case '}':
		case ']':
			if (!depth)
				return false;
			depth--;
			l->p++;
			break;
		case '"':
			if (!loc_string(l, &text, &len))
				return false;
			break;
		case ',':
		case ':':
			l->p++;
			break;
		default:
			while (l->p < l->end && !strchr(",:]} \t\r\n", *l->p))
				l->p++;
		}
	} while (depth);
	return true;
}

static bool loc_enter_index(struct locator *l, unsigned long index)
{
	loc_space(l);
	if (l->p >= l->end || *l->p != '[')
		return false;
	l->p++;
	for (unsigned long i = 0; i < index; i++) {
		if (!loc_skip(l))
			return false;
		loc_space(l);
		if (l->p >= l->end || *l->p != ',')
			return false;
		l->p++;
	}
	loc_space(l);
	return l->p < l->end;
}

/* @last: of several members with the same key take the last, which is the one that is one too many. */
static bool loc_enter_key(struct locator *l, const char *key, size_t key_len, bool at_key, bool last)
{
	const char *found = NULL;

	loc_space(l);
	if (l->p >= l->end || *l->p != '{')
		return false;
	l->p++;
	for (;;) {
		const char *text, *at;
		size_t len;

		loc_space(l);
		at = l->p;
		if (!loc_string(l, &text, &len))
			break;
		loc_space(l);
		if (l->p >= l->end || *l->p != ':')
			break;
		l->p++;
		loc_space(l);
		if (len == key_len && !memcmp(text, key, len)) {
			found = at_key ? at : l->p;
			if (!last)
				break;
		}
		if (!loc_skip(l))
			break;
		loc_space(l);
		if (l->p >= l->end || *l->p != ',')
			break;
		l->p++;
	}
	if (found)
		l->p = found;
	return found != NULL;
}

bool bw_json_locate(const char *text, size_t len, const char *path, unsigned int *ret_line, unsigned int *ret_col)
{
	struct locator l = { .p = text, .end = text + len, .start = text };
	unsigned int line = 1, col = 1;

	loc_space(&l);
	while (*path) {
		if (*path == '.') {
			path++;
		} else if (*path == '[') {
			char *end;
			unsigned long index = strtoul(path + 1, &end, 10);

			if (*end != ']' || !loc_enter_index(&l, index))
				return false;
			path = end + 1;
		} else {
			bool at_key = *path == '!';
			size_t n;

			path += at_key;
			n = at_key ? strlen(path) : strcspn(path, ".[!");
			if (!loc_enter_key(&l, path, n, at_key, at_key))
				return false;
			path += n;
		}
	}
	if (l.p > l.end)
		return false;
	for (const char *p = text; p < l.p; p++) {
		if (*p == '\n') {
			line++;
			col = 1;
		} else {
			col++;
		}
	}
	*ret_line = line;
	*ret_col = col;
	return true;
}
