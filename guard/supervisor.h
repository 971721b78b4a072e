/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_SUPERVISOR_H
#define BW_GUARD_SUPERVISOR_H
/*
 * The life of the core worker, seen from the parent: starts it, answers what it asks, tells it things, starts it again when it has
 * died. What it has to know is kept here for the next one; events of the guard's own wait meanwhile.
 */
#include "common/json.h"
#include "guard/loop.h"
#include "guard/policy_pack.h"
#include "guard/requests.h"

#define SUPERVISOR_MAX_PENDING 64 /* events that wait for a worker */

struct supervisor;

struct supervisor_ops {
	/* Answers; they may be wanted at any time, also from inside supervisor_note() and supervisor_say(). */
	void (*status)(void *arg, struct answer_status *ret);
	void (*api)(void *arg, struct bw_json *j); /* members of the object that is open */
	int (*cgroup)(void *arg, uint64_t id, char *path, size_t len);
	/* It has ended, not by supervisor_stop(); the next one starts in @restart_ns. */
	void (*died)(void *arg, const char *reason, uint64_t restart_ns);
	/* The next one knows all there is to know; @lost events did not fit meanwhile. It begins after this. */
	void (*restarted)(void *arg, uint64_t lost);
	void *arg;
};

/* @job, what it points to, @ops and @l must outlive the supervisor. Negative errno. */
int supervisor_open(struct loop *l, const struct privsep_job *job, const struct supervisor_ops *ops, struct supervisor **ret);
/* Ends the worker, not in order. NULL is fine. */
void supervisor_free(struct supervisor *s);

/* Starts the worker and waits until it is set up. On failure a negative errno and one line in @why. */
int supervisor_start(struct supervisor *s, char *why, size_t why_len);
/* Waits for its end, after NOTE_STOP. Returns false, and how it ended in @how, when that was not in order. */
bool supervisor_stop(struct supervisor *s, char *how, size_t how_len);
/* After SIGCHLD. */
void supervisor_reap(struct supervisor *s);

/* Tells the worker something; @fd stays the caller's. Nobody is told while there is none. */
void supervisor_note(struct supervisor *s, enum note type, const void *data, size_t len, int fd);
/* Hands an event to the worker, this one or the next. */
void supervisor_say(struct supervisor *s, const struct say *say, const struct alert_kv *kv);

/* A policy that is to be explained. */
struct told_policy {
	uint64_t generation; /* 0: none */
	enum bw_mode mode;
	struct policy_release release;
	uint32_t n_programs, n_rules;
	int names; /* memfd */
	char *path;
};

#define TOLD_POLICY_NONE { .names = -1 }

/* Everything but generation and mode. Negative errno. */
int told_policy_make(struct told_policy *ret, const char *path, const struct policy_names *names);
void told_policy_free(struct told_policy *p);
/* Takes @p over, and tells the worker, this one and the next. */
void supervisor_tell_policy(struct supervisor *s, struct told_policy *p);
/* The latest; lives until the next. */
const struct told_policy *supervisor_policy(const struct supervisor *s);

#endif
