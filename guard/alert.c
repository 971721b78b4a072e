// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/alert.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <linux/bpf.h>

#include "common/bpf_names.h"
#include "common/json.h"
#include "common/policy.h"
#include "guard/attach.h"
#include "guard/classic.h"
#include "guard/mapwatch.h"

#define NSEC_PER_SEC 1000000000LL

static const char *const severity_names[] = {
	[ALERT_DEBUG] = "debug",   [ALERT_INFO] = "info", [ALERT_LOW] = "low",
	[ALERT_MEDIUM] = "medium", [ALERT_HIGH] = "high", [ALERT_CRITICAL] = "critical",
};

static const char *const kind_names[] = {
	[BW_EVENT_LOAD] = "load",
	[BW_EVENT_COMMAND] = "command",
	[BW_EVENT_MAP] = "map",
	[BW_EVENT_ATTACH] = "attach",
	[BW_EVENT_TAMPER] = "tamper",
	[BW_EVENT_ACCESS] = "access",
	[BW_EVENT_EGRESS] = "egress",
};

static const char *const hook_names[] = {
	[BW_HOOK_NONE] = "none",	 [BW_HOOK_BPF] = "bpf",	    [BW_HOOK_BPF_PROG_LOAD] = "bpf_prog_load",
	[BW_HOOK_BPF_PROG] = "bpf_prog", [BW_HOOK_BPF_MAP] = "bpf_map", [BW_HOOK_SYS_BPF] = "sys_bpf",
	[BW_HOOK_SYS_EXIT] = "sys_exit",	 [BW_HOOK_BPF_DONE] = "bpf_done", [BW_HOOK_FILE_IOCTL] = "file_ioctl",
	[BW_HOOK_NETLINK_SEND] = "netlink_send", [BW_HOOK_SETSOCKOPT] = "socket_setsockopt",
	[BW_HOOK_FILTER_DONE] = "filter_done",	 [BW_HOOK_FILE_RECEIVE] = "file_receive",
	[BW_HOOK_INODE_UNLINK] = "inode_unlink", [BW_HOOK_INODE_RENAME] = "inode_rename",
	[BW_HOOK_INODE_CREATE] = "inode_create",
	[BW_HOOK_CGROUP_MOVE] = "cgroup_attach_task",
	[BW_HOOK_KERNEL_LOAD] = "kernel_load",
	[BW_HOOK_LOCKED_DOWN] = "locked_down",
	[BW_HOOK_SETTIME] = "settime",
	[BW_HOOK_SB_UMOUNT] = "sb_umount",	 [BW_HOOK_SB_MOUNT] = "sb_mount",
	[BW_HOOK_TASK_KILL] = "task_kill",	 [BW_HOOK_PTRACE] = "ptrace_access_check",
	[BW_HOOK_TASK_LIMIT] = "task_setrlimit",
	[BW_HOOK_MMAP_FILE] = "mmap_file",	 [BW_HOOK_CONNECT] = "socket_connect", [BW_HOOK_SENDMSG] = "socket_sendmsg",
	[BW_HOOK_FILE_OPEN] = "file_open",	 [BW_HOOK_FORK] = "sched_process_fork",
};

static const char *const tamper_names[] = {
	[BW_TAMPER_NONE] = "none",
	[BW_TAMPER_PROG_FD] = "prog_fd",
	[BW_TAMPER_MAP_FD] = "map_fd",
	[BW_TAMPER_LINK_FD] = "link_fd",
	[BW_TAMPER_LINK_CHANGE] = "link_change",
	[BW_TAMPER_PIN_REMOVE] = "pin_remove",
	[BW_TAMPER_PIN_RENAME] = "pin_rename",
	[BW_TAMPER_PIN_CREATE] = "pin_create",
	[BW_TAMPER_UMOUNT] = "umount",
	[BW_TAMPER_MOUNT] = "mount",
	[BW_TAMPER_SIGNAL] = "signal",
	[BW_TAMPER_STOP] = "stop",
	[BW_TAMPER_PTRACE] = "ptrace",
	[BW_TAMPER_LIMIT] = "limit",
	[BW_TAMPER_CLAIM] = "claim",
	[BW_TAMPER_STATE] = "state",
	[BW_TAMPER_PROC] = "proc",
	[BW_TAMPER_CGROUP] = "cgroup",
	[BW_TAMPER_SYSCTL] = "sysctl",
	[BW_TAMPER_FILE] = "file",
	[BW_TAMPER_MOVE] = "move",
	[BW_TAMPER_MODULE] = "module",
	[BW_TAMPER_KERNEL] = "kernel",
	[BW_TAMPER_CLOCK] = "clock",
};

