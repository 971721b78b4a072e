// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "auditor/object.h"
#include "auditor/secname.h"
#include "common/bpf_names.h"

enum {
	NONE = 0,
	BTF = 1,     /* the target is found by BTF */
	SLEEP = 2,
	OPTIONAL = 4, /* the attach type may be left out on old kernels */
	FRAGS = 8,
	MULTI = 16,
	SESSION = 32,
	RET = 64,
	OFFSET = 128, /* the target may end in "+OFFSET" */
};

/*
 * A rule's name matches exactly; "name+" also before a "/". Types are written with the names of common/bpf_names.h; an
 * attach type of NULL means that there is none (0), "?" that several are possible.
 */
struct sec_rule {
	const char *name, *prog_type, *attach_type;
	unsigned int flags;
};

static const struct sec_rule rules[] = {
	{ "socket", "socket_filter", NULL, NONE },
	{ "sk_reuseport/migrate", "sk_reuseport", "sk_reuseport_select_or_migrate", NONE },
	{ "sk_reuseport", "sk_reuseport", "sk_reuseport_select", NONE },
	{ "kprobe+", "kprobe", NULL, OFFSET },
	{ "uprobe+", "kprobe", NULL, OFFSET },
	{ "uprobe.s+", "kprobe", NULL, OFFSET | SLEEP },
	{ "kretprobe+", "kprobe", NULL, RET },
	{ "uretprobe+", "kprobe", NULL, OFFSET | RET },
	{ "uretprobe.s+", "kprobe", NULL, OFFSET | RET | SLEEP },
	{ "kprobe.multi+", "kprobe", "trace_kprobe_multi", MULTI },
	{ "kretprobe.multi+", "kprobe", "trace_kprobe_multi", MULTI | RET },
	{ "kprobe.session+", "kprobe", "trace_kprobe_session", MULTI | SESSION },
	{ "uprobe.multi+", "kprobe", "trace_uprobe_multi", MULTI },
	{ "uretprobe.multi+", "kprobe", "trace_uprobe_multi", MULTI | RET },
	{ "uprobe.session+", "kprobe", "trace_uprobe_session", MULTI | SESSION },
	{ "uprobe.multi.s+", "kprobe", "trace_uprobe_multi", MULTI | SLEEP },
	{ "uretprobe.multi.s+", "kprobe", "trace_uprobe_multi", MULTI | RET | SLEEP },
	{ "uprobe.session.s+", "kprobe", "trace_uprobe_session", MULTI | SESSION | SLEEP },
	{ "ksyscall+", "kprobe", NULL, NONE },
	{ "kretsyscall+", "kprobe", NULL, RET },
	{ "usdt+", "kprobe", NULL, NONE },
	{ "usdt.s+", "kprobe", NULL, SLEEP },
	{ "tc/ingress", "sched_cls", "tcx_ingress", NONE },
	{ "tc/egress", "sched_cls", "tcx_egress", NONE },
	{ "tcx/ingress", "sched_cls", "tcx_ingress", NONE },
	{ "tcx/egress", "sched_cls", "tcx_egress", NONE },
	{ "tc", "sched_cls", NULL, NONE },
	{ "classifier", "sched_cls", NULL, NONE },
	{ "action", "sched_act", NULL, NONE },
	{ "netkit/primary", "sched_cls", "netkit_primary", NONE },
	{ "netkit/peer", "sched_cls", "netkit_peer", NONE },
	{ "tracepoint+", "tracepoint", NULL, NONE },
	{ "tp+", "tracepoint", NULL, NONE },
	{ "tracepoint.s+", "tracepoint", NULL, SLEEP },
	{ "tp.s+", "tracepoint", NULL, SLEEP },
	{ "raw_tracepoint+", "raw_tracepoint", NULL, NONE },
	{ "raw_tp+", "raw_tracepoint", NULL, NONE },
	{ "raw_tracepoint.s+", "raw_tracepoint", NULL, SLEEP },
	{ "raw_tp.s+", "raw_tracepoint", NULL, SLEEP },
	{ "raw_tracepoint.w+", "raw_tracepoint_writable", NULL, NONE },
	{ "raw_tp.w+", "raw_tracepoint_writable", NULL, NONE },
	{ "tp_btf+", "tracing", "trace_raw_tp", BTF },
	{ "tp_btf.s+", "tracing", "trace_raw_tp", BTF | SLEEP },
	{ "fentry+", "tracing", "trace_fentry", BTF },
	{ "fmod_ret+", "tracing", "modify_return", BTF },
	{ "fexit+", "tracing", "trace_fexit", BTF | RET },
	{ "fentry.s+", "tracing", "trace_fentry", BTF | SLEEP },
	{ "fmod_ret.s+", "tracing", "modify_return", BTF | SLEEP },
	{ "fexit.s+", "tracing", "trace_fexit", BTF | SLEEP | RET },
	{ "fsession+", "tracing", "trace_fsession", BTF | SESSION },
	{ "fsession.s+", "tracing", "trace_fsession", BTF | SESSION | SLEEP },
	{ "fsession.multi+", "tracing", "trace_fsession_multi", MULTI | SESSION },
	{ "fsession.multi.s+", "tracing", "trace_fsession_multi", MULTI | SESSION | SLEEP },
	{ "fentry.multi+", "tracing", "trace_fentry_multi", MULTI },
	{ "fexit.multi+", "tracing", "trace_fexit_multi", MULTI | RET },
	{ "fentry.multi.s+", "tracing", "trace_fentry_multi", MULTI | SLEEP },
	{ "fexit.multi.s+", "tracing", "trace_fexit_multi", MULTI | RET | SLEEP },
	{ "freplace+", "ext", NULL, BTF },
	{ "lsm+", "lsm", "lsm_mac", BTF },
	{ "lsm.s+", "lsm", "lsm_mac", BTF | SLEEP },
	{ "lsm_cgroup+", "lsm", "lsm_cgroup", BTF },
	{ "iter+", "tracing", "trace_iter", BTF },
	{ "iter.s+", "tracing", "trace_iter", BTF | SLEEP },
	{ "syscall", "syscall", NULL, SLEEP },
	{ "xdp.frags/devmap", "xdp", "xdp_devmap", FRAGS },
	{ "xdp/devmap", "xdp", "xdp_devmap", NONE },
	{ "xdp.frags/cpumap", "xdp", "xdp_cpumap", FRAGS },
	{ "xdp/cpumap", "xdp", "xdp_cpumap", NONE },
	{ "xdp.frags", "xdp", "xdp", FRAGS },
	{ "xdp", "xdp", "xdp", OPTIONAL },
	{ "perf_event", "perf_event", NULL, NONE },
	{ "lwt_in", "lwt_in", NULL, NONE },
	{ "lwt_out", "lwt_out", NULL, NONE },
	{ "lwt_xmit", "lwt_xmit", NULL, NONE },
	{ "lwt_seg6local", "lwt_seg6local", NULL, NONE },
	{ "sockops", "sock_ops", "cgroup_sock_ops", OPTIONAL },
	{ "sk_skb/stream_parser", "sk_skb", "sk_skb_stream_parser", OPTIONAL },
	{ "sk_skb/stream_verdict", "sk_skb", "sk_skb_stream_verdict", OPTIONAL },
	{ "sk_skb/verdict", "sk_skb", "sk_skb_verdict", OPTIONAL },
	{ "sk_skb", "sk_skb", "?", NONE },
	{ "sk_msg", "sk_msg", "sk_msg_verdict", OPTIONAL },
	{ "lirc_mode2", "lirc_mode2", "lirc_mode2", OPTIONAL },
	{ "flow_dissector", "flow_dissector", "flow_dissector", OPTIONAL },
	{ "cgroup_skb/ingress", "cgroup_skb", "cgroup_inet_ingress", OPTIONAL },
	{ "cgroup_skb/egress", "cgroup_skb", "cgroup_inet_egress", OPTIONAL },
	{ "cgroup/skb", "cgroup_skb", "?", NONE },
	{ "cgroup/sock_create", "cgroup_sock", "cgroup_inet_sock_create", NONE },
	{ "cgroup/sock_release", "cgroup_sock", "cgroup_inet_sock_release", NONE },
	{ "cgroup/sock", "cgroup_sock", "cgroup_inet_sock_create", OPTIONAL },
	{ "cgroup/post_bind4", "cgroup_sock", "cgroup_inet4_post_bind", NONE },
	{ "cgroup/post_bind6", "cgroup_sock", "cgroup_inet6_post_bind", NONE },
	{ "cgroup/bind4", "cgroup_sock_addr", "cgroup_inet4_bind", NONE },
	{ "cgroup/bind6", "cgroup_sock_addr", "cgroup_inet6_bind", NONE },
	{ "cgroup/connect4", "cgroup_sock_addr", "cgroup_inet4_connect", NONE },
	{ "cgroup/connect6", "cgroup_sock_addr", "cgroup_inet6_connect", NONE },
	{ "cgroup/connect_unix", "cgroup_sock_addr", "cgroup_unix_connect", NONE },
	{ "cgroup/sendmsg4", "cgroup_sock_addr", "cgroup_udp4_sendmsg", NONE },
	{ "cgroup/sendmsg6", "cgroup_sock_addr", "cgroup_udp6_sendmsg", NONE },
	{ "cgroup/sendmsg_unix", "cgroup_sock_addr", "cgroup_unix_sendmsg", NONE },
	{ "cgroup/recvmsg4", "cgroup_sock_addr", "cgroup_udp4_recvmsg", NONE },
	{ "cgroup/recvmsg6", "cgroup_sock_addr", "cgroup_udp6_recvmsg", NONE },
	{ "cgroup/recvmsg_unix", "cgroup_sock_addr", "cgroup_unix_recvmsg", NONE },
	{ "cgroup/getpeername4", "cgroup_sock_addr", "cgroup_inet4_getpeername", NONE },
	{ "cgroup/getpeername6", "cgroup_sock_addr", "cgroup_inet6_getpeername", NONE },
	{ "cgroup/getpeername_unix", "cgroup_sock_addr", "cgroup_unix_getpeername", NONE },
	{ "cgroup/getsockname4", "cgroup_sock_addr", "cgroup_inet4_getsockname", NONE },
	{ "cgroup/getsockname6", "cgroup_sock_addr", "cgroup_inet6_getsockname", NONE },
	{ "cgroup/getsockname_unix", "cgroup_sock_addr", "cgroup_unix_getsockname", NONE },
	{ "cgroup/sysctl", "cgroup_sysctl", "cgroup_sysctl", NONE },
	{ "cgroup/getsockopt", "cgroup_sockopt", "cgroup_getsockopt", NONE },
	{ "cgroup/setsockopt", "cgroup_sockopt", "cgroup_setsockopt", NONE },
	{ "cgroup/dev", "cgroup_device", "cgroup_device", OPTIONAL },
	{ "struct_ops+", "struct_ops", "?", NONE },
	{ "struct_ops.s+", "struct_ops", "?", SLEEP },
	{ "sk_lookup", "sk_lookup", "sk_lookup", NONE },
	{ "netfilter", "netfilter", "netfilter", NONE },
};

