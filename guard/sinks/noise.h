/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_NOISE_H
#define BW_NOISE_H
/*
 * Noise control (docs/noise.md): which events the sinks get one by one, and summaries of the rest. Whatever is held back here is in the
 * history all the same, is counted, and comes in a summary. Pure: the clocks are parameters.
 *
 *	event -> suppressed? -> maintenance? -> seen within the window? -> too many of its rule? -> sinks
 *			|             |               |                        |
 *			v             v               v                        v
 *		   a count an hour   facts, at its end      facts, once a window
 *
 * A fact is what an event says but for what differs each time (numbers of processes, times, ids that the kernel counts up).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/event_view.h"

struct cJSON;

#define NOISE_MAX_FACTS 4096u	 /* remembered at once; more are delivered one by one */
#define NOISE_FACT_TEXT 1024u	 /* bytes of one in a summary */
#define NOISE_SUMMARY_FACTS 32u	 /* in one summary, */
#define NOISE_SUMMARY_BYTES (24u << 10) /* and so much: it has to fit a datagram */
#define NOISE_MAX_RULES 128u	 /* of each list in the settings */
#define NOISE_MAX_MATCH 8u
#define NOISE_MAX_BUCKETS 256u
#define NOISE_ID_MAX 32u
#define NOISE_URGENT_S 5	 /* a fact of high severity that nobody got yet waits so long at most */
#define NOISE_COUNT_S 3600	 /* how often suppressions tell their counts */

/* Every pattern must fit a member of the event: "*" stands for any text; of a list, one element. */
struct noise_match {
	struct {
		char key[EVENT_VIEW_MAX_KEY + 1];
		char *pattern;
	} members[NOISE_MAX_MATCH];
	size_t n;
};

/* A suppression, or a maintenance window. */
struct noise_rule {
	char id[NOISE_ID_MAX + 1];
	char *reason;
	unsigned int max_severity; /* enum event_severity; what is more severe is not held back */
	struct noise_match match;
	int64_t from_s, until_s; /* CLOCK_REALTIME, until_s not inclusive */
	unsigned int days;	 /* of a weekly window: bit 0 is Sunday; 0: from_s and until_s are it */
	unsigned int at_minute, minutes; /* UTC */
};

struct noise_limit {
	char *rule; /* pattern */
	uint64_t per_s, burst;
};

struct noise_config {
	bool no_dedup;
	uint64_t window_s; /* 0: NOISE_WINDOW_S */
	struct noise_limit *limits;
	struct noise_rule *maintenance, *suppress;
	size_t n_limits, n_maintenance, n_suppress;
};
#define NOISE_WINDOW_S 60

/* Reads the member "noise" of guard.json, NULL for none. As sinks_config_parse(). */
int noise_config_parse(const struct cJSON *o, struct noise_config *ret, char *field, size_t field_len, bool *at_key, char *reason,
		       size_t reason_len);
/* The same out of its text. -EBADMSG, -EINVAL. */
int noise_config_text(const char *text, size_t len, struct noise_config *ret);
void noise_config_free(struct noise_config *c);

enum noise_verdict {
	NOISE_SEND,
	NOISE_REPEAT,	   /* the same fact was delivered within the window */
	NOISE_LIMITED,	   /* too many of its rule */
	NOISE_MAINTENANCE,
	NOISE_SUPPRESSED,
	NOISE_VERDICTS
};
const char *noise_verdict_name(enum noise_verdict v);

struct noise;

/* @c must outlive it. -ENOMEM. */
int noise_new(const struct noise_config *c, struct noise **ret);
void noise_free(struct noise *n); /* NULL is fine */

/*
 * Judges an event. @boot_s is a clock that nobody sets (seconds, rising), @real_s CLOCK_REALTIME. Events of the guard itself are always
 * to be sent. What is not to be sent has been counted.
 */
enum noise_verdict noise_judge(struct noise *n, const struct event_view *e, int64_t boot_s, int64_t real_s);

/* What is to be told. Strings are borrowed until the next call. */
struct noise_summary {
	const char *event; /* "summary", "suppression_expired" */
	enum noise_verdict cause;
	const char *rule, *kind; /* of the events; NULL: of several */
	const char *id, *reason; /* of the suppression or window; else NULL */
	uint64_t count, facts, first_seq, last_seq;
	unsigned int severity;	 /* the highest of them; of what was held back on purpose: info */
	const char *list;	 /* JSON: a list of strings, a fact each; NULL: none */
};

/* 1: *ret is the next one that is due; 0: none. @all: whatever is not told yet is due. */
int noise_next(struct noise *n, int64_t boot_s, int64_t real_s, bool all, struct noise_summary *ret);

struct noise_stats {
	uint64_t verdicts[NOISE_VERDICTS];
	uint64_t summaries, facts; /* facts: remembered now */
	uint64_t overflows; /* events sent because there was no room to remember a fact */
	uint64_t untold; /* events held back that no summary has told of yet */
};
void noise_stats(const struct noise *n, struct noise_stats *ret);
/* How many the suppression or window with that index has held back. */
uint64_t noise_rule_count(const struct noise *n, bool maintenance, size_t i);
bool noise_window_open(const struct noise_rule *r, int64_t real_s);

#endif
