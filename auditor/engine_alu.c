// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Arithmetic, conditional jumps, and the notes taken when tainted data is compared with something.
 */
#include "auditor/engine.h"

#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)
#define U32 ((int64_t)UINT32_MAX)

static uint64_t bswap(uint64_t v, unsigned int width)
{
	return width == 2 ? __builtin_bswap16((uint16_t)v) : width == 4 ? __builtin_bswap32((uint32_t)v) : __builtin_bswap64(v);
}

/* One operation on two known numbers. Division by zero gives what the kernel gives (0, or the dividend for the remainder). */
static uint64_t compute(struct bw_engine *e, const struct bw_decoded *d, uint64_t a, uint64_t b)
{
	bool w32 = d->width == 4;
	uint64_t r;

	if (w32 && d->op <= BW_OP_MOV) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (d->op) {
	case BW_OP_ADD:
		r = a + b;
		break;
	case BW_OP_SUB:
		r = a - b;
		break;
	case BW_OP_MUL:
		r = a * b;
		break;
	case BW_OP_DIV:
		r = b ? a / b : 0;
		break;
	case BW_OP_MOD:
		r = b ? a % b : a;
		break;
	case BW_OP_SDIV:
		if (w32)
			r = !(uint32_t)b ? 0 : (int32_t)b == -1 ? 0 - a : (uint64_t)((int32_t)a / (int32_t)b);
		else
			r = !b ? 0 : (int64_t)b == -1 ? 0 - a : (uint64_t)((int64_t)a / (int64_t)b);
		break;
	case BW_OP_SMOD:
		if (w32)
			r = !(uint32_t)b ? a : (int32_t)b == -1 ? 0 : (uint64_t)((int32_t)a % (int32_t)b);
		else
			r = !b ? a : (int64_t)b == -1 ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
		break;
	case BW_OP_OR:
		r = a | b;
		break;
	case BW_OP_AND:
		r = a & b;
		break;
	case BW_OP_XOR:
		r = a ^ b;
		break;
	case BW_OP_LSH:
		r = a << (b & (w32 ? 31 : 63));
		break;
	case BW_OP_RSH:
		r = a >> (b & (w32 ? 31 : 63));
		break;
	case BW_OP_ARSH:
		r = w32 ? (uint64_t)((int32_t)a >> (b & 31)) : (uint64_t)((int64_t)a >> (b & 63));
		break;
	case BW_OP_NEG:
		r = 0 - a;
		break;
	case BW_OP_MOVSX:
		r = d->from == 1 ? (uint64_t)(int8_t)b : d->from == 2 ? (uint64_t)(int16_t)b : (uint64_t)(int32_t)b;
		break;
	case BW_OP_TO_LE:
	case BW_OP_TO_BE:
		r = (d->op == BW_OP_TO_BE) != e->d.big_endian ? bswap(a, d->width) : a;
		return d->width == 8 ? r : r & ((1ull << 8 * d->width) - 1);
	case BW_OP_BSWAP:
		return bswap(a, d->width);
	default:
		r = b;
		break;
	}
	return w32 ? (uint32_t)r : r;
}

/* Is the interval one of 32-bit unsigned numbers, so that 32-bit and 64-bit operations agree on it? */
static bool is_u32(const struct bw_val *v)
{
	return v->lo >= 0 && v->hi <= U32;
}

static uint64_t ones_above(uint64_t v)
{
	return v ? UINT64_MAX >> __builtin_clzll(v) : 0;
}

