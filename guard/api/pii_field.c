// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which field a value belongs to, from the bytes around it alone: no document is parsed, so a body that begins or ends
 * in the middle, or that is of another kind than it says, is read as well as it can be. Every step back or forth is bounded.
 *
 *   "name": "value"    'name' => 1    name=value&    <name>value<    name="value"    Name: value    "names": ["value", ...]
 *   Content-Disposition: form-data; name="name" CRLF CRLF value
 */
#include <string.h>

#include "guard/api/pii_internal.h"

#define FIELD_BACK    256u /* how far before a value its name's end may be */
#define FIELD_HEADERS 512u /* of a part of a multipart body */

uint32_t pii_word_hash(uint32_t h, const uint8_t *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ pii_lower(s[i])) * PII_HASH_FACTOR;
	return h;
}

int pii_word_find(const struct pii_rules *r, uint32_t h, const char *s, size_t n)
{
	for (uint32_t i = h % (2 * PII_MAX_WORDS);; i = (i + 1) % (2 * PII_MAX_WORDS)) {
		const struct pii_word *w;

		if (!r->table[i])
			return -1;
		if (r->hashes[i] != h)
			continue;
		w = &r->words[r->table[i] - 1];
		if (w->len == n && !memcmp(w->text, s, n))
			return r->table[i] - 1;
	}
}

static void found(struct pii_words *w, int id, bool field)
{
	for (unsigned int i = 0; i < w->n; i++)
		if (w->ids[i] == id) {
			if (field && i < 64)
				w->suffix |= 1ull << i;
			return;
		}
	if (w->n == PII_MAX_FOUND)
		return;
	if (field)
		w->suffix |= 1ull << w->n;
	w->ids[w->n++] = (uint16_t)id;
}

/*
 * Splits where case or kind changes ("SSNNumber" is ssn, number), forgets what is only digits, and looks up every run of up to
 * PII_MAX_GRAM parts. A plural counts as its singular.
 */
void pii_words_of(const struct pii_rules *r, struct bw_slice name, struct pii_words *w, bool field)
{
	struct {
		size_t start;
		uint32_t hash, but_last; /* of the text from @start on, and without its last byte */
	} grams[PII_MAX_GRAM];
	size_t n = 0, i = 0;
	unsigned int parts = 0;
	char text[512];

	while (i < name.len) {
		size_t first, part;
		bool digits = true;

		while (i < name.len && !pii_alnum(name.data[i]) && name.data[i] < 0x80)
			i++;
		for (first = i; i < name.len && (pii_alnum(name.data[i]) || name.data[i] >= 0x80); i++) {
			uint8_t c = name.data[i], last = i > first ? name.data[i - 1] : 0, next = i + 1 < name.len ? name.data[i + 1] : 0;
			bool upper = c >= 'A' && c <= 'Z';

			if (i > first && pii_digit(c) != pii_digit(last))
				break;
			if (i > first && upper && ((last >= 'a' && last <= 'z') || (next >= 'a' && next <= 'z' && last >= 'A' && last <= 'Z')))
				break;
			digits = digits && pii_digit(c);
		}
		part = i - first;
		if (!part)
			continue;
		if (digits)
			continue;
		if (part > PII_MAX_WORD || n + part > sizeof(text)) {
			parts = 0;
			continue;
		}
		if (field) /* only what the name ends with is a suffix */
			w->suffix = 0;
		for (size_t k = 0; k < part; k++)
			text[n + k] = (char)pii_lower(name.data[first + k]);
		parts = parts < PII_MAX_GRAM ? parts + 1 : parts;
		for (unsigned int g = parts - 1; g; g--)
			grams[g] = grams[g - 1];
		grams[0].start = n;
		grams[0].hash = PII_HASH_START;
		for (unsigned int g = 0; g < parts; g++) {
			const char *gram = text + grams[g].start;
			size_t len = n + part - grams[g].start;
			uint32_t h = grams[g].hash;
			int id;

			if (len >= PII_MAX_WORD) {
				parts = g; /* those that begin before it are longer still */
				break;
			}
			for (size_t k = 0; k + 1 < part; k++)
				h = (h ^ (uint8_t)text[n + k]) * PII_HASH_FACTOR;
			grams[g].but_last = h;
			grams[g].hash = (h ^ (uint8_t)text[n + part - 1]) * PII_HASH_FACTOR;
			id = pii_word_find(r, grams[g].hash, gram, len);
			if (id < 0 && len > 3 && gram[len - 1] == 's')
				id = pii_word_find(r, grams[g].but_last, gram, len - 1);
			if (id >= 0)
				found(w, id, field);
		}
		n += part;
	}
	if (field)
		w->n_field = w->n;
}

static bool name_char(uint8_t c)
{
	return pii_alnum(c) || c == '_' || c == '-' || c == '.' || c == '$' || c == '[' || c == ']' || c >= 0x80;
}

static size_t back_blanks(const uint8_t *p, size_t i)
{
	while (i && (p[i - 1] == ' ' || p[i - 1] == '\t'))
		i--;
	return i;
}

