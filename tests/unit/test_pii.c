// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Personal data: each validator with a value that it must take and near misses; decoders, pieces, redaction, rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "guard/api/pii_internal.h"
#include "guard/api/pii_load.h"

static struct pii_rules *rules;
static struct pii_scanner *scanner;

static int setup(void **state)
{
	struct pii_error e;
	char line[700];

	if (pii_rules_builtin(&rules, &e) < 0) {
		print_error("%s\n", pii_error_text(&e, line, sizeof(line)));
		return -1;
	}
	return pii_scanner_new(rules, &scanner);
}

static int teardown(void **state)
{
	pii_scanner_free(scanner);
	pii_rules_free(rules);
	return 0;
}

/* ---- validators: published examples and test values, no person's */

static const struct {
	const char *validator, *yes, *no;
} values[] = {
	{ "card", "4111111111111111|4111 1111 1111 1111|5555555555554444|378282246310005|3782 822463 10005|6011111111111117|3530111333300000|"
		  "2223003122003222|2720992593319364|30569309025904|6200000000000005|4222222222222",
	  "4111111111111112|0000000000000000|1700000000123|4111111 111111111|2220993122003222|2721003122003222|411111111111111" },
	{ "iban", "GB82WEST12345698765432|GB82 WEST 1234 5698 7654 32|gb82west12345698765432|DE89370400440532013000|FR1420041010050500013M02606|"
		  "NO9386011117947|MT84MALT011000012345MTLCAST001S",
	  "GB82WEST12345698765433|DE8937040044053201300|XX89370400440532013000|DE893704004405320130001" },
	{ "aba", "021000021|011401533", "021000022|991000020" },
	{ "cvv", "123|1234", "12|12345|1 3" },
	{ "phone", "+1 415-555-2671|+442079460958|+49 30 123456|+33 6 12 34 56 78|0044 20 7946 0958|+44 (0)20 7946 0958|+919876543210",
	  "+1 115-555-2671|+1 415-155-267|+999|12345678|+0 415 555 2671|+33 6 12 34 56" },
	{ "phone-national", "(415) 555-2671|0171 2345678|06 12 34 56 78|4155552671", "1155552671|123456|0000000000" },
	{ "ipv4", "203.0.113.7|10.1.2.3|198.51.100.255", "256.1.1.1|1.2.3|127.0.0.1|0.0.0.0|255.255.255.0|01.2.3.4|224.0.0.1" },
	{ "ipv6", "2001:db8::8a2e:370:7334|fe80::1:2:abcd|2001:db8:85a3:0:0:8a2e:370:7334", "12:34:56|::1|2001:db8:::1|1::2|12345::1:2:3:4:5:6" },
	{ "mac", "00:1b:44:11:3a:b7|00-1B-44-11-3A-B7", "00:00:00:00:00:00|ff:ff:ff:ff:ff:ff|00:1b-44:11:3a:b7|00:1b:44:11:3a:bg" },
	{ "coordinate", "37.77493|-122.41942|37.774,-122.419", "37|37.77|191.12345|1.2.3" },
	{ "us-ssn", "536-90-4399|536904399", "000-12-3456|666-12-3456|900-12-3456|123-00-4567|123-45-0000|111111111" },
	{ "in-aadhaar", "2341 2341 2346|234123412346", "234123412347|123412341234" },
	{ "uk-nino", "AB123456C|AB 12 34 56 C", "BG123456A|DA123456A|AB123456E|AO123456C" },
	{ "uk-nhs", "9434765919|943 476 5919", "9434765918|0000000000" },
	{ "de-tax", "65929970489|86095742719", "65929970488|12345678901|06592997048" },
	{ "fr-nir", "255081416802538|2 55 08 14 168 025 38", "255081416802539|255131416802538|955081416802538" },
	{ "es-dni", "12345678Z|X1234567L", "12345678A|X1234567A|00000000T" },
	{ "it-cf", "RSSMRA85T10A562S|rssmra85t10a562s", "RSSMRA85T10A562T|RSSMRA85Z10A562S" },
	{ "nl-bsn", "111222333|123456782", "123456789|000000000" },
	{ "be-nn", "85073003328|85.07.30-033.28", "85073003329|85633003328" },
	{ "pl-pesel", "44051401359|44051401458", "44051401358|44131401359" },
	{ "se-pnr", "811228-9874|198112289874", "811228-9873|811328-9874|158112289874" },
	{ "fi-hetu", "131052-308T", "131052-308U|321052-308T|131052:308T" },
	{ "dk-cpr", "010190-1234|0101901234", "320190-1234|011390-1234" },
	{ "no-fnr", "15076500565", "15076500566|15136500565" },
	{ "pt-nif", "123456789", "123456788|423456789" },
	{ "br-cpf", "529.982.247-25|52998224725", "52998224724|11111111111" },
	{ "br-cnpj", "11.222.333/0001-81", "11222333000182|00000000000000" },
	{ "ca-sin", "130 692 544", "130 692 545|046454286|800000002" },
	{ "au-tfn", "123 456 782", "123456781|111111111" },
	{ "au-medicare", "2123456701|2123 45670 1", "2123456711|1123456701" },
	{ "in-pan", "ABCPE1234F", "ABCDE1234F|ABCPE12345" },
	{ "cn-id", "11010519491231002X", "110105194912310021|110105194913310020|910105194912310021" },
	{ "kr-rrn", "800101-1234560", "800101-1234561|801301-1234567" },
	{ "jp-my-number", "123456789018", "123456789017|000000000000" },
	{ "sg-nric", "S1234567D|F1234567N", "S1234567A|A1234567D" },
	{ "za-id", "8001015009087", "8001015009088|8013015009087" },
	{ "mx-curp", "HEGG560427MVZRRL04", "HEGG560427MVZRRL05|HEGG561327MVZRRL04" },
	{ "tr-tckn", "10000000146", "10000000147|00000000146" },
	{ "ch-ahv", "756.9217.0769.85", "756.9217.0769.86|755.9217.0769.85" },
	{ "ie-pps", "1234567T|1234567FA", "1234567A|1234567FZ" },
	{ "email", "jane.doe+tag@mail.example.co.uk|a@b.io", "jane@localhost|icon@2x.png|a..b@example.com|@example.com|a@example.c0m" },
	{ "person-name", "Jane|O'Brien|Jean-Luc|José", "j4ne|null|****|a@b|user_1" },
	{ "full-name", "Jane Doe|Mary Jane Watson", "Jane|blue widget|Jane doe|A B C D E" },
	{ "day", "1985-03-21|21.03.1985|03/21/1985|19850321|1985-03-21T00:00:00Z|March 21, 1985|3/21/85", "1985|1785-03-21|1985-13-21|soon|12345" },
	{ "address", "12 Main St|Hauptstraße 5|PO Box 7", "10.0.0.1|http://x y|a|null" },
	{ "postcode", "94103|SW1A 1AA|K1A 0B1|1012 AB", "x|abcdef|12345678901" },
	{ "passport", "C01X00T47|123456789", "ABCDEFGHI|12|C01X00T470000" },
	{ "document", "D1234567|S530-4608-6372", "ABC|12" },
	{ "icd10", "E11.9|A00|Z99.89", "E1|11.9|E11-9|ABCD" },
	{ "record-number", "MRN-0012345|12345678", "abc|12" },
	{ "label", "Type 2 diabetes|A+", "12|null" },
	{ "password", "hunter2|correct horse battery", "null|********|${PASS}|{{pw}}|abc|a b c d e f g" },
	{ "jwt", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
	  "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0|eyJub3QiOiJhIGhlYWRlciJ9.a.b|eyJ.e.e" },
	{ "basic", "Basic dXNlcjpwYXNzd29yZA==", "Basic authentication|Basic AAAAAAAA" },
	{ "bearer", "Bearer abcdef0123456789", "Bearer authentication|Bearer abc1" },
	{ "token", "9f86d081884c7d659a2feaa0c55ad015|Xk29fLq0PzR7mWv3", "next_page_of_results|aaaaaaaaaaaaaaaa|short1A" },
	{ "session", "8f3a9c0d1e2b4f5a", "abcdefghijkl|12345678901|short1" },
	{ "key", "AKIAIOSFODNN7EXAMPLE", "AKIAXXXXXXXXXXXXXXXX" },
	{ "url-password", "://jane:s3cret@", "://jane:$PASS@|://jane:@" },
};

