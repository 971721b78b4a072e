// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The decoder: one row per kind of instruction, text as llvm-objdump 22 prints it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auditor/insn.h"
#include "common/cleanup.h"

#define R(n) (1u << (n))
#define SAVED 0x3fu
#define ARGS 0x3eu

struct row {
	struct bw_insn in;
	enum bw_op op;
	unsigned int width;
	uint16_t reads, writes;
	const char *text;
};

static const struct row rows[] = {
	{ { 0x07, 1, 0, 0, -8 }, BW_OP_ADD, 8, R(1), R(1), "r1 += -0x8" },
	{ { 0x0c, 3, 4, 0, 0 }, BW_OP_ADD, 4, R(3) | R(4), R(3), "w3 += w4" },
	{ { 0x3f, 1, 2, 0, 0 }, BW_OP_DIV, 8, R(1) | R(2), R(1), "r1 /= r2" },
	{ { 0x3f, 1, 2, 1, 0 }, BW_OP_SDIV, 8, R(1) | R(2), R(1), "r1 s/= r2" },
	{ { 0x94, 1, 0, 1, 7 }, BW_OP_SMOD, 4, R(1), R(1), "w1 s%= 0x7" },
	{ { 0x87, 5, 0, 0, 0 }, BW_OP_NEG, 8, R(5), R(5), "r5 = -r5" },
	{ { 0xb7, 0, 0, 0, INT32_MIN }, BW_OP_MOV, 8, 0, R(0), "r0 = -0x80000000" },
	{ { 0xbf, 6, 10, 0, 0 }, BW_OP_MOV, 8, R(10), R(6), "r6 = r10" },
	{ { 0xbf, 1, 2, 32, 0 }, BW_OP_MOVSX, 8, R(2), R(1), "r1 = (s32)r2" },
	{ { 0xbc, 1, 2, 8, 0 }, BW_OP_MOVSX, 4, R(2), R(1), "w1 = (s8)w2" },
	{ { 0xbf, 1, 2, 1, 0x10000 }, BW_OP_ARENA_CAST, 8, R(2), R(1), "r1 = addr_space_cast(r2, 0x1, 0x0)" },
	{ { 0xd4, 1, 0, 0, 16 }, BW_OP_TO_LE, 2, R(1), R(1), "r1 = le16 r1" },
	{ { 0xdc, 1, 0, 0, 64 }, BW_OP_TO_BE, 8, R(1), R(1), "r1 = be64 r1" },
	{ { 0xd7, 1, 0, 0, 32 }, BW_OP_BSWAP, 4, R(1), R(1), "r1 = bswap32 r1" },
	{ { 0xc7, 1, 0, 0, 63 }, BW_OP_ARSH, 8, R(1), R(1), "r1 s>>= 0x3f" },
	{ { 0x30, 0, 0, 0, 23 }, BW_OP_LD_ABS, 1, R(6), SAVED, "r0 = *(u8 *)skb[0x17]" },
	{ { 0x48, 0, 7, 0, 0 }, BW_OP_LD_IND, 2, R(6) | R(7), SAVED, "r0 = *(u16 *)skb[r7]" },
	{ { 0x71, 1, 2, -1, 0 }, BW_OP_LOAD, 1, R(2), R(1), "w1 = *(u8 *)(r2 - 0x1)" },
	{ { 0x79, 1, 10, -8, 0 }, BW_OP_LOAD, 8, R(10), R(1), "r1 = *(u64 *)(r10 - 0x8)" },
	{ { 0x91, 1, 2, 0, 0 }, BW_OP_LOAD, 1, R(2), R(1), "r1 = *(s8 *)(r2 + 0x0)" },
	{ { 0x81, 1, 2, 4, 0 }, BW_OP_LOAD, 4, R(2), R(1), "r1 = *(s32 *)(r2 + 0x4)" },
	{ { 0x6a, 10, 0, -2, 5 }, BW_OP_STORE, 2, R(10), 0, "*(u16 *)(r10 - 0x2) = 0x5" },
	{ { 0x7b, 10, 3, -16, 0 }, BW_OP_STORE, 8, R(10) | R(3), 0, "*(u64 *)(r10 - 0x10) = r3" },
	{ { 0xdb, 1, 2, 8, 0 }, BW_OP_ATOMIC_ADD, 8, R(1) | R(2), 0, "lock *(u64 *)(r1 + 0x8) += r2" },
	{ { 0xc3, 1, 2, 8, 0x51 }, BW_OP_ATOMIC_AND, 4, R(1) | R(2), R(2), "w2 = atomic_fetch_and((u32 *)(r1 + 0x8), w2)" },
	{ { 0xdb, 1, 2, 0, 0xe1 }, BW_OP_ATOMIC_XCHG, 8, R(1) | R(2), R(2), "r2 = xchg_64(r1 + 0x0, r2)" },
	{ { 0xc3, 1, 2, 0, 0xf1 }, BW_OP_ATOMIC_CMPXCHG, 4, R(0) | R(1) | R(2), R(0), "w0 = cmpxchg32_32(r1 + 0x0, w0, w2)" },
	{ { 0xd3, 1, 2, 0, 0x100 }, BW_OP_LOAD_ACQUIRE, 1, R(2), R(1), "w1 = load_acquire((u8 *)(r2 + 0x0))" },
	{ { 0xdb, 1, 2, 4, 0x110 }, BW_OP_STORE_RELEASE, 8, R(1) | R(2), 0, "store_release((u64 *)(r1 + 0x4), r2)" },
	{ { 0x05, 0, 0, -3, 0 }, BW_OP_JA, 0, 0, 0, "goto -0x3" },
	{ { 0x06, 0, 0, 0, 70000 }, BW_OP_JA, 0, 0, 0, "gotol +0x11170" },
	{ { 0x1d, 1, 2, 4, 0 }, BW_OP_JEQ, 8, R(1) | R(2), 0, "if r1 == r2 goto +0x4" },
	{ { 0xc6, 1, 0, 4, -1 }, BW_OP_JSLT, 4, R(1), 0, "if w1 s< -0x1 goto +0x4" },
	{ { 0x45, 1, 0, 1, 2 }, BW_OP_JSET, 8, R(1), 0, "if r1 & 0x2 goto +0x1" },
	{ { 0xe5, 0, 0, 9, 0 }, BW_OP_MAY_GOTO, 0, 0, 0, "may_goto +0x9" },
	{ { 0x0d, 3, 0, 0, 0 }, BW_OP_GOTOX, 0, R(3), 0, "gotox r3" },
	{ { 0x85, 0, 0, 0, 181 }, BW_OP_CALL, 0, ARGS, SAVED, "call 0xb5" },
	{ { 0x85, 0, 1, 0, -1 }, BW_OP_CALL_LOCAL, 0, ARGS, SAVED, "call -0x1" },
	{ { 0x85, 0, 2, 3, 77 }, BW_OP_CALL_KFUNC, 0, ARGS, SAVED, "call 0x4d" },
	{ { 0x8d, 7, 0, 0, 0 }, BW_OP_CALL_REG, 0, ARGS | R(7), SAVED, "callx r7" },
	{ { 0x8d, 0, 0, 0, 7 }, BW_OP_CALL_REG, 0, ARGS | R(7), SAVED, "callx r7" },
	{ { 0x95, 0, 0, 0, 0 }, BW_OP_EXIT, 0, R(0), 0, "exit" },
};

