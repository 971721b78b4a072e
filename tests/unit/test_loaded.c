// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs as BPF_PROG_LOAD gets them: what their instructions refer to, and flows from one program to another. */
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auditor/analysis.h"
#include "common/cleanup.h"

#define I(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }
#define MOV(d, s) I(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOVI(d, i) I(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADDI(d, i) I(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LDX(d, s, o) I(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
#define STX(d, o, s) I(BPF_STX | BPF_MEM | BPF_DW, d, s, o, 0)
#define MAP(d, fd) I(BPF_LD | BPF_IMM | BPF_DW, d, BPF_PSEUDO_MAP_FD, 0, fd), I(0, 0, 0, 0, 0)
#define CALL(f) I(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define JNEI(d, i, o) I(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define EXIT() I(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* sys_enter_getdents64: keeps the buffer's address under the thread. */
static const struct bpf_insn keep[] = {
	LDX(6, 1, 24), CALL(BPF_FUNC_get_current_pid_tgid), STX(10, -8, 0), STX(10, -16, 6), MOV(2, 10), ADDI(2, -8),
	MOV(3, 10), ADDI(3, -16), MOVI(4, 0), MAP(1, 7), CALL(BPF_FUNC_map_update_elem), MOVI(0, 0), EXIT(),
};

/* sys_exit_getdents64: writes where that address says. */
static const struct bpf_insn strike[] = {
	CALL(BPF_FUNC_get_current_pid_tgid), STX(10, -8, 0), MOV(2, 10), ADDI(2, -8), MAP(1, 9), CALL(BPF_FUNC_map_lookup_elem),
	JNEI(0, 0, 2), MOVI(0, 0), EXIT(), LDX(1, 0, 0), MOVI(2, 0), STX(10, -16, 2), MOV(2, 10), ADDI(2, -16), MOVI(3, 8),
	CALL(BPF_FUNC_probe_write_user), MOVI(0, 0), EXIT(),
};

/* Counts, and hands nothing out. */
static const struct bpf_insn harmless[] = {
	CALL(BPF_FUNC_ktime_get_ns), STX(10, -8, 0), MOVI(0, 0), EXIT(),
};

static struct bw_analyst *analyst;

static int setup(void **state)
{
	char why[256];

	return bw_analyst_new(&analyst, why, sizeof(why));
}

static int teardown(void **state)
{
	bw_analyst_free(analyst);
	return 0;
}

static struct bw_loaded_map map(uint32_t ref, uint32_t id)
{
	return (struct bw_loaded_map){ .ref = ref, .id = id, .type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8,
				       .max_entries = 1024, .name = "addresses" };
}

#define PROGRAM(n, t, code, m, count) (struct bw_loaded_program){ .name = (n), .prog_type = (t), .target = "", .insns = (code),   \
							    .n_insns = ARRAY_SIZE(code), .maps = (m), .n_maps = (count) }

static int analyse(const struct bw_loaded_program *list, uint32_t n, struct bw_arena *arena, struct bw_scan_object *ret)
{
	const struct bw_loaded in = { .name = "test", .programs = list, .n_programs = n };

	return bw_analyse_loaded(analyst, &in, NULL, arena, ret, NULL);
}

static const struct bw_finding *finding(const struct bw_scan_object *o, const char *rule)
{
	for (uint32_t i = 0; i < o->n_programs; i++)
		for (uint32_t k = 0; k < o->programs[i].n_findings; k++)
			if (!strcmp(o->programs[i].findings[k].rule, rule))
				return &o->programs[i].findings[k];
	return NULL;
}

static enum bw_severity worst(const struct bw_scan_object *o)
{
	enum bw_severity s = BW_SEV_INFO;

	for (uint32_t i = 0; i < o->n_programs; i++)
		for (uint32_t k = 0; k < o->programs[i].n_findings; k++)
			if (o->programs[i].findings[k].severity > s)
				s = o->programs[i].findings[k].severity;
	return s;
}

static void test_harmless(void **state)
{
	const struct bw_loaded_program p = PROGRAM("tick", BPF_PROG_TYPE_TRACEPOINT, harmless, NULL, 0);
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;

	assert_int_equal(analyse(&p, 1, &arena, &o), 0);
	assert_int_equal(o.status, BW_SCAN_OK);
	assert_int_equal(o.n_programs, 1);
	assert_string_equal(o.programs[0].type, "tracepoint");
	assert_true(worst(&o) < BW_SEV_MEDIUM);
	bw_arena_free(&arena);
}

