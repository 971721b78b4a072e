// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Validators of words: mail addresses, and what is only known by the name of its field. */
#include <string.h>
#include <strings.h>

#include "guard/api/pii_internal.h"

static bool domain_char(uint8_t c)
{
	return pii_alnum(c) || c == '-' || c == '.';
}

/* RFC 5321 as it is used: no quoted local parts, no address literals, a top level of letters. */
static bool email(struct pii_value *v)
{
	static const char *const files[] = { "png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "json", "html", "ts" };
	size_t len, dot = 0, at;
	const uint8_t *p = pii_value_bytes(v, &len), *mark = memchr(p, '@', len);

	if (!mark)
		return false;
	at = (size_t)(mark - p);
	if (!at || at > 64 || len - at - 1 > 253 || p[0] == '.' || p[at - 1] == '.')
		return false;
	for (size_t i = 0; i + 1 < at; i++)
		if (p[i] == '.' && p[i + 1] == '.')
			return false;
	for (size_t i = at + 1; i < len; i++) {
		if (!domain_char(p[i]) || (p[i] == '.' && (i == at + 1 || p[i - 1] == '.' || p[i - 1] == '-')))
			return false;
		if (p[i] == '.')
			dot = i;
	}
	if (!dot || len - dot - 1 < 2 || len - dot - 1 > 24)
		return false;
	for (size_t i = dot + 1; i < len; i++)
		if (!pii_alpha(p[i]))
			return false;
	/* icon@2x.png, package@1.2.3.js */
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (len - dot - 1 == strlen(files[i]) && !strncasecmp((const char *)p + dot + 1, files[i], len - dot - 1))
			return false;
	/* git@host:path, user@host of a URL with a password is another's business */
	return !(v->end < v->text.len && v->text.data[v->end] == ':' && at == 3 && !memcmp(p, "git", 3));
}

/* A value that stands for none, or that somebody masked already. */
static bool empty_value(const uint8_t *p, size_t len)
{
	static const char *const none[] = { "null",	 "none",  "nil",      "true",	 "false",   "undefined", "n/a",	 "na",	"unknown",
					    "redacted",	 "[redacted]", "masked", "hidden", "string",  "test",	 "yes",	 "no",	"required",
					    "optional",	 "invalid", "enabled", "disabled", "password", "changed", "expired", "missing",	"default" };
	size_t masked = 0;

	if (!len || len > PII_MAX_VALUE)
		return true;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		if (len == strlen(none[i]) && !strncasecmp((const char *)p, none[i], len))
			return true;
	/* $variable, {template}, <placeholder>, %(name)s, our own [class] */
	if (p[0] == '$' || ((p[0] == '{' || p[0] == '<' || p[0] == '[' || p[0] == '%') && len > 2 && !pii_digit(p[1])))
		return true;
	for (size_t i = 0; i < len; i++)
		masked += p[i] == '*' || p[i] == 'x' || p[i] == 'X' || p[i] == '#';
	return masked == len || (masked > 3 && masked * 2 > len && memchr(p, '*', len));
}

static void trim(struct pii_value *v)
{
	while (v->start < v->end && pii_blank(v->text.data[v->start]))
		v->start++;
	while (v->end > v->start && pii_blank(v->text.data[v->end - 1]))
		v->end--;
}

static bool text(struct pii_value *v)
{
	size_t len;
	const uint8_t *p;

	trim(v);
	p = pii_value_bytes(v, &len);
	return len >= 2 && !empty_value(p, len);
}

/* Words of letters (any script: bytes above 0x7f), with the marks that names have; not all of it in lower case and digits. */
static bool person_name(struct pii_value *v)
{
	size_t len, letters = 0, words = 1;
	const uint8_t *p;

	trim(v);
	p = pii_value_bytes(v, &len);
	if (len < 2 || len > 100 || empty_value(p, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (pii_alpha(p[i]) || p[i] >= 0x80)
			letters++;
		else if (p[i] == ' ')
			words++;
		else if (!memchr("-'.,", p[i], 4))
			return false;
	}
	return letters * 10 >= len * 7 && words <= 6;
}

/* Two to four words, each with a capital letter: what "name" alone must be to be a person's. */
static bool full_name(struct pii_value *v)
{
	size_t len, words = 0;
	const uint8_t *p;

	if (!person_name(v))
		return false;
	p = pii_value_bytes(v, &len);
	for (size_t i = 0; i < len; i++)
		if (!i || p[i - 1] == ' ') {
			words++;
			if (pii_lower(p[i]) == p[i] && p[i] < 0x80)
				return false;
		}
	return words >= 2 && words <= 4;
}

static unsigned int number(const uint8_t *p, size_t n)
{
	unsigned int value = 0;

	for (size_t i = 0; i < n; i++)
		value = value * 10 + (p[i] - '0');
	return value;
}

/* A day: 1985-03-21 (also with a time behind it), 21.03.1985, 03/21/1985, 19850321, "March 21, 1985" by its year. */
static bool day(struct pii_value *v)
{
	unsigned int part[3] = { 0 }, n = 0, year = 0;
	size_t len, width[3] = { 0 };
	const uint8_t *p;

	trim(v);
	p = pii_value_bytes(v, &len);
	if (len < 6 || len > 40)
		return false;
	for (size_t i = 0; i < len && n < 3; i++) {
		size_t first = i;

		while (i < len && pii_digit(p[i]))
			i++;
		if (i - first > 8)
			return false;
		if (i > first) {
			width[n] = i - first;
			part[n++] = number(p + first, i - first);
		}
	}
	if (n == 1 && width[0] == 8) {
		year = part[0] / 10000;
		if (year >= 1880 && year <= 2040)
			return part[0] / 100 % 100 >= 1 && part[0] / 100 % 100 <= 12 && part[0] % 100 >= 1 && part[0] % 100 <= 31;
		year = part[0] % 10000;
		return year >= 1880 && year <= 2040;
	}
	for (unsigned int i = 0; i < n; i++)
		if (width[i] == 4)
			year = part[i];
	if (n == 2) /* a month in letters */
		return year >= 1880 && year <= 2040 && part[0] + part[1] - year >= 1 && part[0] + part[1] - year <= 31;
	if (n != 3)
		return false;
	if (!year)
		return width[0] <= 2 && width[1] <= 2 && width[2] == 2 && part[0] && part[0] <= 31 && part[1] && part[1] <= 31;
	if (year < 1880 || year > 2040)
		return false;
	return width[0] == 4 ? part[1] >= 1 && part[1] <= 12 && part[2] >= 1 && part[2] <= 31 :
			       part[0] >= 1 && part[0] <= 31 && part[1] >= 1 && part[1] <= 31;
}

/* A street and a number, or a longer text: "12 Main St", "Hauptstraße 5", "PO Box 7". */
static bool address(struct pii_value *v)
{
	size_t len, letters = 0, digits = 0, blanks = 0;
	const uint8_t *p;

	trim(v);
	p = pii_value_bytes(v, &len);
	if (len < 5 || len > 200 || empty_value(p, len) || memchr(p, '@', len) || memchr(p, '{', len))
		return false;
	for (size_t i = 0; i < len; i++) {
		letters += pii_alpha(p[i]) || p[i] >= 0x80;
		digits += pii_digit(p[i]);
		blanks += p[i] == ' ';
	}
	/* 10.1.2.3, 0xabc..., host:port, a URL */
	if (len > 8 && (!memcmp(p, "http://", 7) || !memcmp(p, "https://", 8) || !memcmp(p, "0x", 2)))
		return false;
	return letters >= 3 && blanks && (digits || blanks >= 1);
}

/* Three to ten characters with a digit: 94103, SW1A 1AA, K1A 0B1, 1012 AB, 01310-100. */
static bool postcode(struct pii_value *v)
{
	size_t len, digits = 0;
	const uint8_t *p;

	trim(v);
	p = pii_value_bytes(v, &len);
	if (len < 4 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!pii_alnum(p[i]) && p[i] != ' ' && p[i] != '-')
			return false;
		digits += pii_digit(p[i]);
	}
	return digits >= 2;
}

/* Six to twelve letters and digits, most of them digits. */
static bool document(struct pii_value *v)
{
	size_t len, digits = 0, letters = 0;
	const uint8_t *p;

	trim(v);
	p = pii_value_bytes(v, &len);
	if (len < 6 || len > 20)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (pii_digit(p[i]))
			digits++;
		else if (pii_alpha(p[i]))
			letters++;
		else if (p[i] != ' ' && p[i] != '-')
			return false;
	}
	return digits >= 4 && digits + letters >= 6 && digits + letters <= 17;
}

