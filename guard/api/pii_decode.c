// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decoders that a scan sees through: percent-encoding (RFC 3986, and + of forms), escapes of JSON strings (RFC 8259, 7), base64 and
 * base64url (RFC 4648). Only pieces that need it are decoded, each into memory that the scanner owns.
 */
#include <string.h>

#include "guard/api/pii_internal.h"

#define DECODE_MAX_PIECE (1u << 20)
#define DECODE_MIN_RUN	 20u /* base64: 15 bytes; shorter values of a field are decoded by validators */

static const int8_t base64_value[256] = {
#define V(c, n) [c] = n + 1
	V('A', 0),  V('B', 1),	V('C', 2),  V('D', 3),	V('E', 4),  V('F', 5),	V('G', 6),  V('H', 7),	V('I', 8),  V('J', 9),	V('K', 10),
	V('L', 11), V('M', 12), V('N', 13), V('O', 14), V('P', 15), V('Q', 16), V('R', 17), V('S', 18), V('T', 19), V('U', 20), V('V', 21),
	V('W', 22), V('X', 23), V('Y', 24), V('Z', 25), V('a', 26), V('b', 27), V('c', 28), V('d', 29), V('e', 30), V('f', 31), V('g', 32),
	V('h', 33), V('i', 34), V('j', 35), V('k', 36), V('l', 37), V('m', 38), V('n', 39), V('o', 40), V('p', 41), V('q', 42), V('r', 43),
	V('s', 44), V('t', 45), V('u', 46), V('v', 47), V('w', 48), V('x', 49), V('y', 50), V('z', 51), V('0', 52), V('1', 53), V('2', 54),
	V('3', 55), V('4', 56), V('5', 57), V('6', 58), V('7', 59), V('8', 60), V('9', 61), V('+', 62), V('/', 63), V('-', 62), V('_', 63),
#undef V
};

bool pii_is_base64(uint8_t c)
{
	return base64_value[c] != 0;
}

size_t pii_base64(const uint8_t *p, size_t n, uint8_t *dst)
{
	uint32_t bits = 0;
	size_t out = 0;
	unsigned int have = 0;

	while (n && p[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		int v = base64_value[p[i]];

		if (!v)
			return 0;
		bits = bits << 6 | (uint32_t)(v - 1);
		have += 6;
		if (have >= 8) {
			have -= 8;
			dst[out++] = (uint8_t)(bits >> have);
		}
	}
	return out;
}

static int hex(uint8_t c)
{
	return pii_digit(c) ? c - '0' : (uint8_t)((c | 0x20) - 'a') < 6 ? (c | 0x20) - 'a' + 10 : -1;
}

static bool url_stop(uint8_t c)
{
	return c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\' || c == '{' || c == '}';
}

static bool next_percent(struct bw_slice text, enum pii_content content, size_t *pos, struct pii_level *ret)
{
	const uint8_t *p = text.data, *at, *plus;

	while (*pos < text.len) {
		size_t i, start, end, limit;

		at = memchr(p + *pos, '%', text.len - *pos);
		plus = content == PII_CONTENT_FORM ? memchr(p + *pos, '+', (at ? (size_t)(at - p) : text.len) - *pos) : NULL;
		if (plus)
			at = plus;
		if (!at)
			break;
		i = start = (size_t)(at - p);
		end = i + 1;
		if (!plus && (text.len - i < 3 || hex(p[i + 1]) < 0 || hex(p[i + 2]) < 0)) {
			*pos = i + 1;
			continue;
		}
		while (start > *pos && i - start < DECODE_MAX_PIECE / 2 && !url_stop(p[start - 1]))
			start--;
		limit = text.len - i > DECODE_MAX_PIECE / 2 ? i + DECODE_MAX_PIECE / 2 : text.len;
		while (end < limit && !url_stop(p[end]))
			end++;
		*pos = end;
		ret->start = start;
		ret->len = end - start;
		ret->via = PII_VIA_URL;
		ret->plus = content == PII_CONTENT_FORM || memchr(p + start, '=', end - start);
		return true;
	}
	*pos = text.len;
	return false;
}

/* The string literal around a backslash. One that is cut off at either side is taken as far as it goes. */
static bool next_escape(struct bw_slice text, size_t *pos, struct pii_level *ret)
{
	const uint8_t *p = text.data, *at;

	while (*pos < text.len && (at = memchr(p + *pos, '\\', text.len - *pos))) {
		size_t i = (size_t)(at - p), start = i, end = i, limit;

		if (text.len - i < 2 || !memchr("\"\\/bfnrtu", p[i + 1], 9)) {
			*pos = i + 1;
			continue;
		}
		limit = i > DECODE_MAX_PIECE / 2 ? i - DECODE_MAX_PIECE / 2 : 0;
		if (limit < *pos)
			limit = *pos;
		while (start > limit && p[start - 1] != '"')
			start--;
		limit = text.len - i > DECODE_MAX_PIECE / 2 ? i + DECODE_MAX_PIECE / 2 : text.len;
		while (end < limit && p[end] != '"')
			end += p[end] == '\\' ? 2 : 1;
		if (end > text.len)
			end = text.len;
		*pos = end < text.len ? end + 1 : end;
		ret->start = start;
		ret->len = end - start;
		ret->via = PII_VIA_JSON;
		return true;
	}
	*pos = text.len;
	return false;
}

static bool text_byte(uint8_t c)
{
	return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\r' || c == '\t' || (c >= 0x80 && c < 0xf5);
}

/*
 * A run of DECODE_MIN_RUN base64 characters or more that begins like text. Looking only at every DECODE_MIN_RUN-th byte, and from
 * there back, as Boyer and Moore do, finds each of them and reads a fraction of ordinary text.
 */
static bool next_run(struct bw_slice text, size_t *pos, struct pii_level *ret)
{
	const uint8_t *p = text.data;
	size_t i = *pos;

	while (text.len - i >= DECODE_MIN_RUN) {
		size_t k = i + DECODE_MIN_RUN, end;
		uint8_t head[15];
		bool texts = true;

		while (k > i && base64_value[p[k - 1]])
			k--;
		if (k > i) {
			i = k;
			continue;
		}
		for (end = i + DECODE_MIN_RUN; end < text.len && end - i < DECODE_MAX_PIECE && base64_value[p[end]]; end++)
			;
		ret->start = i;
		i = end;
		pii_base64(p + ret->start, 16, head);
		for (unsigned int b = 0; b < 12 && texts; b++)
			texts = text_byte(head[b]);
		if (!texts || (ret->start && p[ret->start - 1] == '%'))
			continue;
		while (end < text.len && end < i + 2 && p[end] == '=')
			end++;
		ret->len = end - ret->start;
		ret->via = PII_VIA_BASE64;
		*pos = end;
		return true;
	}
	*pos = text.len;
	return false;
}

bool pii_encoded_next(struct bw_slice text, enum pii_content content, struct pii_finder *f, struct pii_level *ret)
{
	ret->plus = false;
	if (content != PII_CONTENT_BINARY && next_percent(text, content, &f->percent, ret))
		return true;
	if (content != PII_CONTENT_FORM && content != PII_CONTENT_BINARY && next_escape(text, &f->escape, ret))
		return true;
	return next_run(text, &f->run, ret);
}

static size_t decode_url(const uint8_t *p, size_t n, bool plus, uint8_t *dst)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '%' && n - i >= 3 && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0) {
			dst[out++] = (uint8_t)(hex(p[i + 1]) << 4 | hex(p[i + 2]));
			i += 2;
		} else {
			dst[out++] = plus && p[i] == '+' ? ' ' : p[i];
		}
	}
	return out;
}