static bool accepts(const char *validator, const char *value, size_t len)
{
	struct pii_value v = { bw_slice(value, len), 0, len };
	pii_validate_fn fn = pii_validator(validator);

	assert_non_null(fn);
	return fn(&v);
}

static void each(const char *validator, const char *list, bool want)
{
	while (*list) {
		size_t n = strcspn(list, "|");

		if (accepts(validator, list, n) != want)
			fail_msg("%s: \"%.*s\" must%s be taken", validator, (int)n, list, want ? "" : " not");
		list += n + (list[n] == '|');
	}
}

static void test_validators(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		each(values[i].validator, values[i].yes, true);
		each(values[i].validator, values[i].no, false);
	}
}

/* Every validator has a row above. */
static void test_validators_all(void **state)
{
	for (unsigned int i = 0; pii_validator_name(i); i++) {
		static const char *const elsewhere[] = { "account", "text", "phone-nanp", "private-key" };
		bool have = false;

		for (size_t k = 0; k < ARRAY_SIZE(values); k++)
			have = have || !strcmp(values[k].validator, pii_validator_name(i));
		for (size_t k = 0; k < ARRAY_SIZE(elsewhere); k++)
			have = have || !strcmp(elsewhere[k], pii_validator_name(i));
		if (!have)
			fail_msg("no test of the validator %s", pii_validator_name(i));
	}
	assert_null(pii_validator("nonsense"));
}

