// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/mapwatch.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/bpf_names.h"
#include "common/cleanup.h"
#include "common/policy.h"

static const char *const op_names[BW_MAP_OPS] = { "lookup", "next_key", "mmap", "update", "delete", "freeze", "mmap_write" };
static const char *const kind_names[BW_EGRESS_KINDS] = { "connect", "send", "file", "child" };
static const char *const response_names[] = { "alert", "refuse", "kill" };

const char *mapwatch_op_name(uint32_t op)
{
	return op < ARRAY_SIZE(op_names) ? op_names[op] : NULL;
}

const char *mapwatch_kind_name(uint32_t kind)
{
	return kind < ARRAY_SIZE(kind_names) ? kind_names[kind] : NULL;
}

static bool by_owner(const struct decode_access *a, uint32_t tgid, uint64_t start_ns)
{
	return !a->owner_tgid || (a->owner_tgid == tgid && a->owner_start_ns == start_ns);
}

enum alert_severity mapwatch_access_severity(const struct decode_access *a, uint32_t tgid, uint64_t start_ns)
{
	if (by_owner(a, tgid, start_ns))
		return ALERT_INFO;
	if (1u << a->op & (BW_MAP_WRITES | 1u << BW_MAP_FREEZE))
		return ALERT_HIGH;
	return a->labels ? ALERT_HIGH : ALERT_INFO;
}

enum alert_severity mapwatch_egress_severity(const struct decode_egress *e)
{
	switch (e->kind) {
	case BW_EGRESS_CHILD:
		return ALERT_MEDIUM;
	case BW_EGRESS_FILE:
		return ALERT_HIGH;
	default:
		return e->family == AF_INET || e->family == AF_INET6 ? ALERT_CRITICAL : ALERT_HIGH;
	}
}

static void write_labels(struct bw_json *j, uint32_t labels)
{
	bw_json_open(j, "map_labels", '[');
	for (unsigned int bit = 0; bit < 32; bit++)
		if (labels >> bit & 1 && bw_policy_class_of_data(bit))
			bw_json_str(j, NULL, bw_policy_class_of_data(bit));
	bw_json_close(j, ']');
}

void mapwatch_write_access(struct bw_json *j, const struct decode_event *e)
{
	const struct decode_access *a = &e->access;
	const char *type = bw_map_type_name(a->map_type);
	bool foreign = !by_owner(a, e->actor.tgid, e->actor.start_ns);
	char number[16];

	snprintf(number, sizeof(number), "%" PRIu32, a->map_type);
	bw_json_u64(j, "map_id", a->map_id);
	bw_json_str(j, "map_name", a->name);
	bw_json_str(j, "map_type", type ? type : number);
	bw_json_str(j, "map_operation", op_names[a->op]);
	bw_json_open(j, "map_operations", '[');
	for (unsigned int op = 0; op < BW_MAP_OPS; op++)
		if (a->ops >> op & 1)
			bw_json_str(j, NULL, op_names[op]);
	bw_json_close(j, ']');
	if (a->labels)
		write_labels(j, a->labels);
	if (a->owner_tgid) {
		bw_json_u64(j, "map_owner_tgid", a->owner_tgid);
		bw_json_u64(j, "map_owner_start_ns", a->owner_start_ns);
		bw_json_bool(j, "map_foreign", foreign);
	}
	if (foreign && 1u << a->op & (BW_MAP_WRITES | 1u << BW_MAP_FREEZE)) {
		bw_json_str(j, "technique", "T28");
		bw_json_str(j, "technique_text", "a map is changed by a process that did not make it");
	}
}

/* "203.0.113.7:443", "[2001:db8::1]:443", a socket's path (an abstract one begins with "@"), a file's name. */
static void destination(const struct decode_egress *e, char *dst, size_t len)
{
	char text[INET6_ADDRSTRLEN] = "";

	switch (e->kind) {
	case BW_EGRESS_FILE:
		snprintf(dst, len, "%s", e->path);
		return;
	case BW_EGRESS_CHILD:
		snprintf(dst, len, "process %" PRIu32, e->child_tgid);
		return;
	default:
		break;
	}
	if (e->family == AF_UNIX)
		snprintf(dst, len, "%s", e->path[0] ? e->path : "@");
	else if (e->family == AF_INET && inet_ntop(AF_INET, e->address, text, sizeof(text)))
		snprintf(dst, len, "%s:%u", text, e->port);
	else if (e->family == AF_INET6 && inet_ntop(AF_INET6, e->address, text, sizeof(text)))
		snprintf(dst, len, "[%s]:%u", text, e->port);
	else
		snprintf(dst, len, "family %u", e->family);
}

void mapwatch_write_egress(struct bw_json *j, const struct decode_event *e, const char *map_name, const char *reader_exe)
{
	const struct decode_egress *g = &e->egress;
	char to[160];

	destination(g, to, sizeof(to));
	bw_json_str(j, "egress", kind_names[g->kind]);
	bw_json_str(j, "destination", to);
	bw_json_str(j, "response", response_names[g->response]);
	bw_json_u64(j, "map_id", g->map_id);
	if (map_name)
		bw_json_str(j, "map_name", map_name);
	write_labels(j, g->labels);
	bw_json_u64(j, "reader_tgid", g->reader_tgid);
	bw_json_u64(j, "reader_start_ns", g->reader_start_ns);
	if (reader_exe)
		bw_json_str(j, "reader_exe", reader_exe);
	bw_json_u64(j, "read_boot_ns", g->read_ns);
}
