// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/term.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Decodes one well-formed UTF-8 sequence (RFC 3629); returns its length, 0 when it is not one. */
static size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;
	size_t n;

	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > len)
		return 0;
	c = p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

static bool is_dangerous(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb);
}

static void write_safe(FILE *out, const char *s, size_t len, bool json)
{
	const uint8_t *p = (const uint8_t *)s;

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c;

		n = utf8_decode(p + i, len - i, &c);
		if (!n) {
			n = 1;
			if (json)
				fputs("\\ufffd", out);
			else
				fprintf(out, "\\x%02x", p[i]);
		} else if (!is_dangerous(c)) {
			fwrite(p + i, 1, n, out);
		} else if (json) {
			fprintf(out, "\\u%04x", c); /* all of them are below U+10000 */
		} else if (c < 0x80) {
			fprintf(out, "\\x%02x", c);
		} else {
			fprintf(out, "\\u{%04x}", c);
		}
	}
}

void term_strn(FILE *out, const char *s, size_t len)
{
	write_safe(out, s, len, false);
}

void term_str(FILE *out, const char *s)
{
	write_safe(out, s, strlen(s), false);
}

void term_cell(FILE *out, const char *s, int width)
{
	char *escaped = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&escaped, &len);

	if (!f)
		return;
	term_str(f, s);
	fclose(f);
	fprintf(out, "%-*s ", width, escaped ? escaped : "");
	free(escaped);
}

void term_json(FILE *out, const char *line, size_t len)
{
	write_safe(out, line, len, true);
}