static const char *const action_names[] = {
	[BW_ACTION_ALLOWED] = "allowed",
	[BW_ACTION_DENIED] = "denied",
	[BW_ACTION_WOULD_DENY] = "would-deny",
	[BW_ACTION_HELD] = "held",
};

static const char *const reason_names[] = {
	[BW_REASON_NONE] = "none",
	[BW_REASON_APPROVED] = "approved",
	[BW_REASON_GUARD] = "guard",
	[BW_REASON_INIT] = "init",
	[BW_REASON_INERT] = "inert",
	[BW_REASON_BASELINE] = "baseline",
	[BW_REASON_DEFAULT] = "default",
	[BW_REASON_RULE] = "rule",
	[BW_REASON_LOADER_MISMATCH] = "loader_mismatch",
	[BW_REASON_TARGET_MISMATCH] = "target_mismatch",
	[BW_REASON_LENGTH_MISMATCH] = "length_mismatch",
	[BW_REASON_NO_IDENTITY] = "no_identity",
	[BW_REASON_NO_POLICY] = "no_policy",
	[BW_REASON_NOT_ADMITTED] = "not_admitted",
	[BW_REASON_ANALYSED] = "analysed",
	[BW_REASON_UNANSWERED] = "unanswered",
};

static const char *const hold_names[] = {
	[BW_HOLD_NONE] = "none",	 [BW_HOLD_ANSWERED] = "answered", [BW_HOLD_AGAIN] = "again",	 [BW_HOLD_TIMEOUT] = "timeout",
	[BW_HOLD_NO_GUARD] = "no_guard", [BW_HOLD_ONE_CPU] = "one_cpu",	  [BW_HOLD_NO_ROOM] = "no_room", [BW_HOLD_TOO_LONG] = "too_long",
	[BW_HOLD_SPENT] = "spent",	 [BW_HOLD_NO_HOOK] = "no_hook",
};

static const char *const identity_names[] = {
	[BW_IDENTITY_NONE] = "none",
	[BW_IDENTITY_DIGEST] = "digest",
	[BW_IDENTITY_TAG] = "tag",
	[BW_IDENTITY_DIGEST_USER] = "digest-user-memory",
	[BW_IDENTITY_TAG_DIGEST] = "tag-and-digest",
};

/* By bit of enum bw_load_flag. */
static const char *const load_flag_names[] = {
	"kernel",	   "compat",		   "helpers_unknown",  "inert",	      "subprograms", "maps",
	"insns_truncated", "helpers_from_xlated", "kfuncs_truncated", "foreign_map", "target_elsewhere",
};

_Static_assert(ARRAY_SIZE(hook_names) == BW_HOOK_COUNT, "a name for each hook");
_Static_assert(ARRAY_SIZE(reason_names) == BW_REASON_COUNT, "a name for each reason");
_Static_assert(ARRAY_SIZE(hold_names) == BW_HOLD_COUNT, "a name for each");
_Static_assert(ARRAY_SIZE(kind_names) == BW_EVENT_TYPES, "a name for each kind");
_Static_assert(ARRAY_SIZE(tamper_names) == BW_TAMPER_COUNT, "a name for each attempt");

const char *alert_severity_name(enum alert_severity s)
{
	return (unsigned int)s < ALERT_SEVERITIES ? severity_names[s] : "critical";
}

