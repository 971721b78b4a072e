// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Elastic Common Schema 8, and OCSF 1.8. */
#include <inttypes.h>
#include <string.h>

#include "common/format_parts.h"

#define ECS_VERSION "8.11.0"
#define OCSF_VERSION "1.8.0"

static const struct event_member *either(const struct event_view *e, const char *a, const char *b)
{
	const struct event_member *m = event_get(e, a);

	return m ? m : event_get(e, b);
}

/* Each element is a technique "T1562.001". */
static void list_copy(struct bw_json *j, const char *key, const struct event_member *list)
{
	struct event_member item;
	size_t pos = 0;

	bw_json_open(j, key, '[');
	while (list && event_next(list, &pos, &item))
		json_copy_string(j, NULL, &item);
	bw_json_close(j, ']');
}

/* ---- ECS ------------------------------------------------------------------------------------------------------------ */

static void ecs_event(struct bw_json *j, const struct event_view *e)
{
	/* As Elastic's detection rules score: low 21, medium 47, high 73, critical 99. */
	static const unsigned int severities[] = { 0, 1, 21, 47, 73, 99 };
	const struct event_member *kind = event_get(e, "kind"), *action = event_get(e, "action"), *error = event_get(e, "error");
	bool refused = event_refused(e), alert = refused || event_severity(e) >= EVENT_HIGH;
	bool api = event_is(kind, "command") || event_is(kind, "map");
	const char *outcome = "unknown";

	if (event_is(action, "denied"))
		outcome = "failure";
	else if (action)
		outcome = event_number(error, 0) < 0 ? "failure" : "success";
	bw_json_open(j, "event", '{');
	bw_json_str(j, "kind", alert ? "alert" : "event");
	bw_json_open(j, "category", '[');
	if (event_is(kind, "load"))
		bw_json_str(j, NULL, "driver");
	else if (api)
		bw_json_str(j, NULL, "api");
	else
		bw_json_str(j, NULL, "host");
	if (alert)
		bw_json_str(j, NULL, "intrusion_detection");
	bw_json_close(j, ']');
	bw_json_open(j, "type", '[');
	if (event_is(kind, "load"))
		bw_json_str(j, NULL, "start");
	else if (api)
		bw_json_str(j, NULL, "access");
	else
		bw_json_str(j, NULL, "info");
	if (event_is(action, "denied"))
		bw_json_str(j, NULL, "denied");
	else if (action && (alert || api)) /* a type that the categories driver and host do not have */
		bw_json_str(j, NULL, "allowed");
	bw_json_close(j, ']');
	json_copy_string(j, "action", either(e, "command", "kind"));
	bw_json_str(j, "outcome", outcome);
	bw_json_u64(j, "severity", severities[event_severity(e)]);
	json_copy_string(j, "code", event_get(e, "rule"));
	json_copy_string(j, "id", event_get(e, "uid"));
	json_copy(j, "sequence", event_get(e, "seq"));
	json_copy_string(j, "reason", event_get(e, "reason"));
	json_copy_string(j, "hash", event_get(e, "hash"));
	bw_json_str(j, "module", "bpfwarden");
	bw_json_str(j, "dataset", "bpfwarden.event");
	bw_json_str(j, "provider", "bpfwardend");
	bw_json_close(j, '}');
}

static void ecs_id(struct bw_json *j, const char *object, const struct event_member *m)
{
	if (!m)
		return;
	bw_json_open(j, object, '{');
	json_copy_string(j, "id", m);
	bw_json_close(j, '}');
}

static void ecs_process(struct bw_json *j, const struct event_view *e)
{
	if (!event_get(e, "loader_tgid"))
		return;
	bw_json_open(j, "process", '{');
	json_copy(j, "pid", event_get(e, "loader_tgid"));
	json_copy_string(j, "name", event_get(e, "loader_comm"));
	json_copy_string(j, "executable", event_get(e, "loader_exe"));
	if (event_get(e, "loader_pid")) {
		bw_json_open(j, "thread", '{');
		json_copy(j, "id", event_get(e, "loader_pid"));
		bw_json_close(j, '}');
	}
	if (event_get(e, "loader_ppid")) {
		bw_json_open(j, "parent", '{');
		json_copy(j, "pid", event_get(e, "loader_ppid"));
		bw_json_close(j, '}');
	}
	ecs_id(j, "user", event_get(e, "loader_uid"));
	bw_json_close(j, '}');
}

