// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "auditor/policy_edit.h"

static void expect(const char *before, const char *path, const char *key, const char *value, const char *after)
{
	_cleanup_buf_ struct bw_buf b = { 0 };

	bw_buf_str(&b, before);
	assert_int_equal(key ? policy_edit_add_member(&b, path, key, value) : policy_edit_append(&b, path, value), 0);
	assert_string_equal(bw_buf_cstr(&b), after);
	assert_int_equal(b.len, strlen(after));
}

static void lists(void **state)
{
	expect("{\"a\":[]}", "a", NULL, "1", "{\"a\":[1]}");
	expect("{\"a\":[1]}", "a", NULL, "2", "{\"a\":[1, 2]}");
	expect("{\"a\": [ 1 ] }", "a", NULL, "2", "{\"a\": [ 1, 2 ] }");
	expect("{\n  \"a\": []\n}\n", "a", NULL, "{\n  \"x\": 1\n}",
	       "{\n  \"a\": [\n    {\n      \"x\": 1\n    }\n  ]\n}\n");
	expect("{\n\t\"a\": [\n\t\t{ \"x\": \"]\\\"\" }\n\t]\n}\n", "a", NULL, "{\n  \"y\": 1\n}",
	       "{\n\t\"a\": [\n\t\t{ \"x\": \"]\\\"\" },\n\t\t{\n\t\t  \"y\": 1\n\t\t}\n\t]\n}\n");
	expect("{\"a\":[{\"b\":[\n 1,\n 2\n]}]}", "a[0].b", NULL, "3", "{\"a\":[{\"b\":[\n 1,\n 2,\n 3\n]}]}");
	/* Several elements on a line and the closing bracket beside the last. */
	expect("[\n 1, 2]", "", NULL, "3", "[\n 1, 2,\n 3\n]");
	expect("[1,\n 2]", "", NULL, "3", "[1,\n 2,\n  3\n]");
}

static void members(void **state)
{
	expect("{\n  \"version\": 1\n}\n", "", "programs", "[]", "{\n  \"version\": 1,\n  \"programs\": []\n}\n");
	expect("{\"version\":1}", "", "p\"", "[1]", "{\"version\":1, \"p\\\"\": [1]}");
	expect("{}", "", "a", "1", "{\"a\": 1}");
	expect("{\"p\":[{\"id\":\"x\"}, {\"id\":\"y\"}]}", "p[1]", "d", "[2]",
	       "{\"p\":[{\"id\":\"x\"}, {\"id\":\"y\", \"d\": [2]}]}");
}

static void places_that_are_not_there(void **state)
{
	_cleanup_buf_ struct bw_buf b = { 0 };

	bw_buf_str(&b, "{\"a\":[1],\"b\":{}}");
	assert_int_equal(policy_edit_append(&b, "c", "1"), -ENOENT);
	assert_int_equal(policy_edit_append(&b, "b", "1"), -ENOENT);
	assert_int_equal(policy_edit_append(&b, "a[1]", "1"), -ENOENT);
	assert_int_equal(policy_edit_add_member(&b, "a", "x", "1"), -ENOENT);
	assert_string_equal(bw_buf_cstr(&b), "{\"a\":[1],\"b\":{}}");
}

static void too_large(void **state)
{
	_cleanup_buf_ struct bw_buf b = { .max = 20 };

	bw_buf_str(&b, "[1]");
	assert_int_equal(policy_edit_append(&b, "", "2345678901234567890"), -E2BIG);
	assert_string_equal(bw_buf_cstr(&b), "[1]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(members),
		cmocka_unit_test(places_that_are_not_there),
		cmocka_unit_test(too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
