// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From files to results, and what becomes of files on which the sandboxed process dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "auditor/scan_run.h"
#include "common/buf.h"
#include "common/cleanup.h"

static char dir[] = "/tmp/bw-scan-XXXXXX";

static void put(const char *name, const void *data, size_t len)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(bw_file_write_atomic(path, data, len, 0644), 0);
}

static int setup(void **state)
{
	_cleanup_free_ char *data = NULL;
	char sub[128];
	size_t len;

	if (!mkdtemp(dir) || bw_file_read("tests/golden/object/features.o", 1 << 20, &data, &len))
		return -1;
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	if (mkdir(sub, 0755))
		return -1;
	put("b.o", data, len);
	put("a.o", data, len);
	put("sub/c.o", data, len);
	put("d.bpf.o", "no object", 9);
	put("notes.txt", "text", 4);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "a.o", "b.o", "sub/c.o", "d.bpf.o", "notes.txt", "sub", "" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	return 0;
}

/* Scans the folder; returns the number of objects. */
static uint32_t run(const struct bw_ruleset *rules, unsigned int jobs, struct bw_scan *s, uint32_t *ret_skipped)
{
	struct bw_scan_run r = { .opt = { .rules = rules }, .jobs = jobs };
	struct bw_scan_files files = { 0 };
	const char *reason;

	*ret_skipped = 0;
	assert_int_equal(bw_scan_files_add(&files, dir, &reason), 0);
	assert_int_equal(files.n, 5);
	assert_int_equal(bw_scan_run(&r, &files, s, ret_skipped), 0);
	bw_scan_files_free(&files);
	return s->n_objects;
}

static const char *name_of(const struct bw_scan *s, uint32_t i)
{
	return s->objects[i].path + strlen(dir) + 1;
}

static void folder_in_order(void **state)
{
	BW_CLEANUP(bw_ruleset_free) struct bw_ruleset rules = { 0 };
	struct bw_diag diag;
	uint32_t skipped;

	assert_int_equal(bw_ruleset_default(&rules, &diag), 0);
	for (unsigned int jobs = 1; jobs <= 4; jobs++) {
		BW_CLEANUP(bw_scan_free) struct bw_scan s = { 0 };

		assert_int_equal(run(&rules, jobs, &s, &skipped), 4);
		assert_int_equal(skipped, 1);
		assert_string_equal(name_of(&s, 0), "a.o");
		assert_string_equal(name_of(&s, 1), "b.o");
		assert_string_equal(name_of(&s, 2), "d.bpf.o");
		assert_string_equal(name_of(&s, 3), "sub/c.o");
		assert_int_equal(s.objects[0].status, s.objects[3].status);
		assert_true(s.objects[0].status != BW_SCAN_UNREADABLE);
		assert_true(s.objects[0].n_programs > 0);
		assert_int_equal(s.objects[2].status, BW_SCAN_UNREADABLE);
		assert_int_equal(strlen(s.objects[0].sha256), 64);
	}
}

/* Without rules the process follows a null pointer on every object: each is a result, none is lost, nobody else dies. */
static void a_process_that_dies_is_a_result(void **state)
{
	for (unsigned int jobs = 1; jobs <= 2; jobs++) {
		BW_CLEANUP(bw_scan_free) struct bw_scan s = { 0 };
		uint32_t skipped;

		assert_int_equal(run(NULL, jobs, &s, &skipped), 4);
		for (uint32_t i = 0; i < s.n_objects; i++) {
			assert_int_equal(s.objects[i].status, BW_SCAN_UNREADABLE);
			assert_int_equal(s.objects[i].n_reasons, 1);
		}
		assert_non_null(strstr(s.objects[0].reasons[0], "the analysis failed"));
		assert_non_null(strstr(s.objects[3].reasons[0], "the analysis failed"));
		/* it never came to the analysis of this one */
		assert_null(strstr(s.objects[2].reasons[0], "the analysis failed"));
		assert_int_equal(skipped, 1);
	}
}

static void operands(void **state)
{
	struct bw_scan_files files = { 0 };
	const char *reason = "";
	char pattern[128];

	snprintf(pattern, sizeof(pattern), "%s/[ab].o", dir);
	assert_int_equal(bw_scan_files_add(&files, pattern, &reason), 0);
	assert_int_equal(files.n, 2);
	assert_true(files.items[0].named);
	snprintf(pattern, sizeof(pattern), "%s/none*", dir);
	assert_int_equal(bw_scan_files_add(&files, pattern, &reason), -ENOENT);
	assert_int_equal(bw_scan_files_add(&files, "", &reason), -EINVAL);
	assert_string_equal(reason, "an empty path");
	bw_scan_files_free(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folder_in_order),
		cmocka_unit_test(a_process_that_dies_is_a_result),
		cmocka_unit_test(operands),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
