/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_INSNS_BPF_H
#define BW_INSNS_BPF_H
/*
 * Layer 3: reads a program's instructions eight at a time (one SHA-256 block), normalises them, takes them into the load
 * digest and notes what they call. docs/identity.md has the rule; auditor/identity.c is its twin in user space.
 *
 * An instruction as a little-endian word: opcode 0..7, dst 8..11, src 12..15, off 16..31, imm 32..63.
 */
#include "bpf/emit.bpf.h"

#define INSN_CODE(w) ((u8)(w))
#define INSN_SRC(w) ((u8)((w) >> 12) & 15)
#define INSN_DST(w) ((u8)((w) >> 8) & 15)
#define INSN_OFF(w) ((s16)((w) >> 16))
#define INSN_IMM(w) ((u32)((w) >> 32))
#define INSN_NO_IMM 0x00000000ffffffffULL
#define INSN_NO_IMM_OFF 0x000000000000ffffULL

/* What the instructions do with memory other than by helpers; the stack, addressed by r10 itself, does not count. */
enum insns_memory {
	INSNS_LOAD = 1,	       /* anything is read */
	INSNS_STORE_CONST = 2, /* a constant is written */
	INSNS_STORE = 4,       /* a register is written, or an atomic operation */
};

#define LD_IMM64 0x18 /* BPF_LD | BPF_DW | BPF_IMM */
#define CALL 0x85     /* BPF_JMP | BPF_CALL */

static __always_inline void note_helper(struct bw_scratch *s, u32 id)
{
	if (id < 64 * BW_HELPER_WORDS)
		s->load.helpers[id >> 6 & 3] |= 1ULL << (id & 63);
	else
		s->load.load_flags |= BW_LOAD_HELPERS_UNKNOWN;
}

static __noinline int note_kfunc(struct bw_scratch *s, u32 btf_id, u32 module, u32 slot)
{
	u32 *rules = NULL;
	void *inner;

	if (!s)
		return 0;
	s->load.kfunc_count++;
	if (!module) {
		inner = bpf_map_lookup_elem(&bw_kfuncs, &slot);
		if (inner)
			rules = bpf_map_lookup_elem(inner, &btf_id);
		if (rules)
			s->kfunc_rules |= *rules;
	}
	for (int i = 0; i < BW_MAX_KFUNC_IDS; i++) {
		if (s->load.kfunc_ids[i] == btf_id)
			return 0;
		if (!s->load.kfunc_ids[i]) {
			s->load.kfunc_ids[i] = btf_id;
			return 0;
		}
	}
	s->load.load_flags |= BW_LOAD_KFUNCS_TRUNCATED;
	return 0;
}

static __noinline int note_map_fd(struct bw_scratch *s, u32 fd, u32 by_index)
{
	u32 n;

	if (!s)
		return 0;
	s->load.load_flags |= BW_LOAD_MAPS;
	n = s->n_map_fds++;
	/* An index into fd_array: its descriptors are in user memory, where they cannot be trusted. */
	if (!by_index && n < BW_MAX_MAP_FDS)
		s->map_fds[n & (BW_MAX_MAP_FDS - 1)] = (s32)fd;
	else
		s->load.load_flags |= BW_LOAD_FOREIGN_MAP;
	return 0;
}

static __always_inline void note_memory(struct bw_scratch *s, u64 w)
{
	u8 code = INSN_CODE(w), mode = code & 0xe0;

	switch (code & 7) {
	case BPF_LD:
		if (mode == BPF_ABS || mode == BPF_IND)
			s->memory |= INSNS_LOAD;
		break;
	case BPF_LDX:
		s->memory |= INSNS_LOAD;
		break;
	case BPF_ST:
		if (INSN_DST(w) != 10)
			s->memory |= INSNS_STORE_CONST;
		break;
	case BPF_STX:
		if (INSN_DST(w) != 10)
			s->memory |= INSNS_STORE;
		break;
	}
}

/* Notes what @w does and returns it with the fields zeroed that differ from one load to the next. */
static __always_inline u64 insn_normalise(struct bw_scratch *s, u64 w, u32 slot)
{
	u32 second = s->second;

	if (second) {
		s->second = 0;
		/* src 3, a BTF object: both halves are ids. A value's offset (src 2 and 6) stays. */
		return second == 3 + 1 ? w & INSN_NO_IMM : w;
	}
	if (INSN_CODE(w) == LD_IMM64) {
		u32 src = INSN_SRC(w);

		s->second = src + 1;
		if (src == 0 || src == 4 || src > 6)
			return w;
		if (src != 3)
			note_map_fd(s, INSN_IMM(w), src > 4);
		return w & INSN_NO_IMM;
	}
	note_memory(s, w);
	if (INSN_CODE(w) == CALL) {
		if (INSN_SRC(w) == 0) {
			s->helper_calls++;
			note_helper(s, INSN_IMM(w));
		} else if (INSN_SRC(w) == 1) {
			s->load.load_flags |= BW_LOAD_SUBPROGRAMS;
		} else if (INSN_SRC(w) == 2) {
			note_kfunc(s, INSN_IMM(w), INSN_OFF(w) != 0, slot);
			return w & INSN_NO_IMM_OFF;
		}
	}
	return w;
}

