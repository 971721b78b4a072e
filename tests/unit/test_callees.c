// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The tables of what helpers and kfuncs do: complete, in order, and of letters that the analysis knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <string.h>

#include "auditor/helpers.h"

#define LAST_HELPER 211u /* cgrp_storage_delete: the uapi enum is closed since 6.2, new functions are kfuncs */

static void check_row(const struct bw_callee *c)
{
	assert_non_null(c->name);
	assert_non_null(c->args);
	assert_in_range(strlen(c->args), 0, 5);
	assert_int_equal(strspn(c->args, ".cmkvVrnwbsuxLISdDfpt"), strlen(c->args));
	assert_non_null(strchr("ilhTVKvS", c->ret));
	if (c->ret == 'T')
		assert_int_not_equal(c->sources, 0);
	if (c->ret == 'K')
		assert_non_null(c->ret_type);
	if (c->ret == 'S')
		assert_int_not_equal(c->special, BW_SP_NONE);
	for (const char *n = strchr(c->args, 'n'); n; n = strchr(n + 1, 'n')) {
		assert_ptr_not_equal(n, c->args);
		assert_non_null(strchr("rwbs", n[-1]));
	}
}

static void test_helpers(void **state)
{
	(void)state;
	assert_null(bw_helper_get(0));
	for (uint32_t id = 1; id <= LAST_HELPER; id++) {
		assert_non_null(bw_helper_get(id));
		check_row(bw_helper_get(id));
	}
	assert_null(bw_helper_get(LAST_HELPER + 1));
	assert_null(bw_helper_get(UINT32_MAX));
	assert_string_equal(bw_helper_get(BPF_FUNC_probe_write_user)->name, "probe_write_user");
	assert_string_equal(bw_helper_get(LAST_HELPER)->name, "cgrp_storage_delete");
}

static void check_table(const struct bw_callee *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		check_row(&t[i]);
		if (i)
			assert_true(strcmp(t[i - 1].name, t[i].name) < 0);
		assert_ptr_equal(bw_kfunc_get(t[i].name), &t[i]);
	}
}

/* Each is found by its name, so that no name is in both tables. */
static void test_kfuncs(void **state)
{
	uint32_t n, m;
	const struct bw_callee *t = bw_kfunc_table(&n), *p = bw_kfunc_plain_table(&m);

	(void)state;
	assert_true(n > 250 && m > 50);
	check_table(t, n);
	check_table(p, m);
	/* A plain one takes and gives no bytes of the program's memory. */
	for (uint32_t i = 0; i < m; i++) {
		assert_int_equal(strspn(p[i].args, ".ct"), strlen(p[i].args));
		assert_int_equal(p[i].channel | p[i].sources | p[i].special, 0);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_null(bw_kfunc_get("bpf_no_such_thing"));
	assert_null(bw_kfunc_get(""));
	assert_null(bw_kfunc_get("bpf_io_uring_submit_sqes"));
	assert_string_equal(bw_kfunc_get("scx_bpf_dsq_insert___v2")->name, "scx_bpf_dsq_insert");
	assert_string_equal(bw_kfunc_get("bpf_mem_cgroup_usage___old")->name, "bpf_mem_cgroup_usage");
	assert_int_equal(bw_kfunc_get("bpf_ksock_send")->channel, BW_CH_PACKET_WRITE + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_kfuncs),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
