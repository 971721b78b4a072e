// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "guard/backoff.h"

static char dir[64], record[96], setting[96];
static const char *const none[] = { NULL };

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/backoff.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(record, sizeof(record), "%s/starts", dir);
	snprintf(setting, sizeof(setting), "%s/setting", dir);
	return 0;
}

static int teardown(void **state)
{
	unlink(record);
	unlink(setting);
	return rmdir(dir);
}

static void test_wait(void **state)
{
	static const uint32_t want[] = { 0, 0, 2000, 4000, 8000, 16000, 30000, 30000 };

	for (uint32_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(backoff_wait_ms(i), want[i]);
	assert_int_equal(backoff_wait_ms(UINT32_MAX), 30000);
}

static uint32_t begin(uint64_t now_ms, const char *const *settings)
{
	uint32_t failures = 99;

	assert_int_equal(backoff_begin(dir, now_ms, settings, &failures), 0);
	return failures;
}

static void test_counts(void **state)
{
	assert_int_equal(begin(1000, none), 0);
	assert_int_equal(begin(3000, none), 1);
	assert_int_equal(begin(5000, none), 2);
	/* what it waited is not what it lasted */
	assert_int_equal(begin(5000 + 2000 + BACKOFF_STABLE_MS - 1, none), 3);
	/* lasted: the one that ended badly now is the first */
	assert_int_equal(begin(5000 + 2000 + 4000 + 2ull * BACKOFF_STABLE_MS, none), 1);
	/* a clock that went back is no reason to forget */
	assert_int_equal(begin(1, none), 2);
	backoff_end(dir);
	assert_int_equal(access(record, F_OK), -1);
	assert_int_equal(begin(2, none), 0);
	backoff_end(dir);
	backoff_end(dir);
}

static void test_settings(void **state)
{
	const char *const settings[] = { "/nonexistent/file", setting, NULL };

	assert_int_equal(bw_file_write_atomic(setting, "x", 1, 0600), 0);
	usleep(20000); /* a tick of the file system's clock */
	assert_int_equal(begin(1, settings), 0);
	assert_int_equal(begin(2, settings), 1);
	usleep(20000);
	assert_int_equal(chmod(setting, 0640), 0);
	assert_int_equal(begin(3, settings), 0);
}

static void test_damage(void **state)
{
	static const char *const damaged[] = { "", "7", "7 ", "7 x\n", "x 7\n", "1001 7\n", "7 7", "99999999999999999999 7\n", "7 99999999999999999999\n" };
	uint32_t failures = 99;

	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		assert_int_equal(bw_file_write_atomic(record, damaged[i], strlen(damaged[i]), 0600), 0);
		assert_int_equal(begin(5, none), 0);
	}
	assert_int_equal(bw_file_write_atomic(record, "1000 7\n", 7, 0600), 0);
	assert_int_equal(begin(5, none), 1000);
	assert_int_equal(unlink(record), 0);
	assert_int_equal(mkdir(record, 0700), 0);
	assert_int_equal(backoff_begin(dir, 1, none, &failures), -EISDIR);
	assert_int_equal(failures, 99);
	assert_int_equal(rmdir(record), 0);
	assert_int_equal(backoff_begin("/nonexistent", 1, none, &failures), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