static void every_kind(void **state)
{
	bool seen[BW_OP_COUNT_] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct bw_buf text = { 0 };
		const struct row *row = &rows[i];
		struct bw_decoded d;

		if (bw_insn_decode(&row->in, 1, 0, BW_INSN_OBJECT, &d, NULL))
			fail_msg("%s is rejected", row->text);
		bw_insn_text(&d, &text);
		assert_string_equal(bw_buf_cstr(&text), row->text);
		assert_int_equal(d.op, row->op);
		assert_int_equal(d.width, row->width);
		assert_int_equal(d.reads, row->reads);
		assert_int_equal(d.writes, row->writes);
		assert_int_equal(d.slots, 1);
		seen[d.op] = true;
	}
	/* what has a test of its own, or differs from a row above only in its sign */
	static const enum bw_op elsewhere[] = { BW_OP_SUB, BW_OP_MUL, BW_OP_MOD, BW_OP_OR, BW_OP_AND, BW_OP_XOR, BW_OP_LSH,
						BW_OP_RSH, BW_OP_MOV_PERCPU, BW_OP_LD_IMM64, BW_OP_ATOMIC_OR,
						BW_OP_ATOMIC_XOR, BW_OP_JNE, BW_OP_JGT, BW_OP_JGE, BW_OP_JLT, BW_OP_JLE,
						BW_OP_JSGT, BW_OP_JSGE, BW_OP_JSLE, BW_OP_NOSPEC };
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		seen[elsewhere[i]] = true;
	for (unsigned int op = 0; op < BW_OP_COUNT_; op++)
		if (!seen[op])
			fail_msg("%s has no row", bw_op_name(op));
}

