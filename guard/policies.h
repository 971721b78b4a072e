/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_POLICIES_H
#define BW_GUARD_POLICIES_H
/*
 * Where the guard's policy comes from, and which one may follow which: a file, read at the start and when told to, or when it changes; or
 * a URL. Signatures, expiry and order are checked each time (guard/policy_load.h); one that is refused changes nothing but that it
 * is said. The one that was accepted last is kept (guard/policy_keep.h). In the parent: all of it is bytes here.
 */
#include "guard/alert.h"
#include "guard/config.h"
#include "guard/loop.h"
#include "guard/policy_load.h"

struct policies;

struct policies_ops {
	const struct btf *(*btf)(void *arg);
	/* Puts it in force. Negative errno, one line in @why, and nothing has changed. */
	int (*install)(void *arg, const struct policy_loaded *l, const char *name, char *why, size_t why_len);
	/* A new one is in force, not at the start. */
	void (*swapped)(void *arg);
	void (*say)(void *arg, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *text);
	void *arg;
};

/* @config and @ops must outlive the result. Negative errno, one line in @why. */
int policies_open(const struct config *config, const struct policies_ops *ops, struct policies **ret, char *why, size_t why_len);
void policies_close(struct policies *p); /* NULL is fine */

/* Is there one that could be put in force? So that a mistake is said before anything else is done. */
int policies_check(struct policies *p, char *why, size_t why_len);
/* Puts it in force. One that was accepted before stands in for one that is refused. */
int policies_start(struct policies *p, char *why, size_t why_len);
/* Its file, or its URL. */
const char *policies_path(const struct policies *p);
/* From now on changes are noticed, if the settings say so. */
int policies_watch(struct policies *p, struct loop *l, char *why, size_t why_len);
/* Reads it again, or has it fetched. */
void policies_reload(struct policies *p);
/* Some times a second. */
void policies_tick(struct policies *p);

#endif
