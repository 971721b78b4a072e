/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_REQUESTS_H
#define BW_GUARD_REQUESTS_H
/*
 * All that the guard and its worker ever say to each other (docs/privileges.md). What the worker may ask changes nothing: a worker in
 * other hands learns counters and names of cgroups by it. Anything else, and anything malformed, ends it.
 */
#include "bpf/event.h"
#include "common/slice.h"
#include "guard/alert.h"
#include "guard/policy_pack.h"
#include "guard/privsep.h"
#include "guard/quarantine.h"

/* From the worker; each but READY is answered by a message of the same type. */
enum request {
	REQUEST_READY = 1, /* set up: store open, serving what comes */
	REQUEST_STATUS,	   /* -> struct answer_status */
	REQUEST_API,	   /* -> the state of the API part, a JSON object */
	REQUEST_CGROUP,	   /* uint64_t id -> path, without a NUL; empty when there is none */
	REQUEST_COUNT
};

/* To the worker; not answered. */
enum note {
	NOTE_SAY = 1, /* an event of the guard's own: say_pack() */
	NOTE_POLICY,  /* struct note_policy, path of the file; descriptor: policy_names_pack() */
	NOTE_OUTPUT,  /* descriptor: lines_target() */
	NOTE_NOISE,   /* descriptor: the member "noise" of guard.json; nothing in it: there is none */
	NOTE_RESUME,  /* struct note_resume: somebody else read the rings before */
	NOTE_RESULT,  /* struct quarantine_result */
	NOTE_GO,      /* begin to read the rings and to serve the control socket */
	NOTE_DRAIN,   /* read what is in the rings */
	NOTE_STOP,    /* end in order */
	NOTE_COUNT
};

struct answer_status {
	struct bw_stats stats;
	uint64_t hook_skipped;
	uint8_t stats_known, hooks_dead, canary_failed, quarantine_known, pad[4];
	struct quarantine_stats quarantine;
};

#define ANSWER_CGROUP_MAX 512 /* bytes of a path */

struct note_policy {
	uint64_t generation;
	uint32_t mode; /* enum bw_mode */
	uint32_t pad;
	struct policy_release release;
};

struct note_resume {
	struct bw_stats stats; /* when the guard started */
	uint8_t adopted;       /* the programs of an earlier guard; else a worker has died */
	uint8_t pad[7];
};

static const struct privsep_form request_forms[REQUEST_COUNT] = {
	[REQUEST_READY] = { "ready", 0, 0, false },
	[REQUEST_STATUS] = { "status", 0, 0, false },
	[REQUEST_API] = { "api", 0, 0, false },
	[REQUEST_CGROUP] = { "cgroup", sizeof(uint64_t), sizeof(uint64_t), false },
};

static const struct privsep_form answer_forms[REQUEST_COUNT] = {
	[REQUEST_STATUS] = { "status", sizeof(struct answer_status), sizeof(struct answer_status), false },
	[REQUEST_API] = { "api", 2, PRIVSEP_MAX_MESSAGE, false },
	[REQUEST_CGROUP] = { "cgroup", 0, ANSWER_CGROUP_MAX, false },
};

static const struct privsep_form note_forms[NOTE_COUNT] = {
	[NOTE_SAY] = { "say", 1, PRIVSEP_MAX_MESSAGE, false },
	[NOTE_POLICY] = { "policy", sizeof(struct note_policy), PRIVSEP_MAX_MESSAGE, true },
	[NOTE_OUTPUT] = { "output", 0, 0, true },
	[NOTE_NOISE] = { "noise", 0, 0, true },
	[NOTE_RESUME] = { "resume", sizeof(struct note_resume), sizeof(struct note_resume), false },
	[NOTE_RESULT] = { "result", sizeof(struct quarantine_result), sizeof(struct quarantine_result), false },
	[NOTE_GO] = { "go", 0, 0, false },
	[NOTE_DRAIN] = { "drain", 0, 0, false },
	[NOTE_STOP] = { "stop", 0, 0, false },
};

#define SAY_MAX_KV 16

/* An event of the guard's own, on its way to the worker. */
struct say {
	int64_t time_ns;
	enum alert_severity severity;
	const char *event, *message;
	struct alert_kv kv[SAY_MAX_KV + 1];
};

/* Appends to @out; at most SAY_MAX_KV members of @kv. */
void say_pack(const struct say *s, const struct alert_kv *kv, struct bw_buf *out);
/* Strings point into @in. 0 or -EBADMSG. */
int say_unpack(struct bw_slice in, struct say *ret);

#endif