/* ---- scans */

/* "class@offset+length ..." */
static const char *found_in(const char *text, size_t len, const struct pii_context *ctx)
{
	static char out[2048];
	struct pii_result res;
	size_t n = 0;

	assert_int_equal(pii_scan(scanner, bw_slice(text, len), ctx, &res), 0);
	out[0] = 0;
	for (uint32_t i = 0; i < res.n_hits; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s@%u+%u", i ? " " : "", pii_class(rules, res.hits[i].class_id)->name,
				      (unsigned int)res.hits[i].offset, res.hits[i].length);
	return out;
}

static const char *found(const char *text)
{
	return found_in(text, strlen(text), NULL);
}

static const char *redacted(const char *text)
{
	static struct bw_buf out;

	bw_buf_free(&out);
	out = (struct bw_buf){ 0 };
	assert_int_equal(pii_redact_text(scanner, bw_slice(text, strlen(text)), NULL, &out), 0);
	return bw_buf_cstr(&out);
}

static void test_context(void **state)
{
	/* nine digits are a social security number only where somebody says so */
	assert_string_equal(found("{\"ssn\":\"536904399\"}"), "us-ssn@8+9");
	assert_string_equal(found("{\"count\":\"536904399\"}"), "");
	assert_string_equal(found("my ssn is 536904399 ok"), "us-ssn@10+9");
	assert_string_equal(found("<userSSN>536904399</userSSN>"), "us-ssn@9+9");
	assert_string_equal(found("ssn=536904399&x=1"), "us-ssn@4+9");
	assert_string_equal(found_in("536904399", 9, &(struct pii_context){ "X-User-SSN", PII_CONTENT_TEXT }), "us-ssn@0+9");
	assert_string_equal(found_in("536904399", 9, &(struct pii_context){ "X-Request-Id", PII_CONTENT_TEXT }), "");
	/* what speaks against */
	assert_string_equal(found("{\"payment\":\"4111111111111111\"}"), "card@12+16");
	assert_string_equal(found("{\"order_id\":\"4111111111111111\"}"), "");
	assert_string_equal(found("order number 4111111111111111"), "");
	assert_string_equal(found("{\"name\":\"Jane Doe\",\"price\":1}"), "");
	assert_string_equal(found("{\"name\":\"Jane Doe\",\"email\":\"\"}"), "person-name@9+8");
	assert_string_equal(found("{\"name\":\"Blue Widget\",\"price\":12}"), "");
	/* parts of something longer */
	assert_string_equal(found("550e8400-e29b-41d4-a716-446655440000"), "");
	assert_string_equal(found("x4111111111111111"), "");
	assert_string_equal(found("4111111111111111.5"), "");
	assert_string_equal(found("2024-01-02 10:11:12"), "");
	assert_string_equal(found("Chrome/120.0.6099.109 Safari/537.36"), "");
	assert_string_equal(found("{\"version\":\"10.1.2.3\"}"), "");
	assert_string_equal(found("from 203.0.113.7."), "ip-address@5+11");
}

