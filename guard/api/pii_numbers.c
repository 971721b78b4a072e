// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Validators of numbers that are no national identifiers: cards, accounts, telephones, addresses of machines, coordinates. */
#include <string.h>

#include "common/cleanup.h"
#include "guard/api/pii_internal.h"

unsigned int pii_digits(const struct pii_value *v, uint8_t *out, unsigned int max)
{
	unsigned int n = 0;

	for (size_t i = v->start; i < v->end; i++) {
		uint8_t c = v->text.data[i];

		if (pii_digit(c)) {
			if (n == max)
				return 0;
			out[n++] = c - '0';
		} else if (!memchr(" .-/()\t", c, 7)) {
			return 0;
		}
	}
	return n;
}

/* ISO/IEC 7812-1, annex B. */
bool pii_luhn(const uint8_t *digits, unsigned int n)
{
	static const uint8_t twice[10] = { 0, 2, 4, 6, 8, 1, 3, 5, 7, 9 };
	unsigned int sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += (n - 1 - i) & 1 ? twice[digits[i]] : digits[i];
	return sum % 10 == 0;
}

static bool all_same(const uint8_t *d, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++)
		if (d[i] != d[0])
			return false;
	return true;
}

/* Issuer ranges (first six digits) and the lengths that are in use there; bit n of @lengths: n digits. */
static const struct {
	uint32_t from, to, lengths;
} issuers[] = {
	{ 340000, 349999, 1u << 15 },			   /* American Express */
	{ 370000, 379999, 1u << 15 },
	{ 400000, 499999, 1u << 13 | 1u << 16 | 1u << 19 }, /* Visa */
	{ 510000, 559999, 1u << 16 },			   /* Mastercard */
	{ 222100, 272099, 1u << 16 },
	{ 300000, 305999, 1u << 14 | 1u << 16 }, /* Diners Club */
	{ 309500, 309599, 1u << 14 | 1u << 16 },
	{ 360000, 369999, 1u << 14 | 1u << 16 },
	{ 380000, 399999, 1u << 14 | 1u << 16 },
	{ 352800, 358999, 1u << 16 | 1u << 19 }, /* JCB */
	{ 601100, 601199, 1u << 16 | 1u << 19 }, /* Discover */
	{ 644000, 659999, 1u << 16 | 1u << 19 },
	{ 622126, 622925, 1u << 16 | 1u << 19 },
	{ 620000, 629999, 1u << 16 | 1u << 17 | 1u << 18 | 1u << 19 }, /* UnionPay */
	{ 810000, 817199, 1u << 16 | 1u << 19 },
	{ 500000, 509999, 1u << 16 | 1u << 18 | 1u << 19 }, /* Maestro, Elo, Verve */
	{ 560000, 589999, 1u << 16 | 1u << 18 | 1u << 19 },
	{ 670000, 679999, 1u << 16 | 1u << 18 | 1u << 19 },
	{ 600000, 600999, 1u << 16 | 1u << 19 }, /* RuPay, Hipercard */
	{ 606282, 606282, 1u << 16 },
	{ 220000, 220499, 1u << 16 | 1u << 19 }, /* Mir */
	{ 979200, 979299, 1u << 16 },		 /* Troy */
};

static bool card(struct pii_value *v)
{
	uint8_t d[19];
	unsigned int n = pii_digits(v, d, sizeof(d)), six = 0;
	bool plain = n == v->end - v->start;

	if (n < 13 || !pii_luhn(d, n) || all_same(d, n))
		return false;
	/* 13 digits in one piece that begin with 1 are milliseconds since 1970; no issuer begins so, and none may be added here */
	for (unsigned int i = 0; i < 6; i++)
		six = six * 10 + d[i];
	for (size_t i = 0; i < ARRAY_SIZE(issuers); i++)
		if (six >= issuers[i].from && six <= issuers[i].to && issuers[i].lengths >> n & 1) {
			/* groups of one separator, as on the card: 4-4-4-4, 4-6-5, 4-6-4, 4-4-4-4-3 */
			if (plain)
				return true;
			for (size_t k = v->start, run = 0; k < v->end; k++) {
				run = pii_digit(v->text.data[k]) ? run + 1 : 0;
				if (run > 6 || (!run && (k == v->start || !pii_digit(v->text.data[k - 1]))))
					return false;
			}
			return pii_digit(v->text.data[v->start + 3]) && !pii_digit(v->text.data[v->start + 4]);
		}
	return false;
}

