// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "guard/repeat.h"

static struct decode_event denied(uint32_t tgid, uint8_t digest, uint64_t time_ns)
{
	struct decode_event e = { .type = BW_EVENT_LOAD, .time_ns = time_ns };

	e.actor.tgid = tgid;
	e.actor.start_ns = 5;
	e.load.identity = BW_IDENTITY_DIGEST;
	e.load.action = BW_ACTION_DENIED;
	e.load.reason = BW_REASON_DEFAULT;
	memset(e.load.digest, digest, BW_DIGEST_LEN);
	return e;
}

static void one_attempt_is_one_report(void **state)
{
	struct repeat r = { 0 };
	struct decode_event e = denied(10, 1, 1000), other = denied(10, 2, 1001), stranger = denied(11, 1, 1002), again;

	assert_int_equal(repeat_find(&r, &e, 100), 0);
	assert_int_equal(repeat_find(&r, &other, 101), 0);
	assert_int_equal(repeat_find(&r, &stranger, 102), 0);
	again = denied(10, 1, 2000);
	assert_int_equal(repeat_find(&r, &again, 103), 100);
	again = denied(10, 1, 900);
	assert_int_equal(repeat_find(&r, &again, 104), 100);
	/* A process that keeps trying is reported again once it paused. */
	again = denied(10, 1, 2000 + REPEAT_WINDOW_NS);
	assert_int_equal(repeat_find(&r, &again, 105), 100);
	again = denied(10, 1, 2001 + 2 * REPEAT_WINDOW_NS);
	assert_int_equal(repeat_find(&r, &again, 106), 0);
	again = denied(10, 1, 2002 + 2 * REPEAT_WINDOW_NS);
	assert_int_equal(repeat_find(&r, &again, 107), 106);
}

static void another_verdict_is_another_report(void **state)
{
	struct repeat r = { 0 };
	struct decode_event e = denied(10, 1, 1000);

	assert_int_equal(repeat_find(&r, &e, 1), 0);
	e.load.generation = 2;
	assert_int_equal(repeat_find(&r, &e, 2), 0);
	e.load.action = BW_ACTION_WOULD_DENY;
	assert_int_equal(repeat_find(&r, &e, 3), 0);
	e.load.name[0] = 'x';
	assert_int_equal(repeat_find(&r, &e, 4), 0);
	e.load.identity = BW_IDENTITY_NONE;
	assert_int_equal(repeat_find(&r, &e, 5), 0);
	assert_int_equal(repeat_find(&r, &e, 6), 0);
}

static void old_ones_make_room(void **state)
{
	struct repeat r = { 0 };

	for (uint32_t i = 0; i < 2 * REPEAT_SLOTS; i++) {
		struct decode_event e = denied(1000 + i, 1, 1000);

		assert_int_equal(repeat_find(&r, &e, 1 + i), 0);
	}
	struct decode_event last = denied(1000 + 2 * REPEAT_SLOTS - 1, 1, 1001), first = denied(1000, 1, 1001);

	assert_int_equal(repeat_find(&r, &last, 999), 2 * REPEAT_SLOTS);
	assert_int_equal(repeat_find(&r, &first, 1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_attempt_is_one_report),
		cmocka_unit_test(another_verdict_is_another_report),
		cmocka_unit_test(old_ones_make_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
