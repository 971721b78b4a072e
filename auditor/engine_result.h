/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ENGINE_RESULT_H
#define BW_ENGINE_RESULT_H
/* Inside the analysis: from records to the result that callers keep. */
#include "auditor/arena.h"
#include "auditor/engine.h"

struct bw_analysis_private {
	struct bw_arena arena;
};

/* The records of one program and kind, in the order of function and instruction. */
struct bw_rec_ref {
	struct bw_rec_key key;
	const struct bw_rec *rec;
};

struct bw_hop {
	int32_t map, writer, reader;
	uint32_t channels;
};

struct bw_call_site {
	int32_t callee, caller;
	uint32_t insn;
};

/* What lies behind one side of a branch. */
struct bw_reach {
	uint32_t effects;  /* enum bw_effect */
	uint64_t verdicts; /* bit n: the program returns n (0 to 62); bit 63: something else */
	int64_t error;	   /* a negative one among them; 0 none */
};

struct consts;
struct bw_result {
	struct bw_engine *e;
	struct bw_analysis *a;
	struct bw_arena *arena;
	struct bw_rec_ref *refs; /* all records, sorted by kind, program, function, instruction, a, b */
	uint32_t n_refs;
	uint8_t *is_callback; /* per function */
	struct {
		int32_t first, other; /* two programs that put values there, BW_NONE */
	} *writers; /* per map */
	struct bw_hop *hops; /* maps that flows went through */
	uint32_t n_hops, cap_hops;
	struct bw_call_site *sites;
	uint32_t n_sites;
	uint64_t reach_steps; /* of .reach_prog */
	int32_t reach_prog, reach_func;
	struct consts *reach_known; /* of .reach_func, see engine_reach.c */
	bool failed;
};

const struct bw_rec_ref *bw_result_range(const struct bw_result *r, enum bw_rec_kind kind, int32_t prog, uint32_t *ret_n);
const char *bw_result_str(struct bw_result *r, const char *s);
void *bw_result_alloc(struct bw_result *r, size_t n, size_t size);
struct bw_literal bw_result_literal(struct bw_result *r, uint32_t run);
uint32_t bw_result_from(uint32_t from); /* origins, without "constant" where something else is */
void bw_result_flows(struct bw_result *r);
void bw_result_cross(struct bw_result *r);
/* Returns 0 or -ENOMEM. */
int bw_result_call_sites(struct bw_result *r);
/* What can happen from block @side on, when the branch that ends block @branch of @func goes there. */
void bw_result_reach(struct bw_result *r, int32_t prog, int32_t func, uint32_t branch, uint32_t side, struct bw_reach *ret);
bool bw_result_own_error(struct bw_result *r, int32_t prog, int64_t *ret_value);
void bw_result_compares(struct bw_result *r, int32_t prog, struct bw_prog_facts *f);

#endif