/* The name that ends before @end (behind which stands : or =). */
static bool name_before(struct bw_slice text, size_t end, bool blanks, struct bw_slice *ret)
{
	const uint8_t *p = text.data;
	size_t i = back_blanks(p, end), start;

	if (i && (p[i - 1] == '"' || p[i - 1] == '\'')) {
		uint8_t quote = p[--i];

		for (start = i; start && i - start < PII_MAX_FIELD && p[start - 1] != quote && p[start - 1] != '\n'; start--)
			;
		if (!start || p[start - 1] != quote)
			return false;
		if (i > start && p[i - 1] == '\\') /* \"name\": a document inside a string */
			i--;
	} else {
		for (start = i; start && i - start < PII_MAX_FIELD; start--) {
			if (name_char(p[start - 1]))
				continue;
			if (!blanks || p[start - 1] != ' ' || start < 2 || !name_char(p[start - 2]))
				break;
		}
	}
	*ret = bw_slice(p + start, i - start);
	return i > start;
}

/* In "names": ["a", "b": the name before the bracket. */
static bool list_before(struct bw_slice text, size_t i, struct bw_slice *ret)
{
	const uint8_t *p = text.data;

	for (size_t limit = FIELD_BACK; i && limit; i--, limit--) {
		if (p[i - 1] == '{' || p[i - 1] == '}' || p[i - 1] == ':')
			return false;
		if (p[i - 1] == '[') {
			i = back_blanks(p, i - 1);
			return i && p[i - 1] == ':' && name_before(text, i - 1, false, ret);
		}
	}
	return false;
}

/* A part of a multipart body whose headers end at @i (a line end, an empty line before it). */
static bool part_before(struct bw_slice text, size_t i, struct bw_slice *ret)
{
	size_t from = i > FIELD_HEADERS ? i - FIELD_HEADERS : 0;
	const uint8_t *p = text.data, *hit = NULL, *end;

	for (const uint8_t *at = p + from; (at = memmem(at, (size_t)(p + i - at), "name=\"", 6)); at += 6)
		if (at > p && at[-1] != 'e') /* filename= */
			hit = at + 6;
	if (!hit)
		return false;
	end = memchr(hit, '"', (size_t)(p + i - hit));
	if (!end || end == hit || memmem(hit, (size_t)(p + i - hit), "\n--", 3))
		return false;
	*ret = bw_slice(hit, (size_t)(end - hit));
	return true;
}

static bool element_before(struct bw_slice text, size_t i, struct bw_slice *ret)
{
	const uint8_t *p = text.data;
	size_t start = i, end;

	while (start && i - start < FIELD_BACK && p[start - 1] != '<' && p[start - 1] != '>')
		start--;
	if (!start || p[start - 1] != '<' || p[start] == '/' || p[start] == '!' || p[start] == '?')
		return false;
	for (end = start; end < i && (name_char(p[end]) || p[end] == ':'); end++)
		;
	*ret = bw_slice(p + start, end - start);
	return end > start;
}

bool pii_field_before(struct bw_slice text, size_t pos, struct bw_slice *ret_name, size_t *ret_value_start)
{
	const uint8_t *p = text.data;
	size_t i, k;

	*ret_value_start = pos > FIELD_BACK ? pos - FIELD_BACK : 0;
	for (i = pos; i && pos - i < FIELD_BACK; i--) {
		uint8_t c = p[i - 1];

		switch (c) {
		case '"':
		case '\'':
			if (c == '\'' && i > 1 && pii_alpha(p[i - 2]))
				continue; /* O'Brien */
			*ret_value_start = i;
			k = back_blanks(p, i > 1 && p[i - 2] == '\\' ? i - 2 : i - 1);
			if (!k)
				return false;
			if (p[k - 1] == ':' || p[k - 1] == '=')
				return name_before(text, k - 1, p[k - 1] == ':', ret_name);
			if (p[k - 1] == '>' && k > 1 && p[k - 2] == '=')
				return name_before(text, k - 2, false, ret_name);
			if (p[k - 1] == '[' || p[k - 1] == ',')
				return list_before(text, k, ret_name);
			return false;
		case '=':
			*ret_value_start = i;
			return name_before(text, i - 1, false, ret_name);
		case ':':
			/* not the colon of a time or of a URL */
			if (i < text.len && (p[i] == '/' || (i > 1 && pii_digit(p[i - 2]) && pii_digit(p[i]))))
				continue;
			*ret_value_start = i;
			return name_before(text, i - 1, true, ret_name);
		case '&':
		case '?':
		case '{':
		case '}':
			*ret_value_start = i;
			return false;
		case '[':
			*ret_value_start = i;
			return list_before(text, i, ret_name);
		case '>':
			*ret_value_start = i;
			return element_before(text, i - 1, ret_name);
		case '\n':
			*ret_value_start = i;
			k = i - 1;
			if (k && p[k - 1] == '\r')
				k--;
			return k && p[k - 1] == '\n' && part_before(text, k, ret_name);
		case ',':
			/* in a list of numbers; elsewhere a comma is text */
			if (i < text.len && pii_digit(p[i]) && i > 1 && pii_digit(p[i - 2]) && list_before(text, i, ret_name)) {
				*ret_value_start = i;
				return true;
			}
			continue;
		}
	}
	return false;
}

