// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Validators of national identifiers. Each states the check of the authority that issues the number; where there is none (or
 * it is not kept, as in Denmark since 2007) the rules ask for context instead.
 */
#include <string.h>

#include "guard/api/pii_internal.h"

/* Exactly @n digits. */
static bool digits_of(const struct pii_value *v, uint8_t *d, unsigned int n)
{
	return pii_digits(v, d, n) == n;
}

static unsigned int weighted(const uint8_t *d, const char *weights)
{
	unsigned int sum = 0;

	/* weights are characters: '0' + weight, so ':' is 10 */
	for (unsigned int i = 0; weights[i]; i++)
		sum += d[i] * (unsigned int)(weights[i] - '0');
	return sum;
}

static unsigned int two(const uint8_t *d)
{
	return d[0] * 10u + d[1];
}

/* 29 February is taken in every year: the century is not always known. */
static bool date(unsigned int month, unsigned int day)
{
	static const uint8_t days[13] = { 0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month >= 1 && month <= 12 && day >= 1 && day <= days[month];
}

static bool all_same(const uint8_t *d, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++)
		if (d[i] != d[0])
			return false;
	return true;
}

/* The bytes in upper case, without spaces, dots and dashes; exactly @n of them. */
static bool upper_of(const struct pii_value *v, uint8_t *t, size_t n)
{
	size_t k = 0;

	for (size_t i = v->start; i < v->end; i++) {
		uint8_t c = v->text.data[i];

		if (c == ' ' || c == '-' || c == '.')
			continue;
		if (k == n)
			return false;
		t[k++] = pii_upper(c);
	}
	return k == n;
}

static bool number_at(const uint8_t *t, unsigned int n, uint8_t *d)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!pii_digit(t[i]))
			return false;
		d[i] = t[i] - '0';
	}
	return true;
}

/* US: areas 000, 666 and 900 to 999, group 00 and serial 0000 are never issued. */
static bool ssn(struct pii_value *v)
{
	uint8_t d[9];
	unsigned int area;

	if (!digits_of(v, d, 9))
		return false;
	area = d[0] * 100u + two(d + 1);
	return area && area != 666 && area < 900 && two(d + 3) && (two(d + 5) || two(d + 7)) && !all_same(d, 9);
}

/* India, Aadhaar: Verhoeff's dihedral group. */
static bool aadhaar(struct pii_value *v)
{
	static const uint8_t mul[10][10] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 2, 3, 4, 0, 6, 7, 8, 9, 5 }, { 2, 3, 4, 0, 1, 7, 8, 9, 5, 6 },
		{ 3, 4, 0, 1, 2, 8, 9, 5, 6, 7 }, { 4, 0, 1, 2, 3, 9, 5, 6, 7, 8 }, { 5, 9, 8, 7, 6, 0, 4, 3, 2, 1 },
		{ 6, 5, 9, 8, 7, 1, 0, 4, 3, 2 }, { 7, 6, 5, 9, 8, 2, 1, 0, 4, 3 }, { 8, 7, 6, 5, 9, 3, 2, 1, 0, 4 },
		{ 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 },
	};
	static const uint8_t perm[8][10] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 5, 7, 6, 2, 8, 3, 0, 9, 4 }, { 5, 8, 0, 3, 7, 9, 6, 1, 4, 2 },
		{ 8, 9, 1, 6, 0, 4, 3, 5, 2, 7 }, { 9, 4, 5, 3, 1, 2, 6, 8, 7, 0 }, { 4, 2, 8, 6, 5, 7, 3, 9, 0, 1 },
		{ 2, 7, 9, 3, 8, 0, 6, 4, 1, 5 }, { 7, 0, 4, 6, 9, 1, 3, 2, 5, 8 },
	};
	uint8_t d[12], c = 0;

	if (!digits_of(v, d, 12) || d[0] < 2)
		return false;
	for (unsigned int i = 0; i < 12; i++)
		c = mul[c][perm[i % 8][d[11 - i]]];
	return !c;
}

