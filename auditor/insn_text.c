// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Instructions as text, in the syntax of llvm-objdump 22 for cpu v4 (llvm/lib/Target/BPF/BPFInstrInfo.td), which is
 * also what LLVM's assembler reads.
 */
#include <inttypes.h>

#include "auditor/insn.h"

static const char *const op_names[BW_OP_COUNT_] = {
	[BW_OP_ADD] = "add",
	[BW_OP_SUB] = "sub",
	[BW_OP_MUL] = "mul",
	[BW_OP_DIV] = "div",
	[BW_OP_SDIV] = "sdiv",
	[BW_OP_MOD] = "mod",
	[BW_OP_SMOD] = "smod",
	[BW_OP_OR] = "or",
	[BW_OP_AND] = "and",
	[BW_OP_XOR] = "xor",
	[BW_OP_LSH] = "lsh",
	[BW_OP_RSH] = "rsh",
	[BW_OP_ARSH] = "arsh",
	[BW_OP_NEG] = "neg",
	[BW_OP_MOV] = "mov",
	[BW_OP_MOVSX] = "movsx",
	[BW_OP_TO_LE] = "to_le",
	[BW_OP_TO_BE] = "to_be",
	[BW_OP_BSWAP] = "bswap",
	[BW_OP_ARENA_CAST] = "arena_cast",
	[BW_OP_MOV_PERCPU] = "mov_percpu",
	[BW_OP_LD_IMM64] = "ld_imm64",
	[BW_OP_LD_ABS] = "ld_abs",
	[BW_OP_LD_IND] = "ld_ind",
	[BW_OP_LOAD] = "load",
	[BW_OP_STORE] = "store",
	[BW_OP_ATOMIC_ADD] = "atomic_add",
	[BW_OP_ATOMIC_AND] = "atomic_and",
	[BW_OP_ATOMIC_OR] = "atomic_or",
	[BW_OP_ATOMIC_XOR] = "atomic_xor",
	[BW_OP_ATOMIC_XCHG] = "atomic_xchg",
	[BW_OP_ATOMIC_CMPXCHG] = "atomic_cmpxchg",
	[BW_OP_LOAD_ACQUIRE] = "load_acquire",
	[BW_OP_STORE_RELEASE] = "store_release",
	[BW_OP_JA] = "ja",
	[BW_OP_JEQ] = "jeq",
	[BW_OP_JNE] = "jne",
	[BW_OP_JSET] = "jset",
	[BW_OP_JGT] = "jgt",
	[BW_OP_JGE] = "jge",
	[BW_OP_JLT] = "jlt",
	[BW_OP_JLE] = "jle",
	[BW_OP_JSGT] = "jsgt",
	[BW_OP_JSGE] = "jsge",
	[BW_OP_JSLT] = "jslt",
	[BW_OP_JSLE] = "jsle",
	[BW_OP_MAY_GOTO] = "may_goto",
	[BW_OP_GOTOX] = "gotox",
	[BW_OP_CALL] = "call",
	[BW_OP_CALL_LOCAL] = "call_local",
	[BW_OP_CALL_KFUNC] = "call_kfunc",
	[BW_OP_CALL_REG] = "call_reg",
	[BW_OP_EXIT] = "exit",
	[BW_OP_NOSPEC] = "nospec",
};

/* The operator between the operands, by operation; the signed forms carry their "s". */
static const char *const op_signs[BW_OP_COUNT_] = {
	[BW_OP_ADD] = "+=",    [BW_OP_SUB] = "-=",    [BW_OP_MUL] = "*=",   [BW_OP_DIV] = "/=",
	[BW_OP_SDIV] = "s/=",  [BW_OP_MOD] = "%=",    [BW_OP_SMOD] = "s%=", [BW_OP_OR] = "|=",
	[BW_OP_AND] = "&=",    [BW_OP_XOR] = "^=",    [BW_OP_LSH] = "<<=",  [BW_OP_RSH] = ">>=",
	[BW_OP_ARSH] = "s>>=", [BW_OP_MOV] = "=",     [BW_OP_JEQ] = "==",   [BW_OP_JNE] = "!=",
	[BW_OP_JSET] = "&",    [BW_OP_JGT] = ">",     [BW_OP_JGE] = ">=",   [BW_OP_JLT] = "<",
	[BW_OP_JLE] = "<=",    [BW_OP_JSGT] = "s>",   [BW_OP_JSGE] = "s>=", [BW_OP_JSLT] = "s<",
	[BW_OP_JSLE] = "s<=",  [BW_OP_ATOMIC_ADD] = "+=", [BW_OP_ATOMIC_AND] = "&=", [BW_OP_ATOMIC_OR] = "|=",
	[BW_OP_ATOMIC_XOR] = "^=",
};

