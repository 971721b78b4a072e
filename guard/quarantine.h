/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_QUARANTINE_H
#define BW_GUARD_QUARANTINE_H
/*
 * Mode protect, the guard's side: takes the questions of bpf/hold.bpf.h, has them analysed by processes without privileges
 * (analyst.h), applies the policy to the findings, and puts the answer where the waiting hook looks.
 *
 *   bw_hold_ring -> question -> job (with the programs that share its maps) -> analyst -> findings -> policy -> bw_hold_answers
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/event.h"
#include "common/policy.h"
#include "guard/analyst.h"

struct loop;
struct quarantine;

#define QUARANTINE_ANALYSTS 2u
#define QUARANTINE_QUESTIONS 512u	/* open at a time */
#define QUARANTINE_PROGRAMS 1024u	/* remembered, for what shares maps with them */
#define QUARANTINE_BYTES (64u << 20)	/* of their instructions and maps' values */
#define QUARANTINE_RESULTS 512u		/* of analyses, kept for equal jobs; and by who explains events */
#define QUARANTINE_ANALYSIS_MS 3000u	/* an analyst that takes longer is killed */
#define QUARANTINE_QUESTION_MS 20000u	/* what was not put in full by then never will be */

/* What became of a question. Strings are terminated, and untrusted. */
struct quarantine_result {
	uint64_t nonce;
	enum bw_verdict verdict;
	enum analyst_status status;
	char reason[128]; /* why it is not complete; "" otherwise */
	uint64_t analysis_ns;
	uint32_t n_programs; /* analysed together, this one included */
	uint32_t n_findings;
	bool repeated; /* an equal job was analysed before */
	bool decided;  /* .finding is what the policy refuses; else it is just the most severe one */
	bool has_finding;
	struct analyst_finding finding;
	/* It feeds packets with what another program takes: classes as bits of the auditor's; 0: no. The map by its id, 0: not known. */
	uint32_t packet_sources, packet_map;
	char packet_from[32], packet_to[32];
	uint32_t tgid; /* of the loader */
	bool refused;  /* the load was, upon this */
};

struct quarantine_conf {
	struct loop *loop;
	int ring, answers, guard; /* maps: bw_hold_ring, bw_hold_answers, bw_hold_guards; stay the caller's */
	const struct btf *btf;	   /* the kernel's, borrowed */
	bool urgent;		   /* somebody waits for the answers, on a CPU of his own */
	uid_t uid;		   /* of the analysts */
	gid_t gid;
	/* What the policy in force says; borrowed until the next call. */
	const struct bw_policy_protect *(*policy)(void *arg);
	/* What became of a question, after it was answered. */
	void (*result)(void *arg, const struct quarantine_result *r);
	/* Such data flows into the map, says the analysis of a program that was let in. Untrusted: a known class, any id. */
	void (*label)(void *arg, uint32_t map_id, uint32_t sources);
	/* Something went wrong with an analyst; one line. */
	void (*problem)(void *arg, const char *what);
	void *arg;
};

struct quarantine_stats {
	uint64_t questions, answers, analyses, repeated, refused, incomplete, dropped, failures, labels;
	uint64_t analysis_ns_max;
	uint32_t open, programs, analysts;
};

/* Starts the analysts, and listens. -errno, nothing left behind. */
int quarantine_open(const struct quarantine_conf *conf, struct quarantine **ret);
void quarantine_close(struct quarantine *q);
/* Several times a second: tells the kernel side that somebody is there, looks after the analysts. */
void quarantine_tick(struct quarantine *q);
void quarantine_stats(const struct quarantine *q, struct quarantine_stats *ret);

#endif