/* The interval of a OP b. */
static void interval(const struct bw_decoded *d, const struct bw_val *a, const struct bw_val *b, struct bw_val *r)
{
	bool w32 = d->width == 4 && d->op != BW_OP_TO_BE && d->op != BW_OP_TO_LE && d->op != BW_OP_BSWAP;
	int64_t lo = INT64_MIN, hi = INT64_MAX, t1, t2;
	bool ok = !w32 || (is_u32(a) && is_u32(b));

	switch (d->op) {
	case BW_OP_ADD:
		if (ok && !__builtin_add_overflow(a->lo, b->lo, &t1) && !__builtin_add_overflow(a->hi, b->hi, &t2)) {
			lo = t1;
			hi = t2;
		}
		/* 32-bit additions of small negative constants arrive as large unsigned ones. */
		if (w32 && b->lo == b->hi && is_u32(a) && (int32_t)b->lo < 0 && a->lo + (int32_t)b->lo >= 0) {
			lo = a->lo + (int32_t)b->lo;
			hi = a->hi + (int32_t)b->lo;
		}
		break;
	case BW_OP_SUB:
		if (ok && !__builtin_sub_overflow(a->lo, b->hi, &t1) && !__builtin_sub_overflow(a->hi, b->lo, &t2)) {
			lo = t1;
			hi = t2;
		}
		break;
	case BW_OP_MUL:
		if (ok && a->lo >= 0 && b->lo >= 0 && !__builtin_mul_overflow(a->hi, b->hi, &t2)) {
			lo = a->lo * b->lo;
			hi = t2;
		}
		break;
	case BW_OP_AND:
		if (b->lo == b->hi && b->lo >= 0) {
			lo = 0;
			hi = a->lo >= 0 && a->hi < b->hi ? a->hi : b->hi;
		} else if (a->lo >= 0 && b->lo >= 0) {
			lo = 0;
			hi = a->hi < b->hi ? a->hi : b->hi;
		} else if (a->lo >= 0) {
			lo = 0;
			hi = a->hi;
		} else if (b->lo >= 0) {
			lo = 0;
			hi = b->hi;
		}
		break;
	case BW_OP_OR:
	case BW_OP_XOR:
		if (a->lo >= 0 && b->lo >= 0) {
			lo = d->op == BW_OP_OR ? (a->lo > b->lo ? a->lo : b->lo) : 0;
			hi = (int64_t)(ones_above((uint64_t)a->hi) | ones_above((uint64_t)b->hi));
		}
		break;
	case BW_OP_LSH:
		if (b->lo == b->hi && b->lo >= 0 && b->lo < 63 && a->lo >= 0 && a->hi <= INT64_MAX >> b->lo) {
			lo = a->lo << b->lo;
			hi = a->hi << b->lo;
		}
		break;
	case BW_OP_RSH:
		if (b->lo == b->hi && b->lo > 0 && b->lo < 64) {
			if (a->lo >= 0 && (!w32 || is_u32(a))) {
				lo = a->lo >> b->lo;
				hi = a->hi >> b->lo;
			} else {
				lo = 0;
				hi = (int64_t)((w32 ? (uint64_t)U32 : UINT64_MAX) >> b->lo);
			}
		} else if (a->lo >= 0) {
			lo = 0;
			hi = a->hi;
		}
		break;
	case BW_OP_ARSH:
		if (b->lo == b->hi && b->lo >= 0 && b->lo < 64 && (!w32 || a->hi <= INT32_MAX) && (!w32 || a->lo >= 0)) {
			lo = a->lo >> b->lo;
			hi = a->hi >> b->lo;
		}
		break;
	case BW_OP_DIV:
		if (a->lo >= 0 && b->lo > 0) {
			lo = a->lo / b->hi;
			hi = a->hi / b->lo;
		} else if (a->lo >= 0) {
			lo = 0;
			hi = a->hi;
		}
		break;
	case BW_OP_MOD:
		if (b->lo > 0) {
			lo = 0;
			hi = b->hi - 1;
			if (a->lo >= 0 && a->hi < hi)
				hi = a->hi;
		}
		break;
	case BW_OP_MOVSX: {
		int64_t m = d->from == 1 ? INT8_MAX : d->from == 2 ? INT16_MAX : INT32_MAX;

		if (b->lo >= -m - 1 && b->hi <= m) {
			lo = b->lo;
			hi = b->hi;
		} else {
			lo = -m - 1;
			hi = m;
		}
		break;
	}
	case BW_OP_TO_LE:
	case BW_OP_TO_BE:
	case BW_OP_BSWAP:
		if (d->width < 8) {
			lo = 0;
			hi = (int64_t)((1ull << 8 * d->width) - 1);
		}
		break;
	default:
		break;
	}
	if (w32 && (lo < 0 || hi > U32)) {
		lo = 0;
		hi = U32;
	}
	r->lo = lo;
	r->hi = hi;
}