void format_ecs(const struct event_view *e, struct bw_buf *b)
{
	const struct event_member *attack = event_get(e, "attack"), *digest = event_get(e, "digest");
	struct bw_json j = { .buf = b };

	bw_json_open(&j, NULL, '{');
	json_copy_string(&j, "@timestamp", event_get(e, "time"));
	bw_json_open(&j, "ecs", '{');
	bw_json_str(&j, "version", ECS_VERSION);
	bw_json_close(&j, '}');
	json_summary(&j, "message", e);
	ecs_event(&j, e);
	bw_json_open(&j, "log", '{');
	json_copy_string(&j, "level", event_get(e, "severity"));
	bw_json_close(&j, '}');
	bw_json_open(&j, "host", '{');
	json_copy_string(&j, "name", event_get(e, "host"));
	json_copy_string(&j, "hostname", event_get(e, "host"));
	ecs_id(&j, "boot", event_get(e, "boot_id"));
	bw_json_close(&j, '}');
	ecs_process(&j, e);
	bw_json_open(&j, "rule", '{');
	json_copy_string(&j, "id", either(e, "policy_rule", "rule"));
	json_copy_string(&j, "name", event_get(e, "rule"));
	bw_json_close(&j, '}');
	if (attack) {
		bw_json_open(&j, "threat", '{');
		bw_json_str(&j, "framework", "MITRE ATT&CK");
		bw_json_open(&j, "technique", '{');
		list_copy(&j, "id", attack);
		bw_json_close(&j, '}');
		bw_json_close(&j, '}');
	}
	if (digest) {
		bw_json_open(&j, "related", '{');
		bw_json_open(&j, "hash", '[');
		json_copy_string(&j, NULL, digest);
		bw_json_close(&j, ']');
		bw_json_close(&j, '}');
	}
	bw_json_open(&j, "observer", '{');
	bw_json_str(&j, "vendor", "bpfwarden");
	bw_json_str(&j, "product", "bpfwardend");
	bw_json_str(&j, "type", "ids");
	bw_json_str(&j, "version", BW_VERSION);
	bw_json_close(&j, '}');
	json_copy_all(&j, "bpfwarden", e);
	bw_json_close(&j, '}');
}

/* ---- OCSF ------------------------------------------------------------------------------------------------------------ */

enum ocsf_class {
	OCSF_BASE = 0,
	OCSF_KERNEL_EXTENSION = 1002,
	OCSF_COMPLIANCE_FINDING = 2003,
	OCSF_DETECTION_FINDING = 2004,
	OCSF_APPLICATION_LIFECYCLE = 6002,
	OCSF_API_ACTIVITY = 6003,
};

struct ocsf_kind {
	enum ocsf_class class;
	unsigned int activity;
};

static struct ocsf_kind ocsf_classify(const struct event_view *e)
{
	const struct event_member *kind = event_get(e, "kind"), *what = event_get(e, "event");

	if (event_is(what, "tier_degraded") || event_is(kind, "posture"))
		return (struct ocsf_kind){ OCSF_COMPLIANCE_FINDING, 1 /* Create */ };
	if (event_refused(e) || event_severity(e) >= EVENT_HIGH)
		return (struct ocsf_kind){ OCSF_DETECTION_FINDING, 1 };
	if (event_is(kind, "load"))
		return (struct ocsf_kind){ OCSF_KERNEL_EXTENSION, 1 /* Load */ };
	if (event_is(kind, "command") || event_is(kind, "map"))
		return (struct ocsf_kind){ OCSF_API_ACTIVITY, 99 /* Other: bpf() commands are of all kinds */ };
	if (event_is(what, "start"))
		return (struct ocsf_kind){ OCSF_APPLICATION_LIFECYCLE, 3 };
	if (event_is(what, "stop"))
		return (struct ocsf_kind){ OCSF_APPLICATION_LIFECYCLE, 4 };
	return (struct ocsf_kind){ OCSF_BASE, 99 };
}