/* Opcode by opcode: the source-less and the register form of plain arithmetic and jumps. */
static void signs(void **state)
{
	static const struct {
		uint8_t code;
		const char *text;
	} plain[] = {
		{ 0x1f, "r1 -= r2" }, { 0x2f, "r1 *= r2" },  { 0x9f, "r1 %= r2" },  { 0x4f, "r1 |= r2" },
		{ 0x5f, "r1 &= r2" }, { 0xaf, "r1 ^= r2" },  { 0x6f, "r1 <<= r2" }, { 0x7f, "r1 >>= r2" },
		{ 0x5d, "if r1 != r2 goto +0x0" }, { 0x2d, "if r1 > r2 goto +0x0" },  { 0x3d, "if r1 >= r2 goto +0x0" },
		{ 0xad, "if r1 < r2 goto +0x0" },  { 0xbd, "if r1 <= r2 goto +0x0" }, { 0x6d, "if r1 s> r2 goto +0x0" },
		{ 0x7d, "if r1 s>= r2 goto +0x0" }, { 0xdd, "if r1 s<= r2 goto +0x0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		struct bw_insn in = { plain[i].code, 1, 2, 0, 0 };
		_cleanup_buf_ struct bw_buf text = { 0 };
		struct bw_decoded d;

		assert_int_equal(bw_insn_decode(&in, 1, 0, BW_INSN_OBJECT, &d, NULL), 0);
		bw_insn_text(&d, &text);
		assert_string_equal(bw_buf_cstr(&text), plain[i].text);
	}
}

static void wide_constants(void **state)
{
	struct bw_insn in[2] = { { 0x18, 3, 0, 0, -2 }, { 0, 0, 0, 0, 0x12345678 } };
	_cleanup_buf_ struct bw_buf text = { 0 };
	struct bw_decoded d;
	const char *why;

	assert_int_equal(bw_insn_decode(in, 2, 0, BW_INSN_OBJECT, &d, NULL), 0);
	assert_int_equal(d.slots, 2);
	assert_int_equal(d.writes, R(3));
	assert_true(d.imm64 == 0x12345678fffffffeull);
	bw_insn_text(&d, &text);
	assert_string_equal(bw_buf_cstr(&text), "r3 = 0x12345678fffffffe ll");
	assert_int_equal(bw_insn_decode(in, 1, 0, BW_INSN_OBJECT, &d, &why), -EINVAL);
	in[1].dst = 1;
	assert_int_equal(bw_insn_decode(in, 2, 0, BW_INSN_OBJECT, &d, &why), -EINVAL);
	in[1].dst = 0;
	in[0].src = 7;
	assert_int_equal(bw_insn_decode(in, 2, 0, BW_INSN_OBJECT, &d, &why), -EINVAL);
}

/* Each differs from a valid instruction in one field. */
static void rejects(void **state)
{
	static const struct bw_insn bad[] = {
		{ 0x07, 11, 0, 0, 1 },	 { 0x0f, 1, 12, 0, 0 },	  { 0x07, 10, 0, 0, 1 },   { 0x07, 1, 2, 0, 1 },
		{ 0x0f, 1, 2, 0, 1 },	 { 0x0f, 1, 2, 1, 0 },	  { 0x3f, 1, 2, 2, 0 },	   { 0x8f, 1, 2, 0, 0 },
		{ 0x87, 1, 0, 0, 1 },	 { 0xb7, 1, 0, 8, 1 },	  { 0xbf, 1, 2, 24, 0 },   { 0xbc, 1, 2, 32, 0 },
		{ 0xbc, 1, 2, 1, 1 },	 { 0xbf, 1, 2, -1, 0 },	  { 0xd4, 1, 0, 0, 8 },	   { 0xdf, 1, 0, 0, 16 },
		{ 0xe7, 1, 0, 0, 0 },	 { 0x38, 0, 0, 0, 0 },	  { 0x20, 1, 0, 0, 0 },	   { 0x20, 0, 1, 0, 0 },
		{ 0x61, 10, 1, 0, 0 },	 { 0x61, 1, 2, 0, 1 },	  { 0x99, 1, 2, 0, 0 },	   { 0x62, 1, 2, 0, 0 },
		{ 0x63, 1, 2, 0, 1 },	 { 0xc2, 0, 0, 0, 0 },	  { 0xdb, 1, 2, 0, 0xe0 }, { 0xcb, 1, 2, 0, 0 },
		{ 0xdb, 1, 2, 0, 0x101 }, { 0x05, 0, 0, 0, 1 },	  { 0x06, 0, 0, 1, 1 },	   { 0x15, 1, 2, 0, 0 },
		{ 0x1d, 1, 2, 0, 1 },	 { 0x86, 0, 0, 0, 1 },	  { 0x96, 0, 0, 0, 0 },	   { 0x95, 0, 0, 0, 1 },
		{ 0x85, 0, 3, 0, 1 },	 { 0x85, 0, 0, 1, 1 },	  { 0x85, 1, 0, 0, 1 },	   { 0x8d, 1, 0, 0, 2 },
		{ 0x8d, 0, 0, 0, 11 },	 { 0xe5, 1, 0, 0, 0 },	  { 0xe6, 0, 0, 0, 0 },	   { 0xf5, 0, 0, 0, 0 },
		{ 0x0d, 1, 0, 1, 0 },	 { 0x0e, 1, 0, 0, 0 },	  { 0x00, 0, 0, 0, 0 },	   { 0xff, 0, 0, 0, 0 },
	};
	struct bw_decoded d = { .imm = 42 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *why = NULL;

		if (bw_insn_decode(&bad[i], 1, 0, BW_INSN_OBJECT, &d, &why) != -EINVAL)
			fail_msg("row %zu (code 0x%02x) is accepted", i, bad[i].code);
		assert_non_null(why);
		assert_int_equal(d.imm, 42);
	}
}

static void translated_code(void **state)
{
	static const struct bw_insn xlated[] = { { 0x07, 11, 0, 0, 1 }, { 0xbf, 1, 2, -1, 0 }, { 0xc2, 0, 0, 0, 0 } };
	static const enum bw_op ops[] = { BW_OP_ADD, BW_OP_MOV_PERCPU, BW_OP_NOSPEC };
	struct bw_decoded d;

	for (size_t i = 0; i < ARRAY_SIZE(xlated); i++) {
		assert_int_equal(bw_insn_decode(&xlated[i], 1, 0, BW_INSN_OBJECT, &d, NULL), -EINVAL);
		assert_int_equal(bw_insn_decode(&xlated[i], 1, 0, BW_INSN_XLATED, &d, NULL), 0);
		assert_int_equal(d.op, ops[i]);
	}
}

static void both_byte_orders(void **state)
{
	static const uint8_t le[8] = { 0x61, 0x21, 0x04, 0xff, 1, 2, 3, 0x84 };
	static const uint8_t be[8] = { 0x61, 0x12, 0xff, 0x04, 0x84, 3, 2, 1 };
	struct bw_insn a = bw_insn_unpack(le, false), b = bw_insn_unpack(be, true);

	assert_int_equal(a.dst, 1);
	assert_int_equal(a.src, 2);
	assert_int_equal(a.off, -252);
	assert_int_equal(a.imm, (int32_t)0x84030201);
	assert_true(a.code == b.code && a.dst == b.dst && a.src == b.src && a.off == b.off && a.imm == b.imm);
}

static void targets(void **state)
{
	struct bw_insn in = { 0x05, 0, 0, -2, 0 };
	struct bw_decoded d;

	assert_int_equal(bw_insn_decode(&in, 1, 0, BW_INSN_OBJECT, &d, NULL), 0);
	assert_int_equal(bw_insn_target(&d, 1, 5), 0);
	assert_int_equal(bw_insn_target(&d, 0, 5), -1);
	d.jump = 3;
	assert_int_equal(bw_insn_target(&d, 1, 5), -1);
	assert_int_equal(bw_insn_target(&d, 1, 6), 5);
	d.jump = INT32_MAX;
	assert_int_equal(bw_insn_target(&d, 1, SIZE_MAX >> 1), 2ll + INT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),	    cmocka_unit_test(signs),	cmocka_unit_test(wide_constants),
		cmocka_unit_test(rejects),	    cmocka_unit_test(translated_code),
		cmocka_unit_test(both_byte_orders), cmocka_unit_test(targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