const char *bw_op_name(enum bw_op op)
{
	return op < BW_OP_COUNT_ ? op_names[op] : "invalid";
}

/* -0x8, 0x10: a signed number in hexadecimal. */
static void text_hex(struct bw_buf *out, int64_t v)
{
	uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	bw_buf_printf(out, "%s0x%" PRIx64, v < 0 ? "-" : "", magnitude);
}

static void text_reg(struct bw_buf *out, unsigned int width, unsigned int reg)
{
	bw_buf_printf(out, "%c%u", width == 8 ? 'r' : 'w', reg);
}

/* "r1 + 0x8", "r1 - 0x8" */
static void text_place(struct bw_buf *out, unsigned int reg, int off)
{
	bw_buf_printf(out, "r%u %c 0x%x", reg, off < 0 ? '-' : '+', off < 0 ? -off : off);
}

/* "*(u32 *)(r1 + 0x8)" */
static void text_mem(struct bw_buf *out, char sign, unsigned int width, unsigned int reg, int off)
{
	bw_buf_printf(out, "*(%c%u *)(", sign, width * 8);
	text_place(out, reg, off);
	bw_buf_char(out, ')');
}

static void text_jump(struct bw_buf *out, const char *word, int32_t jump)
{
	bw_buf_printf(out, "%s %s", word, jump < 0 ? "" : "+");
	text_hex(out, jump);
}

static void text_alu(const struct bw_decoded *d, struct bw_buf *out)
{
	switch (d->op) {
	case BW_OP_NEG:
		text_reg(out, d->width, d->dst);
		bw_buf_str(out, " = -");
		text_reg(out, d->width, d->dst);
		return;
	case BW_OP_TO_LE:
	case BW_OP_TO_BE:
	case BW_OP_BSWAP:
		bw_buf_printf(out, "r%u = %s%u r%u", d->dst,
			      d->op == BW_OP_TO_LE ? "le" :
			      d->op == BW_OP_TO_BE ? "be" :
						     "bswap",
			      d->width * 8, d->dst);
		return;
	case BW_OP_MOVSX:
		text_reg(out, d->width, d->dst);
		bw_buf_printf(out, " = (s%u)", d->from * 8);
		text_reg(out, d->width, d->src);
		return;
	case BW_OP_ARENA_CAST:
		bw_buf_printf(out, "r%u = addr_space_cast(r%u, 0x%x, 0x%x)", d->dst, d->src, (uint32_t)d->imm >> 16,
			      (uint32_t)d->imm & 0xffff);
		return;
	case BW_OP_MOV_PERCPU:
		bw_buf_printf(out, "r%u = &(void __percpu *)(r%u)", d->dst, d->src);
		return;
	default:
		text_reg(out, d->width, d->dst);
		bw_buf_printf(out, " %s ", op_signs[d->op]);
		if (d->use_imm)
			text_hex(out, d->imm);
		else
			text_reg(out, d->width, d->src);
	}
}