static void ocsf_product(struct bw_json *j, const char *key)
{
	bw_json_open(j, key, '{');
	bw_json_str(j, "name", "bpfwarden");
	bw_json_str(j, "vendor_name", "bpfwarden");
	bw_json_str(j, "version", BW_VERSION);
	bw_json_close(j, '}');
}

static void ocsf_metadata(struct bw_json *j, const struct event_view *e)
{
	bw_json_open(j, "metadata", '{');
	bw_json_str(j, "version", OCSF_VERSION);
	ocsf_product(j, "product");
	bw_json_open(j, "profiles", '[');
	bw_json_str(j, NULL, "host");
	if (event_get(e, "action"))
		bw_json_str(j, NULL, "security_control");
	bw_json_close(j, ']');
	json_copy_string(j, "uid", event_get(e, "uid"));
	json_copy(j, "sequence", event_get(e, "seq"));
	json_copy_string(j, "event_code", event_get(e, "rule"));
	bw_json_str(j, "log_name", "bpfwarden");
	bw_json_close(j, '}');
}

static void ocsf_host(struct bw_json *j, const char *key, const struct event_view *e)
{
	bw_json_open(j, key, '{');
	bw_json_u64(j, "type_id", 0);
	if (event_get(e, "host"))
		json_copy_string(j, "hostname", event_get(e, "host"));
	else
		bw_json_str(j, "name", "unknown");
	bw_json_close(j, '}');
}

