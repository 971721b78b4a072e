/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_INSN_H
#define BW_INSN_H
/*
 * BPF instructions: decoding, checking and printing. Source: RFC 9669 (the ISA up to cpu v4) and, for what came later
 * (may_goto, arena casts, load-acquire/store-release, gotox), include/uapi/linux/bpf.h and kernel/bpf/verifier.c.
 *
 * An encoding is accepted only when it is known in full: an opcode that is not in the ISA, a register above r10 or a
 * reserved field that is not zero is an error, as it is for the kernel's verifier. Nothing is guessed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

#define BW_INSN_SIZE 8u
#define BW_REG_AX 11 /* only in translated (xlated) programs */
#define BW_N_REGS 12

/* One 8-byte slot in host order, whatever the object's byte order was. */
struct bw_insn {
	uint8_t code;
	uint8_t dst;
	uint8_t src;
	int16_t off;
	int32_t imm;
};

enum bw_op {
	/* dst = dst OP (src or imm): width 4 (the upper half becomes zero) or 8 */
	BW_OP_ADD,
	BW_OP_SUB,
	BW_OP_MUL,
	BW_OP_DIV,
	BW_OP_SDIV,
	BW_OP_MOD,
	BW_OP_SMOD,
	BW_OP_OR,
	BW_OP_AND,
	BW_OP_XOR,
	BW_OP_LSH,
	BW_OP_RSH,
	BW_OP_ARSH,
	BW_OP_NEG,	  /* dst = -dst */
	BW_OP_MOV,	  /* dst = src or imm */
	BW_OP_MOVSX,	  /* dst = sign extension of the low .from bytes of src */
	BW_OP_TO_LE,	  /* byte order of the low .width (2, 4, 8) bytes, the rest becomes zero */
	BW_OP_TO_BE,
	BW_OP_BSWAP,
	BW_OP_ARENA_CAST, /* dst = src moved between address spaces: .imm is dst_as << 16 | src_as */
	BW_OP_MOV_PERCPU, /* xlated only: dst = address of this CPU's copy of src */

	BW_OP_LD_IMM64, /* two slots; .imm64 is the constant, .pseudo (enum bw_pseudo) says what it stands for */
	BW_OP_LD_ABS,	/* r0 = packet bytes at imm; reads r6, clobbers r1 to r5 */
	BW_OP_LD_IND,	/* r0 = packet bytes at src + imm */
	BW_OP_LOAD,	/* dst = .width bytes at src + off, sign extended when .sign_extend */
	BW_OP_STORE,	/* .width bytes at dst + off = src or imm */

	/* .width bytes at dst + off; .fetch: src (cmpxchg: r0) gets the old value */
	BW_OP_ATOMIC_ADD,
	BW_OP_ATOMIC_AND,
	BW_OP_ATOMIC_OR,
	BW_OP_ATOMIC_XOR,
	BW_OP_ATOMIC_XCHG,
	BW_OP_ATOMIC_CMPXCHG,
	BW_OP_LOAD_ACQUIRE,  /* like LOAD: dst = bytes at SRC + off */
	BW_OP_STORE_RELEASE, /* like STORE: bytes at dst + off = src */

	BW_OP_JA, /* goto and gotol */
	/* conditional jumps: dst COND (src or imm), compared over .width bytes */
	BW_OP_JEQ,
	BW_OP_JNE,
	BW_OP_JSET,
	BW_OP_JGT,
	BW_OP_JGE,
	BW_OP_JLT,
	BW_OP_JLE,
	BW_OP_JSGT,
	BW_OP_JSGE,
	BW_OP_JSLT,
	BW_OP_JSLE,
	BW_OP_MAY_GOTO, /* a two-way branch without operands */
	BW_OP_GOTOX,	/* jump to the address in dst, through a jump table */

	BW_OP_CALL,	  /* helper .imm; in an object a relocation may make it a subprogram or kfunc call */
	BW_OP_CALL_LOCAL, /* subprogram at .jump */
	BW_OP_CALL_KFUNC, /* kfunc: BTF id in .imm, index of its module's BTF in .off (already relocated code) */
	BW_OP_CALL_REG,	  /* callx: address in .target_reg */
	BW_OP_EXIT,
	BW_OP_NOSPEC, /* xlated only: speculation barrier */
	BW_OP_COUNT_,
};

/* What the source register field of ld_imm64 says the immediate is (BPF_PSEUDO_* of linux/bpf.h). */
enum bw_pseudo {
	BW_PSEUDO_CONST = 0,
	BW_PSEUDO_MAP_FD = 1,
	BW_PSEUDO_MAP_VALUE = 2,
	BW_PSEUDO_BTF_ID = 3,
	BW_PSEUDO_FUNC = 4,
	BW_PSEUDO_MAP_IDX = 5,
	BW_PSEUDO_MAP_IDX_VALUE = 6,
};