static bool passport(struct pii_value *v)
{
	return document(v) && v->end - v->start <= 10;
}

/* ICD-10: a letter, a digit, a digit or letter, up to four characters behind a dot. */
static bool icd10(struct pii_value *v)
{
	size_t len;
	const uint8_t *p;

	trim(v);
	p = pii_value_bytes(v, &len);
	if (len < 3 || len > 8 || !pii_alpha(p[0]) || !pii_digit(p[1]) || !pii_alnum(p[2]) || (len > 3 && p[3] != '.') || len == 4)
		return false;
	for (size_t i = 4; i < len; i++)
		if (!pii_alnum(p[i]))
			return false;
	return true;
}

static bool record_number(struct pii_value *v)
{
	size_t len, digits = 0;
	const uint8_t *p;

	trim(v);
	p = pii_value_bytes(v, &len);
	if (len < 4 || len > 24 || empty_value(p, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!pii_alnum(p[i]) && p[i] != '-' && p[i] != '/')
			return false;
		digits += pii_digit(p[i]);
	}
	return digits >= 4;
}

/* A word or a short text of letters: "Type 2 diabetes", "A+", "female". */
static bool label(struct pii_value *v)
{
	size_t len;
	const uint8_t *p;

	trim(v);
	p = pii_value_bytes(v, &len);
	if (!len || len > 200 || empty_value(p, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if (pii_alpha(p[i]) || p[i] >= 0x80)
			return true;
	return false;
}

/* Four characters or more that are no placeholder, no variable, no sentence. */
static bool password(struct pii_value *v)
{
	size_t len, blanks = 0;
	const uint8_t *p = pii_value_bytes(v, &len);

	if (len < 4 || len > 200 || empty_value(p, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < 0x20)
			return false;
		blanks += p[i] == ' ';
	}
	return blanks <= 4;
}

const struct pii_validator_row pii_validators_text[] = {
	{ "email", email },	  { "text", text },	    { "label", label },	      { "person-name", person_name }, { "full-name", full_name },
	{ "day", day },		  { "address", address },   { "postcode", postcode }, { "document", document },	      { "passport", passport },
	{ "icd10", icd10 },	  { "record-number", record_number }, { "password", password }, { NULL, NULL },
};
