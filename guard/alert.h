/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_ALERT_H
#define BW_GUARD_ALERT_H
/*
 * The native event format, version 1: one flat JSON object on one line (docs/events.md, rules/schema/event-v1.schema.json).
 * Pure: the clock, the host and everything looked up by name are parameters.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "guard/decode.h"

#define ALERT_VERSION 1
/* One line, in bytes, without the newline. Larger ones are refused with -E2BIG. */
#define ALERT_MAX_LINE (256u << 10)

/* In rising order; the names are in the format: "debug", "info", "low", "medium", "high", "critical". */
enum alert_severity {
	ALERT_DEBUG,
	ALERT_INFO,
	ALERT_LOW,
	ALERT_MEDIUM,
	ALERT_HIGH,
	ALERT_CRITICAL,
	ALERT_SEVERITIES
};

const char *alert_severity_name(enum alert_severity s);
/* -EINVAL for an unknown name. */
int alert_severity_parse(const char *name, enum alert_severity *ret);

/* What is the same for many events. All strings borrowed; NULL leaves the member out. */
struct alert_context {
	const char *instance; /* of this run of the guard: random, 16 hexadecimal digits; makes uid unique with seq */
	const char *host;
	const char *boot_id;
	const char *tier; /* "enforce", "watch", ... */
	const char *mode; /* "observe", "enforce", "protect" */
	int64_t boot_offset_ns;	 /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint64_t generation;	 /* of the running policy, for guard events */
};

/* What the analysis of a held program says. Untrusted text, borrowed. */
struct alert_analysis {
	const char *status; /* "ok", "incomplete", "failed" */
	const char *reason; /* why it is not ok; NULL otherwise */
	uint64_t analysis_ns;
	uint32_t n_programs, n_findings;
	bool decided; /* the finding is why it was refused; else it is the most severe one */
	const char *rule; /* NULL: no finding */
	const char *severity, *kind, *title, *program;
	const char *source, *channel; /* NULL: not about a flow */
};

/* Which APIs with personal data an event is about (guard/exposed.h). Borrowed; chosen by whoever calls these APIs. */
#define ALERT_MAX_EXPOSED_CLASSES 32u
struct alert_exposure {
	uint32_t n_apis;
	const char *api; /* the one with the most calls: "POST shop.example/checkout" */
	const char *place; /* from where: "file", "kernel", "interface", ... */
	const char *classes[ALERT_MAX_EXPOSED_CLASSES];
	uint32_t n_classes;
};

/* What the caller could find out about one event. All strings borrowed; NULL leaves the member out. */
struct alert_detail {
	uint64_t seq;		  /* the guard's own number of the event, from store_next_seq() */
	const char *policy_entry; /* id of the approval, by index entry of the policy generation */
	const char *policy_rule;  /* id of the deny rule, for BW_REASON_RULE */
	const char *const *attack; /* what ATT&CK techniques that rule names */
	uint32_t n_attack;
	const char *attach_target; /* name behind attach_btf_id */
	const char *cgroup;	  /* path behind cgroup_id */
	const char *kfuncs[BW_MAX_KFUNC_IDS]; /* names behind kfunc_ids, where known */
	uint64_t lost_before;	  /* decode_gaps_note() */
	uint64_t repeat_of;	  /* seq of an event that reported the same (repeat_find()); 0: none. Lowers the severity */
	bool other_namespaces;	  /* of an attachment: the loader is in other PID, mount or user namespaces than the guard */
	bool not_owner;		  /* of an attachment: what is changed was made by another process */
	const struct alert_exposure *exposure; /* NULL: none. Raises the severity */
	const struct alert_analysis *analysis; /* mode protect; NULL: none known */
	const char *map_name;	  /* of an egress: the map that was read, and by which executable */
	const char *reader_exe;
	bool canary;		  /* the guard's own proof of enforcement. Lowers the severity */
	const struct decode_event *event;
};

/* One event ready for the store, the sinks and the followers. Strings live as long as the line's buffer and its sources. */
struct alert {
	uint64_t seq;
	int64_t time_ns; /* CLOCK_REALTIME */
	const char *kind; /* "load", "command", "map", "attach", "access", "egress", "tamper", "guard" */
	enum alert_severity severity;
	const char *action; /* "allowed", "denied", "would-deny", "held"; "" for guard events */
	char rule[64];	    /* "load.default", "guard.policy_refused" */
	char digest[2 * BW_DIGEST_LEN + 1]; /* "" when there is none */
	char prog_name[BW_OBJ_NAME_LEN + 1];
	char comm[BW_COMM_LEN + 1];
	char exe[DECODE_PATH_MAX];
	uint32_t pid; /* process: the tgid */
	const char *line; /* the JSON, without a newline; in the buffer given */
	size_t line_len;
};

/* What an event deserves by itself. */
enum alert_severity alert_event_severity(const struct decode_event *e);

/* Writes @d as a line to @buf (emptied first) and describes it in *ret. Errors: -ENOMEM, -E2BIG; *ret untouched. */
int alert_event(const struct alert_context *c, const struct alert_detail *d, struct bw_buf *buf, struct alert *ret);

/* Members of a guard event. The key must be a lower_case word that the format does not define for something else. */
enum alert_kv_type { ALERT_KV_END, ALERT_KV_STR, ALERT_KV_U64, ALERT_KV_I64, ALERT_KV_BOOL, ALERT_KV_LIST };
struct alert_kv {
	enum alert_kv_type type;
	const char *key;
	const char *str; /* NULL leaves the member out */
	uint64_t u64;
};
#define ALERT_STR(k, v) { .type = ALERT_KV_STR, .key = (k), .str = (v) }
#define ALERT_U64(k, v) { .type = ALERT_KV_U64, .key = (k), .u64 = (v) }
#define ALERT_I64(k, v) { .type = ALERT_KV_I64, .key = (k), .u64 = (uint64_t)(int64_t)(v) }
/* JSON: a list of strings. Only where the event is made (it does not go from process to process). */
#define ALERT_LIST(k, v) { .type = ALERT_KV_LIST, .key = (k), .str = (v) }
#define ALERT_BOOL(k, v) { .type = ALERT_KV_BOOL, .key = (k), .u64 = (v) }

/*
 * An event of the guard itself: @event is "start", "stop", "armed", "disarmed", "policy_swapped", "policy_refused", "loss",
 * "gap", "tier_degraded", "store_failed", "store_recovered", ... (docs/events.md); @message is for people.
 * @kv ends with an ALERT_KV_END member (zeros), or is NULL. @time_ns is CLOCK_REALTIME.
 *	alert_guard_event(&ctx, seq, now, "policy_refused", ALERT_HIGH, "the running policy stays",
 *			  (struct alert_kv[]){ ALERT_STR("file", path), ALERT_U64("line", n), { 0 } }, &buf, &alert);
 * Errors: -EINVAL a key that is taken or not a word; -ENOMEM, -E2BIG.
 */
int alert_guard_event(const struct alert_context *c, uint64_t seq, int64_t time_ns, const char *event,
		      enum alert_severity severity, const char *message, const struct alert_kv *kv, struct bw_buf *buf,
		      struct alert *ret);

#endif