/* Tags that survive: extensions, and masks that keep every byte that was loaded. */
static uint32_t tag_after(struct bw_engine *e, const struct bw_decoded *d, const struct bw_val *a, const struct bw_val *b)
{
	const struct bw_tag *t = a->tag ? bw_dom_tag(&e->d, a->tag) : NULL;

	if (!t)
		return 0;
	if (t->kind == BW_TAG_ADDR) {
		/* Still an address after adding or aligning. */
		return d->width == 8 && (d->op == BW_OP_ADD || d->op == BW_OP_SUB || d->op == BW_OP_AND || d->op == BW_OP_OR) ?
			       a->tag : 0;
	}
	if (t->kind == BW_TAG_CORE || t->kind == BW_TAG_DYNPTR)
		return 0;
	if (!bw_val_is_const(b))
		return 0;
	if ((d->op == BW_OP_LSH || d->op == BW_OP_RSH || d->op == BW_OP_ARSH) && b->lo == 32)
		return a->tag;
	if (d->op == BW_OP_AND && t->kind == BW_TAG_LOAD) {
		uint64_t all = t->c >= 8 ? UINT64_MAX : (1ull << 8 * t->c) - 1;

		return ((uint64_t)b->lo & all) == all ? a->tag : 0;
	}
	if (d->op == BW_OP_AND && t->kind == BW_TAG_SYSNR && ((uint64_t)b->lo & UINT32_MAX) == UINT32_MAX)
		return a->tag;
	return 0;
}

/* XOR of data with a literal is how compilers compare several words: remembered until the result meets zero. */
static void note_xor(struct bw_engine *e, struct bw_val *r, const struct bw_val *a, const struct bw_val *b)
{
	const struct bw_tag *t = a->tag ? bw_dom_tag(&e->d, a->tag) : NULL;
	struct bw_rec *rec;
	uint8_t bytes[8];
	unsigned int width;

	if (!bw_val_is_literal(b) || !b->lo || b->lo == -1 || b->lo == U32 || !a->taint)
		return;
	width = t && t->kind == BW_TAG_LOAD ? t->c : 8;
	if (width < 2)
		return;
	rec = bw_rec_here(e, BW_REC_COMPARE, 1, 0);
	if (!rec)
		return;
	bw_val_join(&e->d, &rec->val, a, false);
	for (unsigned int i = 0; i < width; i++)
		bytes[i] = (uint8_t)((uint64_t)b->lo >> 8 * (e->d.big_endian ? width - 1 - i : i));
	rec->lit = bw_runs_add(&e->d.strings, bytes, width);
	rec->width = width;
	rec->mask |= 1;
	if (t && t->kind == BW_TAG_LOAD) {
		rec->x = t->b;
		rec->y = t->a;
	}
	r->tag = bw_dom_tag_add(&e->d, BW_TAG_XOR, e->insn, e->func, 0, 0);
}

