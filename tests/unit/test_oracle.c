// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What random programs really do, against what the analysis says they can do. ORACLE_RUNS in the environment sets the number of
 * objects (default 400), ORACLE_SEED the first.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/oracle.h"

static void no_flow_is_missed(void **state)
{
	struct oracle *o = malloc(sizeof(*o));
	const char *env = getenv("ORACLE_RUNS"), *first = getenv("ORACLE_SEED");
	unsigned long n = env ? strtoul(env, NULL, 10) : 400, seed = first ? strtoul(first, NULL, 10) : 1, flows = 0, runs = 0, missing = 0;
	char why[256] = "";

	assert_non_null(o);
	for (unsigned long i = 0; i < n; i++) {
		unsigned int happened;

		if (oracle_try(o, seed + i, 30, &happened, why, sizeof(why))) {
			missing++;
			print_message("%s\n", why);
		}
		flows += happened;
		runs += o->runs;
	}
	print_message("%lu objects, %lu runs to the end, %lu flows, %lu objects with something missing\n", n, runs, flows, missing);
	assert_int_equal(missing, 0);
	/* The oracle is not asleep: most runs end, and they do have flows. */
	assert_true(runs > n * 15);
	assert_true(flows > n * 4);
	free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_flow_is_missed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
