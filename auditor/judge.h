/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_JUDGE_H
#define BW_JUDGE_H
/*
 * What the kernel would say to a load under a compiled policy. There is one implementation of that decision,
 * bpf/verdict.bpf.h: judge.c compiles that very file for the host and answers its map lookups from the policy's image.
 */
#include <stdint.h>

#include "common/policy_compile.h"

/* Whether the program is one that can do nothing. Who judges an event sees only part of what that takes. */
enum bw_judge_inert {
	BW_JUDGE_INERT_NO,
	BW_JUDGE_INERT_YES,
	BW_JUDGE_INERT_UNKNOWN,
};

/*
 * Judges @load, a record whose actor, types, identity, digest, tag, insn_cnt, helpers, kfuncs and load_flags are filled in,
 * under @image. @cgroup is the path of the loader's cgroup, NULL where it is not known: then it is in none that is named. Sets verdict, reason, rule and entry (~0 for none) and the INERT flag. With INERT_UNKNOWN it is judged as
 * if it were not; *ret_maybe (may be NULL) says whether it would be allowed if it were. Safe to call from several threads.
 */
void bw_judge_load(const struct bw_policy_image *image, enum bw_judge_inert inert, struct bw_event_load *load, const char *cgroup,
		   int *ret_maybe);

#endif