/* Lengths from the IBAN registry (SWIFT, ISO 13616). */
static const struct {
	char country[3];
	uint8_t len;
} ibans[] = {
	{ "AD", 24 }, { "AE", 23 }, { "AL", 28 }, { "AT", 20 }, { "AZ", 28 }, { "BA", 20 }, { "BE", 16 }, { "BG", 22 }, { "BH", 22 },
	{ "BI", 27 }, { "BR", 29 }, { "BY", 28 }, { "CH", 21 }, { "CR", 22 }, { "CY", 28 }, { "CZ", 24 }, { "DE", 22 }, { "DJ", 27 },
	{ "DK", 18 }, { "DO", 28 }, { "EE", 20 }, { "EG", 29 }, { "ES", 24 }, { "FI", 18 }, { "FK", 18 }, { "FO", 18 }, { "FR", 27 },
	{ "GB", 22 }, { "GE", 22 }, { "GI", 23 }, { "GL", 18 }, { "GR", 27 }, { "GT", 28 }, { "HN", 28 }, { "HR", 21 }, { "HU", 28 },
	{ "IE", 22 }, { "IL", 23 }, { "IQ", 23 }, { "IS", 26 }, { "IT", 27 }, { "JO", 30 }, { "KW", 30 }, { "KZ", 20 }, { "LB", 28 },
	{ "LC", 32 }, { "LI", 21 }, { "LT", 20 }, { "LU", 20 }, { "LV", 21 }, { "LY", 25 }, { "MC", 27 }, { "MD", 24 }, { "ME", 22 },
	{ "MK", 19 }, { "MN", 20 }, { "MR", 27 }, { "MT", 31 }, { "MU", 30 }, { "NI", 28 }, { "NL", 18 }, { "NO", 15 }, { "OM", 23 },
	{ "PK", 24 }, { "PL", 28 }, { "PS", 29 }, { "PT", 25 }, { "QA", 29 }, { "RO", 24 }, { "RS", 22 }, { "RU", 33 }, { "SA", 24 },
	{ "SC", 31 }, { "SD", 18 }, { "SE", 24 }, { "SI", 19 }, { "SK", 24 }, { "SM", 27 }, { "SO", 23 }, { "ST", 25 }, { "SV", 28 },
	{ "TL", 23 }, { "TN", 24 }, { "TR", 26 }, { "UA", 29 }, { "VA", 22 }, { "VG", 24 }, { "XK", 20 }, { "YE", 30 },
};

/* ISO 7064 MOD 97-10 over the text with its first four characters moved to the end. */
static bool iban(struct pii_value *v)
{
	uint8_t t[34];
	size_t n = 0, i, want = 0, ends[34];
	uint32_t rest = 0;

	for (i = v->start; i < v->end && n < sizeof(t); i++) {
		uint8_t c = v->text.data[i];

		if (c == ' ' || c == '-')
			continue;
		if (!pii_alnum(c))
			return false;
		t[n] = pii_upper(c);
		ends[n++] = i + 1;
	}
	for (i = 0; n >= 15 && i < ARRAY_SIZE(ibans); i++)
		if (t[0] == ibans[i].country[0] && t[1] == ibans[i].country[1])
			want = ibans[i].len;
	if (!want || n < want)
		return false;
	/* words that stand behind it were matched as well */
	if (ends[want - 1] < v->text.len && pii_alnum(v->text.data[ends[want - 1]]))
		return false;
	for (i = 0; i < want; i++) {
		uint8_t c = t[(i + 4) % want];

		rest = pii_digit(c) ? (rest * 10 + (c - '0')) % 97 : (rest * 100 + (c - 'A' + 10)) % 97;
	}
	if (rest != 1)
		return false;
	v->end = ends[want - 1];
	return true;
}

