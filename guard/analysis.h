/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_ANALYSIS_H
#define BW_GUARD_ANALYSIS_H
/*
 * What the guard does with analyses of programs (quarantine.h): in mode protect they decide; where the policy wants programs
 * analysed, what is let in labels its maps, and a way from one program into packets by another is an event.
 */
#include "guard/alert.h"
#include "guard/enforce.h"
#include "guard/quarantine.h"

struct analysis_conf {
	struct loop *loop;
	const struct loader *loader;
	struct enforce *enforce;
	bool possible; /* the kernel has the load hook, and programs are attached to it */
	enum bw_mode mode;
	uid_t uid; /* of the analysts */
	gid_t gid;
	/* An event of the guard's own. */
	void (*say)(void *arg, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *message);
	void (*result)(void *arg, const struct quarantine_result *r);
	void *arg;
};

struct analysis {
	struct analysis_conf conf;
	struct quarantine *quarantine; /* NULL: nothing is analysed */
	struct bw_policy_protect protect; /* of the policy in force */
	bool missed; /* it is not possible: said */
	bool label_failed; /* the last one, and that was said */
};

/* Starts it when the mode or the policy in force wants it and it has not started; zeros in @a before the first time. -errno with @why. */
int analysis_start(struct analysis *a, const struct analysis_conf *conf, char *why, size_t why_len);
/* Again, for another policy. Says what goes wrong. */
void analysis_policy(struct analysis *a);
void analysis_close(struct analysis *a);

#endif