/* Before 1.0 libbpf took any name that starts like one of these; names such as "xdp_firewall" and "socket1" remain. */
static const struct sec_rule prefixes[] = {
	{ "socket", "socket_filter", NULL, NONE },
	{ "sk_reuseport", "sk_reuseport", "sk_reuseport_select", NONE },
	{ "kprobe/", "kprobe", NULL, OFFSET },
	{ "kretprobe/", "kprobe", NULL, RET },
	{ "uprobe", "kprobe", NULL, OFFSET },
	{ "uretprobe", "kprobe", NULL, OFFSET | RET },
	{ "classifier", "sched_cls", NULL, NONE },
	{ "action", "sched_act", NULL, NONE },
	{ "tracepoint/", "tracepoint", NULL, NONE },
	{ "tp/", "tracepoint", NULL, NONE },
	{ "raw_tracepoint/", "raw_tracepoint", NULL, NONE },
	{ "raw_tp/", "raw_tracepoint", NULL, NONE },
	{ "xdp", "xdp", "xdp", OPTIONAL },
	{ "perf_event", "perf_event", NULL, NONE },
	{ "lwt_in", "lwt_in", NULL, NONE },
	{ "lwt_out", "lwt_out", NULL, NONE },
	{ "lwt_xmit", "lwt_xmit", NULL, NONE },
	{ "lwt_seg6local", "lwt_seg6local", NULL, NONE },
	{ "cgroup_skb/ingress", "cgroup_skb", "cgroup_inet_ingress", OPTIONAL },
	{ "cgroup_skb/egress", "cgroup_skb", "cgroup_inet_egress", OPTIONAL },
	{ "cgroup/skb", "cgroup_skb", "?", NONE },
	{ "cgroup/sock", "cgroup_sock", "cgroup_inet_sock_create", OPTIONAL },
	{ "cgroup/dev", "cgroup_device", "cgroup_device", OPTIONAL },
	{ "sockops", "sock_ops", "cgroup_sock_ops", OPTIONAL },
	{ "sk_skb", "sk_skb", "?", NONE },
	{ "sk_msg", "sk_msg", "sk_msg_verdict", OPTIONAL },
	{ "lirc_mode2", "lirc_mode2", "lirc_mode2", OPTIONAL },
	{ "flow_dissector", "flow_dissector", "flow_dissector", OPTIONAL },
	/* Conventions of tc users: Cilium's "from-netdev", iproute2's examples. */
	{ "from-", "sched_cls", NULL, NONE },
	{ "to-", "sched_cls", NULL, NONE },
	{ "tc", "sched_cls", NULL, NONE },
	{ "cls", "sched_cls", NULL, NONE },
	{ "ingress", "sched_cls", NULL, NONE },
	{ "egress", "sched_cls", NULL, NONE },
	{ "act", "sched_act", NULL, NONE },
	{ "sched_cls", "sched_cls", NULL, NONE },
	{ "sched_act", "sched_act", NULL, NONE },
	/* Names of loaders that make file names or identifiers of them. */
	{ "XDP", "xdp", "xdp", OPTIONAL },
	{ "kprobe_", "kprobe", NULL, NONE },
	{ "kretprobe_", "kprobe", NULL, RET },
	{ "tracepoint_", "tracepoint", NULL, NONE },
	{ "raw_tracepoint_", "raw_tracepoint", NULL, NONE },
	{ "bpf_sock_ops", "sock_ops", "cgroup_sock_ops", OPTIONAL },
	{ "connect4", "cgroup_sock_addr", "cgroup_inet4_connect", NONE },
	{ "connect6", "cgroup_sock_addr", "cgroup_inet6_connect", NONE },
};

