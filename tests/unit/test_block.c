// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Blocks: what is admitted, what is kept and read back, and that nothing of a hostile value gets into a rule as it is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auditor/block/block.h"
#include "common/cleanup.h"

static struct block_prefix prefix(const char *text)
{
	struct block_prefix p;

	if (block_prefix_read(text, &p) < 0)
		fail_msg("%s", text);
	return p;
}

static void prefixes(void **state)
{
	static const char *const good[] = { "203.0.113.7", "203.0.113.0/24", "0.0.0.0", "2001:db8::1", "2001:db8::/32", "::/0", "10.0.0.0/8" };
	static const char *const bad[] = { "", "203.0.113.7/24", "203.0.113.7/33", "203.0.113.7/", "203.0.113.7/ 24", "203.0.113.7/+24", "203.0.113", "x",
					   "2001:db8::1/32", "203.0.113.7;", "1.2.3.4/32x", "1.2.3.4/-1", "fe80::1%eth0" };
	char text[BLOCK_PREFIX_TEXT];
	struct block_prefix p, q;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		p = prefix(good[i]);
		block_prefix_text(&p, text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (block_prefix_read(bad[i], &p) != -EINVAL)
			fail_msg("%s", bad[i]);
	p = prefix("203.0.113.0/24");
	q = prefix("203.0.113.200");
	assert_true(block_prefix_overlaps(&p, &q) && block_prefix_overlaps(&q, &p));
	q = prefix("203.0.114.1");
	assert_false(block_prefix_overlaps(&p, &q));
	q = prefix("2001:db8::1");
	assert_false(block_prefix_overlaps(&p, &q));
	q = prefix("203.0.112.0/23");
	assert_true(block_prefix_overlaps(&p, &q));
}

static void durations(void **state)
{
	uint32_t s;

	assert_true(!block_duration_read("90s", &s) && s == 90);
	assert_true(!block_duration_read("2h", &s) && s == 7200);
	assert_true(!block_duration_read("90d", &s) && s == BLOCK_MAX_SECONDS);
	assert_int_equal(block_duration_read("0s", &s), -ERANGE);
	assert_int_equal(block_duration_read("91d", &s), -ERANGE);
	assert_int_equal(block_duration_read("99999999h", &s), -ERANGE);
	for (const char *const *t = (const char *const[]){ "", "5", "h", "-1h", "1 h", "1hh", "1w", "0x1h", "123456789012s", NULL }; *t; t++)
		assert_int_equal(block_duration_read(*t, &s), -EINVAL);
}

static struct block block(uint32_t id, enum block_kind kind)
{
	return (struct block){ .id = id, .kind = kind, .owner = "ann", .reason = "abuse", .created_s = 1000, .expires_s = 4600 };
}

static void admission(void **state)
{
	const struct block_prefix never[] = { prefix("10.0.0.1"), prefix("127.0.0.0/8") };
	struct block_list l = { .next_id = 1 };
	struct block b = block(1, BLOCK_ADDRESS);
	char why[200];

#define ADMIT(limit) block_admit(&l, &b, never, ARRAY_SIZE(never), limit, why, sizeof(why))
	b.address = prefix("203.0.113.7");
	assert_int_equal(ADMIT(10), 0);
	assert_int_equal(block_append(&l, &b), 0);
	assert_int_equal(l.next_id, 2);
	b.id = 2;
	assert_int_equal(ADMIT(10), -EEXIST);
	b.address = prefix("203.0.113.0/24");
	assert_int_equal(ADMIT(10), -EEXIST);
	b.address = prefix("203.0.113.8");
	assert_int_equal(ADMIT(1), -ENOSPC);
	b.address = prefix("10.0.0.0/16"); /* contains what must not be */
	assert_int_equal(ADMIT(10), -EPERM);
	b.address = prefix("127.1.2.3");
	assert_int_equal(ADMIT(10), -EPERM);
	b.address = prefix("192.0.0.0/15");
	assert_int_equal(ADMIT(10), -EPERM);
	b.address = prefix("2001:db8::/31");
	assert_int_equal(ADMIT(10), -EPERM);
	b.address = prefix("2001:db8::/32");
	assert_int_equal(ADMIT(10), 0);
	b.expires_s = b.created_s;
	assert_int_equal(ADMIT(10), -EINVAL);
	b.expires_s = b.created_s + BLOCK_MAX_SECONDS + 1;
	assert_int_equal(ADMIT(10), -EINVAL);
	b = block(3, BLOCK_ADDRESS);
	b.address = prefix("198.51.100.1");
	b.reason[0] = 0;
	assert_int_equal(ADMIT(10), -EINVAL);
	strcpy(b.reason, "a\nb");
	assert_int_equal(ADMIT(10), -EINVAL);

	block_expire(&l, 4599, NULL, NULL);
	assert_int_equal(l.n, 1);
	block_expire(&l, 4600, NULL, NULL);
	assert_int_equal(l.n, 0);
	free(l.v);
}

static void names_and_values(void **state)
{
	static const char *const names[] = { "", "X_Y", "X Y", "X:", "X\n", "X;", "X{", "\xc3\xa4", "0123456789012345678901234567890123456789012345678901234567890123" };
	static const char *const values[] = { "", "a\nb", "a\rb", "\x7f", "\x1f", " a", "a " };

	assert_null(block_check_header("X-Api-Client", "v"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(block_check_header(names[i], "v"));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		assert_non_null(block_check_header("X", values[i]));
	assert_null(block_check_login("alice@example.org"));
	assert_non_null(block_check_login("a:b"));
	assert_non_null(block_check_login(""));
	assert_non_null(block_check_login("a\nb"));
}

/* ---- generated text -------------------------------------------------------------------------------------------------------- */

static const char *const hostile[] = { "\"", "'", "\\", "\\\"", "x\" 1; } server { listen 1; } #", "$host", "${x}", "a;b", "{}", "%[src]", "-f /etc/passwd", "\xc3\xa4\xff",
				       "*", "(?i:x)", "a|b", "\\Q\\E", "`id`", "$(id)", "default", "~^.*$", "</x>", "\"]}" };

static struct block_list list_of(enum block_kind kind, const char *value)
{
	struct block_list l = { .next_id = 1 };
	struct block b = block(7, kind);

	strcpy(b.name, kind == BLOCK_HEADER ? "X-Api-Client" : "");
	snprintf(b.value, sizeof(b.value), "%s", value);
	assert_int_equal(block_append(&l, &b), 0);
	return l;
}

/*
 * The text with the value replaced by a harmless one of as many bytes must differ in places that hold nothing but letters, digits and
 * backslashes: so no byte of a value can be syntax.
 */
static void check_text(enum block_server_kind server, enum block_kind kind, const char *value)
{
	_cleanup_buf_ struct bw_buf a = { 0 }, b = { 0 };
	char harmless[BLOCK_MAX_VALUE + 1] = "";
	struct block_list l = list_of(kind, value), h;
	const char *p, *q, *pe, *qe;

	memset(harmless, 'a', strlen(value));
	h = list_of(kind, harmless);
	block_text_server(server, &l, NULL, &a);
	block_text_server(server, &h, NULL, &b);
	assert_true(!bw_buf_error(&a) && !bw_buf_error(&b));
	p = bw_buf_cstr(&a), q = bw_buf_cstr(&b);
	pe = p + a.len, qe = q + b.len;
	while (p < pe && q < qe && *p == *q)
		p++, q++;
	while (pe > p && qe > q && pe[-1] == qe[-1])
		pe--, qe--;
	for (; p < pe; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\\[]", *p))
			fail_msg("%s, %s: \"%s\" leaves %c in the rule", block_server_name(server), block_kind_name(kind), value, *p);
	free(l.v);
	free(h.v);
}

static void hostile_values(void **state)
{
	for (int s = 0; s < BLOCK_SERVER_KINDS; s++)
		for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
			check_text((enum block_server_kind)s, BLOCK_HEADER, hostile[i]);
			check_text((enum block_server_kind)s, BLOCK_LOGIN, hostile[i]);
		}
	/* The check itself finds what it is for. */
	{
		_cleanup_buf_ struct bw_buf out = { 0 };
		struct block_list l = list_of(BLOCK_HEADER, "a\"b");

		block_text_server(BLOCK_NGINX, &l, NULL, &out);
		assert_non_null(strstr(bw_buf_cstr(&out), "\"~^a\\x22b\\z\" 1;"));
		free(l.v);
	}
}

/* Literals, \xHH and [sets], as they are generated; matches at the beginning. */
static bool matches(const char *p, const char *end, const char *text)
{
	while (p < end) {
		bool in = false, set = *p == '[';

		p += set;
		do {
			unsigned int c = (unsigned char)*p;

			if (*p == '\\') {
				sscanf(p, "\\x%2x", &c);
				p += 3;
			}
			p++;
			in |= *text && c == (unsigned char)*text;
		} while (set && *p != ']');
		p += set;
		if (!in)
			return false;
		text++;
	}
	return true;
}

static void base64(const char *s, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)s[i] << 16 | (i + 1 < n ? (uint32_t)(unsigned char)s[i + 1] << 8 : 0) | (i + 2 < n ? (unsigned char)s[i + 2] : 0);

		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[v & 63] : '=';
	}
	*out = 0;
}

static void basic_logins(void **state)
{
	static const char *const logins[] = { "a", "al", "ali", "alice", "\xff\xfe", "?>?>" }, *const passwords[] = { "", "x", "?\?>", "\xff\xff" };

	for (size_t i = 0; i < ARRAY_SIZE(logins); i++) {
		_cleanup_buf_ struct bw_buf out = { 0 };
		struct block_list l = list_of(BLOCK_LOGIN, logins[i]);
		const char *p, *end;

		block_text_server(BLOCK_MODSECURITY, &l, NULL, &out);
		p = strstr(bw_buf_cstr(&out), "\\x20+");
		assert_non_null(p);
		p += 5;
		end = strchr(p, '"');
		for (size_t k = 0; k < ARRAY_SIZE(passwords); k++)
			for (size_t o = 0; o < ARRAY_SIZE(logins); o++) {
				char credentials[64], encoded[128];

				snprintf(credentials, sizeof(credentials), "%s:%s", logins[o], passwords[k]);
				base64(credentials, encoded);
				if (matches(p, end, encoded) != (o == i))
					fail_msg("%.*s and %s", (int)(end - p), p, encoded);
			}
		free(l.v);
	}
}

static void nft(void **state)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct block_list l = { .next_id = 1 };
	struct block b = block(1, BLOCK_ADDRESS);

	block_text_nft(&l, "t", 1000, &out);
	assert_string_equal(bw_buf_cstr(&out), "add table inet t\ndelete table inet t\n");
	b.address = prefix("203.0.113.0/24");
	block_append(&l, &b);
	b.id = 2;
	b.address = prefix("2001:db8::1");
	block_append(&l, &b);
	bw_buf_reset(&out);
	block_text_nft(&l, "t", 1000, &out);
	assert_non_null(strstr(bw_buf_cstr(&out), "elements = { 203.0.113.0/24 timeout 3600s }"));
	assert_non_null(strstr(bw_buf_cstr(&out), "elements = { 2001:db8::1 timeout 3600s }"));
	bw_buf_reset(&out);
	block_text_nft(&l, "t", 4600, &out); /* both are over */
	assert_null(strstr(bw_buf_cstr(&out), "elements"));
	free(l.v);
}