void bw_alu(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d)
{
	struct bw_val a = s->r[d->dst < 11 ? d->dst : 0], b = d->use_imm ? bw_val_const(d->imm) : s->r[d->src < 11 ? d->src : 0], r;
	uint32_t core;
	bool unary = d->op == BW_OP_NEG || d->op == BW_OP_TO_LE || d->op == BW_OP_TO_BE || d->op == BW_OP_BSWAP;

	if (d->dst >= 11 || (!d->use_imm && d->src >= 11))
		return;
	if (a.kind == BW_VAL_NONE)
		a = bw_val_unknown();
	if (b.kind == BW_VAL_NONE)
		b = bw_val_unknown();
	switch (d->op) {
	case BW_OP_MOV:
		if (d->use_imm) {
			core = bw_core_tag(e);
			r = bw_val_const(d->width == 4 ? (int64_t)(uint32_t)d->imm : d->imm);
			r.tag = core;
			s->r[d->dst] = r;
			return;
		}
		if (d->width == 8 || b.kind == BW_VAL_PTR || (b.lo >= 0 && b.hi <= U32)) {
			/* 32-bit moves of pointers only happen with BPF-to-BPF address games: keep what is known. */
			s->r[d->dst] = b;
			return;
		}
		r = bw_val_scalar(0, U32);
		if (bw_val_is_literal(&b)) {
			r.lo = r.hi = (int64_t)(uint32_t)b.lo;
			r.flags |= b.flags & BW_VAL_SOFT;
		}
		bw_val_absorb(&e->d, &r, &b);
		r.tag = b.tag;
		s->r[d->dst] = r;
		return;
	case BW_OP_ARENA_CAST:
	case BW_OP_MOV_PERCPU:
		s->r[d->dst] = b;
		return;
	default:
		break;
	}
	if (d->width == 8 && d->op == BW_OP_ADD && a.kind == BW_VAL_SCALAR && b.kind == BW_VAL_SCALAR) {
		/* A field's offset is added to what nobody said was a pointer: it is one, to a kernel structure. */
		bool core_b = d->use_imm ? bw_core_tag(e) != 0 : b.tag && bw_dom_tag(&e->d, b.tag)->kind == BW_TAG_CORE;

		if (core_b)
			a = bw_as_pointer(e, &a, 0);
		else if (a.tag && bw_dom_tag(&e->d, a.tag)->kind == BW_TAG_CORE)
			b = bw_as_pointer(e, &b, 0);
	}
	if (!d->use_imm && d->src == d->dst && (d->op == BW_OP_XOR || d->op == BW_OP_SUB)) {
		s->r[d->dst] = bw_val_const(0);
		return;
	}
	if (!unary && bw_val_is_const(&b) && !b.lo && !b.taint && (d->op == BW_OP_AND || d->op == BW_OP_MUL)) {
		s->r[d->dst] = bw_val_const(0);
		return;
	}
	/* Pointers: an offset is added; with anything else only what they may be made of remains. */
	if (d->width == 8 && d->op == BW_OP_ADD && (a.kind == BW_VAL_PTR) != (b.kind == BW_VAL_PTR)) {
		const struct bw_val *off = a.kind == BW_VAL_PTR ? &b : &a;

		r = a.kind == BW_VAL_PTR ? a : b;
		core = d->use_imm ? bw_core_tag(e) : 0;
		if (!core && off->tag && bw_dom_tag(&e->d, off->tag)->kind == BW_TAG_CORE)
			core = off->tag;
		if (off->flags & BW_VAL_SOFT) {
			r.lo = INT64_MIN;
			r.hi = INT64_MAX;
		} else {
			if (__builtin_add_overflow(r.lo, off->lo, &r.lo))
				r.lo = off->lo < 0 ? INT64_MIN : INT64_MAX;
			if (__builtin_add_overflow(r.hi, off->hi, &r.hi))
				r.hi = off->hi < 0 ? INT64_MIN : INT64_MAX;
		}
		if (core)
			r.tag = core;
		r.flags &= (uint8_t)~BW_VAL_NULLABLE;
		s->r[d->dst] = r;
		return;
	}
	if (d->width == 8 && d->op == BW_OP_SUB && a.kind == BW_VAL_PTR && b.kind == BW_VAL_SCALAR) {
		r = a;
		if (b.flags & BW_VAL_SOFT || __builtin_sub_overflow(a.lo, b.hi, &r.lo) || __builtin_sub_overflow(a.hi, b.lo, &r.hi)) {
			r.lo = INT64_MIN;
			r.hi = INT64_MAX;
		}
		s->r[d->dst] = r;
		return;
	}
	if (a.kind == BW_VAL_PTR || b.kind == BW_VAL_PTR) {
		const struct bw_region *g = a.kind == BW_VAL_PTR ? bw_dom_only(&e->d, a.ref) : NULL;

		if (d->width == 8 && (d->op == BW_OP_AND || d->op == BW_OP_OR) && g && g->kind == BW_REGION_EXT &&
		    b.kind == BW_VAL_SCALAR) {
			r = a; /* aligned or untagged, the same memory */
		} else {
			r = bw_val_of_width(d->width);
			if (d->op != BW_OP_SUB || a.kind != b.kind) {
				bw_val_absorb(&e->d, &r, &a);
				bw_val_absorb(&e->d, &r, &b);
			}
			r.flags &= (uint8_t)~BW_VAL_DIRECT;
		}
		s->r[d->dst] = r;
		return;
	}
	r = bw_val_unknown();
	bw_val_absorb(&e->d, &r, &a);
	if (!unary) {
		bw_val_absorb(&e->d, &r, &b);
		/* Where a number came from is not "a constant" because one was added to it. */
		if (r.from != BW_FROM_BIT(BW_FROM_CONSTANT) &&
		    (a.from == BW_FROM_BIT(BW_FROM_CONSTANT) || b.from == BW_FROM_BIT(BW_FROM_CONSTANT)))
			r.from &= (uint16_t)~BW_FROM_BIT(BW_FROM_CONSTANT);
	}
	if (d->op == BW_OP_MUL || d->op == BW_OP_DIV || d->op == BW_OP_MOD || (a.taint && b.taint && d->op == BW_OP_XOR))
		r.flags &= (uint8_t)~BW_VAL_DIRECT;
	if ((a.flags | (unary ? 0 : b.flags)) & BW_VAL_SOFT) {
		if (unary && bw_val_is_literal(&a)) {
			r.lo = r.hi = (int64_t)compute(e, d, (uint64_t)a.lo, 0);
			r.flags |= BW_VAL_SOFT;
		} else if (d->width == 4) {
			r.lo = 0;
			r.hi = U32;
		}
	} else if (bw_val_is_const(&a) && (unary || bw_val_is_const(&b))) {
		r.lo = r.hi = (int64_t)compute(e, d, (uint64_t)a.lo, (uint64_t)b.lo);
	} else if (d->op == BW_OP_MOVSX && bw_val_is_const(&b)) {
		r.lo = r.hi = (int64_t)compute(e, d, 0, (uint64_t)b.lo);
	} else {
		interval(d, &a, &b, &r);
		/* "x << 32 >> 32" is how older instruction sets zero or sign extend: give back the bounds of x. */
		if ((d->op == BW_OP_RSH || d->op == BW_OP_ARSH) && bw_val_is_const(&b) && b.lo == 32 && r.lo >= 0 && r.hi > U32)
			r.hi = U32;
	}
	r.tag = d->op == BW_OP_MOVSX ? (b.tag && bw_dom_tag(&e->d, b.tag)->kind != BW_TAG_CORE ? b.tag : 0) : tag_after(e, d, &a, &b);
	if (d->op == BW_OP_MOVSX) {
		r.taint = 0;
		r.prov = 0;
		r.from = 0;
		r.carry = 0;
		bw_val_absorb(&e->d, &r, &b);
	}
	if (d->op == BW_OP_ADD && !r.tag && b.tag && bw_dom_tag(&e->d, b.tag)->kind == BW_TAG_ADDR && d->width == 8)
		r.tag = b.tag;
	if (d->op == BW_OP_XOR) {
		note_xor(e, &r, &a, &b);
		if (!r.tag)
			note_xor(e, &r, &b, &a);
	}
	if (d->op == BW_OP_OR && a.tag && b.tag && bw_dom_tag(&e->d, a.tag)->kind == BW_TAG_XOR &&
	    bw_dom_tag(&e->d, b.tag)->kind == BW_TAG_XOR)
		r.tag = a.tag;
	s->r[d->dst] = r;
}