static void test_fields(void **state)
{
	assert_string_equal(found("{\"firstName\":\"Jane\",\"lastName\" : \"Roe\"}"), "person-name@14+4 person-name@34+3");
	assert_string_equal(found("{\"emails\":[\"a@example.com\",\"b@example.com\"]}"), "email@12+13 email@28+13");
	assert_string_equal(found("{\"phones\":[\"415-555-2671\",\"4155552672\"]}"), "phone@12+12 phone@27+10");
	assert_string_equal(found("password=hunter2&x=password"), "password@9+7");
	assert_string_equal(found("{\"password\":null,\"password_reset_url\":\"/abc\"}"), "");
	assert_string_equal(found("Cookie: theme=dark; sessionid=8f3a9c0d1e2b4f5a; a=b"), "session-cookie@30+16");
	assert_string_equal(found("Date of birth: 21.03.1985\n"), "birth-date@15+10");
	assert_string_equal(found("<a:email>jane@example.com</a:email>"), "email@9+16");
	assert_string_equal(found("{\"lat\":37.77493,\"lng\":-122.41942}"), "geolocation@7+8 geolocation@22+10");
	assert_string_equal(found("{\"next_page_token\":\"Xk29fLq0PzR7mWv3\"}"), "");
	assert_string_equal(found("{\"client_secret\":\"Xk29fLq0PzR7mWv3\"}"), "token@18+16");
	assert_string_equal(found("--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b--\r\n"), "password@56+7");
	assert_string_equal(found("--b\r\nContent-Disposition: form-data; name=\"ssn\"\r\n\r\n536904399\r\n--b--\r\n"), "us-ssn@51+9");
	/* protobuf text, GraphQL */
	assert_string_equal(found("user { ssn: \"536904399\" }"), "us-ssn@13+9");
	assert_string_equal(found("login(password: \"hunter2\", n: 1)"), "password@17+7");
	assert_string_equal(found("login(password: $password)"), "");
}

static void test_decoders(void **state)
{
	assert_string_equal(found("email=jane%40example.com&n=1"), "email@6+18");
	assert_string_equal(found("q=%7B%22ssn%22%3A%22536904399%22%7D"), "us-ssn@20+9");
	assert_string_equal(found("{\"q\":\"\\u006aane\\u0040example.com\"}"), "email@6+26");
	assert_string_equal(found("{\"q\":\"{\\\"ssn\\\":\\\"536904399\\\"}\"}"), "us-ssn@17+9");
	/* base64 of {"email":"jane@example.com"}: all of the encoded text */
	assert_string_equal(found("data=eyJlbWFpbCI6ImphbmVAZXhhbXBsZS5jb20ifQ=="), "email@5+40");
	/* ... with two things in it, which share their place; in base64url; behind percent-encoding */
	assert_string_equal(found("eyJlbWFpbCI6ImFAZXhhbXBsZS5jb20iLCJzc24iOiI1MzY5MDQzOTkifQ"), "email@0+58 us-ssn@0+58");
	assert_string_equal(found("d=eyJlbWFpbCI6ImphbmVAZXhhbXBsZS5jb20ifQ%3D%3D"), "email@2+44");
	/* a value that a decoder would find, but three others stand before it */
	assert_string_equal(found("x=bm90aGluZyB0byBzZWUgaGVyZQ=="), "");
	assert_string_equal(redacted("data=eyJlbWFpbCI6ImphbmVAZXhhbXBsZS5jb20ifQ==;"), "data=[email];");
}