static const struct sec_rule contexts[] = {
	{ "xdp_md", "xdp", "xdp", OPTIONAL },
	{ "__sk_buff", "sched_cls", NULL, NONE },
	{ "pt_regs", "kprobe", NULL, NONE },
	{ "bpf_perf_event_data", "perf_event", NULL, NONE },
	{ "bpf_raw_tracepoint_args", "raw_tracepoint", NULL, NONE },
	{ "bpf_sock_addr", "cgroup_sock_addr", "?", NONE },
	{ "bpf_sock", "cgroup_sock", "?", NONE },
	{ "bpf_sock_ops", "sock_ops", "cgroup_sock_ops", OPTIONAL },
	{ "sk_msg_md", "sk_msg", "sk_msg_verdict", OPTIONAL },
	{ "bpf_cgroup_dev_ctx", "cgroup_device", "cgroup_device", OPTIONAL },
	{ "bpf_sysctl", "cgroup_sysctl", "cgroup_sysctl", NONE },
	{ "bpf_sockopt", "cgroup_sockopt", "?", NONE },
	{ "bpf_sk_lookup", "sk_lookup", "sk_lookup", NONE },
	{ "sk_reuseport_md", "sk_reuseport", "sk_reuseport_select", NONE },
	{ "bpf_nf_ctx", "netfilter", "netfilter", NONE },
};