/* UK, National Insurance: HMRC's prefixes. */
static bool nino(struct pii_value *v)
{
	uint8_t t[9], d[6];

	if (!upper_of(v, t, 9) || !pii_alpha(t[0]) || !pii_alpha(t[1]) || !number_at(t + 2, 6, d))
		return false;
	if (memchr("DFIQUV", t[0], 6) || memchr("DFIQUVO", t[1], 7) || t[8] < 'A' || t[8] > 'D')
		return false;
	for (const char *p = "BGGBNKKNTNNTZZ"; *p; p += 2)
		if (t[0] == p[0] && t[1] == p[1])
			return false;
	return true;
}

static bool nhs(struct pii_value *v)
{
	unsigned int check;
	uint8_t d[10];

	if (!digits_of(v, d, 10) || all_same(d, 10))
		return false;
	check = 11 - weighted(d, ":98765432") % 11;
	return check != 10 && check % 11 == d[9];
}

/* Germany, IdNr: ISO 7064 MOD 11,10; of the first ten digits exactly one comes more than once, at most three times. */
static bool de_tax(struct pii_value *v)
{
	unsigned int count[10] = { 0 }, repeated = 0, product = 10;
	uint8_t d[11];

	if (!digits_of(v, d, 11) || !d[0])
		return false;
	for (unsigned int i = 0; i < 10; i++) {
		unsigned int sum = (d[i] + product) % 10;

		product = (sum ? sum : 10) * 2 % 11;
		count[d[i]]++;
	}
	for (unsigned int i = 0; i < 10; i++) {
		repeated += count[i] > 1;
		if (count[i] > 3)
			return false;
	}
	return repeated == 1 && (11 - product) % 10 == d[10];
}

/* France, NIR: 13 characters and a key, 97 - n mod 97; Corsica's departments 2A and 2B count as 19 and 18. */
static bool fr_nir(struct pii_value *v)
{
	uint8_t t[15], d[15];
	unsigned int month;
	uint64_t n = 0;

	if (!upper_of(v, t, 15))
		return false;
	if (t[5] == '2' && (t[6] == 'A' || t[6] == 'B')) {
		t[5] = '1';
		t[6] = t[6] == 'A' ? '9' : '8';
	}
	if (!number_at(t, 15, d) || !memchr("12347", t[0], 5))
		return false;
	month = two(d + 3);
	if (!month || (month > 12 && month < 20) || (month > 42 && month < 50))
		return false;
	for (unsigned int i = 0; i < 13; i++)
		n = n * 10 + d[i];
	return 97 - n % 97 == two(d + 13);
}

/* Spain, DNI and NIE: the letter is the number modulo 23. */
static bool es_dni(struct pii_value *v)
{
	unsigned int n = 0;
	uint8_t t[9], d[8];

	if (!upper_of(v, t, 9))
		return false;
	if (t[0] >= 'X' && t[0] <= 'Z')
		t[0] = '0' + (t[0] - 'X');
	if (!number_at(t, 8, d))
		return false;
	for (unsigned int i = 0; i < 8; i++)
		n = n * 10 + d[i];
	return n && t[8] == (uint8_t)"TRWAGMYFPDXBNJZSQVHLCKE"[n % 23];
}

/* Italy, codice fiscale (DM 23 dicembre 1976): characters in odd places have values of their own. */
static bool it_cf(struct pii_value *v)
{
	static const uint8_t odd[36] = { 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17,
					 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23 };
	unsigned int sum = 0;
	uint8_t t[16];

	if (!upper_of(v, t, 16) || !memchr("ABCDEHLMPRST", t[8], 12))
		return false;
	for (unsigned int i = 0; i < 15; i++) {
		unsigned int value = pii_digit(t[i]) ? t[i] - '0' : pii_alpha(t[i]) ? t[i] - 'A' + 10u : 99;

		if (value == 99 || (i < 6 && value < 10))
			return false;
		sum += i % 2 ? (value < 10 ? value : value - 10) : odd[value];
	}
	return t[15] == 'A' + sum % 26;
}