int alert_severity_parse(const char *name, enum alert_severity *ret)
{
	for (unsigned int i = 0; i < ALERT_SEVERITIES; i++) {
		if (!strcmp(name, severity_names[i])) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static enum alert_severity load_severity(const struct decode_load *l)
{
	if (l->action == BW_ACTION_HELD)
		return ALERT_INFO;
	/* Somebody got in, or was kept out, without having been looked at. */
	if (l->reason == BW_REASON_UNANSWERED)
		return ALERT_HIGH;
	if (l->action != BW_ACTION_ALLOWED)
		/* A rule names what is known to be bad; the rest is merely not approved. */
		return l->reason == BW_REASON_RULE ? ALERT_CRITICAL : ALERT_HIGH;
	switch (l->reason) {
	case BW_REASON_INERT:
	case BW_REASON_GUARD:
		return ALERT_DEBUG;
	case BW_REASON_NO_POLICY:
	case BW_REASON_NO_IDENTITY:
		return ALERT_LOW;
	default:
		return ALERT_INFO;
	}
}

static enum alert_severity tamper_severity(const struct decode_tamper *t)
{
	switch (t->what) {
	case BW_TAMPER_FILE:
	case BW_TAMPER_MODULE:
	case BW_TAMPER_CLOCK:
		return ALERT_MEDIUM;
	case BW_TAMPER_CLAIM:
	case BW_TAMPER_STOP:
		/* What administrators do to end or replace it. */
		return t->action == BW_ACTION_ALLOWED ? ALERT_MEDIUM : ALERT_CRITICAL;
	case BW_TAMPER_PROG_FD:
	case BW_TAMPER_MAP_FD:
	case BW_TAMPER_LINK_FD:
	case BW_TAMPER_LIMIT:
	case BW_TAMPER_MOVE:
	case BW_TAMPER_KERNEL:
		/* So do tools that list everything. */
		return ALERT_HIGH;
	default:
		return ALERT_CRITICAL;
	}
}

enum alert_severity alert_event_severity(const struct decode_event *e)
{
	switch (e->type) {
	case BW_EVENT_LOAD:
		return load_severity(&e->load);
	case BW_EVENT_COMMAND:
		return e->command.action == BW_ACTION_ALLOWED ? ALERT_INFO : ALERT_HIGH;
	case BW_EVENT_ATTACH:
		if (e->attach.action != BW_ACTION_ALLOWED)
			return ALERT_HIGH;
		/* So do tools that list everything; who is not one of them looks for what is hidden from him, or for what to hide. */
		return e->attach.attempts >= ATTACH_ENUMERATION ? ALERT_LOW : ALERT_INFO;
	case BW_EVENT_TAMPER:
		return tamper_severity(&e->tamper);
	case BW_EVENT_ACCESS:
		return mapwatch_access_severity(&e->access, e->actor.tgid, e->actor.start_ns);
	case BW_EVENT_EGRESS:
		return mapwatch_egress_severity(&e->egress);
	default:
		return ALERT_INFO;
	}
}

/* RFC 3339, UTC, nine digits of a second. */
#define TIME_TEXT_LEN 96 /* enough for any int, says the compiler */
static void format_time(int64_t ns, char dst[TIME_TEXT_LEN])
{
	int64_t frac = ns % NSEC_PER_SEC;
	time_t sec = ns / NSEC_PER_SEC;
	struct tm tm;

	if (frac < 0) {
		frac += NSEC_PER_SEC;
		sec--;
	}
	gmtime_r(&sec, &tm);
	snprintf(dst, TIME_TEXT_LEN, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec, (int)frac);
}

static void opt_str(struct bw_json *j, const char *key, const char *value)
{
	if (value)
		bw_json_str(j, key, value);
}

/* What has no name (yet) is its number, as a string: the type of a member never changes. */
static void name_or_number(struct bw_json *j, const char *key, const char *name, uint32_t number)
{
	char text[16];

	if (!name) {
		snprintf(text, sizeof(text), "%" PRIu32, number);
		name = text;
	}
	bw_json_str(j, key, name);
}

static void write_common(struct bw_json *j, const struct alert_context *c, const struct alert *a)
{
	char text[TIME_TEXT_LEN];

	bw_json_u64(j, "v", ALERT_VERSION);
	bw_json_u64(j, "seq", a->seq);
	snprintf(text, sizeof(text), "%.16s-%016" PRIx64, c->instance ? c->instance : "0000000000000000", a->seq);
	bw_json_str(j, "uid", text);
	format_time(a->time_ns, text);
	bw_json_str(j, "time", text);
	opt_str(j, "host", c->host);
	opt_str(j, "boot_id", c->boot_id);
	bw_json_str(j, "kind", a->kind);
	bw_json_str(j, "severity", alert_severity_name(a->severity));
	bw_json_str(j, "rule", a->rule);
	opt_str(j, "mode", c->mode);
	opt_str(j, "tier", c->tier);
}

static void write_actor(struct bw_json *j, const struct alert_detail *d)
{
	const struct decode_actor *a = &d->event->actor;
	char dev[32];

	bw_json_u64(j, "loader_pid", a->pid);
	bw_json_u64(j, "loader_tgid", a->tgid);
	bw_json_u64(j, "loader_ppid", a->ppid);
	bw_json_u64(j, "loader_start_ns", a->start_ns);
	bw_json_u64(j, "loader_uid", a->uid);
	bw_json_u64(j, "loader_gid", a->gid);
	bw_json_str(j, "loader_comm", a->comm);
	if (a->exe[0])
		bw_json_str(j, "loader_exe", a->exe);
	if (a->exe_truncated)
		bw_json_bool(j, "loader_exe_truncated", true);
	if (a->exe_ino) {
		snprintf(dev, sizeof(dev), "%" PRIu32 ":%" PRIu32, a->exe_major, a->exe_minor);
		bw_json_str(j, "loader_exe_dev", dev);
		bw_json_u64(j, "loader_exe_ino", a->exe_ino);
	}
	bw_json_u64(j, "loader_cgroup_id", a->cgroup_id);
	opt_str(j, "loader_cgroup", d->cgroup);
	bw_json_u64(j, "loader_pid_ns", a->pid_ns);
	bw_json_u64(j, "loader_mnt_ns", a->mnt_ns);
	bw_json_u64(j, "loader_user_ns", a->user_ns);
	bw_json_u64(j, "loader_net_ns", a->net_ns);
}

static void write_helpers(struct bw_json *j, const uint64_t *helpers)
{
	bw_json_open(j, "helpers", '[');
	for (unsigned int id = 0; id < 64 * BW_HELPER_WORDS; id++)
		if (helpers[id / 64] >> id % 64 & 1)
			name_or_number(j, NULL, bw_helper_name(id), id);
	bw_json_close(j, ']');
}

static void write_kfuncs(struct bw_json *j, const struct alert_detail *d)
{
	const struct decode_load *l = &d->event->load;

	bw_json_u64(j, "kfunc_count", l->kfunc_count);
	if (!l->n_kfunc_ids)
		return;
	bw_json_open(j, "kfuncs", '[');
	for (unsigned int i = 0; i < l->n_kfunc_ids; i++)
		name_or_number(j, NULL, d->kfuncs[i], l->kfunc_ids[i]);
	bw_json_close(j, ']');
}

static void write_flags(struct bw_json *j, const char *key, uint32_t flags)
{
	bw_json_open(j, key, '[');
	for (unsigned int bit = 0; bit < 32; bit++)
		if (flags >> bit & 1)
			name_or_number(j, NULL, bit < ARRAY_SIZE(load_flag_names) ? load_flag_names[bit] : NULL, bit);
	bw_json_close(j, ']');
}

/*
 * Zero is "cgroup_inet_ingress" for cgroup_skb and "none given" for all other types. Of a struct_ops program it is the
 * index of a member.
 */
static void write_attach_type(struct bw_json *j, const struct decode_load *l)
{
	uint32_t type = l->expected_attach_type;

	if (l->prog_type == BPF_PROG_TYPE_STRUCT_OPS)
		name_or_number(j, "attach_type", NULL, type);
	else if (type || l->prog_type == BPF_PROG_TYPE_CGROUP_SKB)
		name_or_number(j, "attach_type", bw_attach_type_name(type), type);
}

static bool any_set(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return true;
	return false;
}

/* Mode protect: how the program was held, and what the analysis says. */
static void write_hold(struct bw_json *j, const struct alert_detail *d)
{
	const struct decode_load *l = &d->event->load;
	const struct alert_analysis *a = d->analysis;

	if (l->hold == BW_HOLD_NONE)
		return;
	bw_json_str(j, "hold", hold_names[l->hold]);
	if (l->attempt) {
		bw_json_u64(j, "hold_attempt", l->attempt);
		bw_json_u64(j, "hold_wait_ns", l->wait_ns);
	}
	if (!a)
		return;
	bw_json_str(j, "analysis", a->status);
	opt_str(j, "analysis_reason", a->reason);
	bw_json_u64(j, "analysis_ns", a->analysis_ns);
	bw_json_u64(j, "analysis_programs", a->n_programs);
	bw_json_u64(j, "analysis_findings", a->n_findings);
	if (!a->rule)
		return;
	bw_json_bool(j, "finding_decided", a->decided);
	bw_json_str(j, "finding_rule", a->rule);
	bw_json_str(j, "finding_severity", a->severity);
	bw_json_str(j, "finding_kind", a->kind);
	bw_json_str(j, "finding_title", a->title);
	opt_str(j, "finding_source", a->source);
	opt_str(j, "finding_channel", a->channel);
	bw_json_str(j, "finding_program", a->program);
}

static void write_load(struct bw_json *j, const struct alert_detail *d)
{
	const struct decode_load *l = &d->event->load;

	bw_json_str(j, "verdict", l->verdict == BW_VERDICT_DENY ? "deny" : "allow");
	bw_json_str(j, "action", action_names[l->action]);
	bw_json_str(j, "reason", reason_names[l->reason]);
	bw_json_u64(j, "policy_generation", l->generation);
	opt_str(j, "policy_entry", d->policy_entry);
	opt_str(j, "policy_rule", d->policy_rule);
	if (d->n_attack) {
		bw_json_open(j, "attack", '[');
		for (uint32_t i = 0; i < d->n_attack; i++)
			bw_json_str(j, NULL, d->attack[i]);
		bw_json_close(j, ']');
	}

	bw_json_str(j, "prog_name", l->name);
	name_or_number(j, "prog_type", bw_prog_type_name(l->prog_type), l->prog_type);
	write_attach_type(j, l);
	if (l->attach_btf_id)
		bw_json_u64(j, "attach_btf_id", l->attach_btf_id);
	opt_str(j, "attach_target", d->attach_target);
	bw_json_str(j, "identity", identity_names[l->identity]);
	if (l->identity != BW_IDENTITY_NONE && l->identity != BW_IDENTITY_TAG)
		bw_json_hex(j, "digest", l->digest, sizeof(l->digest));
	if (l->identity == BW_IDENTITY_TAG)
		bw_json_hex(j, "tag", l->digest, BW_TAG_LEN);
	else if (any_set(l->tag, sizeof(l->tag)))
		bw_json_hex(j, "tag", l->tag, sizeof(l->tag));
	if (l->prog_id)
		bw_json_u64(j, "prog_id", l->prog_id);
	bw_json_u64(j, "insn_cnt", l->insn_cnt);
	bw_json_u64(j, "prog_flags", l->prog_flags);
	write_flags(j, "load_flags", l->load_flags);
	write_helpers(j, l->helpers);
	write_kfuncs(j, d);
	if (d->event->hook == BW_HOOK_SYS_BPF)
		bw_json_i64(j, "error", l->error);
	bw_json_u64(j, "hook_ns", l->hook_ns);
	write_hold(j, d);
}

static void write_command(struct bw_json *j, const struct alert_detail *d)
{
	const struct decode_command *c = &d->event->command;

	bw_json_str(j, "action", action_names[c->action]);
	bw_json_str(j, "reason", reason_names[c->reason]);
	name_or_number(j, "command", bw_command_name(c->cmd), c->cmd);
	write_flags(j, "command_flags", c->flags);
	bw_json_u64(j, "attr_size", c->size);
	bw_json_hex(j, "attr", c->attr, c->attr_len);
	if (c->prog_id)
		bw_json_u64(j, "prog_id", c->prog_id);
	if (d->event->hook == BW_HOOK_SYS_BPF)
		bw_json_i64(j, "error", c->error);
}

static void write_map(struct bw_json *j, const struct alert_detail *d)
{
	const struct decode_map *m = &d->event->map;

	bw_json_u64(j, "map_id", m->map_id);
	bw_json_str(j, "map_name", m->name);
	name_or_number(j, "map_type", bw_map_type_name(m->map_type), m->map_type);
	bw_json_u64(j, "key_size", m->key_size);
	bw_json_u64(j, "value_size", m->value_size);
	bw_json_u64(j, "max_entries", m->max_entries);
	bw_json_u64(j, "map_flags", m->map_flags);
	if (m->cmd != UINT32_MAX)
		name_or_number(j, "command", bw_command_name(m->cmd), m->cmd);
	bw_json_u64(j, "fmode", m->fmode);
}

static void write_attach(struct bw_json *j, const struct alert_detail *d, const struct attach_view *v,
			 const struct technique *technique)
{
	const struct decode_attach *a = &d->event->attach;

	bw_json_str(j, "action", action_names[a->action]);
	bw_json_str(j, "reason", reason_names[a->reason]);
	bw_json_u64(j, "policy_generation", a->generation);
	opt_str(j, "policy_entry", d->policy_entry);
	opt_str(j, "policy_rule", d->policy_rule);
	attach_write(j, a, v, technique);
}

static void write_egress(struct bw_json *j, const struct alert_detail *d)
{
	bw_json_str(j, "action", action_names[d->event->egress.action]);
	mapwatch_write_egress(j, d->event, d->map_name, d->reader_exe);
}

static void write_tamper(struct bw_json *j, const struct decode_tamper *t)
{
	bw_json_str(j, "action", action_names[t->action]);
	bw_json_str(j, "attempt", tamper_names[t->what]);
	if (t->object)
		bw_json_u64(j, "object_id", t->object);
	if (t->name[0])
		bw_json_str(j, "object_name", t->name);
	if (t->detail)
		bw_json_u64(j, "attempt_detail", t->detail);
	bw_json_u64(j, "attempts", t->count);
}

/* The columns of the store. */
static void describe(struct alert *a, const struct decode_event *e)
{
	enum bw_reason reason = BW_REASON_NONE;

	snprintf(a->comm, sizeof(a->comm), "%s", e->actor.comm);
	snprintf(a->exe, sizeof(a->exe), "%s", e->actor.exe);
	a->pid = e->actor.tgid;
	a->kind = kind_names[e->type];
	a->action = action_names[BW_ACTION_ALLOWED];
	a->severity = alert_event_severity(e);
	if (e->type == BW_EVENT_LOAD) {
		const struct decode_load *l = &e->load;
		size_t n = l->identity == BW_IDENTITY_NONE ? 0 : l->identity == BW_IDENTITY_TAG ? BW_TAG_LEN : BW_DIGEST_LEN;

		for (size_t i = 0; i < n; i++) {
			a->digest[2 * i] = "0123456789abcdef"[l->digest[i] >> 4];
			a->digest[2 * i + 1] = "0123456789abcdef"[l->digest[i] & 15];
		}
		snprintf(a->prog_name, sizeof(a->prog_name), "%s", l->name);
		a->action = action_names[l->action];
		reason = l->reason;
	} else if (e->type == BW_EVENT_COMMAND) {
		a->action = action_names[e->command.action];
		reason = e->command.reason;
	}
	if (e->type == BW_EVENT_TAMPER) {
		a->action = action_names[e->tamper.action];
		snprintf(a->rule, sizeof(a->rule), "tamper.%s", tamper_names[e->tamper.what]);
	} else if (e->type == BW_EVENT_ACCESS) {
		snprintf(a->rule, sizeof(a->rule), "access.%s", mapwatch_op_name(e->access.op));
	} else if (e->type == BW_EVENT_EGRESS) {
		a->action = action_names[e->egress.action];
		snprintf(a->rule, sizeof(a->rule), "egress.%s", mapwatch_kind_name(e->egress.kind));
	} else if (e->type == BW_EVENT_ATTACH) {
		const struct bw_prog_ref *p = &e->attach.prog;

		for (size_t i = 0; p->known && i < BW_DIGEST_LEN; i++) {
			a->digest[2 * i] = "0123456789abcdef"[p->digest[i] >> 4];
			a->digest[2 * i + 1] = "0123456789abcdef"[p->digest[i] & 15];
		}
		snprintf(a->prog_name, sizeof(a->prog_name), "%s", p->name);
		a->action = action_names[e->attach.action];
		/* What was let through is told apart by its way. */
		if (e->attach.attempts >= ATTACH_ENUMERATION && e->attach.action == BW_ACTION_ALLOWED)
			snprintf(a->rule, sizeof(a->rule), "attach.enumeration");
		else if (e->attach.action == BW_ACTION_ALLOWED)
			snprintf(a->rule, sizeof(a->rule), "attach.%s", bw_policy_way_name(e->attach.way));
		else
			snprintf(a->rule, sizeof(a->rule), "attach.%s", reason_names[e->attach.reason]);
	} else if (e->type == BW_EVENT_MAP)
		snprintf(a->rule, sizeof(a->rule), "map.opened");
	else
		snprintf(a->rule, sizeof(a->rule), "%s.%s", a->kind, reason_names[reason]);
}

static int finish(struct bw_json *j, struct alert *a, struct alert *ret)
{
	bw_json_close(j, '}');
	if (bw_buf_error(j->buf))
		return bw_buf_error(j->buf);
	a->line = bw_buf_cstr(j->buf);
	a->line_len = j->buf->len;
	*ret = *a;
	return 0;
}

/* What the attachment means, and what it reminds of. A failed attempt reminds of the same. */
static const struct technique *attach_look(const struct alert_detail *d, struct attach_view *ret_view)
{
	const struct decode_attach *a = &d->event->attach;
	struct technique_context context = {
		.filter = a->n_insns ? classic_findings(a->insns, a->n_insns_here, a->n_insns) : 0,
		.other_namespaces = d->other_namespaces,
		.owner = !d->not_owner,
	};

	attach_view(a, ret_view);
	context.target = ret_view->target;
	return technique_find(a, &context);
}

static void write_exposure(struct bw_json *j, const struct alert_exposure *x)
{
	bw_json_u64(j, "exposed_apis", x->n_apis);
	bw_json_str(j, "exposed_api", x->api);
	bw_json_open(j, "exposed_data", '[');
	for (uint32_t i = 0; i < x->n_classes; i++)
		bw_json_str(j, NULL, x->classes[i]);
	bw_json_close(j, ']');
	bw_json_str(j, "exposed_place", x->place);
}

/* Personal data makes it worse: what nobody approved is high at least, and a stranger who reads it is as bad as it gets. */
static enum alert_severity exposed_severity(const struct decode_event *e, enum alert_severity s)
{
	if (e->type == BW_EVENT_ATTACH)
		return e->attach.prog.known && e->attach.prog.entry != ~0u ? s : s > ALERT_HIGH ? s : ALERT_HIGH;
	return s >= ALERT_MEDIUM && s < ALERT_CRITICAL ? s + 1 : s;
}

int alert_event(const struct alert_context *c, const struct alert_detail *d, struct bw_buf *buf, struct alert *ret)
{
	const struct decode_event *e = d->event;
	struct bw_json j = { .buf = buf };
	struct alert a = { .seq = d->seq, .time_ns = (int64_t)(e->time_ns + (uint64_t)c->boot_offset_ns) };
	const struct technique *technique = NULL;
	struct attach_view view;

	describe(&a, e);
	if (e->type == BW_EVENT_ATTACH) {
		technique = attach_look(d, &view);
		if (technique && a.severity < technique->severity)
			a.severity = technique->severity;
	}
	if (d->exposure)
		a.severity = exposed_severity(e, a.severity);
	if (d->canary)
		a.severity = ALERT_DEBUG;
	else if (d->repeat_of && a.severity > ALERT_INFO)
		a.severity = ALERT_INFO;
	buf->max = ALERT_MAX_LINE;
	bw_buf_reset(buf);
	bw_json_open(&j, NULL, '{');
	write_common(&j, c, &a);
	bw_json_str(&j, "hook", hook_names[e->hook]);
	if (e->type == BW_EVENT_LOAD)
		write_load(&j, d);
	else if (e->type == BW_EVENT_COMMAND)
		write_command(&j, d);
	else if (e->type == BW_EVENT_ATTACH)
		write_attach(&j, d, &view, technique);
	else if (e->type == BW_EVENT_TAMPER)
		write_tamper(&j, &e->tamper);
	else if (e->type == BW_EVENT_ACCESS)
		mapwatch_write_access(&j, e);
	else if (e->type == BW_EVENT_EGRESS)
		write_egress(&j, d);
	else
		write_map(&j, d);
	if (d->exposure)
		write_exposure(&j, d->exposure);
	write_actor(&j, d);
	bw_json_u64(&j, "cpu", e->cpu);
	bw_json_u64(&j, "cpu_seq", e->cpu_seq);
	bw_json_u64(&j, "boot_ns", e->time_ns);
	if (d->lost_before)
		bw_json_u64(&j, "lost_before", d->lost_before);
	if (d->repeat_of)
		bw_json_u64(&j, "repeat_of", d->repeat_of);
	if (d->canary)
		bw_json_bool(&j, "canary", true);
	return finish(&j, &a, ret);
}

/* Members that every event may have; a guard event's own must not take their names. */
static const char *const taken_keys[] = {
	"v", "seq", "uid", "time", "host", "boot_id", "kind", "severity", "rule", "mode", "tier", "event", "message",
	"policy_generation",
};

static bool key_is_free(const char *key)
{
	if (!key || !*key || key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(taken_keys); i++)
		if (!strcmp(key, taken_keys[i]))
			return false;
	return true;
}

static void write_kv(struct bw_json *j, const struct alert_kv *kv)
{
	switch (kv->type) {
	case ALERT_KV_STR:
		opt_str(j, kv->key, kv->str);
		break;
	case ALERT_KV_U64:
		bw_json_u64(j, kv->key, kv->u64);
		break;
	case ALERT_KV_I64:
		bw_json_i64(j, kv->key, (int64_t)kv->u64);
		break;
	case ALERT_KV_BOOL:
		bw_json_bool(j, kv->key, kv->u64);
		break;
	case ALERT_KV_LIST:
		if (kv->str)
			bw_json_raw(j, kv->key, kv->str, strlen(kv->str));
		break;
	default:
		break;
	}
}

int alert_guard_event(const struct alert_context *c, uint64_t seq, int64_t time_ns, const char *event,
		      enum alert_severity severity, const char *message, const struct alert_kv *kv, struct bw_buf *buf,
		      struct alert *ret)
{
	struct alert a = { .seq = seq, .time_ns = time_ns, .kind = "guard", .severity = severity, .action = "" };
	struct bw_json j = { .buf = buf };

	for (const struct alert_kv *k = kv; k && k->type != ALERT_KV_END; k++)
		if (!key_is_free(k->key))
			return -EINVAL;
	snprintf(a.rule, sizeof(a.rule), "guard.%s", event);
	buf->max = ALERT_MAX_LINE;
	bw_buf_reset(buf);
	bw_json_open(&j, NULL, '{');
	write_common(&j, c, &a);
	bw_json_str(&j, "event", event);
	opt_str(&j, "message", message);
	bw_json_u64(&j, "policy_generation", c->generation);
	for (const struct alert_kv *k = kv; k && k->type != ALERT_KV_END; k++)
		write_kv(&j, k);
	return finish(&j, &a, ret);
}
