// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auditor/suppress.h"
#include "tests/unit/scan_model.h"

static void fingerprint_is_of_identity_not_place(void **state)
{
	struct bw_finding f[3] = { model_findings[1], model_findings[1], model_findings[1] };
	struct bw_arena arena = { 0 };
	char hex[33], other[33];

	/* first half of SHA-256 over "BW106\0exit_read\0exit_read\00" */
	bw_fingerprint("BW106", "exit_read", "exit_read", 0, hex);
	assert_string_equal(hex, "02e0cec66801f5410a05688d5f5d61a3");
	bw_fingerprint("BW106", "exit_readexit_read", "", 0, other);
	assert_string_not_equal(hex, other);

	f[0].at.insn = 90;
	f[1].at.insn = 7;
	f[2].at.insn = 300;
	f[2].at.line = 5;
	f[2].message = "other words";
	assert_int_equal(bw_findings_finish(f, 3, &arena), 0);
	/* numbered by place */
	assert_int_equal(f[0].at.insn, 7);
	assert_int_equal(f[0].ordinal, 0);
	assert_int_equal(f[2].at.insn, 300);
	assert_int_equal(f[2].ordinal, 2);
	assert_string_equal(f[0].fingerprint, hex);
	assert_string_not_equal(f[1].fingerprint, hex);

	/* the code moves: the fingerprints stay */
	f[0].at.insn += 1000;
	f[1].at.insn += 1000;
	f[2].at.insn += 1000;
	bw_fingerprint("BW106", "exit_read", "exit_read", 2, other);
	assert_int_equal(bw_findings_finish(f, 3, &arena), 0);
	assert_string_equal(f[0].fingerprint, hex);
	assert_string_equal(f[2].fingerprint, other);
	bw_arena_free(&arena);
}

static void findings_are_sorted_by_severity(void **state)
{
	struct bw_finding f[3] = { model_findings[2], model_findings[0], model_findings[1] };
	struct bw_arena arena = { 0 };

	f[0].severity = BW_SEV_INFO;
	f[1].severity = BW_SEV_CRITICAL;
	f[2].severity = BW_SEV_MEDIUM;
	assert_int_equal(bw_findings_finish(f, 3, &arena), 0);
	assert_int_equal(f[0].severity, BW_SEV_CRITICAL);
	assert_int_equal(f[1].severity, BW_SEV_MEDIUM);
	assert_int_equal(f[2].severity, BW_SEV_INFO);
	bw_arena_free(&arena);
}

static void names_go_both_ways(void **state)
{
	for (unsigned int i = 0; i < BW_SEV_COUNT_; i++)
		assert_int_equal(bw_severity_id(bw_severity_name(i)), i);
	assert_int_equal(bw_severity_id("High"), -1);
	assert_int_equal(bw_finding_kind_id("attack"), BW_KIND_ATTACK);
	assert_string_equal(bw_severity_name(99), "?");
}