/* ---- conditional jumps ------------------------------------------------------------------------------------------------------- */

static enum bw_op negate(enum bw_op op)
{
	switch (op) {
	case BW_OP_JEQ:
		return BW_OP_JNE;
	case BW_OP_JNE:
		return BW_OP_JEQ;
	case BW_OP_JGT:
		return BW_OP_JLE;
	case BW_OP_JGE:
		return BW_OP_JLT;
	case BW_OP_JLT:
		return BW_OP_JGE;
	case BW_OP_JLE:
		return BW_OP_JGT;
	case BW_OP_JSGT:
		return BW_OP_JSLE;
	case BW_OP_JSGE:
		return BW_OP_JSLT;
	case BW_OP_JSLT:
		return BW_OP_JSGE;
	case BW_OP_JSLE:
		return BW_OP_JSGT;
	default:
		return op;
	}
}

/* Narrows @v by "v OP [blo, bhi]"; false: nothing is left. 64 bits, or 32 when the number is one of 32 bits. */
static bool narrow(struct bw_engine *e, struct bw_val *v, enum bw_op op, int64_t blo, int64_t bhi, bool w32)
{
	if (v->kind != BW_VAL_SCALAR)
		return true;
	if (w32 && !is_u32(v)) {
		/* Of a 64-bit number only the lower half is compared. */
		return true;
	}
	if (w32 && op >= BW_OP_JSGT && op <= BW_OP_JSLE && (v->hi > INT32_MAX || blo < 0)) {
		/* Signed 32-bit comparison of a zero-extended number: "not negative" is all that can be used. */
		if ((op == BW_OP_JSGT && blo >= -1 && blo < INT32_MAX) || (op == BW_OP_JSGE && blo >= 0))
			return bw_val_clamp(&e->d, v, op == BW_OP_JSGT ? blo + 1 : blo, INT32_MAX);
		return true;
	}
	switch (op) {
	case BW_OP_JEQ:
		return bw_val_clamp(&e->d, v, blo, bhi);
	case BW_OP_JNE:
		return blo == bhi ? bw_val_exclude(&e->d, v, blo) : true;
	case BW_OP_JGT:
		return v->lo >= 0 && blo >= 0 && blo < INT64_MAX ? bw_val_clamp(&e->d, v, blo + 1, INT64_MAX) : true;
	case BW_OP_JGE:
		return v->lo >= 0 && blo >= 0 ? bw_val_clamp(&e->d, v, blo, INT64_MAX) : true;
	case BW_OP_JLT:
		if (bhi < 0)
			return true;
		return bhi > 0 ? bw_val_clamp(&e->d, v, 0, bhi - 1) : false;
	case BW_OP_JLE:
		return bhi >= 0 ? bw_val_clamp(&e->d, v, 0, bhi) : true;
	case BW_OP_JSGT:
		return blo < INT64_MAX ? bw_val_clamp(&e->d, v, blo + 1, INT64_MAX) : false;
	case BW_OP_JSGE:
		return bw_val_clamp(&e->d, v, blo, INT64_MAX);
	case BW_OP_JSLT:
		return bhi > INT64_MIN ? bw_val_clamp(&e->d, v, INT64_MIN, bhi - 1) : false;
	case BW_OP_JSLE:
		return bw_val_clamp(&e->d, v, INT64_MIN, bhi);
	default:
		return true;
	}
}

