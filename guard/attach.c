// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/attach.h"

#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "common/bpf_names.h"
#include "common/cleanup.h"
#include "common/policy.h"
#include "guard/classic.h"

/* Attach types that are younger than some of the headers this is built with. */
enum {
	AT_KPROBE_MULTI = 42,
	AT_LSM_CGROUP = 43,
	AT_STRUCT_OPS = 44,
	AT_NETFILTER = 45,
	AT_TCX_INGRESS = 46,
	AT_TCX_EGRESS = 47,
	AT_UPROBE_MULTI = 48,
	AT_NETKIT_PRIMARY = 54,
	AT_NETKIT_PEER = 55,
	AT_KPROBE_SESSION = 56,
	AT_UPROBE_SESSION = 57,
};

/* ---- the raw bytes ------------------------------------------------------------------------------------------------------ */

/* A 32-bit field of attr; 0 beyond what was given. */
static uint32_t field(const struct decode_attach *a, unsigned int offset)
{
	uint32_t v = 0;

	if (offset + sizeof(v) <= a->attr_len)
		memcpy(&v, (const char *)a->attr + offset, sizeof(v));
	return v;
}

static void target(struct attach_view *v, const char *kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void target(struct attach_view *v, const char *kind, const char *fmt, ...)
{
	va_list ap;

	v->target_kind = kind;
	va_start(ap, fmt);
	vsnprintf(v->target, sizeof(v->target), fmt, ap);
	va_end(ap);
}

static void target_interface(struct attach_view *v, uint32_t ifindex)
{
	v->ifindex = ifindex;
	target(v, "interface", "%" PRIu32, ifindex);
}

/* What a perf event stands for. */
static void target_perf(struct attach_view *v, const struct decode_attach *a)
{
	bool on_return = a->flags & BW_ATTACH_RETURN;

	if (a->flags & BW_ATTACH_KPROBE && a->text[0])
		target(v, on_return ? "kretprobe" : "kprobe", a->offset ? "%s+0x%" PRIx64 : "%s", a->text, a->offset);
	else if (a->flags & BW_ATTACH_KPROBE)
		target(v, on_return ? "kretprobe" : "kprobe", "0x%" PRIx64, a->offset);
	else if (a->flags & BW_ATTACH_UPROBE)
		target(v, on_return ? "uretprobe" : "uprobe", "%s:0x%" PRIx64, a->text, a->offset);
	else if (a->flags & BW_ATTACH_TRACEPOINT)
		target(v, "tracepoint", "%s", a->text);
	else
		target(v, "perf_event", "type %" PRIu32 " config 0x%" PRIx64, a->perf_type, a->perf_config);
}

/* The target of BPF_LINK_CREATE, BPF_PROG_ATTACH and _DETACH by attach type; @fd: the target's field. */
static void target_by_type(struct attach_view *v, const struct decode_attach *a, uint32_t fd)
{
	switch (a->attach_type) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
	case 58: /* BPF_TRACE_FSESSION */
		target(v, "function", "%s", a->text);
		break;
	case BPF_LSM_MAC:
		target(v, "lsm_hook", "%s", a->text);
		break;
	case BPF_TRACE_ITER:
		target(v, "iterator", "%s", a->text);
		break;
	case BPF_TRACE_RAW_TP:
		target(v, "tracepoint", "%s", a->text);
		break;
	case BPF_PERF_EVENT:
		target_perf(v, a);
		break;
	case AT_KPROBE_MULTI:
	case AT_KPROBE_SESSION:
		v->count = field(a, 20);
		target(v, field(a, 16) & 1 ? "kretprobe" : "kprobe", "%s", a->text);
		break;
	case AT_UPROBE_MULTI:
	case AT_UPROBE_SESSION:
		v->count = field(a, 48);
		target(v, field(a, 52) & 1 ? "uretprobe" : "uprobe", "%s", a->text);
		break;
	case BPF_XDP:
	case AT_TCX_INGRESS:
	case AT_TCX_EGRESS:
	case AT_NETKIT_PRIMARY:
	case AT_NETKIT_PEER:
		target_interface(v, fd);
		break;
	case AT_NETFILTER:
		target(v, "netfilter", "pf %" PRIu32 " hook %" PRIu32, field(a, 16), field(a, 20));
		break;
	case AT_STRUCT_OPS:
		target(v, "struct_ops", "map %" PRIu32, a->map_id);
		break;
	case BPF_FLOW_DISSECTOR:
	case BPF_SK_LOOKUP:
		target(v, "network_namespace", "%" PRIu64, a->target_ino);
		break;
	case BPF_SK_SKB_STREAM_PARSER:
	case BPF_SK_SKB_STREAM_VERDICT:
	case BPF_SK_MSG_VERDICT:
	case 38: /* BPF_SK_SKB_VERDICT */
		target(v, "map", "%" PRIu32, a->map_id);
		break;
	case BPF_LIRC_MODE2:
		target(v, "device", "inode %" PRIu64, a->target_ino);
		break;
	default:
		/* What is left hangs on cgroups, but for freplace, whose attach type is 0 with a target program. */
		if (a->target_prog_id)
			target(v, "program", "%" PRIu32 " %s", a->target_prog_id, a->text);
		else
			target(v, "cgroup", "%" PRIu64, a->target_ino);
	}
}