/* The checksum of an ABA routing number; its first two digits name a Federal Reserve district. */
static bool aba(struct pii_value *v)
{
	static const uint8_t weight[9] = { 3, 7, 1, 3, 7, 1, 3, 7, 1 };
	unsigned int sum = 0, first;
	uint8_t d[9];

	if (pii_digits(v, d, 9) != 9)
		return false;
	first = d[0] * 10u + d[1];
	for (unsigned int i = 0; i < 9; i++)
		sum += d[i] * weight[i];
	return sum && sum % 10 == 0 && (first <= 12 || (first >= 21 && first <= 32) || (first >= 61 && first <= 72) || first == 80);
}

static bool account(struct pii_value *v)
{
	uint8_t d[20];
	unsigned int n = pii_digits(v, d, sizeof(d));

	return n >= 6 && n <= 18 && !all_same(d, n);
}

static bool cvv(struct pii_value *v)
{
	uint8_t d[4];
	unsigned int n = pii_digits(v, d, 4);

	return (n == 3 || n == 4) && n == v->end - v->start;
}

/* ITU-T E.164 country codes with the lengths of what follows: the plans of the larger countries, else 6 to 12. */
static const struct {
	uint16_t code;
	uint8_t min, max;
} plans[] = {
	{ 1, 10, 10 },	{ 7, 10, 10 },	{ 20, 8, 10 },	{ 27, 9, 9 },	{ 30, 10, 10 }, { 31, 9, 9 },	{ 32, 8, 9 },	{ 33, 9, 9 },
	{ 34, 9, 9 },	{ 36, 8, 9 },	{ 39, 6, 11 },	{ 40, 9, 9 },	{ 41, 9, 9 },	{ 43, 7, 13 },	{ 44, 9, 10 },	{ 45, 8, 8 },
	{ 46, 7, 10 },	{ 47, 8, 8 },	{ 48, 9, 9 },	{ 49, 7, 11 },	{ 51, 8, 9 },	{ 52, 10, 11 }, { 53, 6, 8 },	{ 54, 10, 11 },
	{ 55, 10, 11 }, { 56, 9, 9 },	{ 57, 8, 10 },	{ 58, 10, 10 }, { 60, 8, 10 },	{ 61, 9, 9 },	{ 62, 8, 12 },	{ 63, 8, 10 },
	{ 64, 8, 10 },	{ 65, 8, 8 },	{ 66, 8, 9 },	{ 81, 9, 10 },	{ 82, 8, 11 },	{ 84, 9, 10 },	{ 86, 10, 11 }, { 90, 10, 10 },
	{ 91, 10, 10 }, { 92, 9, 10 },	{ 93, 9, 9 },	{ 94, 9, 9 },	{ 95, 7, 10 },	{ 98, 10, 10 },
};

/* Two-digit codes end there, or continue to three digits: 21x 22x 23x 24x 25x 26x 29x 35x 37x 38x 42x 50x 59x 67x 68x 69x 80x 85x 87x 88x 96x-99x */
static bool three_digit_code(unsigned int two)
{
	static const uint8_t begins[] = { 21, 22, 23, 24, 25, 26, 29, 35, 37, 38, 42, 50, 59, 67, 68, 69, 85, 88, 96, 97, 99 };

	return memchr(begins, (int)two, sizeof(begins)) != NULL;
}

