// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What counts as pulling the break-glass, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/breakglass.h"

static void words(void **state)
{
	assert_true(breakglass_in_cmdline("bpfwarden=off"));
	assert_true(breakglass_in_cmdline("ro quiet\tbpfwarden=off\n"));
	assert_true(breakglass_in_cmdline("bpfwarden=on bpfwarden=off"));
	assert_false(breakglass_in_cmdline(""));
	assert_false(breakglass_in_cmdline("ro quiet"));
	assert_false(breakglass_in_cmdline("xbpfwarden=off"));
	assert_false(breakglass_in_cmdline("bpfwarden=offline"));
	assert_false(breakglass_in_cmdline("bpfwarden=of"));
	assert_false(breakglass_in_cmdline("bpfwarden= off"));
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void files(void **state)
{
	char dir[] = "/tmp/bw-breakglass-XXXXXX", cmdline[64], file[64], why[256];

	assert_non_null(mkdtemp(dir));
	snprintf(cmdline, sizeof(cmdline), "%s/cmdline", dir);
	snprintf(file, sizeof(file), "%s/disabled", dir);
	write_file(cmdline, "ro quiet\n");
	assert_false(breakglass_pulled(cmdline, file, why, sizeof(why)));
	assert_string_equal(why, "");
	write_file(file, "");
	assert_int_equal(chmod(file, 0600), 0);
	/* Whoever runs this test without being root owns the file: not heeded. */
	assert_int_equal(breakglass_pulled(cmdline, file, why, sizeof(why)), geteuid() == 0);
	assert_true(strstr(why, file));
	assert_int_equal(chmod(file, 0622), 0);
	assert_false(breakglass_pulled(cmdline, file, why, sizeof(why)));
	assert_true(strstr(why, "not heeded"));
	unlink(file);
	assert_int_equal(symlink(cmdline, file), 0);
	assert_false(breakglass_pulled(cmdline, file, why, sizeof(why)));
	write_file(cmdline, "ro bpfwarden=off\n");
	assert_true(breakglass_pulled(cmdline, file, why, sizeof(why)));
	assert_true(strstr(why, "command line"));
	unlink(file);
	unlink(cmdline);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