static bool nl_bsn(struct pii_value *v)
{
	uint8_t d[9];

	return digits_of(v, d, 9) && !all_same(d, 9) && (weighted(d, "98765432") + 10u * 11 - d[8]) % 11 == 0 && (d[0] || d[1]);
}

/* Belgium: 97 - n mod 97, with a 2 before the number for those born from 2000 on. */
static bool be_nn(struct pii_value *v)
{
	uint64_t n = 0;
	uint8_t d[11];
	unsigned int check, month;

	if (!digits_of(v, d, 11))
		return false;
	month = two(d + 2) % 20; /* 20 or 40 is added for those not in the register */
	if (two(d + 2) > 52 || month > 12 || two(d + 4) > 31 || !(two(d + 6) || d[8]))
		return false;
	for (unsigned int i = 0; i < 9; i++)
		n = n * 10 + d[i];
	check = two(d + 9);
	return check == 97 - n % 97 || check == 97 - (2000000000ull + n) % 97;
}

static bool pl_pesel(struct pii_value *v)
{
	uint8_t d[11];

	return digits_of(v, d, 11) && date(two(d + 2) % 20, two(d + 4)) && (10 - weighted(d, "1379137913") % 10) % 10 == d[10];
}

/* Sweden: Luhn over the last ten digits; a coordination number's day has 60 added. */
static bool se_pnr(struct pii_value *v)
{
	uint8_t all[12], *d = all;
	unsigned int n = pii_digits(v, all, 12), day;

	if (n == 12) {
		if (two(all) < 18 || two(all) > 20)
			return false;
		d += 2;
	} else if (n != 10) {
		return false;
	}
	day = two(d + 4);
	return date(two(d + 2), day > 60 ? day - 60 : day) && pii_luhn(d, 10);
}

static bool fi_hetu(struct pii_value *v)
{
	unsigned int n = 0;
	size_t len;
	const uint8_t *p = pii_value_bytes(v, &len);
	uint8_t d[9];

	if (len != 11 || !number_at(p, 6, d) || !number_at(p + 7, 3, d + 6) || !memchr("+-ABCDEFUVWXY", pii_upper(p[6]), 13))
		return false;
	if (!date(two(d + 2), two(d)))
		return false;
	for (unsigned int i = 0; i < 9; i++)
		n = n * 10 + d[i];
	return pii_upper(p[10]) == (uint8_t)"0123456789ABCDEFHJKLMNPRSTUVWXY"[n % 31];
}

/* Denmark: the modulus 11 check is not kept for numbers issued since 2007. */
static bool dk_cpr(struct pii_value *v)
{
	uint8_t d[10];

	return digits_of(v, d, 10) && date(two(d + 2), two(d)) && (two(d + 6) || two(d + 8));
}

static bool no_fnr(struct pii_value *v)
{
	unsigned int day;
	uint8_t d[11];

	if (!digits_of(v, d, 11))
		return false;
	day = two(d) > 40 ? two(d) - 40 : two(d); /* D numbers */
	return date(two(d + 2) % 40, day) && (weighted(d, "376189452") + d[9]) % 11 == 0 &&
	       (weighted(d, "5432765432") + d[10]) % 11 == 0;
}

static bool pt_nif(struct pii_value *v)
{
	unsigned int rest;
	uint8_t d[9];

	if (!digits_of(v, d, 9) || !memchr("\1\2\3\5\6\10\11", d[0], 7))
		return false;
	rest = weighted(d, "98765432") % 11;
	return d[8] == (rest < 2 ? 0 : 11 - rest);
}

