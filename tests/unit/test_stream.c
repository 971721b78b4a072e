// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "guard/api/stream.h"

struct reader {
	struct bw_buf log;
	size_t leave; /* so many bytes at the end are left */
};

static size_t data(void *arg, struct bw_slice d)
{
	struct reader *r = arg;
	size_t n = d.len > r->leave ? d.len - r->leave : 0;

	bw_buf_append(&r->log, d.data, n);
	return n;
}

static void gap(void *arg, uint64_t bytes, uint64_t dropped, bool sampled)
{
	struct reader *r = arg;

	bw_buf_printf(&r->log, "<%s%u-%u>", sampled ? "s" : "", (unsigned int)bytes, (unsigned int)dropped);
}

static struct api_budget budget;
static struct api_stream_stats stats;

static void feed(struct api_stream *s, struct reader *r, uint64_t pos, const char *text, uint32_t skipped, uint32_t flags)
{
	const struct api_stream_reader reader = { data, gap, r };
	const struct api_chunk c = { .pos = pos, .data = (const uint8_t *)text, .len = (uint32_t)strlen(text), .skipped = skipped, .flags = flags };

	api_stream_feed(s, &c, &reader, 16, &budget, &stats);
}

static void expect(struct api_stream *s, struct reader *r, const char *log)
{
	assert_string_equal(bw_buf_cstr(&r->log), log);
	bw_buf_free(&r->log);
	api_stream_clear(s, &budget);
	assert_int_equal(budget.used, 0);
}

static int setup(void **state)
{
	budget = (struct api_budget){ .max = 1024 };
	stats = (struct api_stream_stats){ 0 };
	return 0;
}

static void pieces_follow_each_other(void **state)
{
	struct api_stream s = { 0 };
	struct reader r = { .leave = 2 };

	feed(&s, &r, 0, "hello", 0, 0);
	feed(&s, &r, 5, " wor", 0, 0);
	feed(&s, &r, 9, "ld..", 0, 0);
	assert_int_equal(stats.bytes, 13);
	assert_int_equal(stats.gaps, 0);
	expect(&s, &r, "hello world");
}

static void holes_are_reported(void **state)
{
	struct api_stream s = { 0 };
	struct reader r = { .leave = 1 };

	feed(&s, &r, 0, "abc", 0, 0);
	feed(&s, &r, 10, "def", 5, API_CHUNK_SAMPLED);
	feed(&s, &r, 18, "ghi", 2, 0);
	assert_int_equal(stats.gaps, 2);
	assert_int_equal(stats.gap_bytes, 9);
	assert_int_equal(stats.sampled_bytes, 5);
	expect(&s, &r, "ab<7-1>de<s5-1>gh<2-1>");
}

static void what_comes_twice_is_dropped(void **state)
{
	struct api_stream s = { 0 };
	struct reader r = { 0 };

	feed(&s, &r, 0, "abcdef", 0, 0);
	feed(&s, &r, 2, "cdefgh", 0, 0);
	feed(&s, &r, 0, "abc", 0, 0);
	feed(&s, &r, 6, "gh", 3, 0); /* its skipped bytes are new */
	feed(&s, &r, 4, "ef", 4, 0); /* of these 7, all have passed but none is new */
	assert_int_equal(stats.late_bytes, 4 + 3 + 2 + 2);
	expect(&s, &r, "abcdefgh<3-0>");
}

static void a_beginning_midway_is_said(void **state)
{
	struct api_stream s = { 0 };
	struct reader r = { 0 };

	feed(&s, &r, 100, "abc", 0, 0);
	feed(&s, &r, 103, "d", 0, 0);
	assert_int_equal(stats.gap_bytes, 0);
	expect(&s, &r, "<s0-0>abcd");
	feed(&s, &r, 0, "abc", 0, API_CHUNK_MIDWAY);
	expect(&s, &r, "<s0-0>abc");
}

static void what_is_kept_has_a_maximum(void **state)
{
	struct api_stream s = { 0 };
	struct reader r = { .leave = 100 };

	feed(&s, &r, 0, "0123456789", 0, 0);
	feed(&s, &r, 10, "abcdef", 0, 0);
	feed(&s, &r, 16, "g", 0, 0); /* the 17th */
	assert_int_equal(stats.overflow_bytes, 1);
	feed(&s, &r, 17, "h", 0, 0);
	expect(&s, &r, "<1-16>");

	budget.max = 0;
	feed(&s, &r, 0, "0123456789", 0, 0);
	assert_int_equal(budget.refused, 1);
	expect(&s, &r, "<10-0>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pieces_follow_each_other, setup), cmocka_unit_test_setup(holes_are_reported, setup),
		cmocka_unit_test_setup(what_comes_twice_is_dropped, setup), cmocka_unit_test_setup(a_beginning_midway_is_said, setup),
		cmocka_unit_test_setup(what_is_kept_has_a_maximum, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