/* North American Numbering Plan: area and exchange begin with 2 to 9, neither is N11. */
static bool nanp(const uint8_t *d)
{
	return d[0] >= 2 && d[3] >= 2 && !(d[1] == 1 && d[2] == 1) && !(d[4] == 1 && d[5] == 1) && !(d[1] == 9 && !d[2]) && !all_same(d, 10);
}

static bool e164(const uint8_t *d, unsigned int n)
{
	unsigned int two, i;

	if (n < 8 || n > 15 || !d[0])
		return false;
	if (d[0] == 1)
		return n == 11 && nanp(d + 1);
	two = d[0] * 10u + d[1];
	if (three_digit_code(two))
		return n >= 9;
	for (i = 0; i < ARRAY_SIZE(plans); i++) {
		unsigned int width = plans[i].code < 10 ? 1 : 2, code = width == 1 ? d[0] : two;

		if (plans[i].code == code)
			return n - width >= plans[i].min && n - width <= plans[i].max;
	}
	return false;
}

/* An international number: + and a country code, or 00. A "(0)" is skipped: it is not dialled from abroad. */
static bool phone(struct pii_value *v)
{
	uint8_t d[18];
	unsigned int n = 0, digits_in_a_row = 0;
	size_t i = v->start, end = v->end;
	const uint8_t *p = v->text.data;

	if (i < end && p[i] == '+')
		i++;
	else if (end - i > 2 && p[i] == '0' && p[i + 1] == '0')
		i += 2;
	else
		return false;
	for (; i < end; i++) {
		if (end - i >= 3 && !memcmp(p + i, "(0)", 3)) {
			i += 2;
			continue;
		}
		if (pii_digit(p[i])) {
			if (n == sizeof(d))
				return false;
			d[n++] = p[i] - '0';
			digits_in_a_row++;
		} else {
			digits_in_a_row = 0;
		}
	}
	return e164(d, n) && !all_same(d + 2, n - 2) && digits_in_a_row >= 2;
}

/* The same number as people at home write it: (415) 555-2671, 0171 2345678, 06 12 34 56 78. */
static bool phone_national(struct pii_value *v)
{
	uint8_t d[16];
	unsigned int n = pii_digits(v, d, sizeof(d));

	if (n < 7 || n > 13 || all_same(d + 1, n - 1))
		return false;
	if (!d[0])
		return n >= 8 && d[1];
	if (n == 10)
		return nanp(d) || d[0] >= 6; /* e.g. India's mobile numbers */
	if (n == 11 && d[0] == 1)
		return nanp(d + 1);
	return n == 11 ? d[0] == 1 || d[0] >= 7 : true;
}

/* (415) 555-2671, 415-555-2671, 415.555.2671: the separators say that it is a telephone's. */
static bool phone_nanp(struct pii_value *v)
{
	uint8_t d[11];
	unsigned int n = pii_digits(v, d, sizeof(d));

	return n == 10 ? nanp(d) : n == 11 && d[0] == 1 && nanp(d + 1);
}

static bool any_phone(struct pii_value *v)
{
	return phone(v) || phone_national(v);
}

static bool ipv4(struct pii_value *v)
{
	unsigned int part[4], n = 0;
	size_t len, i = 0;
	const uint8_t *p = pii_value_bytes(v, &len);

	while (n < 4 && i < len) {
		unsigned int value = 0;
		size_t first = i;

		for (; i < len && pii_digit(p[i]); i++)
			if ((value = value * 10 + (p[i] - '0')) > 255)
				return false;
		if (i == first || (i - first > 1 && p[first] == '0') || (i < len && p[i++] != '.'))
			return false;
		part[n++] = value;
	}
	if (n != 4 || i != len)
		return false;
	/* "this network", loopback, multicast, broadcast and netmasks are nobody's */
	if (!part[0] || part[0] == 127 || part[0] >= 224)
		return false;
	/* a part of 1.2.3.4.5, or of 1.2.3.4-rc1 */
	if (v->start && (v->text.data[v->start - 1] == '.' || v->text.data[v->start - 1] == '-'))
		return false;
	if (v->end + 1 < v->text.len && (v->text.data[v->end] == '.' || v->text.data[v->end] == '-') && pii_alnum(v->text.data[v->end + 1]))
		return false;
	/* the product's version in "Chrome/120.0.0.0", "v1.2.3.4"; a URL has two slashes */
	if (v->start && (v->text.data[v->start - 1] == 'v' || v->text.data[v->start - 1] == 'V'))
		return false;
	if (v->start > 1 && v->text.data[v->start - 1] == '/' && pii_alnum(v->text.data[v->start - 2]))
		return false;
	return !(part[1] == 0 && part[2] == 0 && part[3] == 0);
}