static bool br_cpf(struct pii_value *v)
{
	unsigned int first, second;
	uint8_t d[11];

	if (!digits_of(v, d, 11) || all_same(d, 11))
		return false;
	first = weighted(d, ":98765432") * 10 % 11 % 10;
	second = weighted(d, ";:98765432") * 10 % 11 % 10;
	return d[9] == first && d[10] == second;
}

static bool br_cnpj(struct pii_value *v)
{
	unsigned int first, second;
	uint8_t d[14];

	if (!digits_of(v, d, 14) || all_same(d, 14))
		return false;
	first = weighted(d, "543298765432") % 11;
	second = weighted(d, "6543298765432") % 11;
	return d[12] == (first < 2 ? 0 : 11 - first) && d[13] == (second < 2 ? 0 : 11 - second);
}

static bool ca_sin(struct pii_value *v)
{
	uint8_t d[9];

	return digits_of(v, d, 9) && d[0] && d[0] != 8 && pii_luhn(d, 9) && !all_same(d, 9);
}

static bool au_tfn(struct pii_value *v)
{
	uint8_t d[9];

	return digits_of(v, d, 9) && !all_same(d, 9) && weighted(d, "14375869:") % 11 == 0;
}

static bool au_medicare(struct pii_value *v)
{
	uint8_t d[11];
	unsigned int n = pii_digits(v, d, 11);

	return (n == 10 || n == 11) && d[0] >= 2 && d[0] <= 6 && d[9] && weighted(d, "13791379") % 10 == d[8];
}

static bool in_pan(struct pii_value *v)
{
	uint8_t t[10], d[4];

	if (!upper_of(v, t, 10) || !number_at(t + 5, 4, d) || !pii_alpha(t[9]))
		return false;
	for (unsigned int i = 0; i < 5; i++)
		if (!pii_alpha(t[i]))
			return false;
	return memchr("ABCFGHJLPT", t[3], 10) != NULL; /* the holder's kind */
}

/* China, GB 11643: region, date of birth, ISO 7064 MOD 11-2. */
static bool cn_id(struct pii_value *v)
{
	unsigned int year;
	uint8_t t[18], d[17];

	if (!upper_of(v, t, 18) || !number_at(t, 17, d) || d[0] < 1 || d[0] > 8)
		return false;
	year = two(d + 6) * 100 + two(d + 8);
	return year >= 1900 && year < 2100 && date(two(d + 10), two(d + 12)) &&
	       t[17] == (uint8_t)"10X98765432"[weighted(d, "79:584216379:5842") % 11];
}

/* Korea: checked for numbers issued up to October 2020; later ones have a random part and are not recognised. */
static bool kr_rrn(struct pii_value *v)
{
	uint8_t d[13];

	return digits_of(v, d, 13) && date(two(d + 2), two(d + 4)) && d[6] >= 1 && d[6] <= 8 &&
	       (11 - weighted(d, "234567892345") % 11) % 10 == d[12];
}

static bool jp_my_number(struct pii_value *v)
{
	unsigned int rest;
	uint8_t d[12];

	if (!digits_of(v, d, 12) || all_same(d, 12))
		return false;
	rest = weighted(d, "65432765432") % 11;
	return d[11] == (rest <= 1 ? 0 : 11 - rest);
}

static bool sg_nric(struct pii_value *v)
{
	unsigned int sum;
	uint8_t t[9], d[7];

	if (!upper_of(v, t, 9) || !number_at(t + 1, 7, d))
		return false;
	sum = weighted(d, "2765432") + (t[0] == 'T' || t[0] == 'G' ? 4 : t[0] == 'M' ? 3 : 0);
	switch (t[0]) {
	case 'S':
	case 'T':
		return t[8] == (uint8_t)"JZIHGFEDCBA"[sum % 11];
	case 'F':
	case 'G':
		return t[8] == (uint8_t)"XWUTRQPNMLK"[sum % 11];
	case 'M':
		return t[8] == (uint8_t)"XWUTRQPNJLK"[sum % 11];
	}
	return false;
}

