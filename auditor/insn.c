// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The decoder. Which fields must be zero follows the kernel's verifier (check_alu_op, check_ld_imm, check_ld_abs,
 * check_cond_jmp_op, do_check in kernel/bpf/verifier.c) as of 6.18, RFC 9669 sections 3 to 5 for the opcodes.
 */
#include <errno.h>

#include "auditor/insn.h"

/* Opcode fields, RFC 9669 section 3. */
enum {
	CLASS_LD = 0,
	CLASS_LDX = 1,
	CLASS_ST = 2,
	CLASS_STX = 3,
	CLASS_ALU = 4,
	CLASS_JMP = 5,
	CLASS_JMP32 = 6,
	CLASS_ALU64 = 7,
	SOURCE_X = 0x08,
	MODE_IMM = 0x00,
	MODE_ABS = 0x20,
	MODE_IND = 0x40,
	MODE_MEM = 0x60,
	MODE_MEMSX = 0x80,
	MODE_ATOMIC = 0xc0, /* NOSPEC in class ST of translated code */
	ATOMIC_FETCH = 0x01,
};

#define REG(n) ((uint16_t)(1u << (n)))
#define CALLER_SAVED (REG(0) | REG(1) | REG(2) | REG(3) | REG(4) | REG(5))
#define ARGUMENTS (REG(1) | REG(2) | REG(3) | REG(4) | REG(5))
#define OFF_PERCPU (-1) /* BPF_ADDR_PERCPU in linux/filter.h */

static const uint8_t size_bytes[4] = { 4, 2, 1, 8 };

struct bw_insn bw_insn_unpack(const uint8_t *p, bool big_endian)
{
	/* The two register nibbles swap places with the byte order (RFC 9669 section 3). */
	return (struct bw_insn){
		.code = p[0],
		.dst = big_endian ? p[1] >> 4 : p[1] & 0xf,
		.src = big_endian ? p[1] & 0xf : p[1] >> 4,
		.off = (int16_t)bw_get_u16(p + 2, big_endian),
		.imm = (int32_t)bw_get_u32(p + 4, big_endian),
	};
}

void bw_insns_unpack(const uint8_t *p, size_t n, bool big_endian, struct bw_insn *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = bw_insn_unpack(p + i * BW_INSN_SIZE, big_endian);
}

static const char *decode_mov(const struct bw_insn *in, enum bw_insn_mode mode, struct bw_decoded *d)
{
	bool is64 = (in->code & 7) == CLASS_ALU64;

	d->op = BW_OP_MOV;
	if (d->use_imm)
		return in->off ? "mov of a constant with an offset" : NULL;
	switch (in->off) {
	case 0:
		break;
	case 1:
		if (!is64)
			return "32-bit address space cast";
		d->op = BW_OP_ARENA_CAST;
		return NULL;
	case 32:
		if (!is64)
			return "sign extension of 32 bits to 32 bits";
		/* fall through */
	case 8:
	case 16:
		d->op = BW_OP_MOVSX;
		d->from = (uint8_t)(in->off / 8);
		break;
	case OFF_PERCPU:
		if (mode == BW_INSN_XLATED && is64) {
			d->op = BW_OP_MOV_PERCPU;
			break;
		}
		/* fall through */
	default:
		return "unknown kind of mov";
	}
	return in->imm ? "register mov with a constant" : NULL;
}

static const char *decode_alu(const struct bw_insn *in, enum bw_insn_mode mode, struct bw_decoded *d)
{
	static const enum bw_op ops[] = { BW_OP_ADD, BW_OP_SUB, BW_OP_MUL, BW_OP_DIV, BW_OP_OR,	 BW_OP_AND,  BW_OP_LSH,
					  BW_OP_RSH, BW_OP_NEG, BW_OP_MOD, BW_OP_XOR, BW_OP_MOV, BW_OP_ARSH };
	bool is64 = (in->code & 7) == CLASS_ALU64;
	unsigned int n = in->code >> 4;
	const char *why;

	d->width = is64 ? 8 : 4;
	d->writes = REG(in->dst);
	if (n == 0xd) {
		if (in->src || in->off)
			return "byte swap with an operand";
		if (in->imm != 16 && in->imm != 32 && in->imm != 64)
			return "byte swap of an unknown size";
		if (is64 && in->code & SOURCE_X)
			return "unknown opcode";
		d->op = is64 ? BW_OP_BSWAP : in->code & SOURCE_X ? BW_OP_TO_BE : BW_OP_TO_LE;
		d->width = (uint8_t)(in->imm / 8);
		d->reads = REG(in->dst);
		return NULL;
	}
	if (n >= sizeof(ops) / sizeof(ops[0]))
		return "unknown opcode";
	d->op = ops[n];
	d->use_imm = !(in->code & SOURCE_X);
	if (d->op == BW_OP_NEG) {
		if (!d->use_imm)
			return "unknown opcode";
		if (in->src || in->off || in->imm)
			return "negation with an operand";
		d->use_imm = false;
		d->reads = REG(in->dst);
		return NULL;
	}
	if (d->use_imm && in->src)
		return "constant operand with a register";
	if (d->op == BW_OP_MOV) {
		why = decode_mov(in, mode, d);
		d->reads = d->use_imm ? 0 : REG(in->src);
		return why;
	}
	if (!d->use_imm && in->imm)
		return "register operand with a constant";
	d->reads = REG(in->dst) | (d->use_imm ? 0 : REG(in->src));
	if (!in->off)
		return NULL;
	if (in->off == 1 && d->op == BW_OP_DIV)
		d->op = BW_OP_SDIV;
	else if (in->off == 1 && d->op == BW_OP_MOD)
		d->op = BW_OP_SMOD;
	else
		return "arithmetic with an offset";
	return NULL;
}