/* From @i to the closing @quote, at most PII_MAX_VALUE. */
static size_t quoted_end(struct bw_slice text, size_t i, uint8_t quote)
{
	size_t limit = text.len - i > PII_MAX_VALUE ? i + PII_MAX_VALUE : text.len;

	for (; i < limit && text.data[i] != quote; i++)
		if (text.data[i] == '\\')
			i++;
	return i < limit ? i : limit;
}

static size_t plain_end(struct bw_slice text, size_t i, const char *stops)
{
	size_t limit = text.len - i > PII_MAX_VALUE ? i + PII_MAX_VALUE : text.len;

	while (i < limit && !strchr(stops, text.data[i]))
		i++;
	return i;
}

/* strchr() finds the NUL byte as well: a value of binary content ends there. */
static size_t value_end(struct bw_slice text, size_t i, bool quoted_name, bool equals, enum pii_content content)
{
	if (quoted_name)
		return plain_end(text, i, ",}] \t\r\n");
	if (equals)
		return plain_end(text, i, "&; \t\r\n\"'<>");
	if (content == PII_CONTENT_HEADERS)
		return plain_end(text, i, "\r\n");
	return plain_end(text, i, "\r\n,;{}()<\"");
}

bool pii_field_at(struct bw_slice text, size_t pos, enum pii_content content, struct bw_slice *ret_name, size_t *ret_start,
		  size_t *ret_end, bool *ret_list)
{
	const uint8_t *p = text.data;
	size_t start = pos, end = pos, i;
	bool quoted = false, equals = false;

	while (start && pos - start < PII_MAX_FIELD && name_char(p[start - 1]))
		start--;
	while (end < text.len && end - pos < PII_MAX_FIELD && name_char(p[end]))
		end++;
	if (start == end)
		return false;
	*ret_list = false;
	i = end;
	if (i < text.len && start && (p[i] == '"' || p[i] == '\'') && p[start - 1] == p[i]) {
		quoted = true;
		i++;
		if (start > 6 && !memcmp(p + start - 6, "name=", 5) && p[start - 7] == ' ') { /* a part of a multipart body */
			size_t left = text.len - i > FIELD_HEADERS ? FIELD_HEADERS : text.len - i;
			const uint8_t *body = memmem(p + i, left, "\r\n\r\n", 4), *stop;

			if (!body || memmem(p + i, (size_t)(body - (p + i)), "filename=", 9))
				return false;
			*ret_start = (size_t)(body + 4 - p);
			left = text.len - *ret_start > PII_MAX_VALUE ? PII_MAX_VALUE : text.len - *ret_start;
			stop = memmem(p + *ret_start, left, "\r\n--", 4);
			*ret_end = stop ? (size_t)(stop - p) : *ret_start + left;
			*ret_name = bw_slice(p + start, end - start);
			return *ret_end > *ret_start;
		}
	}
	while (i < text.len && (p[i] == ' ' || p[i] == '\t'))
		i++;
	if (i >= text.len)
		return false;
	if (p[i] == '>' && !quoted) {
		size_t open = start;

		while (open && p[open - 1] == ':')
			for (open--; open && name_char(p[open - 1]); open--)
				;
		if (i != end || !open || p[open - 1] != '<')
			return false;
		*ret_start = i + 1;
		*ret_end = plain_end(text, i + 1, "<");
	} else if (p[i] == ':' || p[i] == '=') {
		equals = p[i] == '=';
		i++;
		if (equals && i < text.len && p[i] == '>')
			i++;
		else if (equals && i < text.len && p[i] == '=')
			return false;
		while (i < text.len && (p[i] == ' ' || p[i] == '\t' || (quoted && pii_blank(p[i]))))
			i++;
		if (i >= text.len || p[i] == '{' || p[i] == '\\')
			return false;
		if (p[i] == '"' || p[i] == '\'') {
			*ret_start = i + 1;
			*ret_end = quoted_end(text, i + 1, p[i]);
		} else if (p[i] == '[') {
			*ret_start = i + 1;
			*ret_end = plain_end(text, i + 1, "]{");
			*ret_list = true;
		} else {
			*ret_start = i;
			*ret_end = value_end(text, i, quoted, equals, content);
		}
		if (!quoted && !equals) /* "Date of birth: 1985-03-21" */
			for (unsigned int words = 0; words < 3 && start > 1 && p[start - 1] == ' ' && pii_alpha(p[start - 2]); words++)
				for (start--; start && end - start < PII_MAX_FIELD && name_char(p[start - 1]); start--)
					;
	} else {
		return false;
	}
	*ret_name = bw_slice(p + start, end - start);
	return *ret_end > *ret_start;
}