/* RFC 4291, 2.2. A colon alone proves little: eight groups, or "::" with at least three. */
static bool ipv6(struct pii_value *v)
{
	unsigned int groups = 0, zeros = 0, digits = 0, letters = 0;
	size_t len;
	const uint8_t *p = pii_value_bytes(v, &len);

	if (len < 6 || len > 39 || (p[0] == ':' && p[1] != ':'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] == ':') {
			if (digits > 4)
				return false;
			groups += digits > 0;
			if (i + 1 < len && p[i + 1] == ':') {
				zeros++;
				i++;
				if (i + 1 < len && p[i + 1] == ':')
					return false;
			}
			digits = 0;
		} else if (pii_digit(p[i]) || (uint8_t)((p[i] | 0x20) - 'a') < 6) {
			digits++;
			letters += !pii_digit(p[i]);
		} else {
			return false;
		}
	}
	if (digits > 4)
		return false;
	groups += digits > 0;
	/* the unique local, link local and global addresses that are in use begin with 2, 3, fc to fe */
	if (p[0] != '2' && p[0] != '3' && (p[0] | 0x20) != 'f')
		return false;
	return (!zeros && groups == 8 && digits) || (zeros == 1 && groups >= 3 && groups < 8 && letters + groups >= 4);
}

static bool mac(struct pii_value *v)
{
	unsigned int zeros = 0, ones = 0;
	size_t len;
	const uint8_t *p = pii_value_bytes(v, &len);

	if (len != 17)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (i % 3 == 2) {
			if (p[i] != p[2] || (p[i] != ':' && p[i] != '-'))
				return false;
		} else if (!pii_digit(p[i]) && (uint8_t)((p[i] | 0x20) - 'a') >= 6) {
			return false;
		}
		zeros += p[i] == '0';
		ones += (p[i] | 0x20) == 'f';
	}
	return zeros < 12 && ones < 12;
}

/* Decimal degrees with at least three places, so about 100 m; "lat,lon" as well. */
static bool coordinate(struct pii_value *v)
{
	size_t len, i = 0;
	const uint8_t *p = pii_value_bytes(v, &len);

	for (unsigned int part = 0; part < 2; part++) {
		unsigned int whole = 0, places = 0, n = 0;

		if (i < len && (p[i] == '-' || p[i] == '+'))
			i++;
		for (; i < len && pii_digit(p[i]) && n < 4; i++, n++)
			whole = whole * 10 + (p[i] - '0');
		if (!n || whole > 180 || i == len || p[i++] != '.')
			return false;
		for (; i < len && pii_digit(p[i]); i++)
			places++;
		if (places < 3)
			return false;
		if (i == len)
			return true;
		if (p[i++] != ',')
			return false;
		while (i < len && p[i] == ' ')
			i++;
	}
	return false;
}

const struct pii_validator_row pii_validators_numbers[] = {
	{ "card", card },	{ "iban", iban },	{ "aba", aba },		  { "account", account },
	{ "cvv", cvv },		{ "phone", phone },	{ "phone-national", any_phone }, { "phone-nanp", phone_nanp },
	{ "ipv4", ipv4 },	{ "ipv6", ipv6 },	{ "mac", mac },		  { "coordinate", coordinate },
	{ NULL, NULL },
};