static void text_atomic(const struct bw_decoded *d, struct bw_buf *out)
{
	static const char *const fetch_names[] = { "add", "and", "or", "xor" };
	unsigned int bits = d->width * 8;

	switch (d->op) {
	case BW_OP_LOAD_ACQUIRE:
		text_reg(out, d->width, d->dst);
		bw_buf_printf(out, " = load_acquire((u%u *)(", bits);
		text_place(out, d->src, d->off);
		bw_buf_str(out, "))");
		return;
	case BW_OP_STORE_RELEASE:
		bw_buf_printf(out, "store_release((u%u *)(", bits);
		text_place(out, d->dst, d->off);
		bw_buf_str(out, "), ");
		text_reg(out, d->width, d->src);
		bw_buf_char(out, ')');
		return;
	case BW_OP_ATOMIC_CMPXCHG:
		text_reg(out, d->width, 0);
		bw_buf_str(out, d->width == 8 ? " = cmpxchg_64(" : " = cmpxchg32_32(");
		text_place(out, d->dst, d->off);
		bw_buf_str(out, ", ");
		text_reg(out, d->width, 0);
		bw_buf_str(out, ", ");
		text_reg(out, d->width, d->src);
		bw_buf_char(out, ')');
		return;
	case BW_OP_ATOMIC_XCHG:
		text_reg(out, d->width, d->src);
		bw_buf_str(out, d->width == 8 ? " = xchg_64(" : " = xchg32_32(");
		text_place(out, d->dst, d->off);
		bw_buf_str(out, ", ");
		text_reg(out, d->width, d->src);
		bw_buf_char(out, ')');
		return;
	default:
		if (d->fetch) {
			text_reg(out, d->width, d->src);
			bw_buf_printf(out, " = atomic_fetch_%s((u%u *)(", fetch_names[d->op - BW_OP_ATOMIC_ADD], bits);
			text_place(out, d->dst, d->off);
			bw_buf_str(out, "), ");
			text_reg(out, d->width, d->src);
			bw_buf_char(out, ')');
			return;
		}
		bw_buf_str(out, "lock ");
		text_mem(out, 'u', d->width, d->dst, d->off);
		bw_buf_printf(out, " %s ", op_signs[d->op]);
		text_reg(out, d->width, d->src);
	}
}

static void text_jmp(const struct bw_decoded *d, struct bw_buf *out)
{
	switch (d->op) {
	case BW_OP_JA:
		text_jump(out, d->long_jump ? "gotol" : "goto", d->jump);
		return;
	case BW_OP_MAY_GOTO:
		text_jump(out, "may_goto", d->jump);
		return;
	case BW_OP_GOTOX:
		bw_buf_printf(out, "gotox r%u", d->target_reg);
		return;
	case BW_OP_CALL:
	case BW_OP_CALL_LOCAL:
	case BW_OP_CALL_KFUNC:
		bw_buf_str(out, "call ");
		text_hex(out, d->imm);
		return;
	case BW_OP_CALL_REG:
		bw_buf_printf(out, "callx r%u", d->target_reg);
		return;
	case BW_OP_EXIT:
		bw_buf_str(out, "exit");
		return;
	default:
		bw_buf_str(out, "if ");
		text_reg(out, d->width, d->dst);
		bw_buf_printf(out, " %s ", op_signs[d->op]);
		if (d->use_imm)
			text_hex(out, d->imm);
		else
			text_reg(out, d->width, d->src);
		text_jump(out, " goto", d->jump);
	}
}

void bw_insn_text(const struct bw_decoded *d, struct bw_buf *out)
{
	if (bw_op_is_alu(d->op)) {
		text_alu(d, out);
		return;
	}
	if (bw_op_is_atomic(d->op)) {
		text_atomic(d, out);
		return;
	}
	switch (d->op) {
	case BW_OP_LD_IMM64:
		bw_buf_printf(out, "r%u = ", d->dst);
		text_hex(out, (int64_t)d->imm64);
		bw_buf_str(out, " ll");
		return;
	case BW_OP_LD_ABS:
		bw_buf_printf(out, "r0 = *(u%u *)skb[", d->width * 8);
		text_hex(out, d->imm);
		bw_buf_char(out, ']');
		return;
	case BW_OP_LD_IND:
		bw_buf_printf(out, "r0 = *(u%u *)skb[r%u]", d->width * 8, d->src);
		return;
	case BW_OP_LOAD:
		/* A load that sign extends always fills the whole register. */
		text_reg(out, d->sign_extend ? 8 : d->width, d->dst);
		bw_buf_str(out, " = ");
		text_mem(out, d->sign_extend ? 's' : 'u', d->width, d->src, d->off);
		return;
	case BW_OP_STORE:
		text_mem(out, 'u', d->width, d->dst, d->off);
		bw_buf_str(out, " = ");
		if (d->use_imm)
			text_hex(out, d->imm);
		else
			text_reg(out, d->width, d->src);
		return;
	case BW_OP_NOSPEC:
		bw_buf_str(out, "nospec");
		return;
	default:
		text_jmp(d, out);
	}
}