static bool rule_matches(const struct sec_rule *rule, const char *name)
{
	size_t len = strlen(rule->name);

	if (rule->name[len - 1] != '+')
		return !strcmp(rule->name, name);
	len--;
	return !strncmp(name, rule->name, len) && (name[len] == '\0' || name[len] == '/');
}

static void rule_apply(const struct sec_rule *rule, struct bw_secdef *d)
{
	int type = bw_prog_type_id(rule->prog_type), attach = 0;

	if (rule->attach_type)
		attach = rule->attach_type[0] == '?' ? BW_NONE : bw_attach_type_id(rule->attach_type);
	d->known = type >= 0;
	d->prog_type = type >= 0 ? (uint32_t)type : 0;
	d->attach_type = attach >= 0 ? attach : BW_NONE;
	d->rule = rule->name;
	d->sleepable = rule->flags & SLEEP;
	d->attach_optional = rule->flags & OPTIONAL;
	d->needs_btf_target = rule->flags & BTF;
	d->multi = rule->flags & MULTI;
	d->session = rule->flags & SESSION;
	d->ret = rule->flags & RET;
	d->frags = rule->flags & FRAGS;
}

/* "func+0x10", "path:func+10": the offset, when what follows the last plus sign is a number. */
static void split_target(struct bw_secdef *d, bool has_offset)
{
	const char *plus = has_offset ? strrchr(d->target, '+') : NULL;
	unsigned long long v;
	char *end;

	d->target_len = (uint32_t)strlen(d->target);
	if (!plus || plus[1] < '0' || plus[1] > '9')
		return;
	v = strtoull(plus + 1, &end, 0);
	if (*end)
		return;
	d->target_off = v;
	d->target_len = (uint32_t)(plus - d->target);
}

