// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/opts.h"
#include "common/slice.h"

static void slice_bounds(void **state)
{
	struct bw_slice s = bw_slice("abcdef", 6), sub = { 0 };

	assert_true(bw_slice_sub(s, 2, 4, &sub));
	assert_memory_equal(sub.data, "cdef", 4);
	assert_true(bw_slice_sub(s, 6, 0, &sub));
	assert_false(bw_slice_sub(s, 7, 0, &sub));
	assert_false(bw_slice_sub(s, 3, 4, &sub));
	assert_false(bw_slice_sub(s, 3, UINT64_MAX, &sub));
	assert_false(bw_slice_sub(s, UINT64_MAX, 1, &sub));
	assert_null(bw_slice_str(s, 0));
	assert_string_equal(bw_slice_str(bw_slice("ab\0cd", 6), 3), "cd");
	assert_int_equal(bw_get_u32((const uint8_t *)"\x01\x02\x03\x04", true), 0x01020304);
	assert_int_equal(bw_get_u32((const uint8_t *)"\x01\x02\x03\x04", false), 0x04030201);
}

static void buf_limit_sticks(void **state)
{
	_cleanup_buf_ struct bw_buf b = { .max = 8 };

	bw_buf_str(&b, "1234567");
	assert_int_equal(bw_buf_error(&b), 0);
	bw_buf_char(&b, '8');
	assert_int_equal(bw_buf_error(&b), -E2BIG);
	bw_buf_str(&b, "");
	assert_int_equal(b.len, 7);
	assert_null(bw_buf_steal(&b));
}

static void json_is_escaped_utf8(void **state)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "a\"", "x\ny\x01\xc3\xa9\xff\xc0\x80");
	bw_json_open(&j, "l", '[');
	bw_json_u64(&j, NULL, UINT64_MAX);
	bw_json_i64(&j, NULL, -1);
	bw_json_bool(&j, NULL, true);
	bw_json_str(&j, NULL, NULL);
	bw_json_close(&j, ']');
	bw_json_hex(&j, "h", "\x00\xff", 2);
	bw_json_close(&j, '}');
	assert_string_equal(bw_buf_cstr(&b), "{\"a\\\"\":\"x\\ny\\u0001\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
					     "\"l\":[18446744073709551615,-1,true,null],\"h\":\"00ff\"}");
}

static void json_places_are_found(void **state)
{
	static const char text[] = "{\n \"a\": [1, {\"b\": \"x\\\"]\"},\n  {\"b\": 3}],\n \"c\": 1,\n \"c\": 2\n}";
	unsigned int line, col;

	assert_true(bw_json_locate(text, strlen(text), "a[2].b", &line, &col));
	assert_int_equal(line, 3);
	assert_int_equal(col, 9);
	assert_true(bw_json_locate(text, strlen(text), "!c", &line, &col));
	assert_int_equal(line, 5);
	assert_int_equal(col, 2);
	assert_true(bw_json_locate(text, strlen(text), "c", &line, &col));
	assert_int_equal(line, 4);
	assert_false(bw_json_locate(text, strlen(text), "a[3]", &line, &col));
	assert_false(bw_json_locate(text, strlen(text), "d", &line, &col));
	assert_false(bw_json_locate("{\"a", 3, "a", &line, &col));
}

static void files(void **state)
{
	char dir[] = "/tmp/bw-test-XXXXXX", path[64];
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t len;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(bw_file_read(dir, 100, &data, &len), -EISDIR);
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(bw_file_read(path, 100, &data, &len), -ENOENT);
	assert_int_equal(bw_file_write_atomic(path, "hello", 5, 0640), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(bw_file_read(path, 4, &data, &len), -EFBIG);
	assert_null(data);
	assert_int_equal(bw_file_read(path, 5, &data, &len), 0);
	assert_string_equal(data, "hello");
	assert_int_equal(bw_file_read("/dev/null", 5, &data, &len), -EINVAL);
	unlink(path);
	rmdir(dir);
}

static void options(void **state)
{
	struct bw_strlist list = { 0 };
	const char *s = NULL, *mode = NULL;
	unsigned int n = 0;
	bool flag = false;
	const struct bw_opt opts[] = {
		{ BW_OPT_FLAG, 'f', "flag", &flag, NULL, "" },
		{ BW_OPT_STRING, 0, "str", &s, "S", "" },
		{ BW_OPT_UINT, 'n', "num", &n, "N", "" },
		{ BW_OPT_LIST, 'l', "list", &list, "L", "" },
		{ BW_OPT_CHOICE, 0, "mode", &mode, "observe|enforce", "" },
		{ 0 },
	};
	const struct bw_command cmd = { "t", "", "", NULL };
	char *ok[] = { "t", "one", "-f", "--str=a=b", "-n12", "--list", "x", "-ly", "--mode", "enforce", "--", "-two" };
	char *bad_num[] = { "t", "--num", "12x" };
	char *bad_neg[] = { "t", "--num=-1" };
	char *bad_choice[] = { "t", "--mode", "enf" };
	char *bad_opt[] = { "t", "--nope" };
	char *no_value[] = { "t", "--str" };
	int nargs = 0;

	assert_int_equal(bw_opts_parse(&cmd, opts, ARRAY_SIZE(ok), ok, &nargs), 0);
	assert_int_equal(nargs, 2);
	assert_string_equal(ok[1], "one");
	assert_string_equal(ok[2], "-two");
	assert_true(flag);
	assert_string_equal(s, "a=b");
	assert_int_equal(n, 12);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.items[1], "y");
	assert_string_equal(mode, "enforce");
	assert_int_equal(bw_opts_parse(&cmd, opts, 3, bad_num, &nargs), -EINVAL);
	assert_int_equal(bw_opts_parse(&cmd, opts, 2, bad_neg, &nargs), -EINVAL);
	assert_int_equal(bw_opts_parse(&cmd, opts, 3, bad_choice, &nargs), -EINVAL);
	assert_int_equal(bw_opts_parse(&cmd, opts, 2, bad_opt, &nargs), -EINVAL);
	assert_int_equal(bw_opts_parse(&cmd, opts, 2, no_value, &nargs), -EINVAL);
	bw_strlist_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice_bounds),
		cmocka_unit_test(buf_limit_sticks),
		cmocka_unit_test(json_is_escaped_utf8),
		cmocka_unit_test(json_places_are_found),
		cmocka_unit_test(files),
		cmocka_unit_test(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