static void test_secrets(void **state)
{
	const char *key = "k: -----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\nrest";

	assert_string_equal(redacted(key), "k: [private-key]\nrest");
	assert_string_equal(redacted("-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKC"), "[private-key]");
	assert_string_equal(redacted("-----BEGIN PUBLIC KEY-----\nMIIE\n"), "-----BEGIN PUBLIC KEY-----\nMIIE\n");
	assert_string_equal(redacted("Authorization: Basic dXNlcjpwYXNzd29yZA=="), "Authorization: Basic [basic-auth]");
	assert_string_equal(redacted("Authorization: Bearer abcdef0123456789"), "Authorization: Bearer [bearer-token]");
	assert_string_equal(redacted("id AKIAIOSFODNN7EXAMPLE."), "id [cloud-key].");
	assert_string_equal(redacted("postgres://app:s3cret@db/x"), "postgres://app:[password]@db/x");
	assert_string_equal(redacted("no secrets here: basic training"), "no secrets here: basic training");
}

/* Cut anywhere, in two and in bytes, a text gives the same hits. */
static void test_stream(void **state)
{
	static const char text[] = "{\"first_name\":\"Jane\",\"ssn\":\"536904399\",\"email\":\"jane@example.com\",\"card\":\"4111 1111 1111 1111\","
				   "\"note\":\"call +1 415-555-2671 or q=%7B%22ssn%22%3A%22536904399%22%7D \",\"token\":"
				   "\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U\"}";
	char whole[2048];

	snprintf(whole, sizeof(whole), "%s", found(text));
	assert_non_null(strstr(whole, "jwt@"));
	for (size_t cut = 0; cut <= sizeof(text) - 1; cut++) {
		size_t step = cut ? cut : 1, len = sizeof(text) - 1, n = 0;
		struct pii_stream *st;
		struct pii_result res;
		char got[2048] = "";

		assert_int_equal(pii_stream_new(NULL, 0, &st), 0);
		for (size_t at = 0; at < len; at += step) {
			size_t piece = len - at < step ? len - at : step;

			assert_int_equal(pii_stream_feed(st, scanner, bw_slice(text + at, piece), at + piece == len, &res), 0);
			for (uint32_t i = 0; i < res.n_hits; i++)
				n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s@%u+%u", n ? " " : "",
						      pii_class(rules, res.hits[i].class_id)->name, (unsigned int)res.hits[i].offset,
						      res.hits[i].length);
		}
		pii_stream_free(st);
		assert_string_equal(got, whole);
	}
}

/* Pieces longer than the tail that is kept, with a value across the seam, far from the beginning. */
static void test_stream_long(void **state)
{
	enum { PIECE = 5000 };
	_cleanup_free_ char *text = malloc(4 * PIECE);
	struct pii_stream *st;
	struct pii_result res;
	unsigned int hits = 0;

	assert_non_null(text);
	memset(text, ' ', 4 * PIECE);
	for (size_t seam = PIECE; seam < 4 * PIECE; seam += PIECE)
		memcpy(text + seam - 7, "jane.roe@example.com", 20);
	assert_int_equal(pii_stream_new(NULL, 1000, &st), 0);
	for (size_t at = 0; at < 4 * PIECE; at += PIECE) {
		assert_int_equal(pii_stream_feed(st, scanner, bw_slice(text + at, PIECE), at == 3 * PIECE, &res), 0);
		for (uint32_t i = 0; i < res.n_hits; i++) {
			hits++;
			assert_int_equal(res.hits[i].offset, 1000 + hits * PIECE - 7);
			assert_int_equal(res.hits[i].length, 20);
			assert_memory_equal(res.hits[i].value.data, "jane.roe@example.com", 20);
		}
		assert_true(res.complete_to <= 1000 + at + PIECE);
	}
	assert_int_equal(hits, 3);
	pii_stream_free(st);
}

