/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ANALYSIS_H
#define BW_ANALYSIS_H
/*
 * The auditor as a library: give it an object, get typed data flows and facts back. Pure: no I/O, no clock, no logging,
 * no global state; safe to call from several threads on several objects.
 *
 * What the guard uses of it: programs as they are given to BPF_PROG_LOAD, judged by the rules of a scan.
 */
#include <stddef.h>
#include <stdint.h>

#include "auditor/finding.h"
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

/* ---- programs as they are given to the kernel ----------------------------------------------------------------------- */

#define BW_MAX_LOADED_PROGRAMS 256u /* in one analysis */
#define BW_MAX_LOADED_MAPS 4096u    /* different ones, in one analysis */

/* A map that a program refers to. Maps with the same .id are one map: what programs share is found by that. */
struct bw_loaded_map {
	uint32_t ref;  /* the number in the instruction: a descriptor, or with .by_index an index of the fd array */
	bool by_index;
	uint32_t id; /* the kernel's */
	uint32_t type, key_size, value_size, max_entries, flags;
	const char *name;
	const void *data; /* the value of a map with one element, as far as it is known; NULL otherwise */
	uint32_t data_len;
};

/*
 * A program. Targets of kprobes, uprobes and tracepoints are chosen after the load: they are unknown here, and the
 * analysis takes the program for what its type and its name say.
 */
struct bw_loaded_program {
	const char *name;
	uint32_t prog_type, attach_type;
	bool sleepable;
	const char *target; /* what attach_btf_id means: "vfs_read", "bpf_lsm_file_open", "btf_trace_sys_enter"; "" for none */
	const void *insns;  /* struct bpf_insn, in host byte order; untrusted */
	uint32_t n_insns;
	const struct bw_loaded_map *maps;
	uint32_t n_maps;
};

struct bw_loaded {
	const char *name; /* what reports call all of it */
	const struct bw_loaded_program *programs; /* by one loader, or connected by maps */
	uint32_t n_programs;
	/* Name of a BTF id of the kernel: kfuncs and kernel variables. NULL, or a NULL result: unknown. */
	const char *(*btf_name)(void *ctx, uint32_t id);
	void *ctx;
};

/* The rules, ready for use. */
struct bw_analyst;
/* The rules compiled in. -ENOMEM, or -EINVAL with @why. */
int bw_analyst_new(struct bw_analyst **ret, char *why, size_t why_len);
void bw_analyst_free(struct bw_analyst *a);

/* What flows where, beside the findings. */
#define BW_MAX_LABELLED_MAPS 64u
struct bw_loaded_flows {
	/* Maps that user space can read, and the source classes (BW_SRC_BIT()) of the content that programs put into them. */
	struct bw_loaded_label {
		uint32_t id, sources;
	} maps[BW_MAX_LABELLED_MAPS];
	uint32_t n_maps;
	bool more; /* than fit */
	/* What one program took and another one, or a later run, puts into packets: the classes; 0: none. And the first such way. */
	uint32_t packet_sources;
	uint32_t packet_map; /* id of a map that it goes through; 0: not known */
	char packet_from[32], packet_to[32]; /* names of the programs */
};

/*
 * Findings of all programs, in their order, from @arena. Programs that cannot be read at all are findings, too, and the
 * status says so (BW_SCAN_UNREADABLE). @limits and @ret_flows may be NULL. Returns 0, -ENOMEM or -E2BIG.
 */
int bw_analyse_loaded(const struct bw_analyst *a, const struct bw_loaded *in, const struct bw_analysis_limits *limits,
		      struct bw_arena *arena, struct bw_scan_object *ret, struct bw_loaded_flows *ret_flows);

#endif
