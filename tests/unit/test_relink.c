// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Functions of a program in another order: calls and function pointers follow, all else stays; what is no such program is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <linux/bpf.h>

#include "auditor/relink.h"

#define CALL(i) { .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (i) }
#define HELPER(i) { .code = BPF_JMP | BPF_CALL, .imm = (i) }
#define MOV(i) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = (i) }
#define WIDE(src, i) { .code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = (src), .imm = (i) }
#define EXIT { .code = BPF_JMP | BPF_EXIT }

/* main: 0..5, a: 6..7, b: 8..10 */
static const struct bpf_insn in[] = {
	CALL(5), WIDE(BPF_PSEUDO_FUNC, 6), CALL(0), WIDE(0, 7), EXIT, EXIT,
	MOV(1), EXIT,
	CALL(-3), HELPER(5), EXIT,
};
#define N (sizeof(in) / sizeof(*in))
static const struct bw_canonical_func swapped[] = { { 6, 0 }, { 2, 2 }, { 3, 1 } };

static void functions_change_places(void **state)
{
	struct bpf_insn out[N] = { 0 };

	assert_int_equal(relink_insns(in, N, swapped, 3, out), 0);
	/* b is at 6 now, a at 9 */
	assert_int_equal(out[0].imm, 8);
	assert_int_equal(out[1].imm, 4);
	/* the second half of a wide instruction is data, even if it looks like a call */
	assert_memory_equal(&out[2], &in[2], sizeof(in[2]));
	assert_memory_equal(&out[3], &in[3], sizeof(in[3]));
	assert_int_equal(out[6].imm, 2);
	assert_memory_equal(&out[7], &in[9], 2 * sizeof(*in));
	assert_memory_equal(&out[9], &in[6], 2 * sizeof(*in));
}

static void the_same_order_changes_nothing(void **state)
{
	static const struct bw_canonical_func same[] = { { 6, 0 }, { 2, 1 }, { 3, 2 } };
	struct bpf_insn out[N];

	assert_int_equal(relink_insns(in, N, same, 3, out), 0);
	assert_memory_equal(out, in, sizeof(in));
}

static void what_is_something_else_is_refused(void **state)
{
	static const struct bw_canonical_func cases[][3] = {
		{ { 6, 0 }, { 2, 2 }, { 4, 1 } }, /* too long */
		{ { 6, 0 }, { 2, 2 }, { 2, 1 } }, /* too short */
		{ { 6, 0 }, { 2, 1 }, { 3, 1 } }, /* one place twice */
		{ { 6, 0 }, { 2, 3 }, { 3, 1 } }, /* a place that is not there */
		{ { 6, 0 }, { 5, 2 }, { 0, 1 } }, /* an empty function, and a call into another */
		{ { 5, 0 }, { 3, 2 }, { 3, 1 } }, /* a call into the middle of one */
		{ { ~0u, 0 }, { 2, 2 }, { 3, 1 } },
	};
	struct bpf_insn out[N];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(relink_insns(in, N, cases[i], 3, out), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_change_places),
		cmocka_unit_test(the_same_order_changes_nothing),
		cmocka_unit_test(what_is_something_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