static bool za_id(struct pii_value *v)
{
	uint8_t d[13];

	return digits_of(v, d, 13) && date(two(d + 2), two(d + 4)) && d[10] <= 2 && pii_luhn(d, 13);
}

/* Mexico, CURP: N with tilde stands between N and O in the alphabet of the check digit. */
static bool mx_curp(struct pii_value *v)
{
	unsigned int sum = 0;
	uint8_t t[18], d[6];

	if (!upper_of(v, t, 18) || !number_at(t + 4, 6, d) || !date(two(d + 2), two(d + 4)) || !memchr("HMX", t[10], 3))
		return false;
	for (unsigned int i = 0; i < 17; i++) {
		unsigned int value = pii_digit(t[i]) ? t[i] - '0' : t[i] - 'A' + 10u + (t[i] >= 'O');

		if (!pii_alnum(t[i]))
			return false;
		sum += value * (18 - i);
	}
	return pii_digit(t[17]) && (10 - sum % 10) % 10 == (unsigned int)(t[17] - '0');
}

static bool tr_tckn(struct pii_value *v)
{
	unsigned int odd, even;
	uint8_t d[11];

	if (!digits_of(v, d, 11) || !d[0])
		return false;
	odd = d[0] + d[2] + d[4] + d[6] + d[8];
	even = d[1] + d[3] + d[5] + d[7];
	return d[9] == (odd * 7 + 100 - even) % 10 && d[10] == (odd + even + d[9]) % 10;
}

/* Switzerland, AHV/AVS: an EAN-13 that begins with 756. */
static bool ch_ahv(struct pii_value *v)
{
	uint8_t d[13];

	return digits_of(v, d, 13) && d[0] == 7 && d[1] == 5 && d[2] == 6 && (10 - weighted(d, "131313131313") % 10) % 10 == d[12];
}

/* Ireland, PPS: the letter is a sum modulo 23; a second letter counts nine times. */
static bool ie_pps(struct pii_value *v)
{
	unsigned int sum;
	uint8_t t[9], d[7];
	bool nine = upper_of(v, t, 9);

	if ((!nine && !upper_of(v, t, 8)) || !number_at(t, 7, d) || !pii_alpha(t[7]) || (nine && !memchr("ABHTW", t[8], 5)))
		return false;
	sum = weighted(d, "8765432") + (nine && t[8] != 'W' ? 9u * (t[8] - 'A' + 1u) : 0);
	return t[7] == (uint8_t)"WABCDEFGHIJKLMNOPQRSTUV"[sum % 23];
}

const struct pii_validator_row pii_validators_national[] = {
	{ "us-ssn", ssn },	     { "in-aadhaar", aadhaar }, { "uk-nino", nino },	 { "uk-nhs", nhs },	  { "de-tax", de_tax },
	{ "fr-nir", fr_nir },	     { "es-dni", es_dni },	{ "it-cf", it_cf },	 { "nl-bsn", nl_bsn },	  { "be-nn", be_nn },
	{ "pl-pesel", pl_pesel },    { "se-pnr", se_pnr },	{ "fi-hetu", fi_hetu },	 { "dk-cpr", dk_cpr },	  { "no-fnr", no_fnr },
	{ "pt-nif", pt_nif },	     { "br-cpf", br_cpf },	{ "br-cnpj", br_cnpj },	 { "ca-sin", ca_sin },	  { "au-tfn", au_tfn },
	{ "au-medicare", au_medicare }, { "in-pan", in_pan },	{ "cn-id", cn_id },	 { "kr-rrn", kr_rrn },	  { "jp-my-number", jp_my_number },
	{ "sg-nric", sg_nric },	     { "za-id", za_id },	{ "mx-curp", mx_curp },	 { "tr-tckn", tr_tckn },  { "ch-ahv", ch_ahv },
	{ "ie-pps", ie_pps },	     { NULL, NULL },
};