/* More than a scan reports: nothing of it may come out of a redaction. */
static void test_bounds(void **state)
{
	enum { N = PII_MAX_HITS + 100 };
	_cleanup_buf_ struct bw_buf text = { 0 }, out = { 0 };
	struct pii_result res;

	for (unsigned int i = 0; i < N; i++)
		bw_buf_printf(&text, "user%u@example.com ", i);
	assert_int_equal(pii_scan(scanner, bw_slice(text.data, text.len), NULL, &res), 0);
	assert_int_equal(res.n_hits, PII_MAX_HITS);
	assert_int_equal(res.dropped, 100);
	assert_true(res.complete_to < text.len);
	pii_redact(rules, bw_slice(text.data, text.len), 0, &res, &out);
	assert_null(strstr(out.data, "@example"));
	assert_non_null(strstr(out.data, "[not-scanned]"));
	/* decoders behind decoders */
	assert_int_equal(pii_scan(scanner, bw_slice("a%252525252540b", 15), NULL, &res), 0);
	assert_true(res.partial_decode);
	assert_int_equal(pii_scan(scanner, bw_slice("a%40b", 5), NULL, &res), 0);
	assert_false(res.partial_decode);
	assert_int_equal(pii_scan(scanner, bw_slice("", 0), NULL, &res), 0);
	assert_int_equal(res.n_hits, 0);
}

static uint64_t hash_of(const struct pii_key *key, const char *text)
{
	struct pii_result res;
	uint64_t h = 0;

	assert_int_equal(pii_scan(scanner, bw_slice(text, strlen(text)), NULL, &res), 0);
	assert_int_equal(res.n_hits, 1);
	assert_int_equal(pii_hash(key, rules, &res.hits[0], &h), 0);
	return h;
}

static void test_hash(void **state)
{
	const struct pii_key a = { { 1 } }, b = { { 2 } };

	assert_true(hash_of(&a, "4111 1111 1111 1111") == hash_of(&a, "x: 4111-1111-1111-1111"));
	assert_true(hash_of(&a, "4111111111111111") != hash_of(&a, "5555555555554444"));
	assert_true(hash_of(&a, "4111111111111111") != hash_of(&b, "4111111111111111"));
	assert_true(hash_of(&a, "Basic dXNlcjpwYXNzd29yZA==") != hash_of(&a, "Basic dXNlcjpwYXNzd29yZB=="));
	/* computed by Python's hmac over b"card\0" b"4111111111111111" */
	assert_true(hash_of(&a, "4111111111111111") == 0xdade502396a36c56ull);
}

/* ---- rules */

static const char *refused(const char *text)
{
	static char line[700];
	BW_CLEANUP(pii_rules_freep) struct pii_rules *r = NULL;
	struct pii_error e = { 0 };

	assert_int_equal(pii_rules_new(&r), 0);
	if (!pii_rules_add(r, text, strlen(text), "f.json", &e) && !pii_rules_compile(r, &e))
		return "";
	return pii_error_text(&e, line, sizeof(line));
}

#define CLASS "\"classes\":[{\"name\":\"staff\",\"title\":\"staff number\",\"categories\":[\"gdpr\"]}]"
#define DETECTOR(members) "{\"version\":1," CLASS ",\n \"detectors\":[{\"id\":\"staff\",\"class\":\"staff\"," members "}]}"

