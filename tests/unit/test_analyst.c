// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A live analyst: gets jobs, answers them, survives nonsense; needs root, as the guard does. */
#include <linux/bpf.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "guard/analyst.h"

static struct privsep_worker worker = PRIVSEP_WORKER_NONE;

static int setup(void **state)
{
	struct analyst_config c = { 0 };

	if (geteuid())
		return 0;
	privsep_user(&c.uid, &c.gid);
	return analyst_start(&c, &worker);
}

static int teardown(void **state)
{
	char why[128];

	privsep_reap(&worker, true, 0, why, sizeof(why));
	return 0;
}

static void ask(const struct bw_buf *job, struct analyst_answer *ret)
{
	struct pollfd p = { .fd = worker.ch.requests, .events = POLLIN };

	assert_int_equal(analyst_send(&worker, job), 0);
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_int_equal(analyst_receive(&worker, ret), 0);
}

static void it_answers(void **state)
{
	static const struct analyst_job head = { .n_programs = 1 };
	static const struct analyst_program p = { .prog_type = BPF_PROG_TYPE_KPROBE, .n_insns = 8, .name = "write" };
	/* r1 = *(ctx + 112); a constant on the stack; probe_write_user(r1, r10 - 8, 8) */
	static const struct bpf_insn insns[8] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 1, .off = 112 },
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8, .imm = 7 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 8 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_write_user },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_cleanup_buf_ struct bw_buf job = { 0 }, nonsense = { 0 };
	static struct analyst_answer a;

	if (!worker.pid)
		skip();
	bw_buf_append(&job, &head, sizeof(head));
	bw_buf_append(&job, &p, sizeof(p));
	bw_buf_append(&job, insns, sizeof(insns));
	bw_buf_append(&nonsense, "nonsense", 8);
	for (int i = 0; i < 2; i++) {
		ask(&job, &a);
		assert_int_equal(a.status, ANALYST_OK);
		assert_true(a.n > 0);
		assert_int_equal(a.findings[0].severity, 3);
		assert_int_equal(a.findings[0].kind, 1);
		assert_string_equal(a.findings[0].program, "write");
		ask(&nonsense, &a);
		assert_int_equal(a.status, ANALYST_FAILED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_answers) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
