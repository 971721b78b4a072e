// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The native event taken apart, and each format of the golden events of tests/golden/alert against tests/golden/format/NAME.FORMAT
 * (BW_UPDATE_GOLDEN=1 writes them anew). What must hold for every event and every value is in tests/integration/t/formats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "common/format.h"

static const char *const events[] = {
	"command", "command-denied", "guard-bare", "guard-policy-refused", "load-denied", "load-hostile", "load-tag", "load-watched", "map",
};

static char *event_line(const char *name, size_t *ret_len)
{
	char path[128], *text;

	snprintf(path, sizeof(path), "tests/golden/alert/%s.json", name);
	assert_int_equal(bw_file_read(path, 1 << 20, &text, ret_len), 0);
	*ret_len = strcspn(text, "\n");
	text[*ret_len] = '\0';
	return text;
}

static void golden(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		_cleanup_free_ char *line = NULL;
		struct event_view e;
		size_t len;

		line = event_line(events[i], &len);
		assert_int_equal(event_view_parse(line, len, &e), 0);
		for (unsigned int f = 0; f < FORMAT_COUNT; f++) {
			_cleanup_buf_ struct bw_buf b = { 0 };
			_cleanup_free_ char *want = NULL;
			size_t want_len;
			char path[160];

			assert_int_equal(format_event(f, NULL, &e, &b), 0);
			snprintf(path, sizeof(path), "tests/golden/format/%s.%s", events[i], format_name(f));
			if (getenv("BW_UPDATE_GOLDEN")) {
				_cleanup_fclose_ FILE *out = fopen(path, "w");

				assert_non_null(out);
				fwrite(b.data, 1, b.len, out);
				continue;
			}
			assert_int_equal(bw_file_read(path, 1 << 20, &want, &want_len), 0);
			if (want_len != b.len || memcmp(want, b.data, b.len))
				fail_msg("%s is not what %s has:\n%s", events[i], path, bw_buf_cstr(&b));
			if (format_is_line(f))
				assert_null(memchr(b.data, '\n', b.len));
		}
	}
}

static int parse(const char *line, struct event_view *e)
{
	return event_view_parse(line, strlen(line), e);
}

static void views(void **state)
{
	const struct event_member *m;
	struct event_member item;
	struct event_view e;
	struct bw_buf b = { 0 };
	size_t pos = 0;

	assert_int_equal(parse("{ \"v\" : 1 , \"seq\":18446744073709551615, \"a\":[\"x,\\\"]\", 2 ,true], \"b\":\"\\u00e9\\ud83d\\ude00\\n\\\\\","
			       "\"c\":{\"d\":[]},\"l\":[],\"time\":\"2023-11-14T22:15:23.456789012Z\",\"severity\":\"high\"}", &e), 0);
	assert_int_equal(e.n, 8);
	m = event_get(&e, "seq");
	assert_int_equal(m->type, EVENT_NUMBER);
	assert_int_equal(m->value_len, 20);
	m = event_get(&e, "a");
	assert_true(event_next(m, &pos, &item));
	event_text(&item, &b);
	assert_string_equal(bw_buf_cstr(&b), "x,\"]");
	assert_true(event_next(m, &pos, &item));
	assert_int_equal(item.type, EVENT_NUMBER);
	assert_true(event_next(m, &pos, &item));
	assert_int_equal(item.type, EVENT_TRUE);
	assert_false(event_next(m, &pos, &item));
	assert_false(event_next(m, &pos, &item));
	pos = 0;
	assert_false(event_next(event_get(&e, "l"), &pos, &item));
	bw_buf_reset(&b);
	event_text(event_get(&e, "b"), &b);
	assert_string_equal(bw_buf_cstr(&b), "\xc3\xa9\xf0\x9f\x98\x80\n\\");
	assert_int_equal(event_get(&e, "c")->type, EVENT_OBJECT);
	assert_int_equal(event_get(&e, "c")->value_len, 8);
	assert_int_equal(event_time(&e), 1700000123456789012LL);
	assert_int_equal(event_severity(&e), EVENT_HIGH);
	assert_null(event_get(&e, "sev"));
	bw_buf_free(&b);
}

static void bad_views(void **state)
{
	static const char *const bad[] = {
		"", "{}", "[1]", "{\"v\":2}", "{\"seq\":1}", "{\"v\":1,\"v\":1}", "{\"v\":1,\"A\":1}", "{\"v\":1,\"\":1}", "{\"v\":1,\"a b\":1}",
		"{\"v\":1}x", "{\"v\":1,\"a\":\"\\u0000\"}", "{\"v\":1,\"a\":\"\xff\"}", "{\"v\":1,\"a\":\"\n\"}", "{\"v\":1,\n\"a\":1}",
		"{\"v\":1,\"a\":01}", "{\"v\":1,\"a\":\"\\ud800\"}", "{\"v\":1",
	};
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct event_view e;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i], &e) >= 0)
			fail_msg("taken: %s", bad[i]);
	bw_buf_str(&b, "{\"v\":1");
	for (int i = 0; i < 300; i++)
		bw_buf_printf(&b, ",\"k%d\":1", i);
	bw_buf_char(&b, '}');
	assert_int_equal(parse(bw_buf_cstr(&b), &e), -E2BIG);
	assert_int_equal(parse("{\"v\":1,\"time\":\"2023-11-14T22:15:23+01:00\"}", &e), 0);
	assert_int_equal(event_time(&e), 0);
}

static void names(void **state)
{
	enum format_id id;

	for (unsigned int f = 0; f < FORMAT_COUNT; f++) {
		assert_int_equal(format_parse(format_name(f), &id), 0);
		assert_int_equal(id, f);
	}
	assert_int_equal(format_parse("CEF", &id), -EINVAL);
	assert_null(format_name(FORMAT_COUNT));
}

static void limits(void **state)
{
	struct bw_buf b = { .max = 40 };
	struct event_view e;

	assert_int_equal(parse("{\"v\":1,\"message\":\"0123456789012345678901234567890123456789\"}", &e), 0);
	for (unsigned int f = 0; f < FORMAT_COUNT; f++) {
		bw_buf_free(&b);
		b.max = 40;
		assert_int_equal(format_event(f, NULL, &e, &b), -E2BIG);
	}
	bw_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden), cmocka_unit_test(views), cmocka_unit_test(bad_views), cmocka_unit_test(names),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
