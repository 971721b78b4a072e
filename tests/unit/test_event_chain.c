// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The chain over events: sealing, going on, and each kind of damage found where it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/event_chain.h"

#define N 6

struct log {
	char *line[N];
	struct event_chain chain;
};

static char *seal(struct event_chain *c, const char *run, uint64_t seq)
{
	struct bw_buf b = { 0 };

	bw_buf_printf(&b, "{\"v\":1,\"seq\":%llu,\"uid\":\"%s-%016llx\",\"message\":\"a \\\"}\"}", (unsigned long long)seq, run,
		      (unsigned long long)seq);
	assert_int_equal(event_chain_seal(c, &b, seq), 0);
	return bw_buf_steal(&b);
}

static int setup(void **state)
{
	struct log *l = calloc(1, sizeof(*l));

	for (int i = 0; i < N; i++)
		l->line[i] = seal(&l->chain, "0011223344556677", (uint64_t)i + 1);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct log *l = *state;

	for (int i = 0; i < N; i++)
		free(l->line[i]);
	free(l);
	return 0;
}

static enum event_chain_fault check(struct event_chain_check *c, const char *line)
{
	return event_chain_check(c, line, strlen(line));
}

static void untouched(void **state)
{
	struct event_chain_check c = { 0 };
	struct log *l = *state;

	assert_non_null(strstr(l->line[0], ",\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"hash\":\""));
	for (int i = 0; i < N; i++)
		assert_int_equal(check(&c, l->line[i]), EVENT_CHAIN_OK);
	assert_int_equal(c.at.seq, N);
	assert_memory_equal(c.at.head, l->chain.head, EVENT_CHAIN_LEN);
	/* From the middle on: retention took the beginning. */
	c = (struct event_chain_check){ 0 };
	for (int i = 3; i < N; i++)
		assert_int_equal(check(&c, l->line[i]), EVENT_CHAIN_OK);
	assert_int_equal(c.first_seq, 4);
}

/* Each single byte of the line counts. */
static void edits(void **state)
{
	struct log *l = *state;
	size_t len = strlen(l->line[2]);

	for (size_t i = 0; i < len; i++) {
		struct event_chain_check c = { 0 };
		enum event_chain_fault at, after;

		check(&c, l->line[0]);
		assert_int_equal(check(&c, l->line[1]), EVENT_CHAIN_OK);
		l->line[2][i] ^= 1;
		at = event_chain_check(&c, l->line[2], len);
		after = check(&c, l->line[3]);
		if (!at && !after)
			fail_msg("byte %zu was changed and nobody noticed", i);
		l->line[2][i] ^= 1;
	}
}

static void replaced(void **state)
{
	struct event_chain_check c = { 0 };
	struct event_chain other = { 0 };
	struct log *l = *state;
	char *forged;

	assert_int_equal(event_chain_resume(&other, l->line[1], strlen(l->line[1])), 0);
	forged = seal(&other, "0011223344556677", 3);
	forged[0] = '{';
	free(forged);
	other = (struct event_chain){ 0 };
	forged = seal(&other, "0011223344556677", 3); /* good by itself, but with another one before it */
	check(&c, l->line[0]);
	check(&c, l->line[1]);
	assert_int_equal(check(&c, forged), EVENT_CHAIN_REPLACED);
	assert_int_equal(check(&c, l->line[3]), EVENT_CHAIN_REPLACED);
	free(forged);
}

static void gaps_and_order(void **state)
{
	struct event_chain_check c = { 0 };
	struct log *l = *state;

	assert_int_equal(check(&c, l->line[0]), EVENT_CHAIN_OK);
	assert_int_equal(check(&c, l->line[3]), EVENT_CHAIN_GAP);
	assert_int_equal(c.expected, 2);
	assert_int_equal(c.seq, 4);
	assert_int_equal(c.missing, 2);
	assert_int_equal(check(&c, l->line[1]), EVENT_CHAIN_ORDER);
	assert_int_equal(check(&c, l->line[3]), EVENT_CHAIN_ORDER); /* twice */
	assert_int_equal(check(&c, l->line[4]), EVENT_CHAIN_OK);
}

static void runs(void **state)
{
	struct event_chain_check c = { 0 };
	struct event_chain next = { 0 }, none = { 0 };
	struct log *l = *state;
	char *a, *b;

	/* An unclean end: the numbers jump, the chain holds. */
	assert_int_equal(event_chain_resume(&next, l->line[N - 1], strlen(l->line[N - 1])), 0);
	a = seal(&next, "8899aabbccddeeff", 5000);
	b = seal(&none, "ffffffffffffffff", 5001);
	for (int i = 0; i < N; i++)
		check(&c, l->line[i]);
	assert_int_equal(check(&c, a), EVENT_CHAIN_OK);
	assert_int_equal(c.skipped, 5000 - N - 1);
	assert_int_equal(check(&c, b), EVENT_CHAIN_FORKED);
	free(a);
	free(b);
}

static void what_is_not_an_event(void **state)
{
	struct event_chain_check c = { 0 };
	struct event_chain chain = { 0 };
	struct bw_buf b = { 0 };
	struct log *l = *state;

	assert_int_equal(check(&c, ""), EVENT_CHAIN_NOT_EVENT);
	assert_int_equal(check(&c, "{\"v\":2,\"seq\":1,\"uid\":\"x-1\"}"), EVENT_CHAIN_NOT_EVENT);
	assert_int_equal(check(&c, "{\"v\":1,\"seq\":99999999999999999999,\"uid\":\"x-1\"}"), EVENT_CHAIN_NOT_EVENT);
	assert_int_equal(check(&c, "{\"v\":1,\"seq\":18446744073709551615,\"uid\":\"x-1\"}"), EVENT_CHAIN_UNSEALED);
	assert_int_equal(check(&c, l->line[0]), EVENT_CHAIN_OK);
	assert_int_equal(check(&c, "x"), EVENT_CHAIN_NOT_EVENT);
	assert_int_equal(check(&c, l->line[2]), EVENT_CHAIN_OK); /* what was there is not known: goes on */
	assert_int_equal(event_chain_resume(&chain, "{}", 2), -EBADMSG);
	bw_buf_str(&b, "[1]");
	assert_int_equal(event_chain_seal(&chain, &b, 1), -EINVAL);
	bw_buf_reset(&b);
	b.max = 100;
	bw_buf_str(&b, "{\"v\":1}");
	assert_int_equal(event_chain_seal(&chain, &b, 1), -E2BIG);
	assert_int_equal(chain.seq, 0);
	bw_buf_free(&b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = { T(untouched), T(edits), T(replaced), T(gaps_and_order), T(runs), T(what_is_not_an_event) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