static void wire_gives_back_what_it_got(void **state)
{
	struct bw_scan s = model_scan();
	_cleanup_buf_ struct bw_buf one = { 0 }, two = { 0 };
	struct bw_scan_object back;
	struct bw_arena arena = { 0 };

	bw_scan_object_encode(&s.objects[0], &one);
	assert_int_equal(bw_buf_error(&one), 0);
	assert_int_equal(bw_scan_object_decode(bw_slice(one.data, one.len), &arena, &back), 0);
	assert_string_equal(back.path, "build/a b.bpf.o");
	assert_int_equal(back.n_programs, 2);
	assert_int_equal(back.programs[0].n_findings, 3);
	assert_string_equal(back.programs[0].findings[0].steps[1].text, "buffer of read(2)");
	assert_int_equal(back.programs[0].findings[0].steps[1].at.line, 11);
	assert_int_equal(back.programs[0].graph.n_edges, 4);
	assert_true(back.programs[0].graph.edges[1].on_flow);
	bw_scan_object_encode(&back, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	bw_arena_free(&arena);
}

/* Every truncation and every changed byte is refused or read as something well-formed; nothing is read out of bounds. */
static void wire_refuses_damage(void **state)
{
	struct bw_scan s = model_scan();
	_cleanup_buf_ struct bw_buf good = { 0 };
	struct bw_scan_object back;
	unsigned int refused = 0;

	bw_scan_object_encode(&s.objects[0], &good);
	for (size_t n = 0; n < good.len; n++) {
		struct bw_arena arena = { 0 };
		char *cut = malloc(n ? n : 1);

		memcpy(cut, good.data, n);
		assert_int_equal(bw_scan_object_decode(bw_slice(cut, n), &arena, &back), -EBADMSG);
		free(cut);
		bw_arena_free(&arena);
	}
	for (size_t n = 0; n < good.len; n++) {
		struct bw_arena arena = { .max = 64 << 20 };
		char *copy = malloc(good.len);

		memcpy(copy, good.data, good.len);
		copy[n] = (char)(copy[n] ^ 0xff);
		if (!bw_scan_object_decode(bw_slice(copy, good.len), &arena, &back)) {
			for (uint32_t p = 0; p < back.n_programs; p++)
				for (uint32_t k = 0; k < back.programs[p].n_findings; k++)
					assert_true(back.programs[p].findings[k].severity < BW_SEV_COUNT_);
		} else {
			refused++;
		}
		free(copy);
		bw_arena_free(&arena);
	}
	assert_true(refused > 100);
}

static int suppress(const char *text, struct bw_scan *s, uint32_t today, uint32_t *ret_expired)
{
	struct bw_suppressions list = { 0 };
	struct bw_diag diag;
	int r = bw_suppressions_read(text, strlen(text), "s.json", &list, &diag);

	if (!r)
		r = bw_suppressions_apply(&list, today, s, ret_expired);
	bw_suppressions_free(&list);
	return r;
}

static void suppressions_hold_until_they_expire(void **state)
{
	struct bw_scan s = model_scan();
	uint32_t expired = 9;

	assert_int_equal(suppress("{\"version\":1,\"suppressions\":[{\"rule\":\"BW1*\",\"object\":\"*/a b.bpf.o\",\"program\":\"exit_read\","
				  "\"function\":\"store\",\"reason\":\"ours\",\"expires\":\"2026-02-28\"}]}",
				  &s, 20260228, &expired),
			 0);
	assert_int_equal(expired, 0);
	assert_string_equal(model_findings[0].suppressed, "ours");
	assert_false(bw_finding_counts(&model_findings[0]));
	assert_true(bw_finding_counts(&model_findings[1]));
	bw_scan_free(&s);

	s = model_scan();
	assert_int_equal(suppress("{\"version\":1,\"suppressions\":[{\"rule\":\"BW1*\",\"reason\":\"ours\",\"expires\":\"2026-02-28\"}]}", &s,
				  20260301, &expired),
			 0);
	assert_int_equal(expired, 1);
	assert_true(bw_finding_counts(&model_findings[0]));
	bw_scan_free(&s);
}

static void defects_cannot_be_suppressed(void **state)
{
	struct bw_scan s = model_scan();
	uint32_t expired;

	model_findings[1].kind = BW_KIND_DEFECT;
	assert_int_equal(suppress("{\"version\":1,\"suppressions\":[{\"rule\":\"*\",\"reason\":\"all\",\"expires\":\"2030-01-01\"}]}", &s, 20260101,
				  &expired),
			 0);
	assert_true(bw_finding_counts(&model_findings[1]));
	assert_false(bw_finding_counts(&model_findings[0]));
	model_findings[1].kind = BW_KIND_CAPABILITY;
	bw_scan_free(&s);
}

static void suppressions_are_read_strictly(void **state)
{
	static const struct {
		const char *text, *reason;
	} bad[] = {
		{ "{\"version\":1,\"suppressions\":[{\"rule\":\"BW101\",\"expires\":\"2027-01-01\"}]}", "needs a \"reason\"" },
		{ "{\"version\":1,\"suppressions\":[{\"rule\":\"BW101\",\"reason\":\" \",\"expires\":\"2027-01-01\"}]}", "needs a \"reason\"" },
		{ "{\"version\":1,\"suppressions\":[{\"rule\":\"BW101\",\"reason\":\"x\"}]}",
		  "\"expires\" must be the last day it holds, like 2027-01-31" },
		{ "{\"version\":1,\"suppressions\":[{\"rule\":\"BW101\",\"reason\":\"x\",\"expires\":\"2027-02-29\"}]}",
		  "\"expires\" must be the last day it holds, like 2027-01-31" },
		{ "{\"version\":1,\"suppressions\":[{\"reason\":\"x\",\"expires\":\"2027-01-01\"}]}", "needs \"rule\" or \"fingerprint\"" },
		{ "{\"version\":1,\"suppressions\":[{\"rule\":\"a\",\"reason\":\"x\",\"expires\":\"2027-01-01\",\"prog\":\"x\"}]}", "unknown key \"prog\"" },
		{ "{\"version\":2,\"suppressions\":[]}", "\"version\" must be 1" },
		{ "{\"version\":1,\"suppresions\":[]}", "unknown key \"suppresions\"" },
		{ "[]", "\"version\" must be 1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct bw_suppressions list = { 0 };
		struct bw_diag diag = { 0 };

		assert_int_equal(bw_suppressions_read(bad[i].text, strlen(bad[i].text), "s.json", &list, &diag), -EINVAL);
		assert_string_equal(diag.reason, bad[i].reason);
		bw_suppressions_free(&list);
	}
}

static void baseline_hides_what_was_there_and_did_not_grow(void **state)
{
	struct bw_scan s = model_scan();
	_cleanup_buf_ struct bw_buf text = { 0 };
	struct bw_diag diag;

	bw_baseline_write(&s, &text);
	assert_non_null(strstr(bw_buf_cstr(&text), "\"object\": \"a b.bpf.o\""));
	s.objects[0].path = "/elsewhere/a b.bpf.o";
	assert_int_equal(bw_baseline_apply(text.data, text.len, "b.json", &s, &diag), 0);
	assert_true(model_findings[0].known && model_findings[1].known && model_findings[2].known);

	/* another object with the same program is not covered, nor is one that became worse */
	s = model_scan();
	s.objects[0].path = "/elsewhere/other.bpf.o";
	assert_int_equal(bw_baseline_apply(text.data, text.len, "b.json", &s, &diag), 0);
	assert_false(model_findings[0].known);
	s = model_scan();
	s.objects[0].path = "build/a b.bpf.o";
	model_findings[1].severity = BW_SEV_HIGH;
	assert_int_equal(bw_baseline_apply(text.data, text.len, "b.json", &s, &diag), 0);
	assert_false(model_findings[1].known);
	assert_true(model_findings[0].known);
	model_findings[1].severity = BW_SEV_LOW;
	assert_int_equal(bw_baseline_apply(text.data, text.len, "b.json", &s, &diag), 0);
	assert_true(model_findings[1].known);
	model_findings[1].severity = BW_SEV_MEDIUM;
	assert_int_equal(bw_baseline_apply("{}", 2, "b.json", &s, &diag), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fingerprint_is_of_identity_not_place),
		cmocka_unit_test(findings_are_sorted_by_severity),
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(wire_gives_back_what_it_got),
		cmocka_unit_test(wire_refuses_damage),
		cmocka_unit_test(suppressions_hold_until_they_expire),
		cmocka_unit_test(defects_cannot_be_suppressed),
		cmocka_unit_test(suppressions_are_read_strictly),
		cmocka_unit_test(baseline_hides_what_was_there_and_did_not_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