static enum bw_op mirrored(enum bw_op op)
{
	switch (op) {
	case BW_OP_JGT:
		return BW_OP_JLT;
	case BW_OP_JGE:
		return BW_OP_JLE;
	case BW_OP_JLT:
		return BW_OP_JGT;
	case BW_OP_JLE:
		return BW_OP_JGE;
	case BW_OP_JSGT:
		return BW_OP_JSLT;
	case BW_OP_JSGE:
		return BW_OP_JSLE;
	case BW_OP_JSLT:
		return BW_OP_JSGT;
	case BW_OP_JSLE:
		return BW_OP_JSGE;
	default:
		return op;
	}
}

/* The same number in other registers has the same bounds; false: nothing is left of one. */
static bool narrow_equals(struct bw_engine *e, struct bw_state *s, unsigned int r, enum bw_op op, int64_t c, bool w32)
{
	unsigned int leader = s->eq[r] & BW_EQ_REG;
	const struct bw_val *v = &s->r[r];

	if (s->eq[r] & BW_EQ_SHIFTED)
		return true;
	if (s->eq[r] & BW_EQ_ZEXT) {
		/* The lower half is below 2^31: the int it is of is that number. */
		if (v->lo < 0 || v->hi > INT32_MAX)
			return true;
		for (unsigned int i = 0; i < 11; i++)
			if (s->eq[i] == leader && s->r[i].kind == BW_VAL_SCALAR && s->r[i].lo >= INT32_MIN &&
			    s->r[i].hi <= INT32_MAX && !bw_val_clamp(&e->d, &s->r[i], v->lo, v->hi))
				return false;
		return true;
	}
	for (unsigned int i = 0; i < 11; i++)
		if (i != r && s->eq[i] == leader && s->r[i].kind == BW_VAL_SCALAR && !narrow(e, &s->r[i], op, c, c, w32))
			return false;
	return true;
}

static bool is_port(const struct bw_engine *e, const struct bw_state *s, const struct bw_tag *t)
{
	const struct bw_region *g = bw_dom_only(&e->d, t->a);
	int64_t off = t->b + (e->at->l3 ? 14 : 0);

	/* IPv4 without options, IPv6, or a variable offset (-1) behind one. */
	return t->c == 2 && ((g && g->kind == BW_REGION_PACKET && (off == 34 || off == 36 || off == 54 || off == 56)) || t->d & 1);
}

