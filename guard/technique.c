// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/technique.h"

#include <linux/bpf.h>
#include <string.h>

#include "common/cleanup.h"
#include "guard/alert.h"
#include "guard/classic.h"

/* Helpers by number: younger than some of the headers this is built with. */
#define H_PROBE_WRITE_USER 36
#define H_OVERRIDE_RETURN 58
#define H_SEND_SIGNAL 109
#define H_SEND_SIGNAL_THREAD 117
#define H_SYS_BPF 166

#define AT_MODIFY_RETURN 26

static const struct technique techniques[] = {
	{ "T05", "signals whoever debugs or traces", ALERT_HIGH },
	{ "T06", "decides what a system call or kernel function returns", ALERT_HIGH },
	{ "T07", "sits on the kernel's own BPF functions and can change what they say", ALERT_CRITICAL },
	{ "T08", "can change what readers of the audit log or the kernel log receive", ALERT_HIGH },
	{ "T09", "can change what listings of sockets say", ALERT_HIGH },
	{ "T27", "a tracing program was attached to the host from inside other namespaces", ALERT_HIGH },
	{ "T29", "a link or an attached program is taken away by a process that did not put it there", ALERT_HIGH },
	{ "T31", "a classic filter waits for bytes in the payload: the shape of a magic packet", ALERT_HIGH },
	{ "T32", "a classic filter hides a port from a capture", ALERT_MEDIUM },
	{ "T33", "a link or a table of programs is kept by a pin, without a process", ALERT_INFO },
	{ "T34", "a program loads other programs from inside the kernel", ALERT_MEDIUM },
};

static const struct technique *by_id(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(techniques); i++)
		if (!strcmp(techniques[i].id, id))
			return &techniques[i];
	return NULL;
}

static bool calls(const struct decode_attach *a, unsigned int helper)
{
	return a->prog.helpers[helper / 64] >> helper % 64 & 1;
}

static bool contains_any(const char *target, const char *const *words)
{
	for (; *words; words++)
		if (strstr(target, *words))
			return true;
	return false;
}

static bool is_tracing(uint32_t type)
{
	return type == BPF_PROG_TYPE_KPROBE || type == BPF_PROG_TYPE_TRACEPOINT || type == BPF_PROG_TYPE_PERF_EVENT ||
	       type == BPF_PROG_TYPE_RAW_TRACEPOINT || type == BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE ||
	       type == BPF_PROG_TYPE_TRACING;
}

static bool attaches(const struct decode_attach *a)
{
	switch (a->way) {
	case BW_WAY_LINK:
		return a->request == BPF_LINK_CREATE;
	case BW_WAY_RAW_TRACEPOINT:
	case BW_WAY_PERF_IOCTL:
		return true;
	default:
		return false;
	}
}

static const struct technique *tracing(const struct decode_attach *a, const char *target)
{
	static const char *const bpf[] = { "sys_bpf", "enter_bpf", "exit_bpf", "security_bpf", "bpf_prog_", "bpf_map_", "bpf_link_", NULL };
	static const char *const traced[] = { "ptrace", NULL };
	static const char *const logs[] = { "audit_", "recvfrom", "kmsg", "syslog", "printk", NULL };
	static const char *const sockets[] = { "recvmsg", "netlink", "diag", "seq_show", NULL };
	bool modifies = a->attach_type == AT_MODIFY_RETURN || a->prog.expected_attach_type == AT_MODIFY_RETURN ||
			calls(a, H_OVERRIDE_RETURN);
	bool changes = modifies || calls(a, H_PROBE_WRITE_USER);

	if (changes && contains_any(target, bpf))
		return by_id("T07");
	if ((calls(a, H_SEND_SIGNAL) || calls(a, H_SEND_SIGNAL_THREAD)) && contains_any(target, traced))
		return by_id("T05");
	if (changes && contains_any(target, logs))
		return by_id("T08");
	if (changes && contains_any(target, sockets))
		return by_id("T09");
	return modifies ? by_id("T06") : NULL;
}

const struct technique *technique_find(const struct decode_attach *a, const struct technique_context *c)
{
	const struct technique *t = NULL;

	if (a->way == BW_WAY_CLASSIC_FILTER) {
		if (c->filter & CLASSIC_MAGIC)
			return by_id("T31");
		return c->filter & CLASSIC_DROP_PORT ? by_id("T32") : NULL;
	}
	if (attaches(a)) {
		t = tracing(a, c->target ? c->target : "");
		if (!t && c->other_namespaces && is_tracing(a->prog.type))
			t = by_id("T27");
		return t;
	}
	if (a->way == BW_WAY_TEST_RUN && a->prog.type == 31 /* BPF_PROG_TYPE_SYSCALL */ && calls(a, H_SYS_BPF))
		return by_id("T34");
	if (a->flags & BW_ATTACH_KERNEL)
		return by_id("T34");
	if (!c->owner && (((a->way == BW_WAY_LINK || a->way == BW_WAY_PROG_ATTACH) && a->request != BPF_PROG_ATTACH) ||
			  (a->way == BW_WAY_NETLINK_TC && (a->request == 37 || a->request == 45))))
		return by_id("T29");
	if (a->way == BW_WAY_PIN && (a->link_id || a->map_type == BPF_MAP_TYPE_PROG_ARRAY))
		return by_id("T33");
	return NULL;
}