/* A decoded instruction: everything an analysis asks, so that nobody else looks at opcode bits. */
struct bw_decoded {
	enum bw_op op;
	uint8_t slots;	     /* 1; 2 for ld_imm64 */
	uint8_t width;	     /* operand or access size in bytes: 1, 2, 4, 8; 0 where there is none */
	uint8_t from;	     /* MOVSX: bytes taken from the source */
	uint8_t dst, src;    /* the register fields, as encoded */
	uint8_t target_reg;  /* CALL_REG, GOTOX */
	uint8_t pseudo;	     /* LD_IMM64: enum bw_pseudo */
	bool use_imm;	     /* the second operand is .imm, not src (arithmetic, jumps, stores) */
	bool sign_extend;    /* LOAD */
	bool long_jump;	     /* JA: gotol, the 32-bit form */
	bool fetch;	     /* ATOMIC_*: a register receives the old value */
	uint16_t reads;	     /* bit n: register n is an input (calls: r1 to r5; exit: r0) */
	uint16_t writes;     /* bit n: register n is changed (calls: r0 to r5) */
	int16_t off;	     /* displacement of a memory access */
	int32_t imm;	     /* sign extends to the operand size */
	int32_t jump;	     /* JA, J*, MAY_GOTO, CALL_LOCAL: slots from the end of this one-slot instruction */
	uint64_t imm64;	     /* LD_IMM64: both halves; else imm sign extended to 64 bits */
};

enum bw_insn_mode {
	BW_INSN_OBJECT = 0, /* as in an ELF file or given to BPF_PROG_LOAD */
	BW_INSN_XLATED = 1, /* as read back from the kernel: also r11, per-CPU moves, nospec */
};

/* Unpacks the 8 bytes at @p. */
struct bw_insn bw_insn_unpack(const uint8_t *p, bool big_endian);
/* Unpacks @n instructions; @ret has room for them. */
void bw_insns_unpack(const uint8_t *p, size_t n, bool big_endian, struct bw_insn *ret);

/*
 * Decodes insns[at] (of @n). Returns 0, or -EINVAL with *ret_why (static text, may be NULL) when the encoding is not
 * known. Jump targets are not checked here: see bw_insn_target().
 */
int bw_insn_decode(const struct bw_insn *insns, size_t n, size_t at, enum bw_insn_mode mode, struct bw_decoded *ret,
		   const char **ret_why);

static inline bool bw_op_is_alu(enum bw_op op)
{
	return op <= BW_OP_MOV_PERCPU;
}

static inline bool bw_op_is_atomic(enum bw_op op)
{
	return op >= BW_OP_ATOMIC_ADD && op <= BW_OP_STORE_RELEASE;
}

/* Reads memory through a register (src, or dst for read-modify-write atomics). */
static inline bool bw_op_is_mem_read(enum bw_op op)
{
	return op == BW_OP_LOAD || (op >= BW_OP_ATOMIC_ADD && op <= BW_OP_LOAD_ACQUIRE);
}

/* Writes memory through dst. */
static inline bool bw_op_is_mem_write(enum bw_op op)
{
	return op == BW_OP_STORE || op == BW_OP_STORE_RELEASE || (op >= BW_OP_ATOMIC_ADD && op <= BW_OP_ATOMIC_CMPXCHG);
}

static inline bool bw_op_is_cond_jump(enum bw_op op)
{
	return op >= BW_OP_JEQ && op <= BW_OP_JSLE;
}

/* Any instruction with a .jump inside the function: goto, conditional jumps, may_goto. */
static inline bool bw_op_is_jump(enum bw_op op)
{
	return op >= BW_OP_JA && op <= BW_OP_MAY_GOTO;
}

static inline bool bw_op_is_call(enum bw_op op)
{
	return op >= BW_OP_CALL && op <= BW_OP_CALL_REG;
}

/* Control does not reach the next instruction. */
static inline bool bw_op_ends_block(enum bw_op op)
{
	return op == BW_OP_JA || op == BW_OP_GOTOX || op == BW_OP_EXIT;
}

/* The first slot of ld_imm64 (the only two-slot instruction). */
static inline bool bw_insn_is_ld_imm64(const struct bw_insn *insn)
{
	return insn->code == 0x18;
}

/* The index that a jump or local call at @at goes to; -1 when that is not inside [0, @n). */
static inline int64_t bw_insn_target(const struct bw_decoded *d, size_t at, size_t n)
{
	int64_t t = (int64_t)at + 1 + d->jump;

	return t < 0 || t >= (int64_t)n ? -1 : t;
}

/* Appends the instruction in llvm-objdump's syntax ("r1 = *(u32 *)(r2 + 0x4)"). */
void bw_insn_text(const struct bw_decoded *d, struct bw_buf *out);
/* "add", "load", "call": the operation's name in reports and tests. */
const char *bw_op_name(enum bw_op op);

#endif