/* Compared byte by byte, at a fixed place. */
static bool is_port_low_byte(const struct bw_engine *e, const struct bw_tag *t)
{
	const struct bw_region *g = bw_dom_only(&e->d, t->a);
	int64_t off = t->b + (e->at->l3 ? 14 : 0);

	return t->c == 1 && g && g->kind == BW_REGION_PACKET && (off == 35 || off == 37 || off == 55 || off == 57);
}

/* What equality with a constant tells about the path as a whole. */
static void learn(struct bw_engine *e, struct bw_state *s, const struct bw_val *v, int64_t c, bool equal)
{
	const struct bw_tag *t = v->tag ? bw_dom_tag(&e->d, v->tag) : NULL;

	if (!t || !equal)
		return;
	if (t->kind == BW_TAG_SYSNR)
		s->sysnr = (int32_t)c;
	if (t->kind == BW_TAG_LOAD) {
		const struct bw_region *g = bw_dom_only(&e->d, t->a);
		int64_t off = t->b + (e->at->l3 ? 14 : 0);

		if (t->c == 1 && g && g->kind == BW_REGION_PACKET && (off == 23 || off == 20) && c > 0 && c < 256)
			s->l4 = (uint8_t)c;
		if ((is_port(e, s, t) && (c == 53 || c == 0x3500)) || (is_port_low_byte(e, t) && c == 53)) {
			s->dns = 1;
			bw_count(e, BW_COUNT_DNS);
		}
	}
}

bool bw_branch(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d, bool taken)
{
	enum bw_op op = taken ? d->op : negate(d->op);
	struct bw_val *v = &s->r[d->dst < 11 ? d->dst : 0], b;
	bool w32 = d->width == 4;

	if (d->op == BW_OP_MAY_GOTO || d->dst >= 11)
		return true;
	b = d->use_imm ? bw_val_const(w32 ? (int64_t)(uint32_t)d->imm : d->imm) : s->r[d->src < 11 ? d->src : 0];
	if (w32 && d->use_imm && d->op >= BW_OP_JSGT && d->op <= BW_OP_JSLE)
		b = bw_val_const(d->imm);
	if (d->op == BW_OP_JSET) {
		if (!taken && bw_val_is_const(&b) && v->kind == BW_VAL_SCALAR && is_u32(v) && b.lo > 0 &&
		    ((uint64_t)b.lo & ((uint64_t)b.lo + 1)) == 0 && v->lo == v->hi)
			return !(v->lo & b.lo);
		return true;
	}
	/* NULL checks. */
	if (v->kind == BW_VAL_PTR) {
		if (bw_val_is_const(&b) && !b.lo && (op == BW_OP_JEQ || op == BW_OP_JNE)) {
			if (op == BW_OP_JNE) {
				uint32_t ref = v->ref;

				for (int i = 0; i < 10; i++)
					if (s->r[i].kind == BW_VAL_PTR && s->r[i].ref == ref && s->r[i].lo == v->lo && s->r[i].hi == v->hi)
						s->r[i].flags &= (uint8_t)~BW_VAL_NULLABLE;
				return true;
			}
			if (v->flags & (BW_VAL_NULLABLE | BW_VAL_MIXED)) {
				struct bw_val zero = bw_val_const(0);

				zero.taint = v->taint;
				zero.prov = v->prov;
				*v = zero;
				return true;
			}
			/* Pointers from outside may be NULL without our knowing; our own are not. */
			{
				uint32_t n;
				const uint32_t *set = bw_dom_set(&e->d, v->ref, &n);

				for (uint32_t i = 0; i < n; i++) {
					uint32_t k = bw_dom_region_get(&e->d, set[i])->kind;

					if (k != BW_REGION_STACK && k != BW_REGION_MAPVAL && k != BW_REGION_CTX && k != BW_REGION_RECORD)
						return true;
				}
				return false;
			}
		}
		return true;
	}
	if (v->kind != BW_VAL_SCALAR || b.kind != BW_VAL_SCALAR)
		return true;
	if (bw_val_is_const(&b))
		learn(e, s, v, b.lo, op == BW_OP_JEQ);
	else if (bw_val_is_const(v))
		learn(e, s, &b, v->lo, op == BW_OP_JEQ);
	if (!(b.flags & BW_VAL_SOFT)) {
		if (!(w32 && !is_u32(&b) && !bw_val_is_const(&b)) && !narrow(e, v, op, b.lo, b.hi, w32))
			return false;
		if (bw_val_is_const(&b) && !narrow_equals(e, s, d->dst, op, b.lo, w32))
			return false;
	}
	if (!d->use_imm && d->src < 11 && !(v->flags & BW_VAL_SOFT) && s->r[d->src].kind == BW_VAL_SCALAR && d->src != d->dst) {
		if (!(w32 && !is_u32(v)) && !narrow(e, &s->r[d->src], mirrored(op), v->lo, v->hi, w32))
			return false;
	}
	return true;
}