/* iproute2's "MAP/SLOT": a tail-call target, both parts numbers ("2/7", "1/0x10"). */
static bool is_tail_section(const char *name)
{
	char *end;

	if (name[0] < '0' || name[0] > '9')
		return false;
	strtoul(name, &end, 0);
	if (*end != '/' || end[1] < '0' || end[1] > '9')
		return false;
	strtoul(end + 1, &end, 0);
	return !*end;
}

static struct bw_secdef secdef_empty(const char *name)
{
	return (struct bw_secdef){ .attach_type = BW_NONE, .rule = "", .target = name, .autoload = true };
}

void bw_secname_parse(const char *name, struct bw_secdef *ret)
{
	static const struct sec_rule tail = { "MAP/SLOT", "sched_cls", NULL, NONE };
	const char *slash;

	*ret = secdef_empty("");
	if (*name == '?') {
		ret->autoload = false;
		name++;
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!rule_matches(&rules[i], name))
			continue;
		rule_apply(&rules[i], ret);
		slash = strchr(name, '/');
		if (rules[i].name[strlen(rules[i].name) - 1] == '+' && slash)
			ret->target = slash + 1;
		split_target(ret, rules[i].flags & OFFSET);
		return;
	}
	if (is_tail_section(name)) {
		rule_apply(&tail, ret);
		ret->target = name;
		ret->convention = true;
		split_target(ret, false);
		return;
	}
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncmp(name, prefixes[i].name, strlen(prefixes[i].name)))
			continue;
		rule_apply(&prefixes[i], ret);
		slash = strchr(name, '/');
		ret->target = slash ? slash + 1 : "";
		ret->convention = true;
		split_target(ret, prefixes[i].flags & OFFSET);
		return;
	}
	ret->target = name;
	split_target(ret, false);
}

void bw_secname_parse_windows(const char *name, struct bw_secdef *ret)
{
	/* Prefixes that ebpfapi maps to a program type (libs/api/Verifier.cpp, ebpf_extension there). */
	static const char *const known[] = { "bind", "xdp", "cgroup/", "sockops", "process", "netevent", "sample_ext", "flow_classify" };

	*ret = secdef_empty(name);
	if (*name == '?')
		name++;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(name, known[i], strlen(known[i])))
			ret->rule = known[i];
	split_target(ret, false);
}

void bw_secname_from_context(const char *type_name, struct bw_secdef *def)
{
	static const struct sec_rule tracepoint = { "trace_event_raw_*", "tracepoint", NULL, NONE };
	bool autoload = def->autoload;

	for (size_t i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++) {
		if (strcmp(contexts[i].name, type_name))
			continue;
		rule_apply(&contexts[i], def);
		def->convention = true;
	}
	if (!strncmp(type_name, "trace_event_raw_", 16)) {
		rule_apply(&tracepoint, def);
		def->convention = true;
	}
	def->autoload = autoload;
}
