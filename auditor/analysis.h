/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ANALYSIS_H
#define BW_ANALYSIS_H
/*
 * The auditor as a library: give it an object, get typed data flows and facts back. Pure: no I/O, no clock, no logging,
 * no global state; safe to call from several threads on several objects.
 */
#include <stddef.h>
#include <stdint.h>

#include "auditor/flow.h"
#include "common/cleanup.h"

struct bw_object;

/* Budgets; 0 means the default. Running out of one is an unanalysed fact of the program, never an error. */
struct bw_analysis_limits {
	uint64_t max_steps;	/* instructions interpreted per program and round; default BW_ANALYSIS_STEPS */
	uint32_t max_inline;	/* instructions in one program with all calls inlined; default BW_ANALYSIS_INLINE */
	uint32_t max_rounds;	/* of the fixpoint over maps; default BW_ANALYSIS_ROUNDS */
	size_t max_memory;	/* bytes; default BW_ANALYSIS_MEMORY */
};
#define BW_ANALYSIS_STEPS 4000000u
#define BW_ANALYSIS_INLINE 2000000u
#define BW_ANALYSIS_ROUNDS 32u
#define BW_ANALYSIS_MEMORY ((size_t)64 << 20)

/*
 * Analyses every entry program of @o. @limits may be NULL. Returns 0 and *ret (freed with bw_analysis_free(); @o must
 * outlive it), or -ENOMEM. What could not be analysed is in the result, never an error.
 */
int bw_analyse(const struct bw_object *o, const struct bw_analysis_limits *limits, struct bw_analysis **ret);
void bw_analysis_free(struct bw_analysis *a);

static inline void bw_analysis_freep(struct bw_analysis **a)
{
	bw_analysis_free(*a);
}
#define _cleanup_analysis_ BW_CLEANUP(bw_analysis_freep)

#endif