static void view_command(const struct decode_attach *a, struct attach_view *v)
{
	const char *name = bw_command_name(a->request);

	if (name)
		snprintf(v->request, sizeof(v->request), "%s", name);
	else
		snprintf(v->request, sizeof(v->request), "%" PRIu32, a->request);
	switch (a->request) {
	case BPF_LINK_CREATE:
		target_by_type(v, a, field(a, 4));
		break;
	case BPF_LINK_UPDATE:
		v->operation = "update";
		target(v, "link", "%" PRIu32, a->link_id);
		break;
	case BPF_LINK_DETACH:
		v->operation = "detach";
		target(v, "link", "%" PRIu32, a->link_id);
		break;
	case BPF_PROG_DETACH:
		v->operation = "detach";
		target_by_type(v, a, field(a, 0));
		break;
	case BPF_PROG_ATTACH:
		target_by_type(v, a, field(a, 0));
		break;
	case BPF_RAW_TRACEPOINT_OPEN:
		if (a->prog.type == BPF_PROG_TYPE_TRACING && a->prog.expected_attach_type != BPF_TRACE_RAW_TP)
			target(v, "function", "%s", a->text);
		else if (a->prog.type == BPF_PROG_TYPE_LSM)
			target(v, "lsm_hook", "%s", a->text);
		else if (a->prog.type == BPF_PROG_TYPE_EXT)
			target(v, "program", "%" PRIu32 " %s", a->target_prog_id, a->text);
		else
			target(v, "tracepoint", "%s", a->text);
		break;
	case BPF_PROG_TEST_RUN:
		v->operation = "run";
		break;
	case BPF_OBJ_PIN:
		v->operation = "pin";
		target(v, "path", "%s", a->text);
		break;
	case BPF_OBJ_GET:
		v->operation = "open";
		target(v, "path", "%s", a->text);
		break;
	case BPF_ITER_CREATE:
		v->operation = "iterate";
		target(v, "link", "%" PRIu32, a->link_id);
		break;
	case 36: /* BPF_TOKEN_CREATE */
		v->operation = "delegate";
		target(v, "bpffs", "inode %" PRIu64, a->target_ino);
		break;
	case BPF_MAP_UPDATE_ELEM:
		target(v, a->map_type == BPF_MAP_TYPE_STRUCT_OPS ? "struct_ops" : "map", a->map_type == BPF_MAP_TYPE_STRUCT_OPS ? "map %" PRIu32 : "%" PRIu32,
		       a->map_id);
		break;
	default:
		v->operation = "open";
		target(v, "id", "%" PRIu32, field(a, 0));
	}
}

