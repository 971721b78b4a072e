// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/json_scan.h"

#include <string.h>

#include "guard/api/template.h"

struct level {
	bool object;
	uint16_t path_len; /* of the container itself */
};

struct scan {
	struct bw_slice text;
	size_t at;
	json_scan_fn fn;
	void *arg;
	char path[API_MAX_NAME];
	size_t path_len;
	struct level levels[JSON_SCAN_MAX_DEPTH];
	unsigned int depth;
	struct bw_slice key;
};

static void path_cut(struct scan *s, size_t len)
{
	s->path_len = len;
	s->path[len] = '\0';
}

static void path_add(struct scan *s, const char *text, size_t len)
{
	if (len > sizeof(s->path) - 1 - s->path_len)
		len = sizeof(s->path) - 1 - s->path_len;
	memcpy(s->path + s->path_len, text, len);
	path_cut(s, s->path_len + len);
}

static void skip_space(struct scan *s)
{
	while (s->at < s->text.len) {
		uint8_t c = s->text.data[s->at];

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			break;
		s->at++;
	}
}

/* At the opening quote. False: no end. */
static bool read_string(struct scan *s, struct bw_slice *ret)
{
	size_t start = ++s->at;

	while (s->at < s->text.len) {
		uint8_t c = s->text.data[s->at];

		if (c == '"') {
			*ret = bw_slice(s->text.data + start, s->at - start);
			s->at++;
			return true;
		}
		s->at += c == '\\' ? 2 : 1;
	}
	s->at = s->text.len;
	*ret = bw_slice(s->text.data + start, s->text.len - start);
	return false;
}

static bool is_number_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static bool emit(struct scan *s, uint32_t type, size_t offset, size_t len)
{
	const struct json_scan_value v = { .path = s->path, .type = type, .offset = offset, .len = len, .key = s->key };

	return s->fn(s->arg, &v);
}

/* What a scalar step says. */
enum step { STEP_OK, STEP_CUT, STEP_BAD, STEP_STOP };

static enum step read_literal(struct scan *s)
{
	static const struct {
		const char *word;
		uint32_t type;
	} words[] = { { "true", API_TYPE_BOOL }, { "false", API_TYPE_BOOL }, { "null", API_TYPE_NULL } };
	size_t left = s->text.len - s->at;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word), have = left < n ? left : n;

		if (memcmp(s->text.data + s->at, words[i].word, have))
			continue;
		if (have < n)
			return STEP_CUT;
		s->at += n;
		return emit(s, words[i].type, s->at - n, n) ? STEP_OK : STEP_STOP;
	}
	return STEP_BAD;
}

static enum step read_number(struct scan *s)
{
	size_t start = s->at;
	bool integer = true, digit = false;

	while (s->at < s->text.len && is_number_char(s->text.data[s->at])) {
		uint8_t c = s->text.data[s->at++];

		digit |= c >= '0' && c <= '9';
		integer &= c != '.' && c != 'e' && c != 'E';
	}
	if (!digit)
		return s->at == s->text.len ? STEP_CUT : STEP_BAD;
	return emit(s, integer ? API_TYPE_INTEGER : API_TYPE_NUMBER, start, s->at - start) ? STEP_OK : STEP_STOP;
}

/* A value begins here; containers are entered. */
static enum step read_value(struct scan *s)
{
	uint8_t c = s->text.data[s->at];
	struct bw_slice str;

	if (c == '"') {
		size_t start = s->at + 1;
		bool whole = read_string(s, &str);

		if (!emit(s, API_TYPE_STRING, start, str.len))
			return STEP_STOP;
		return whole ? STEP_OK : STEP_CUT;
	}
	if (c == '{' || c == '[') {
		if (s->depth == JSON_SCAN_MAX_DEPTH)
			return STEP_BAD;
		if (!emit(s, c == '{' ? API_TYPE_OBJECT : API_TYPE_ARRAY, s->at, 1))
			return STEP_STOP;
		s->at++;
		s->levels[s->depth++] = (struct level){ .object = c == '{', .path_len = (uint16_t)s->path_len };
		if (c == '[')
			path_add(s, "[]", 2);
		return STEP_OK;
	}
	return is_number_char(c) ? read_number(s) : read_literal(s);
}

/* "name": of a member; the path is set to it. */
static enum step read_key(struct scan *s)
{
	const struct level *l = &s->levels[s->depth - 1];
	char name[API_MAX_NAME];

	if (s->text.data[s->at] != '"')
		return STEP_BAD;
	if (!read_string(s, &s->key))
		return STEP_CUT;
	path_cut(s, l->path_len);
	if (s->path_len)
		path_add(s, ".", 1);
	/* Percent signs mean nothing in JSON, and a name with one is none that is kept. */
	if (s->key.len && memchr(s->key.data, '%', s->key.len))
		memcpy(name, "{value}", sizeof("{value}"));
	else
		api_template_name(s->key, name);
	path_add(s, name, strlen(name));
	skip_space(s);
	if (s->at == s->text.len)
		return STEP_CUT;
	if (s->text.data[s->at++] != ':')
		return STEP_BAD;
	skip_space(s);
	return s->at == s->text.len ? STEP_CUT : STEP_OK;
}

static void leave(struct scan *s)
{
	s->depth--;
	s->at++;
	path_cut(s, s->levels[s->depth].path_len);
}

/* Behind a value: a comma, or the ends of containers. OK with depth 0: all is read. */
static enum step read_after(struct scan *s)
{
	while (s->depth) {
		bool object = s->levels[s->depth - 1].object;
		uint8_t c;

		skip_space(s);
		if (s->at == s->text.len)
			return STEP_CUT;
		c = s->text.data[s->at];
		if (c == (object ? '}' : ']')) {
			leave(s);
			continue;
		}
		if (c != ',')
			return STEP_BAD;
		s->at++;
		skip_space(s);
		return s->at == s->text.len ? STEP_CUT : STEP_OK;
	}
	return STEP_OK;
}

static enum json_scan_result run(struct scan *s)
{
	enum step r = STEP_OK;

	skip_space(s);
	if (s->at == s->text.len)
		return JSON_SCAN_CUT;
	do {
		unsigned int depth = s->depth;

		if (depth && s->levels[depth - 1].object)
			r = read_key(s);
		if (r == STEP_OK)
			r = read_value(s);
		if (r == STEP_OK && s->depth > depth) {
			/* A container was entered: it may be empty. */
			skip_space(s);
			if (s->at == s->text.len)
				return JSON_SCAN_CUT;
			if (s->text.data[s->at] != (s->levels[depth].object ? '}' : ']'))
				continue;
			leave(s);
		}
		if (r == STEP_OK)
			r = read_after(s);
	} while (r == STEP_OK && s->depth);
	return r == STEP_CUT ? JSON_SCAN_CUT : r == STEP_BAD ? JSON_SCAN_BAD : JSON_SCAN_OK;
}

enum json_scan_result json_scan(struct bw_slice text, json_scan_fn fn, void *arg, size_t *ret_end)
{
	struct scan s = { .text = text, .fn = fn, .arg = arg, .key = bw_slice("", 0) };
	enum json_scan_result r = run(&s);

	if (ret_end)
		*ret_end = s.at < text.len ? s.at : text.len;
	return r;
}
