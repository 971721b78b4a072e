/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CFG_H
#define BW_CFG_H
/*
 * The control-flow graph of one function. Blocks are numbered in reverse postorder from the entry (block 0), so that a
 * worklist that takes the lowest number first visits blocks in the best order. Calls do not end blocks. Unreachable code
 * has no blocks.
 */
#include "auditor/intern.h"
#include "auditor/object.h"

#define BW_MAX_CFG_PROBLEMS 16u

struct bw_block {
	uint32_t first, last; /* instructions of the code, both inclusive; last is a first slot */
	uint32_t succ, n_succ; /* in .succs. Conditional jumps: [0] is the fall through, [1] the target */
	bool loop_head; /* target of a back edge */
	bool in_loop;	/* between a loop's head and its last back edge, in this order */
};

struct bw_cfg_problem {
	uint32_t insn;
	const char *reason;
};

struct bw_cfg {
	int32_t func;
	uint32_t first, n_insns; /* the function's range in its code */
	struct bw_decoded *insns; /* by insn - first */
	struct bw_block *blocks;
	uint32_t n_blocks;
	uint32_t *succs;
	uint32_t n_succs;
	uint32_t *block_of; /* by insn - first: 1 + the block, 0 unreachable */
	struct bw_cfg_problem problems[BW_MAX_CFG_PROBLEMS];
	uint32_t n_problems;
	size_t budget_used_succs;
};

/* Returns 0, or -ENOMEM (the budget's failed flag is set). What is not understood is in .problems. */
int bw_cfg_build(const struct bw_object *o, int32_t func, struct bw_mem_budget *b, struct bw_cfg **ret);
void bw_cfg_free(struct bw_cfg *c, struct bw_mem_budget *b);

static inline const struct bw_decoded *bw_cfg_insn(const struct bw_cfg *c, uint32_t insn)
{
	return &c->insns[insn - c->first];
}
static inline const uint32_t *bw_block_succs(const struct bw_cfg *c, const struct bw_block *b)
{
	return c->succs ? c->succs + b->succ : NULL;
}

/*
 * The register whose value the function returns once it comes to @block: 0 for a lone exit, another one when the block only
 * copies it into r0 before; -1 when the block does more.
 */
int bw_block_returns(const struct bw_cfg *c, uint32_t block);

#endif
