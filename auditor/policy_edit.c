// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/policy_edit.h"

#include <stdbool.h>
#include <string.h>

#include "common/json.h"

/* A container in the text: [open] is its bracket, [close] the matching one, [last] the last byte inside that is no
 * space. */
struct span {
	size_t open, close, last;
	bool empty, one_line;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Offset of the bracket that matches the one at @off; the text is valid. */
static size_t matching(const char *text, size_t len, size_t off)
{
	unsigned int depth = 0;

	for (; off < len; off++) {
		switch (text[off]) {
		case '"':
			for (off++; off < len && text[off] != '"'; off++)
				if (text[off] == '\\')
					off++;
			break;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (!--depth)
				return off;
		}
	}
	return len;
}

static int find_container(const struct bw_buf *text, const char *path, char bracket, struct span *ret)
{
	unsigned int line, col;
	struct span s = { 0 };
	const char *p;

	if (!bw_json_locate(bw_buf_cstr(text), text->len, path, &line, &col))
		return -ENOENT;
	for (p = text->data; line > 1; line--)
		p = strchr(p, '\n') + 1;
	s.open = (size_t)(p - text->data) + col - 1;
	if (s.open >= text->len || text->data[s.open] != bracket)
		return -ENOENT;
	s.close = matching(text->data, text->len, s.open);
	if (s.close >= text->len)
		return -ENOENT;
	for (s.last = s.close - 1; is_space(text->data[s.last]); s.last--)
		;
	s.empty = s.last == s.open;
	s.one_line = !memchr(text->data + s.open, '\n', s.close - s.open);
	*ret = s;
	return 0;
}

/* The white space that starts the line of @off. With @alone, false when anything else of the line comes before @off. */
static bool line_indent(const struct bw_buf *text, size_t off, bool alone, size_t *ret_start, size_t *ret_len)
{
	size_t start = off, n = 0;

	while (start && text->data[start - 1] != '\n')
		start--;
	while (start + n < off && (text->data[start + n] == ' ' || text->data[start + n] == '\t'))
		n++;
	if (alone && start + n != off)
		return false;
	*ret_start = start;
	*ret_len = n;
	return true;
}

/* Appends @value with @indent after each of its newlines. */
static void put_indented(struct bw_buf *b, const char *value, const char *indent)
{
	for (const char *p = value; *p; p++) {
		bw_buf_char(b, *p);
		if (*p == '\n')
			bw_buf_str(b, indent);
	}
}

static int insert(struct bw_buf *text, const struct span *s, const char *prefix, const char *value)
{
	_cleanup_buf_ struct bw_buf out = { .max = text->max }, inner = { 0 }, outer = { 0 };
	size_t start, n, first = s->open + 1;
	bool multi_line = strchr(value, '\n') || !s->one_line;

	if (multi_line) {
		/* The line of the bracket gives the outer indentation, the first element the inner one, if it starts a
		 * line. */
		line_indent(text, s->open, false, &start, &n);
		bw_buf_append(&outer, text->data + start, n);
		while (is_space(text->data[first]))
			first++;
		if (!s->empty && line_indent(text, first, true, &start, &n)) {
			bw_buf_append(&inner, text->data + start, n);
		} else {
			bw_buf_append(&inner, outer.data, outer.len);
			bw_buf_str(&inner, "  ");
		}
	}
	bw_buf_append(&out, text->data, s->last + 1);
	if (!s->empty)
		bw_buf_char(&out, ',');
	if (multi_line) {
		bw_buf_char(&out, '\n');
		bw_buf_append(&out, inner.data, inner.len);
	} else if (!s->empty) {
		bw_buf_char(&out, ' ');
	}
	bw_buf_str(&out, prefix);
	put_indented(&out, value, bw_buf_cstr(&inner));
	if (multi_line && !memchr(text->data + s->last, '\n', s->close - s->last)) {
		bw_buf_char(&out, '\n');
		bw_buf_append(&out, outer.data, outer.len);
		bw_buf_append(&out, text->data + s->close, text->len - s->close);
	} else {
		bw_buf_append(&out, text->data + s->last + 1, text->len - s->last - 1);
	}
	if (bw_buf_error(&out) || bw_buf_error(&inner) || bw_buf_error(&outer))
		return bw_buf_error(&out) ? bw_buf_error(&out) : -ENOMEM;
	bw_buf_free(text);
	*text = out;
	out = (struct bw_buf){ 0 };
	return 0;
}

int policy_edit_append(struct bw_buf *text, const char *path, const char *value)
{
	struct span s;
	int r = find_container(text, path, '[', &s);

	return r < 0 ? r : insert(text, &s, "", value);
}

int policy_edit_add_member(struct bw_buf *text, const char *path, const char *key, const char *value)
{
	_cleanup_buf_ struct bw_buf prefix = { 0 };
	struct span s;
	int r = find_container(text, path, '{', &s);

	if (r < 0)
		return r;
	bw_buf_char(&prefix, '"');
	bw_json_escape(&prefix, key, strlen(key));
	bw_buf_str(&prefix, "\": ");
	return bw_buf_error(&prefix) ? bw_buf_error(&prefix) : insert(text, &s, bw_buf_cstr(&prefix), value);
}

/* The byte after the value at @off; the text is valid. */
static size_t value_end(const struct bw_buf *text, size_t off)
{
	const char *p = text->data;

	if (p[off] == '{' || p[off] == '[')
		return matching(p, text->len, off) + 1;
	if (p[off] == '"') {
		for (off++; off < text->len && p[off] != '"'; off++)
			if (p[off] == '\\')
				off++;
		return off + 1;
	}
	while (off < text->len && !is_space(p[off]) && p[off] != ',' && p[off] != ']' && p[off] != '}')
		off++;
	return off;
}

int policy_edit_remove(struct bw_buf *text, const char *path, unsigned int index)
{
	_cleanup_buf_ struct bw_buf out = { .max = text->max };
	size_t at, begin, end, previous = 0;
	struct span s;
	int r = find_container(text, path, '[', &s);

	if (r < 0)
		return r;
	if (s.empty)
		return -ENOENT;
	/* To the element: past the value, then past the comma. */
	for (at = s.open + 1;; at++) {
		while (is_space(text->data[at]))
			at++;
		end = value_end(text, at);
		if (!index)
			break;
		previous = end;
		for (at = end; is_space(text->data[at]); at++)
			;
		if (at >= s.close)
			return -ENOENT;
		index--;
	}
	/* With what separates it from the one before, or, for the first, from the one after. */
	begin = at;
	if (previous) {
		begin = previous;
	} else {
		size_t next = end;

		while (is_space(text->data[next]))
			next++;
		if (text->data[next] == ',') {
			for (next++; is_space(text->data[next]); next++)
				;
			end = next;
		} else {
			begin = s.open + 1;
			end = s.close;
		}
	}
	bw_buf_append(&out, text->data, begin);
	bw_buf_append(&out, text->data + end, text->len - end);
	if (bw_buf_error(&out))
		return bw_buf_error(&out);
	bw_buf_free(text);
	*text = out;
	out = (struct bw_buf){ 0 };
	return 0;
}