static void view_netlink(const struct decode_attach *a, struct attach_view *v)
{
	static const struct {
		uint32_t type;
		const char *name;
		const char *operation;
	} messages[] = {
		{ 16, "rtm_newlink", "attach" },    { 19, "rtm_setlink", "attach" },	{ 24, "rtm_newroute", "attach" },
		{ 37, "rtm_delqdisc", "detach" },   { 44, "rtm_newtfilter", "attach" }, { 45, "rtm_deltfilter", "detach" },
		{ 48, "rtm_newaction", "attach" },
	};

	snprintf(v->request, sizeof(v->request), "%" PRIu32, a->request);
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		if (messages[i].type != a->request)
			continue;
		snprintf(v->request, sizeof(v->request), "%s", messages[i].name);
		v->operation = messages[i].operation;
	}
	if (a->way == BW_WAY_NETLINK_XDP && !a->prog.id)
		v->operation = "detach";
	if (a->way == BW_WAY_NETLINK_LWT)
		target(v, "route", "lightweight tunnel");
	else if (a->request == 48)
		target(v, "action", "tc action");
	else
		target_interface(v, field(a, 20)); /* struct nlmsghdr, then the index at 4 of struct ifinfomsg and tcmsg */
}

static void view_option(const struct decode_attach *a, struct attach_view *v)
{
	static const struct {
		uint32_t option;
		const char *name;
	} options[] = {
		{ 26, "so_attach_filter" }, { 27, "so_detach_filter" },		  { 44, "so_lock_filter" },
		{ 50, "so_attach_bpf" },    { 51, "so_attach_reuseport_cbpf" }, { 52, "so_attach_reuseport_ebpf" },
		{ 68, "so_detach_reuseport_bpf" },
	};
	static const char *const types[] = { "?", "stream", "dgram", "raw", "rdm", "seqpacket", "dccp", "?", "?", "?", "packet" };
	uint32_t family = (uint32_t)a->attr[1], type = (uint32_t)(a->attr[1] >> 32);

	snprintf(v->request, sizeof(v->request), "%s", a->attr[0] >> 32 == 263 ? "packet_fanout_data" : "?");
	for (size_t i = 0; i < ARRAY_SIZE(options) && a->attr[0] >> 32 == 1; i++)
		if (options[i].option == a->request)
			snprintf(v->request, sizeof(v->request), "%s", options[i].name);
	if (a->way == BW_WAY_FILTER_DETACH)
		v->operation = a->request == 44 ? "lock" : "detach";
	target(v, "socket", "%s %s protocol 0x%" PRIx64,
	       family == 1    ? "unix" :
	       family == 2    ? "inet" :
	       family == 10   ? "inet6" :
	       family == 16   ? "netlink" :
	       family == 17   ? "packet" :
				"other",
	       type < ARRAY_SIZE(types) ? types[type] : "?", a->attr[2]);
}

void attach_view(const struct decode_attach *a, struct attach_view *ret)
{
	struct attach_view v = { .way = bw_policy_way_name(a->way), .operation = "attach", .target_kind = "" };

	switch (a->way) {
	case BW_WAY_PERF_IOCTL:
		snprintf(v.request, sizeof(v.request), "perf_event_ioc_set_bpf");
		target_perf(&v, a);
		break;
	case BW_WAY_TUN_IOCTL:
		snprintf(v.request, sizeof(v.request), a->request == 0x800454e0u ? "tunsetsteeringebpf" : "tunsetfilterebpf");
		target(&v, "device", "tun");
		break;
	case BW_WAY_NETLINK_XDP:
	case BW_WAY_NETLINK_TC:
	case BW_WAY_NETLINK_LWT:
		view_netlink(a, &v);
		break;
	case BW_WAY_CLASSIC_FILTER:
	case BW_WAY_SOCKET_FILTER:
	case BW_WAY_FILTER_DETACH:
		view_option(a, &v);
		break;
	case BW_WAY_FD_PASSED:
		v.operation = "receive";
		break;
	default:
		view_command(a, &v);
	}
	*ret = v;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------------- */

static void name_or_number(struct bw_json *j, const char *key, const char *name, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, number);
	bw_json_str(j, key, name ? name : text);
}