/* ---- the state -------------------------------------------------------------------------------------------------------------- */

static void there_and_back(void **state)
{
	_cleanup_buf_ struct bw_buf out = { 0 }, again = { 0 };
	struct block_list l = { .next_id = 1 }, r;
	struct block b = block(1, BLOCK_ADDRESS);
	char why[200] = "", *text;

	b.address = prefix("203.0.113.0/24");
	block_append(&l, &b);
	b = block(4, BLOCK_HEADER);
	strcpy(b.name, "X-A");
	strcpy(b.value, "\"\\\xff\xfe");
	block_append(&l, &b);
	b = block(5, BLOCK_LOGIN);
	strcpy(b.value, "al\"ice");
	block_append(&l, &b);
	b = block(9, BLOCK_SERVICE);
	strcpy(b.cgroup, "/a.slice/b");
	b.pid = 77;
	b.allow[b.n_allow++] = prefix("203.0.113.9");
	block_append(&l, &b);
	block_state_write(&l, &out);
	assert_int_equal(block_state_read(bw_buf_cstr(&out), out.len, &r, why, sizeof(why)), 0);
	assert_true(r.n == 4 && r.next_id == 10);
	assert_string_equal(r.v[1].value, "\"\\\xff\xfe");
	assert_true(r.v[3].pid == 77 && r.v[3].n_allow == 1);
	block_state_write(&r, &again);
	assert_string_equal(bw_buf_cstr(&out), bw_buf_cstr(&again));
	free(r.v);
	free(l.v);

	/* What somebody else has edited is refused, whole. */
	for (const char *const *e = (const char *const[]){ "/a.slice/b", "/../../b", "\"id\": 1,", "\"id\": 4,", "203.0.113.0/24", "203.0.113.1/24", "\"version\": 1",
							   "\"version\": 2", "X-A", "X A", "\"header\"", "\"nothing\"", "ann", "a\\nn", NULL };
	     *e; e += 2) {
		char *at;

		text = strdup(bw_buf_cstr(&out));
		at = strstr(text, e[0]);
		assert_non_null(at);
		{
			_cleanup_buf_ struct bw_buf edited = { 0 };

			bw_buf_append(&edited, text, (size_t)(at - text));
			bw_buf_str(&edited, e[1]);
			bw_buf_str(&edited, at + strlen(e[0]));
			if (block_state_read(bw_buf_cstr(&edited), edited.len, &r, why, sizeof(why)) != -EBADMSG)
				fail_msg("%s instead of %s", e[1], e[0]);
		}
		free(text);
	}
	for (size_t n = 0; n < out.len - 2; n += 5)
		assert_int_equal(block_state_read(bw_buf_cstr(&out), n, &r, why, sizeof(why)), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes),	    cmocka_unit_test(durations),    cmocka_unit_test(admission), cmocka_unit_test(names_and_values),
		cmocka_unit_test(hostile_values), cmocka_unit_test(basic_logins), cmocka_unit_test(nft),	     cmocka_unit_test(there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