static void ocsf_actor(struct bw_json *j, const struct event_view *e)
{
	const struct event_member *exe = event_get(e, "loader_exe"), *uid = event_get(e, "loader_uid");

	bw_json_open(j, "actor", '{');
	if (!event_get(e, "loader_tgid")) {
		bw_json_str(j, "app_name", "bpfwardend");
		bw_json_close(j, '}');
		return;
	}
	bw_json_open(j, "process", '{');
	json_copy(j, "pid", event_get(e, "loader_tgid"));
	json_copy(j, "ptid", event_get(e, "loader_pid"));
	json_copy_string(j, "name", event_get(e, "loader_comm"));
	if (exe) {
		bw_json_open(j, "file", '{');
		json_copy_string(j, "name", exe);
		json_copy_string(j, "path", exe);
		bw_json_u64(j, "type_id", 1);
		bw_json_close(j, '}');
	}
	if (event_get(e, "loader_ppid")) {
		bw_json_open(j, "parent_process", '{');
		json_copy(j, "pid", event_get(e, "loader_ppid"));
		bw_json_close(j, '}');
	}
	if (uid) {
		bw_json_open(j, "user", '{');
		json_copy_string(j, "uid", uid);
		bw_json_close(j, '}');
	}
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

/* A BPF program is the kernel extension. */
static void ocsf_driver(struct bw_json *j, const struct event_view *e)
{
	const struct event_member *name = event_get(e, "prog_name"), *digest = event_get(e, "digest");

	bw_json_open(j, "driver", '{');
	bw_json_open(j, "file", '{');
	if (name && name->value_len)
		json_copy_string(j, "name", name);
	else
		bw_json_str(j, "name", "unnamed");
	bw_json_u64(j, "type_id", 99);
	bw_json_str(j, "type", "BPF program");
	if (digest) {
		bw_json_open(j, "hashes", '[');
		bw_json_open(j, NULL, '{');
		bw_json_u64(j, "algorithm_id", 3); /* SHA-256 */
		json_copy_string(j, "value", digest);
		bw_json_close(j, '}');
		bw_json_close(j, ']');
	}
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

static void ocsf_attacks(struct bw_json *j, const struct event_view *e)
{
	const struct event_member *attack = event_get(e, "attack");
	struct event_member item;
	size_t pos = 0;

	if (!attack)
		return;
	bw_json_open(j, "attacks", '[');
	while (event_next(attack, &pos, &item)) {
		bool sub = memchr(item.value, '.', item.value_len) != NULL;

		bw_json_open(j, NULL, '{');
		bw_json_open(j, sub ? "sub_technique" : "technique", '{');
		json_copy_string(j, "uid", &item);
		bw_json_close(j, '}');
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
}

static void ocsf_finding(struct bw_json *j, const struct event_view *e)
{
	bw_json_open(j, "finding_info", '{');
	json_copy_string(j, "uid", event_get(e, "uid"));
	json_summary(j, "title", e);
	bw_json_open(j, "types", '[');
	json_copy_string(j, NULL, event_get(e, "rule"));
	bw_json_close(j, ']');
	ocsf_attacks(j, e);
	bw_json_close(j, '}');
}

static void ocsf_action(struct bw_json *j, const struct event_view *e)
{
	const struct event_member *action = event_get(e, "action");

	if (!action)
		return;
	bw_json_u64(j, "action_id", event_is(action, "denied") ? 2 : event_is(action, "allowed") ? 1 : 99);
	json_copy_string(j, "action", action);
	/* Blocked, Detected, Allowed */
	bw_json_u64(j, "disposition_id", event_is(action, "denied") ? 2 : event_is(action, "would-deny") ? 15 : 1);
}

void format_ocsf(const struct event_view *e, struct bw_buf *b)
{
	static const unsigned int severities[] = { 1, 1, 2, 3, 4, 5 };
	struct ocsf_kind k = ocsf_classify(e);
	struct bw_json j = { .buf = b };

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "category_uid", k.class / 1000);
	bw_json_u64(&j, "class_uid", k.class);
	bw_json_u64(&j, "activity_id", k.activity);
	bw_json_u64(&j, "type_uid", k.class * 100 + k.activity);
	bw_json_i64(&j, "time", event_time(e) / 1000000);
	bw_json_u64(&j, "severity_id", severities[event_severity(e)]);
	json_copy_string(&j, "severity", event_get(e, "severity"));
	json_summary(&j, "message", e);
	/* Of a finding: New. Of an activity: Failure, Success. */
	if (k.class / 1000 == 2)
		bw_json_u64(&j, "status_id", 1);
	else if (event_get(e, "action"))
		bw_json_u64(&j, "status_id", event_is(event_get(e, "action"), "denied") ? 2 : 1);
	ocsf_metadata(&j, e);
	ocsf_host(&j, "device", e);
	ocsf_actor(&j, e);
	ocsf_action(&j, e);
	switch (k.class) {
	case OCSF_KERNEL_EXTENSION:
		ocsf_driver(&j, e);
		break;
	case OCSF_DETECTION_FINDING:
		ocsf_finding(&j, e);
		break;
	case OCSF_COMPLIANCE_FINDING:
		ocsf_finding(&j, e);
		bw_json_open(&j, "compliance", '{');
		bw_json_open(&j, "standards", '[');
		bw_json_str(&j, NULL, "bpfwarden");
		bw_json_close(&j, ']');
		bw_json_str(&j, "control", "tier");
		bw_json_u64(&j, "status_id", 2); /* Warning */
		bw_json_close(&j, '}');
		break;
	case OCSF_API_ACTIVITY:
		bw_json_open(&j, "api", '{');
		if (event_get(e, "command"))
			json_copy_string(&j, "operation", event_get(e, "command"));
		else
			bw_json_str(&j, "operation", "map_fd");
		bw_json_open(&j, "service", '{');
		bw_json_str(&j, "name", "bpf");
		bw_json_close(&j, '}');
		bw_json_close(&j, '}');
		ocsf_host(&j, "src_endpoint", e);
		bw_json_str(&j, "activity_name", "bpf");
		break;
	case OCSF_APPLICATION_LIFECYCLE:
		ocsf_product(&j, "app");
		break;
	default:
		bw_json_str(&j, "activity_name", "Guard");
	}
	json_copy_all(&j, "unmapped", e);
	bw_json_close(&j, '}');
}