/* One character of a string: its bytes to @dst (4), how many there were to *ret_in; returns how many there are. */
static size_t decode_escape(const uint8_t *p, size_t n, uint8_t *dst, size_t *ret_in)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t c = 0;

	*ret_in = 1;
	dst[0] = p[0];
	if (p[0] != '\\' || n < 2)
		return 1;
	at = p[1] ? strchr(from, p[1]) : NULL;
	if (at) {
		*ret_in = 2;
		dst[0] = (uint8_t)to[at - from];
		return 1;
	}
	if (p[1] != 'u' || n < 6)
		return 1;
	for (unsigned int i = 2; i < 6; i++) {
		if (hex(p[i]) < 0)
			return 1;
		c = c << 4 | (uint32_t)hex(p[i]);
	}
	*ret_in = 6;
	if (c < 0x80) {
		dst[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		dst[0] = (uint8_t)(0xc0 | c >> 6);
		dst[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	/* surrogates are written one by one: no detector looks for what is beyond the basic plane */
	dst[0] = (uint8_t)(0xe0 | c >> 12);
	dst[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	dst[2] = (uint8_t)(0x80 | (c & 0x3f));
	return 3;
}

static size_t decode_json(const uint8_t *p, size_t n, uint8_t *dst)
{
	size_t out = 0, used;

	for (size_t i = 0; i < n; i += used)
		out += decode_escape(p + i, n - i, dst + out, &used);
	return out;
}

size_t pii_decode(struct bw_slice text, const struct pii_level *l, uint8_t *dst)
{
	const uint8_t *p = text.data + l->start;
	size_t n;

	switch (l->via) {
	case PII_VIA_URL:
		return decode_url(p, l->len, l->plus, dst);
	case PII_VIA_JSON:
		return decode_json(p, l->len, dst);
	default:
		n = pii_base64(p, l->len, dst);
		for (size_t i = 0; i < n; i++)
			if (!text_byte(dst[i]))
				return 0;
		return n;
	}
}

void pii_level_map(struct pii_level *l, size_t start, size_t end, size_t *ret_start, size_t *ret_end)
{
	for (; l->up; l = l->up) {
		const uint8_t *p = l->up->text.data + l->start;
		size_t from = 0, to = l->len, out = 0, i = 0, used;
		uint8_t c[4];

		if (l->at_out <= start) {
			i = l->at_in;
			out = l->at_out;
		}
		while (l->via != PII_VIA_BASE64 && i < l->len && out < end) {
			if (out <= start) {
				l->at_in = from = i;
				l->at_out = out;
			}
			if (l->via == PII_VIA_URL) {
				used = p[i] == '%' && l->len - i >= 3 && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0 ? 3 : 1;
				out++;
			} else {
				out += decode_escape(p + i, l->len - i, c, &used);
			}
			i += used;
			to = i;
		}
		start = l->start + from;
		end = l->start + to;
	}
	*ret_start = start;
	*ret_end = end;
}