static void test_rules(void **state)
{
	assert_string_equal(refused(DETECTOR("\"regex\":\"S-[0-9]{6}\"")), "");
	assert_string_equal(refused("{\"version\":2}"), "f.json:1:12: version: must be 1");
	assert_string_equal(refused("{\"version\":1,}"), "f.json:1:14: expected a key in double quotes here");
	assert_string_equal(refused(DETECTOR("\"regex\":\"S-[0-9\"")), "f.json:2:53: detectors[0].regex: Unterminated character class starting at index 2.");
	assert_string_equal(refused(DETECTOR("\"regex\":\"a*\"")), "f.json:2:53: detectors[0].regex: Pattern matches empty buffer; use HS_FLAG_ALLOWEMPTY to enable support.");
	assert_string_equal(refused(DETECTOR("\"color\":1")), "f.json:2:15: detectors[0]: unknown key \"color\"");
	assert_string_equal(refused(DETECTOR("\"validator\":\"none\",\"regex\":\"a\"")), "f.json:2:57: detectors[0].validator: there is no validator \"none\"");
	assert_string_equal(refused(DETECTOR("\"trigger\":\"field\"")), "f.json:2:15: detectors[0]: a field detector needs \"context\": the names of its fields");
	assert_string_equal(refused(DETECTOR("\"trigger\":\"number\",\"regex\":\"[0-9]{9}\"")),
			    "f.json:2:15: detectors[0]: \"digits\" is for number detectors, and they need it");
	assert_string_equal(refused(DETECTOR("\"regex\":\"a\",\"confidence\":101")), "f.json:2:70: detectors[0].confidence: must be a whole number from 1 to 100");
	assert_string_equal(refused(DETECTOR("\"regex\":\"a\",\"context\":[\"Big\"]")),
			    "f.json:2:67: detectors[0].context: \"Big\" is no word: up to 4 parts of small letters, separated by spaces");
	assert_string_equal(refused("{\"version\":1,\"detectors\":[{\"id\":\"a\",\"class\":\"b\",\"regex\":\"c\"}]}"),
			    "f.json:1:45: detectors[0].class: there is no class \"b\"");
}

static void test_own_detector(void **state)
{
	static const char text[] = DETECTOR("\"regex\":\"\\\\bS-[0-9]{6}\\\\b\",\"confidence\":30,\"context\":[\"staff\"]");
	struct pii_scanner *saved = scanner;
	struct pii_rules *shipped = rules, *own = NULL;
	struct pii_error e;

	assert_int_equal(pii_rules_new(&own), 0);
	assert_int_equal(pii_rules_add(own, text, strlen(text), "own", &e), 0);
	assert_int_equal(pii_rules_compile(own, &e), 0);
	rules = own;
	assert_int_equal(pii_scanner_new(own, &scanner), 0);
	assert_string_equal(found("{\"staff_no\":\"S-123456\"}"), "staff@13+8");
	assert_string_equal(found("{\"order_no\":\"S-123456\"}"), "");
	assert_int_equal(pii_rules_add(own, text, strlen(text), "again", &e), -EINVAL);
	pii_scanner_free(scanner);
	pii_rules_free(own);
	scanner = saved;
	rules = shipped;
}

static void test_key(void **state)
{
	char dir[] = "/tmp/test_pii.XXXXXX", path[64], link[64];
	struct pii_key a, b;
	struct stat st;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/pii.key", dir);
	snprintf(link, sizeof(link), "%s/other", dir);
	assert_int_equal(pii_load_key(dir, &a), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(pii_load_key(dir, &b), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(pii_load_key(dir, &b), -EPERM);
	assert_int_equal(rename(path, link), 0);
	assert_int_equal(chmod(link, 0400), 0);
	assert_int_equal(symlink("other", path), 0);
	assert_int_equal(pii_load_key(dir, &b), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(truncate(link, 5), 0);
	assert_int_equal(rename(link, path), 0);
	assert_int_equal(pii_load_key(dir, &b), -EBADMSG);
	unlink(path);
	rmdir(dir);
	assert_int_equal(pii_load_key(dir, &b), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_validators), cmocka_unit_test(test_validators_all), cmocka_unit_test(test_context),
		cmocka_unit_test(test_fields),	   cmocka_unit_test(test_decoders),	  cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_stream),	   cmocka_unit_test(test_stream_long),	  cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_hash),	   cmocka_unit_test(test_rules),	  cmocka_unit_test(test_own_detector),
		cmocka_unit_test(test_key),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
