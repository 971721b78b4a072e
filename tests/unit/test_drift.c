// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "guard/drift.h"

/* Names of a policy with these entries, as the worker gets them. */
static void names_of(struct policy_names *ret, const char **ids, uint32_t n)
{
	const struct policy_names in = { .n_programs = n, .n_entries = n, .strings = ids, .first_attach = n };
	_cleanup_buf_ struct bw_buf b = { 0 };

	policy_names_pack(&in, &b);
	assert_int_equal(policy_names_unpack(bw_slice(b.data, b.len), ret), 0);
}

static struct decode_load load_of(enum bw_reason reason, uint32_t number)
{
	struct decode_load l = { .reason = reason, .identity = BW_IDENTITY_DIGEST, .name = "prog" };

	memcpy(l.digest, &number, sizeof(number));
	return l;
}

static void counts(void **state)
{
	const char *one[] = { "a", "b", "builtin:x" }, *two[] = { "c", "b" };
	struct policy_names first, second;
	struct drift_counts c;
	struct drift *d;
	struct decode_load l;
	char text[200];

	names_of(&first, one, 3);
	names_of(&second, two, 2);
	assert_int_equal(drift_new(&d), 0);
	assert_false(drift_changed(d));
	l = load_of(BW_REASON_APPROVED, 1);
	drift_note(d, &l, "b");
	assert_true(drift_changed(d));
	drift_note(d, &l, "b");
	assert_false(drift_changed(d));
	drift_note(d, &l, "builtin:x"); /* a loader's probe: nobody's entry */
	l = load_of(BW_REASON_APPROVED, 2); /* the same entry, by another digest */
	drift_note(d, &l, "b");
	l = load_of(BW_REASON_DEFAULT, 3);
	drift_note(d, &l, NULL);
	drift_note(d, &l, NULL);
	l = load_of(BW_REASON_LOADER_MISMATCH, 4);
	drift_note(d, &l, "a"); /* nearly approved is not approved */
	l.action = BW_ACTION_HELD;
	drift_note(d, &l, NULL);
	for (enum bw_reason r = BW_REASON_GUARD; r <= BW_REASON_BASELINE; r++) {
		l = load_of(r, 100 + r);
		drift_note(d, &l, NULL);
	}
	drift_count(d, &first, &c);
	assert_int_equal(c.approved, 2);
	assert_int_equal(c.never_seen, 1);
	assert_int_equal(c.unapproved, 2);
	assert_int_equal(c.unapproved_loads, 3);
	assert_int_equal(c.digests, 2);
	assert_int_equal(c.forgotten, 0);
	drift_never_seen(d, &first, text, sizeof(text));
	assert_string_equal(text, "a");
	/* another policy: what was seen of it stays seen */
	drift_count(d, &second, &c);
	assert_int_equal(c.never_seen, 1);
	drift_never_seen(d, &second, text, sizeof(text));
	assert_string_equal(text, "c");
	drift_unapproved(d, text, sizeof(text));
	assert_int_equal(strlen(text), 64 + 2 + 64);
	assert_memory_equal(text, "03000000", 8);
	drift_unapproved(d, text, 80); /* as many as fit */
	assert_int_equal(strlen(text), 64);
	policy_names_free(&first);
	policy_names_free(&second);
	drift_free(d);
}

/* Nothing grows beyond its maximum, and what does not fit is counted. */
static void bounded(void **state)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };
	struct policy_names names = { 0 };
	struct drift_counts c;
	struct drift *d;
	char id[20];

	assert_int_equal(drift_new(&d), 0);
	for (uint32_t i = 0; i < DRIFT_MAX_SEEN + 10; i++) {
		struct decode_load l = load_of(BW_REASON_APPROVED, i);

		snprintf(id, sizeof(id), "e%u", i % 70000);
		drift_note(d, &l, id);
	}
	for (uint32_t i = 0; i < DRIFT_MAX_UNAPPROVED + 5; i++) {
		struct decode_load l = load_of(BW_REASON_DEFAULT, i);

		drift_note(d, &l, NULL);
	}
	drift_count(d, &names, &c);
	assert_int_equal(c.digests, DRIFT_MAX_SEEN);
	assert_int_equal(c.unapproved, DRIFT_MAX_UNAPPROVED);
	assert_int_equal(c.forgotten, 15);
	bw_json_open(&j, NULL, '{');
	drift_status(d, &names, &j);
	bw_json_close(&j, '}');
	assert_int_equal(bw_buf_error(&b), 0);
	assert_true(b.len < 16384);
	drift_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(counts), cmocka_unit_test(bounded) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