static bool is_from_map(const struct bw_val *v)
{
	return v->map || v->taint & S(MAP_VALUE);
}

/* Keeps what a comparison says: which data, with which literal. Called once per visit, before the branch is taken. */
void bw_compare_note(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d)
{
	struct bw_val v, b;
	const struct bw_tag *t;
	struct bw_rec *rec;
	uint8_t bytes[8];
	unsigned int width;
	int64_t c;

	if (d->op == BW_OP_MAY_GOTO || d->op == BW_OP_JSET || d->dst >= 11)
		return;
	v = s->r[d->dst];
	b = d->use_imm ? bw_val_const(d->imm) : s->r[d->src < 11 ? d->src : 0];
	/* The data first, what it is compared with second: a literal, or what a map holds. */
	if (!d->use_imm && b.taint && (v.taint == 0 || (is_from_map(&v) && !is_from_map(&b)))) {
		struct bw_val x = v;

		v = b;
		b = x;
	}
	t = v.tag ? bw_dom_tag(&e->d, v.tag) : NULL;
	/* The deferred comparisons: the branch that decides belongs to them. */
	if (t && (t->kind == BW_TAG_XOR || t->kind == BW_TAG_STRCMP) && bw_val_is_const(&b) && !b.lo) {
		rec = bw_rec_at(e, BW_REC_COMPARE, (int32_t)t->b, t->a, 1, 0);
		if (rec && (d->op == BW_OP_JEQ || d->op == BW_OP_JNE)) {
			rec->mask |= 2 | (d->op == BW_OP_JEQ ? 4 : 8);
			rec->width = rec->width ? rec->width : 1;
			rec->len.min = (uint64_t)e->insn + 1; /* the deciding branch */
			rec->len.max = (uint64_t)e->func + 1;
		}
		return;
	}
	if (!(v.taint & ~S(CONSTANT)) || v.kind != BW_VAL_SCALAR || b.kind != BW_VAL_SCALAR)
		return;
	/* Status codes, lengths and NULL checks of pointers are no comparisons with a literal. */
	if (bw_val_is_literal(&b) && (b.lo == 0 || b.lo == -1) && !(t && t->kind == BW_TAG_LOAD))
		return;
	if (!bw_val_is_literal(&b) && !b.map && !(b.taint & S(MAP_VALUE)))
		return;
	rec = bw_rec_here(e, BW_REC_COMPARE, d->op == BW_OP_JEQ || d->op == BW_OP_JNE, 0);
	if (!rec)
		return;
	bw_val_join(&e->d, &rec->val, &v, false);
	if (rec->val2.kind == BW_VAL_NONE)
		rec->val2 = b;
	else
		bw_val_join(&e->d, &rec->val2, &b, false);
	rec->mask |= 2 | (d->op == BW_OP_JEQ ? 4 : d->op == BW_OP_JNE ? 8 : 0);
	rec->len.min = (uint64_t)e->insn + 1;
	rec->len.max = (uint64_t)e->func + 1;
	if (t && t->kind == BW_TAG_LOAD) {
		rec->x = t->b;
		rec->y = t->a;
		rec->header = (uint32_t)(1 + bw_packet_header_off(t));
		rec->mask |= 1;
	}
	if (!bw_val_is_literal(&b))
		return;
	width = t && t->kind == BW_TAG_LOAD ? t->c : d->width;
	if (!width || width > 8)
		width = 8;
	c = b.lo;
	for (unsigned int i = 0; i < width; i++)
		bytes[i] = (uint8_t)((uint64_t)c >> 8 * (e->d.big_endian ? width - 1 - i : i));
	rec->lit = bw_runs_add(&e->d.strings, bytes, width);
	rec->width = width;
}
