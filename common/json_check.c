// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/json_check.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/json.h"

/* cJSON copies a number into a buffer of 64 bytes and stops there. */
#define MAX_NUMBER_LEN 60u

struct checker {
	const char *text;
	size_t len, off;
	const char *reason;
	int error;
};

static bool check_fail(struct checker *c, int error, const char *reason)
{
	c->error = error;
	c->reason = c->off < c->len || error != -EBADMSG ? reason : "the file ends too early";
	return false;
}

/* The byte at the cursor, or -1 at the end. */
static int check_peek(const struct checker *c)
{
	return c->off < c->len ? (unsigned char)c->text[c->off] : -1;
}

static void check_space(struct checker *c)
{
	while (c->off < c->len && c->text[c->off] && strchr(" \t\r\n", c->text[c->off]))
		c->off++;
}

/* Four hexadecimal digits at the cursor. */
static bool check_hex4(struct checker *c, unsigned int *ret)
{
	unsigned int v = 0;

	for (int i = 0; i < 4; i++, c->off++) {
		int ch = check_peek(c);

		if (ch >= '0' && ch <= '9')
			v = v << 4 | (unsigned int)(ch - '0');
		else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f')
			v = v << 4 | (unsigned int)((ch | 0x20) - 'a' + 10);
		else
			return check_fail(c, -EBADMSG, "\\u needs four hexadecimal digits");
	}
	*ret = v;
	return true;
}

/* At a backslash inside a string. */
static bool check_escape(struct checker *c)
{
	size_t start = c->off++;
	unsigned int v, low;
	int ch = check_peek(c);

	if (ch != 'u') {
		if (ch <= 0 || !strchr("\"\\/bfnrt", ch))
			return check_fail(c, -EBADMSG, "unknown escape sequence in a string");
		c->off++;
		return true;
	}
	c->off++;
	if (!check_hex4(c, &v))
		return false;
	if (v >= 0xd800 && v <= 0xdbff && c->len - c->off >= 2 && c->text[c->off] == '\\' &&
	    c->text[c->off + 1] == 'u') {
		c->off += 2;
		if (!check_hex4(c, &low))
			return false;
		if (low >= 0xdc00 && low <= 0xdfff)
			return true;
	}
	if (v >= 0xd800 && v <= 0xdfff) {
		c->off = start;
		return check_fail(c, -EBADMSG, "half of a surrogate pair in a string");
	}
	if (!v) {
		c->off = start;
		return check_fail(c, -EBADMSG, "\\u0000 in a string");
	}
	return true;
}

static bool check_string(struct checker *c, const char *otherwise)
{
	if (check_peek(c) != '"')
		return check_fail(c, -EBADMSG, otherwise);
	c->off++;
	for (;;) {
		int ch = check_peek(c);
		size_t n;

		if (ch == '"') {
			c->off++;
			return true;
		}
		if (ch < 0)
			return check_fail(c, -EBADMSG, "");
		if (ch == 0)
			return check_fail(c, -EBADMSG, "NUL byte in a string");
		if (ch < 0x20)
			return check_fail(c, -EBADMSG, "control character in a string (a closing quote is missing?)");
		if (ch == '\\') {
			if (!check_escape(c))
				return false;
			continue;
		}
		n = bw_utf8_len((const uint8_t *)c->text + c->off, c->len - c->off);
		if (!n)
			return check_fail(c, -EBADMSG, "invalid UTF-8 in a string");
		c->off += n;
	}
}

static size_t check_digits(struct checker *c)
{
	size_t start = c->off;

	while (check_peek(c) >= '0' && check_peek(c) <= '9')
		c->off++;
	return c->off - start;
}

