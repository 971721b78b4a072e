/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SIMULATE_H
#define BW_SIMULATE_H
/*
 * A policy without its host: it is compiled with made-up numbers for executables and BTF names, and loads that are described
 * by names (from the guard's history, or by the author of a test) are judged under it by the kernel's own code (judge.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditor/judge.h"
#include "common/cleanup.h"
#include "common/policy.h"

struct cJSON;
struct bw_sim;

/* A load, by names. Strings are borrowed. */
struct bw_sim_load {
	uint32_t prog_type, attach_type;
	enum bw_identity identity;
	uint8_t digest[BW_DIGEST_LEN];
	uint8_t tag[BW_TAG_LEN];
	uint32_t insn_cnt, load_flags, kfunc_count, tgid, uid;
	uint64_t helpers[BW_HELPER_WORDS];
	const char *loader; /* path of the executable; NULL: unknown */
	const char *cgroup; /* its path; NULL: unknown */
	const char *target; /* name in BTF; NULL: none */
	const char *kfuncs[BW_MAX_KFUNC_IDS];
	uint32_t n_kfuncs;
	enum bw_judge_inert inert;
};

struct bw_sim_answer {
	enum bw_verdict verdict;
	enum bw_reason reason;
	bool maybe; /* denied, but might be let through as a program that can do nothing: what is known does not tell */
	uint32_t index;	 /* approval index (struct bw_policy_origin); ~0 for none */
	char entry[256]; /* ids of the entries that applied or nearly did; "" for none */
	const char *rule; /* id; NULL for none */
};

/* @p must outlive the result. Returns 0, -ENOMEM, -E2BIG. */
int bw_sim_new(const struct bw_policy *p, struct bw_sim **ret);
void bw_sim_free(struct bw_sim *s);
int bw_sim_judge(struct bw_sim *s, const struct bw_sim_load *l, struct bw_sim_answer *ret);
const struct bw_policy_image *bw_sim_image(const struct bw_sim *s);

/*
 * What a stored event (docs/events.md) says of a load; @e must outlive *ret. -ENOENT: it is no load that counts (another
 * kind, a repetition, the guard's own test); -EBADMSG: no event as the guard writes them.
 */
int bw_sim_from_event(const struct cJSON *e, struct bw_sim_load *ret);

const char *bw_sim_reason_name(enum bw_reason r);
/* -ENOENT for another word. */
int bw_sim_reason_id(const char *name);

static inline void bw_sim_freep(struct bw_sim **s)
{
	bw_sim_free(*s);
}
#define _cleanup_sim_ BW_CLEANUP(bw_sim_freep)

#endif