static const char *decode_ld(const struct bw_insn *insns, size_t n, size_t at, struct bw_decoded *d)
{
	const struct bw_insn *in = &insns[at];
	unsigned int mode = in->code & 0xe0;

	if (in->code == 0x18) {
		if (n - at < 2)
			return "64-bit constant cut off at the end of the code";
		if (in[1].code || in[1].dst || in[1].src || in[1].off)
			return "64-bit constant with a bad second half";
		if (in->off)
			return "64-bit constant with an offset";
		if (in->src > BW_PSEUDO_MAP_IDX_VALUE)
			return "64-bit constant of an unknown kind";
		d->op = BW_OP_LD_IMM64;
		d->slots = 2;
		d->width = 8;
		d->pseudo = in->src;
		d->use_imm = true;
		d->imm64 = (uint64_t)(uint32_t)in[1].imm << 32 | (uint32_t)in->imm;
		d->writes = REG(in->dst);
		return NULL;
	}
	if ((mode != MODE_ABS && mode != MODE_IND) || d->width == 8)
		return "unknown opcode";
	if (in->dst || in->off || (mode == MODE_ABS && in->src))
		return "packet load with a reserved field";
	d->op = mode == MODE_ABS ? BW_OP_LD_ABS : BW_OP_LD_IND;
	d->use_imm = true;
	d->reads = REG(6) | (mode == MODE_IND ? REG(in->src) : 0);
	d->writes = CALLER_SAVED;
	return NULL;
}

static const char *decode_atomic(const struct bw_insn *in, struct bw_decoded *d)
{
	d->fetch = in->imm & ATOMIC_FETCH;
	switch (in->imm) {
	case 0x00:
	case 0x01:
		d->op = BW_OP_ATOMIC_ADD;
		break;
	case 0x40:
	case 0x41:
		d->op = BW_OP_ATOMIC_OR;
		break;
	case 0x50:
	case 0x51:
		d->op = BW_OP_ATOMIC_AND;
		break;
	case 0xa0:
	case 0xa1:
		d->op = BW_OP_ATOMIC_XOR;
		break;
	case 0xe1:
		d->op = BW_OP_ATOMIC_XCHG;
		break;
	case 0xf1:
		d->op = BW_OP_ATOMIC_CMPXCHG;
		d->reads |= REG(0);
		break;
	case 0x100:
		d->op = BW_OP_LOAD_ACQUIRE;
		d->reads = REG(in->src);
		d->writes = REG(in->dst);
		return NULL;
	case 0x110:
		d->op = BW_OP_STORE_RELEASE;
		return NULL;
	default:
		return "unknown atomic operation";
	}
	if (d->width < 4)
		return "atomic operation of an unknown size";
	if (d->fetch)
		d->writes = d->op == BW_OP_ATOMIC_CMPXCHG ? REG(0) : REG(in->src);
	return NULL;
}

static const char *decode_mem(const struct bw_insn *in, enum bw_insn_mode mode, struct bw_decoded *d)
{
	unsigned int access = in->code & 0xe0;

	d->off = in->off;
	switch (in->code & 7) {
	case CLASS_LDX:
		if (access == MODE_MEMSX && d->width != 8)
			d->sign_extend = true;
		else if (access != MODE_MEM)
			return "unknown opcode";
		if (in->imm)
			return "load with a constant";
		d->op = BW_OP_LOAD;
		d->reads = REG(in->src);
		d->writes = REG(in->dst);
		return NULL;
	case CLASS_ST:
		if (mode == BW_INSN_XLATED && in->code == (CLASS_ST | MODE_ATOMIC)) {
			d->op = BW_OP_NOSPEC;
			d->width = 0;
			return NULL;
		}
		if (access != MODE_MEM)
			return "unknown opcode";
		if (in->src)
			return "store of a constant with a register";
		d->op = BW_OP_STORE;
		d->use_imm = true;
		d->reads = REG(in->dst);
		return NULL;
	default:
		d->reads = REG(in->dst) | REG(in->src);
		if (access == MODE_ATOMIC)
			return decode_atomic(in, d);
		if (access != MODE_MEM)
			return "unknown opcode";
		if (in->imm)
			return "store with a constant";
		d->op = BW_OP_STORE;
		return NULL;
	}
}