static __always_inline long walk_read(struct bw_scratch *s, void *dst, u32 len, u64 offset)
{
	if (s->walk_user)
		return bpf_probe_read_user(dst, len, (void *)(s->walk_base + offset));
	return bpf_probe_read_kernel(dst, len, (void *)(s->walk_base + offset));
}

/*
 * One block of the walk; the last ones hold the padding of SHA-256. Returns 1 when it cannot be read. A global function: the
 * verifier looks at it once, so that plain loops can call it as often as a program can be long, on every kernel.
 */
__weak __noinline int bw_digest_block(u64 index)
{
	struct bw_scratch *s = scratch_get();
	u64 total, at;
	u32 n = 8;
	u64 *w;

	if (!s)
		return 1;
	total = (u64)s->walk_count * 8;
	at = index * 64;
	w = (u64 *)s->sha.w;
	if (at + 64 > total) {
		/* FIPS 180-4, 5.1.1: a one bit, zeros, the length in bits as 64-bit big endian at the end of a block. */
		__builtin_memset(w, 0, 64);
		n = at < total ? (u32)(total - at) >> 3 : 0;
		n &= 7;
		if (n && walk_read(s, w, n * 8, at)) {
			s->read_failed = 1;
			return 1;
		}
	} else if (walk_read(s, w, 64, at)) {
		s->read_failed = 1;
		return 1;
	}
	if (!index)
		s->first = w[0];
#define ONE(i)                                                                                                       \
	do {                                                                                                         \
		if (n > i)                                                                                           \
			w[i] = insn_normalise(s, w[i], s->walk_slot);                                                 \
	} while (0)
	ONE(0);
	ONE(1);
	ONE(2);
	ONE(3);
	ONE(4);
	ONE(5);
	ONE(6);
	ONE(7);
#undef ONE
	if (n < 8) {
		/* The one bit follows the last byte: in the block where the instructions end. */
		if (at <= total && total < at + 64)
			w[n & 7] = 0x80;
		/* Instructions are whole words, so there is room for the length exactly when its word is free. */
		if (n < 7)
			w[7] = __builtin_bswap64(total * 8);
	}
	for (int i = 0; i < 16; i++)
		s->sha.w[i] = __builtin_bswap32(s->sha.w[i]);
	sha256_block(&s->sha);
	return 0;
}

#define DIGEST_SPAN 256
#define DIGEST_SPANS 512 /* 131,072 blocks: more than a million instructions, the most a program may have, and the padding */

/* Blocks @first to @first + 255, as far as there are any. */
__weak __noinline int bw_digest_span(u64 first)
{
	struct bw_scratch *s = scratch_get();
	u32 blocks;

	if (!s)
		return 1;
	blocks = s->walk_blocks;
	for (u32 i = 0; i < DIGEST_SPAN; i++) {
		if (first + i >= blocks)
			return 0;
		if (bw_digest_block(first + i))
			return 1;
	}
	return 0;
}

/*
 * Fills digest, helpers, kfuncs, map descriptors and the flags about them in s->load from @count instructions at @base.
 * Returns false when not all of it could be read.
 */
static __noinline __attribute__((unused)) bool insns_digest(struct bw_scratch *s, u64 base, u32 count, bool user, u32 slot)
{
	u32 blocks;

	if (!s || !count || count > 1000000)
		return false;
	/* 9 more bytes at least: the one bit and the length. */
	blocks = (u32)(((u64)count * 8 + 9 + 63) / 64);
	s->walk_base = base;
	s->walk_count = count;
	s->walk_blocks = blocks;
	s->walk_user = user;
	s->walk_slot = slot;
	sha256_init(&s->sha);
	for (u32 i = 0; i < DIGEST_SPANS; i++) {
		if (i * DIGEST_SPAN >= blocks)
			break;
		if (bw_digest_span((u64)i * DIGEST_SPAN))
			return false;
	}
	for (int i = 0; i < 8; i++)
		((u32 *)s->load.digest)[i] = __builtin_bswap32(s->sha.h[i]);
	return true;
}

/* Forgets what an earlier walk noted. */
static __always_inline void insns_begin(struct bw_scratch *s)
{
	s->kfunc_rules = 0;
	s->second = 0;
	s->n_map_fds = 0;
	s->read_failed = 0;
	s->helper_calls = 0;
	s->unresolved_calls = 0;
	s->memory = 0;
	s->first = 0;
	s->cgroup.known = 0;
}

#endif