static void write_program(struct bw_json *j, const struct bw_prog_ref *p)
{
	if (!p->id)
		return;
	bw_json_u64(j, "prog_id", p->id);
	bw_json_str(j, "prog_name", p->name);
	name_or_number(j, "prog_type", bw_prog_type_name(p->type), p->type);
	bw_json_hex(j, "tag", p->tag, sizeof(p->tag));
	if (!p->known)
		return;
	bw_json_hex(j, "digest", p->digest, sizeof(p->digest));
	bw_json_open(j, "helpers", '[');
	for (unsigned int id = 0; id < 64 * BW_HELPER_WORDS; id++)
		if (p->helpers[id / 64] >> id % 64 & 1)
			name_or_number(j, NULL, bw_helper_name(id), id);
	bw_json_close(j, ']');
}

static void write_filter(struct bw_json *j, const struct decode_attach *a)
{
	unsigned int found = classic_findings(a->insns, a->n_insns_here, a->n_insns);
	char text[CLASSIC_TEXT_LEN];

	bw_json_u64(j, "filter_length", a->n_insns);
	bw_json_open(j, "filter", '[');
	for (uint32_t i = 0; i < a->n_insns_here; i++)
		bw_json_str(j, NULL, classic_text(i, a->insns[i], text));
	bw_json_close(j, ']');
	bw_json_open(j, "filter_findings", '[');
	for (unsigned int bit = 0; bit < CLASSIC_FINDINGS; bit++)
		if (found >> bit & 1)
			bw_json_str(j, NULL, classic_finding_name(bit));
	bw_json_close(j, ']');
}

static void write_flags(struct bw_json *j, uint32_t flags)
{
	/* By bit of enum bw_attach_flag; what target_kind says already is left out. */
	static const char *const names[BW_ATTACH_FLAGS] = {
		"kernel", "compat", NULL, "user_memory", "target_truncated", "more", NULL, "writable", NULL, NULL, NULL,
	};

	bw_json_open(j, "attach_flags", '[');
	for (unsigned int bit = 0; bit < BW_ATTACH_FLAGS; bit++)
		if (flags >> bit & 1 && names[bit])
			bw_json_str(j, NULL, names[bit]);
	bw_json_close(j, ']');
}

void attach_write(struct bw_json *j, const struct decode_attach *a, const struct attach_view *v, const struct technique *technique)
{
	bw_json_str(j, "way", v->way);
	bw_json_str(j, "operation", v->operation);
	if (v->request[0])
		bw_json_str(j, "request", v->request);
	if (a->attach_type != UINT32_MAX)
		name_or_number(j, "attach_type", bw_attach_type_name(a->attach_type), a->attach_type);
	if (v->target_kind[0]) {
		bw_json_str(j, "target_kind", v->target_kind);
		bw_json_str(j, "target", v->target);
	}
	if (v->ifindex)
		bw_json_u64(j, "ifindex", v->ifindex);
	if (v->count)
		bw_json_u64(j, "target_count", v->count);
	write_program(j, &a->prog);
	if (a->link_id) {
		bw_json_u64(j, "link_id", a->link_id);
		name_or_number(j, "link_type", bw_link_type_name(a->link_type), a->link_type);
	}
	if (a->map_id) {
		bw_json_u64(j, "map_id", a->map_id);
		name_or_number(j, "map_type", bw_map_type_name(a->map_type), a->map_type);
	}
	if (a->old_prog_id)
		bw_json_u64(j, "old_prog_id", a->old_prog_id);
	if (a->target_prog_id)
		bw_json_u64(j, "target_prog_id", a->target_prog_id);
	write_flags(j, a->flags);
	if (a->way == BW_WAY_CLASSIC_FILTER && a->n_insns)
		write_filter(j, a);
	if (technique) {
		bw_json_str(j, "technique", technique->id);
		bw_json_str(j, "technique_text", technique->what);
	}
	if (a->attempts)
		bw_json_u64(j, "attempts", a->attempts);
	if (a->flags & BW_ATTACH_HAS_RESULT)
		bw_json_i64(j, "error", a->error);
}