/* The address travels through the map only when both programs refer to the same one, whatever their descriptors are. */
static void test_shared_map(void **state)
{
	struct bw_loaded_map first = map(7, 100), second = map(9, 100);
	struct bw_loaded_program list[] = {
		PROGRAM("enter", BPF_PROG_TYPE_TRACEPOINT, keep, &first, 1),
		PROGRAM("leave", BPF_PROG_TYPE_TRACEPOINT, strike, &second, 1),
	};
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;

	assert_int_equal(analyse(list, 2, &arena, &o), 0);
	assert_int_equal(o.status, BW_SCAN_OK);
	assert_non_null(finding(&o, "BW120"));
	assert_string_equal(finding(&o, "BW120")->program, "leave");
	assert_int_equal(finding(&o, "BW120")->kind, BW_KIND_ATTACK);
	assert_true(finding(&o, "BW120")->severity >= BW_SEV_HIGH);

	second.id = 101;
	assert_int_equal(analyse(list, 2, &arena, &o), 0);
	assert_null(finding(&o, "BW120"));
	/* alone, the first program is nothing remarkable */
	assert_int_equal(analyse(list, 1, &arena, &o), 0);
	assert_true(worst(&o) < BW_SEV_HIGH);
	bw_arena_free(&arena);
}

/* A map that nobody described: the result says that it is not the whole truth. */
static void test_unknown_map(void **state)
{
	struct bw_loaded_map other = map(8, 100);
	struct bw_loaded_program p = PROGRAM("enter", BPF_PROG_TYPE_TRACEPOINT, keep, &other, 1);
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;

	assert_int_equal(analyse(&p, 1, &arena, &o), 0);
	assert_int_equal(o.status, BW_SCAN_INCOMPLETE);
	/* by index is another number space */
	other = map(7, 100);
	other.by_index = true;
	assert_int_equal(analyse(&p, 1, &arena, &o), 0);
	assert_int_equal(o.status, BW_SCAN_INCOMPLETE);
	other.by_index = false;
	assert_int_equal(analyse(&p, 1, &arena, &o), 0);
	assert_int_equal(o.status, BW_SCAN_OK);
	bw_arena_free(&arena);
}

static const char *name_of(void *ctx, uint32_t id)
{
	return id == 4711 ? "bpf_get_task_exe_file" : id == 4712 ? "bpf_lsm_file_open" : NULL;
}

static void test_names(void **state)
{
	static const struct bpf_insn calls[] = {
		I(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, 4711), MOVI(0, 0), EXIT(),
	};
	const struct bw_loaded_program p = { .name = "hook", .prog_type = BPF_PROG_TYPE_LSM, .attach_type = BPF_LSM_MAC,
					     .target = "bpf_lsm_file_open", .insns = calls, .n_insns = ARRAY_SIZE(calls) };
	const struct bw_loaded in = { .name = "test", .programs = &p, .n_programs = 1, .btf_name = name_of };
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;

	assert_int_equal(bw_analyse_loaded(analyst, &in, NULL, &arena, &o, NULL), 0);
	assert_string_equal(o.programs[0].section, "lsm/file_open");
	assert_string_equal(o.programs[0].target, "file_open");
	assert_string_equal(o.programs[0].helpers, "bpf_get_task_exe_file()");
	bw_arena_free(&arena);
}

static void test_malformed(void **state)
{
	static const struct bpf_insn bad[] = { I(0xff, 15, 15, -1, -1), EXIT() };
	static const struct bpf_insn cut[] = { I(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, 7) };
	static const struct bpf_insn wild[] = { I(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0x7fffffff), EXIT() };
	const struct bw_loaded_program list[] = {
		PROGRAM("bad", BPF_PROG_TYPE_KPROBE, bad, NULL, 0),
		PROGRAM("cut", BPF_PROG_TYPE_XDP, cut, NULL, 0),
		PROGRAM("wild", BPF_PROG_TYPE_TRACING, wild, NULL, 0),
	};
	struct bw_loaded_program none = list[0];
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		assert_int_equal(analyse(&list[i], 1, &arena, &o), 0);
		assert_int_equal(o.status, BW_SCAN_INCOMPLETE);
		assert_true(o.n_reasons > 0);
	}
	none.n_insns = 0;
	assert_int_equal(analyse(&none, 1, &arena, &o), -E2BIG);
	none.n_insns = 1000001;
	assert_int_equal(analyse(&none, 1, &arena, &o), -E2BIG);
	bw_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_harmless), cmocka_unit_test(test_shared_map), cmocka_unit_test(test_unknown_map),
		cmocka_unit_test(test_names),	 cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