static const char *decode_call(const struct bw_insn *in, enum bw_insn_mode mode, struct bw_decoded *d)
{
	d->reads = ARGUMENTS;
	d->writes = CALLER_SAVED;
	if (in->code & SOURCE_X) {
		/* LLVM before 19 put the register's number in the immediate. */
		if (in->src || in->off || (in->imm && (in->dst || in->imm < 0 || in->imm > 10)))
			return "indirect call with a reserved field";
		d->op = BW_OP_CALL_REG;
		d->target_reg = in->imm ? (uint8_t)in->imm : in->dst;
		d->reads |= REG(d->target_reg);
		return NULL;
	}
	if (in->dst)
		return "call with a register";
	switch (in->src) {
	case 0:
		d->op = BW_OP_CALL;
		break;
	case 1:
		d->op = BW_OP_CALL_LOCAL;
		d->jump = in->imm;
		/* The kernel leaves the distance to the JITed code here in what it hands out. */
		if (mode == BW_INSN_XLATED)
			return NULL;
		break;
	case 2:
		d->op = BW_OP_CALL_KFUNC;
		d->off = in->off;
		return NULL;
	default:
		return "call of an unknown kind";
	}
	return in->off ? "call with an offset" : NULL;
}

static const char *decode_jmp(const struct bw_insn *in, enum bw_insn_mode mode, struct bw_decoded *d)
{
	static const enum bw_op ops[] = { BW_OP_JA,   BW_OP_JEQ,   BW_OP_JGT,  BW_OP_JGE, BW_OP_JSET, BW_OP_JNE, BW_OP_JSGT,
					  BW_OP_JSGE, BW_OP_COUNT_, BW_OP_COUNT_, BW_OP_JLT, BW_OP_JLE,  BW_OP_JSLT, BW_OP_JSLE };
	bool is32 = (in->code & 7) == CLASS_JMP32;
	unsigned int n = in->code >> 4;

	switch (in->code) {
	case 0x05:
	case 0x06:
		if (in->dst || in->src || (is32 ? in->off : in->imm))
			return "goto with a reserved field";
		d->op = BW_OP_JA;
		d->jump = is32 ? in->imm : in->off;
		d->long_jump = is32;
		return NULL;
	case 0x0d:
		if (in->src || in->off || in->imm)
			return "indirect jump with a reserved field";
		d->op = BW_OP_GOTOX;
		d->target_reg = in->dst;
		d->reads = REG(in->dst);
		return NULL;
	case 0x85:
	case 0x8d:
		return decode_call(in, mode, d);
	case 0x95:
		if (in->dst || in->src || in->off || in->imm)
			return "exit with a reserved field";
		d->op = BW_OP_EXIT;
		d->reads = REG(0);
		return NULL;
	case 0xe5:
		if (in->dst || in->src || in->imm)
			return "may_goto with a reserved field";
		d->op = BW_OP_MAY_GOTO;
		d->jump = in->off;
		return NULL;
	}
	if (n == 0 || n >= sizeof(ops) / sizeof(ops[0]) || ops[n] == BW_OP_COUNT_)
		return "unknown opcode";
	d->op = ops[n];
	d->width = is32 ? 4 : 8;
	d->jump = in->off;
	d->use_imm = !(in->code & SOURCE_X);
	if (d->use_imm ? in->src : in->imm)
		return "conditional jump with a reserved field";
	d->reads = REG(in->dst) | (d->use_imm ? 0 : REG(in->src));
	return NULL;
}

int bw_insn_decode(const struct bw_insn *insns, size_t n, size_t at, enum bw_insn_mode mode, struct bw_decoded *ret,
		   const char **ret_why)
{
	unsigned int last_reg = mode == BW_INSN_XLATED ? BW_REG_AX : 10;
	const struct bw_insn *in = &insns[at];
	struct bw_decoded d = {
		.slots = 1,
		.dst = in->dst,
		.src = in->src,
		.imm = in->imm,
		.imm64 = (uint64_t)(int64_t)in->imm,
	};
	const char *why;

	switch (in->code & 7) {
	case CLASS_LD:
		d.width = size_bytes[in->code >> 3 & 3];
		why = decode_ld(insns, n, at, &d);
		break;
	case CLASS_LDX:
	case CLASS_ST:
	case CLASS_STX:
		d.width = size_bytes[in->code >> 3 & 3];
		why = decode_mem(in, mode, &d);
		break;
	case CLASS_ALU:
	case CLASS_ALU64:
		why = decode_alu(in, mode, &d);
		break;
	default:
		why = decode_jmp(in, mode, &d);
		break;
	}
	if (!why && (in->dst > last_reg || in->src > last_reg))
		why = "no such register";
	if (!why && d.writes & REG(10))
		why = "the frame pointer is read-only";
	if (why) {
		if (ret_why)
			*ret_why = why;
		return -EINVAL;
	}
	*ret = d;
	return 0;
}
