/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_ANALYST_H
#define BW_GUARD_ANALYST_H
/*
 * The process without privileges that analyses what loaders give to the kernel. A job is a memory file with programs in it, the
 * answer one message with the findings. The guard treats every byte of an answer as untrusted.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"
#include "guard/privsep.h"

struct btf;

#define ANALYST_MAX_JOB (32u << 20)
#define ANALYST_MAX_FINDINGS 32u /* of one answer; the most severe ones */
#define ANALYST_STEPS 400000u	 /* instructions interpreted per program and round */
#define ANALYST_MEMORY ((size_t)256 << 20)

/* A job: this, then n_programs times struct analyst_program with what belongs to it. */
struct analyst_job {
	uint32_t n_programs;
	uint32_t pad;
};

/* Followed by n_insns instructions, and n_maps times struct analyst_map with its data. */
struct analyst_program {
	uint32_t prog_type, attach_type, prog_flags, attach_btf_id; /* the latter 0 when it is not of the kernel's BTF */
	uint32_t n_insns, n_maps;
	char name[16];
};

struct analyst_map {
	uint32_t id; /* what the instructions refer to, as the descriptor; and the same for all programs of the job */
	uint32_t type, key_size, value_size, max_entries, flags;
	uint32_t data_len;
	uint32_t pad;
	char name[16];
};

struct analyst_finding {
	uint32_t severity, kind; /* enum bw_severity, enum bw_finding_kind */
	char rule[24], source[32], channel[32], program[64];
	char title[128];
};

#define ANALYST_MAX_LABELS 64u

/* What flows into maps, and from program to program into packets. Maps by their numbers in the job; classes as bits of the auditor's. */
struct analyst_flows {
	struct analyst_label {
		uint32_t map, sources;
	} labels[ANALYST_MAX_LABELS];
	uint32_t n_labels;
	uint32_t packet_sources; /* 0: nothing; then the rest says nothing either */
	uint32_t packet_map;	 /* 0: not known */
	uint32_t pad;
	char packet_from[32], packet_to[32];
};

enum analyst_status {
	ANALYST_OK,
	ANALYST_INCOMPLETE,
	ANALYST_FAILED, /* errno in .error */
	ANALYST_STATUSES
};

struct analyst_answer {
	uint32_t status; /* enum analyst_status */
	uint32_t error;
	uint32_t n_findings; /* in all; at most ANALYST_MAX_FINDINGS follow */
	uint32_t n;
	char reason[128]; /* why it is not complete */
	struct analyst_finding findings[ANALYST_MAX_FINDINGS];
	struct analyst_flows flows;
};

/* Sends @job (bytes as above). -EAGAIN when the channel is full, -E2BIG, -errno of memfd_create(2). */
int analyst_send(const struct privsep_worker *w, const struct bw_buf *job);
/* Receives an answer and checks it. As privsep_recv(), without waiting; -EBADMSG: the process is to be killed. */
int analyst_receive(const struct privsep_worker *w, struct analyst_answer *ret);

/* Starts one. @btf: the kernel's types, for names; may be NULL. Borrowed until the worker is running. */
struct analyst_config {
	const struct btf *btf;
	uid_t uid;
	gid_t gid;
};
int analyst_start(const struct analyst_config *conf, struct privsep_worker *w);

/* In the worker; here for tests. @job is hostile. Always fills *ret. */
struct bw_analyst;
void analyst_work(const struct bw_analyst *a, const struct btf *btf, struct bw_slice job, struct analyst_answer *ret);

#endif