static bool check_number(struct checker *c)
{
	size_t start = c->off;

	if (check_peek(c) == '-')
		c->off++;
	if (check_peek(c) == '0')
		c->off++;
	else if (!check_digits(c))
		return check_fail(c, -EBADMSG, "a number needs a digit here");
	if (check_peek(c) >= '0' && check_peek(c) <= '9')
		return check_fail(c, -EBADMSG, "a number must not start with 0");
	if (check_peek(c) == '.') {
		c->off++;
		if (!check_digits(c))
			return check_fail(c, -EBADMSG, "a number needs a digit here");
	}
	if (check_peek(c) == 'e' || check_peek(c) == 'E') {
		c->off++;
		if (check_peek(c) == '+' || check_peek(c) == '-')
			c->off++;
		if (!check_digits(c))
			return check_fail(c, -EBADMSG, "a number needs a digit here");
	}
	if (c->off - start > MAX_NUMBER_LEN) {
		c->off = start;
		return check_fail(c, -EBADMSG, "a number has too many digits");
	}
	return true;
}

static bool check_scalar(struct checker *c)
{
	static const char *const words[] = { "true", "false", "null" };
	int ch = check_peek(c);

	if (ch == '"')
		return check_string(c, "");
	if (ch == '-' || (ch >= '0' && ch <= '9'))
		return check_number(c);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i]);

		if (c->len - c->off >= n && !memcmp(c->text + c->off, words[i], n)) {
			c->off += n;
			return true;
		}
		/* A word that the end of the file cuts off. */
		if (ch >= 0 && c->len - c->off < n && !memcmp(c->text + c->off, words[i], c->len - c->off)) {
			c->off = c->len;
			break;
		}
	}
	return check_fail(c, -EBADMSG, ch ? "expected a JSON value here" : "NUL byte");
}

/* A key and its colon. */
static bool check_key(struct checker *c)
{
	check_space(c);
	if (!check_string(c, "expected a key in double quotes here"))
		return false;
	check_space(c);
	if (check_peek(c) != ':')
		return check_fail(c, -EBADMSG, "expected ':' after the key");
	c->off++;
	return true;
}

static bool check_text(struct checker *c, size_t max_values)
{
	bool is_object[BW_MAX_JSON_DEPTH];
	unsigned int depth = 0;
	size_t values = 0;

	for (;;) {
		int ch;

		check_space(c);
		if (++values > max_values)
			return check_fail(c, -E2BIG, "too many values in one file");
		ch = check_peek(c);
		if (ch == '{' || ch == '[') {
			if (depth == BW_MAX_JSON_DEPTH)
				return check_fail(c, -E2BIG, "nested too deeply");
			is_object[depth++] = ch == '{';
			c->off++;
			check_space(c);
			if (check_peek(c) != (ch == '{' ? '}' : ']')) {
				if (ch == '{' && !check_key(c))
					return false;
				continue;
			}
			c->off++;
			depth--;
		} else if (!check_scalar(c)) {
			return false;
		}
		/* After a value: close what ends here, then a comma, or the end. */
		for (;;) {
			check_space(c);
			if (!depth) {
				if (c->off == c->len)
					return true;
				return check_fail(c, -EBADMSG,
						  check_peek(c) ? "text after the end of the document" : "NUL byte");
			}
			ch = check_peek(c);
			if (ch == ',')
				break;
			if (ch != (is_object[depth - 1] ? '}' : ']'))
				return check_fail(c, -EBADMSG,
						  is_object[depth - 1] ? "expected ',' or '}' here"
								       : "expected ',' or ']' here");
			c->off++;
			depth--;
		}
		c->off++;
		if (is_object[depth - 1] && !check_key(c))
			return false;
	}
}

int bw_json_check(const char *text, size_t len, size_t max_values, size_t *ret_offset, const char **ret_reason)
{
	struct checker c = { .text = text, .len = len };

	if (check_text(&c, max_values))
		return 0;
	*ret_offset = c.off;
	*ret_reason = c.reason;
	return c.error;
}

void bw_json_position(const char *text, size_t offset, unsigned int *ret_line, unsigned int *ret_col)
{
	unsigned int line = 1, col = 1;

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			line++;
			col = 1;
		} else {
			col++;
		}
	}
	*ret_line = line;
	*ret_col = col;
}
