// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Validators of secrets: tokens by their form, their inside, or how random they look. */
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "guard/api/pii_internal.h"

static bool base64url(uint8_t c)
{
	return pii_alnum(c) || c == '-' || c == '_';
}

/* RFC 7519: three parts; the first decodes to a JSON object that names an algorithm (RFC 7515, 4.1.1) or, encrypted, an "enc". */
static bool jwt(struct pii_value *v)
{
	uint8_t header[512];
	unsigned int dots = 0;
	size_t len, n;
	const uint8_t *p, *dot;

	while (v->end > v->start && v->text.data[v->end - 1] == '.') /* of the sentence */
		v->end--;
	p = pii_value_bytes(v, &len);
	dot = memchr(p, '.', len);

	for (size_t i = 0; i < len; i++)
		if (p[i] == '.')
			dots++;
		else if (!base64url(p[i]))
			return false;
	if (!dot || (dots != 2 && dots != 4) || (size_t)(dot - p) > sizeof(header))
		return false;
	n = pii_base64(p, (size_t)(dot - p), header);
	while (n && pii_blank(header[n - 1]))
		n--;
	return n > 8 && header[0] == '{' && header[n - 1] == '}' && memmem(header, n, "\"alg\"", 5);
}

/* RFC 7617: base64 of "user:password". The value is what stands behind "Basic ". */
static bool basic(struct pii_value *v)
{
	uint8_t text[512];
	size_t len, n;
	const uint8_t *p;

	while (v->start < v->end && !pii_blank(v->text.data[v->start]))
		v->start++;
	while (v->start < v->end && pii_blank(v->text.data[v->start]))
		v->start++;
	p = pii_value_bytes(v, &len);
	if (len < 4 || len > sizeof(text))
		return false;
	n = pii_base64(p, len, text);
	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20)
			return false;
	return n && memchr(text, ':', n);
}

/*
 * How random a token looks: letters of both cases and digits, or hexadecimal of a usual length. A Shannon entropy of so few characters
 * says little; that many distinct ones and changes of class say enough, once the context speaks for a secret.
 */
static bool random_looking(const uint8_t *p, size_t len)
{
	unsigned int lower = 0, upper = 0, digit = 0, other = 0, changes = 0, distinct = 0, last = 0;
	bool seen[256] = { false };
	bool hex = true;

	for (size_t i = 0; i < len; i++) {
		unsigned int class = pii_digit(p[i]) ? 1 : p[i] >= 'a' && p[i] <= 'z' ? 2 : p[i] >= 'A' && p[i] <= 'Z' ? 3 : 4;

		if (p[i] <= ' ' || p[i] >= 0x7f)
			return false;
		digit += class == 1;
		lower += class == 2;
		upper += class == 3;
		other += class == 4;
		changes += i && class != last;
		last = class;
		distinct += !seen[p[i]];
		seen[p[i]] = true;
		hex = hex && (class == 1 || (uint8_t)((p[i] | 0x20) - 'a') < 6);
	}
	if (hex)
		return len >= 16 && digit && digit < len && distinct >= 6;
	return distinct * 5 >= (len > 40 ? 40 : len) * 2 && changes * 4 >= len && digit && (lower || upper) && other * 4 < len;
}

/* @scheme token: the value is what stands behind the scheme, when there is one. */
static void skip_scheme(struct pii_value *v)
{
	static const char *const schemes[] = { "bearer ", "token ", "apikey ", "bearer\t" };
	size_t len;
	const uint8_t *p = pii_value_bytes(v, &len);

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (len > strlen(schemes[i]) && !strncasecmp((const char *)p, schemes[i], strlen(schemes[i])))
			v->start += strlen(schemes[i]);
	while (v->start < v->end && pii_blank(v->text.data[v->start]))
		v->start++;
}

static bool token(struct pii_value *v)
{
	size_t len;
	const uint8_t *p;

	skip_scheme(v);
	p = pii_value_bytes(v, &len);
	return len >= 16 && len <= 4096 && random_looking(p, len);
}

/* Behind "Bearer ": anything that is one token (RFC 6750: b64token) and no word. */
static bool bearer(struct pii_value *v)
{
	size_t len, digits = 0;
	const uint8_t *p;

	skip_scheme(v);
	p = pii_value_bytes(v, &len);
	if (len < 12 || len > 4096)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!pii_alnum(p[i]) && !memchr("-._~+/=:", p[i], 8))
			return false;
		digits += pii_digit(p[i]);
	}
	return digits > 0;
}

/* A session's identifier: one token of at least 10 characters with a digit. */
static bool session(struct pii_value *v)
{
	size_t len, digits = 0;
	const uint8_t *p = pii_value_bytes(v, &len);

	if (len < 10 || len > 4096)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!pii_alnum(p[i]) && !memchr("-._~+/=:%", p[i], 9))
			return false;
		digits += pii_digit(p[i]);
	}
	return digits >= 2 && digits < len;
}

/* Prefix and alphabet were matched; what is left to tell is a placeholder (AKIAXXXXXXXX, sk_live_aaaaaaaa) from a key. */
static bool key(struct pii_value *v)
{
	unsigned int distinct = 0;
	bool seen[256] = { false };
	size_t len;
	const uint8_t *p = pii_value_bytes(v, &len);

	for (size_t i = len / 4; i < len; i++) {
		distinct += !seen[p[i]];
		seen[p[i]] = true;
	}
	return distinct >= 7;
}

/* RFC 7468: from the BEGIN line to the END line, or (cut off) to the end of what there is. */
static bool private_key(struct pii_value *v)
{
	size_t left = v->text.len - v->start;
	const uint8_t *p = v->text.data + v->start, *end;

	if (left > PII_MAX_VALUE)
		left = PII_MAX_VALUE;
	end = memmem(p, left, "-----END", 8);
	if (!end) {
		v->end = v->start + left;
		return true;
	}
	for (end += 8; end < p + left && *end != '-'; end++)
		;
	for (unsigned int i = 0; i < 5 && end < p + left && *end == '-'; i++)
		end++;
	v->end = (size_t)(end - v->text.data);
	return true;
}

/* "://user:password@": the value is the password. */
static bool url_password(struct pii_value *v)
{
	size_t len, at;
	const uint8_t *p, *colon;

	v->start += 3;
	p = pii_value_bytes(v, &len);
	colon = memchr(p, ':', len);
	if (!colon || len < 4 || p[len - 1] != '@')
		return false;
	at = (size_t)(colon - p) + 1;
	if (p[at] == '$' || p[at] == '{' || p[at] == '<' || p[at] == '*')
		return false;
	v->start += at;
	v->end--;
	return v->end - v->start >= 3;
}

const struct pii_validator_row pii_validators_secrets[] = {
	{ "jwt", jwt }, { "basic", basic }, { "token", token },		    { "bearer", bearer },	    { "session", session },
	{ "key", key }, { "private-key", private_key }, { "url-password", url_password }, { NULL, NULL },
};

static const struct pii_validator_row *const tables[] = { pii_validators_numbers, pii_validators_national, pii_validators_text,
							  pii_validators_secrets };

pii_validate_fn pii_validator(const char *name)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct pii_validator_row *r = tables[t]; r->name; r++)
			if (!strcmp(r->name, name))
				return r->fn;
	return NULL;
}

const char *pii_validator_name(unsigned int i)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct pii_validator_row *r = tables[t]; r->name; r++)
			if (!i--)
				return r->name;
	return NULL;
}
