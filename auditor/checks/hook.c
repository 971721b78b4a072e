// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/checks/hook.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "common/cleanup.h"

static const char *const hook_names[] = {
	[BW_HOOK_SYSCALL_ENTER] = "syscall-enter",
	[BW_HOOK_SYSCALL_EXIT] = "syscall-exit",
	[BW_HOOK_FUNCTION_ENTER] = "function-enter",
	[BW_HOOK_FUNCTION_EXIT] = "function-exit",
	[BW_HOOK_FMOD_RET] = "fmod-ret",
	[BW_HOOK_UPROBE] = "uprobe",
	[BW_HOOK_URETPROBE] = "uretprobe",
	[BW_HOOK_TRACEPOINT] = "tracepoint",
	[BW_HOOK_LSM] = "lsm",
	[BW_HOOK_ITER] = "iter",
	[BW_HOOK_PERF_EVENT] = "perf-event",
	[BW_HOOK_XDP] = "xdp",
	[BW_HOOK_TC] = "tc",
	[BW_HOOK_SOCKET_FILTER] = "socket-filter",
	[BW_HOOK_SOCKET] = "socket",
	[BW_HOOK_CGROUP] = "cgroup",
	[BW_HOOK_LWT] = "lwt",
	[BW_HOOK_STRUCT_OPS] = "struct-ops",
	[BW_HOOK_SYSCALL_PROG] = "syscall-program",
	[BW_HOOK_EXT] = "ext",
	[BW_HOOK_OTHER] = "other",
};
_Static_assert(ARRAY_SIZE(hook_names) == BW_HOOK_COUNT_, "each hook has a name");

const char *bw_hook_name(enum bw_hook_bit h)
{
	return h < BW_HOOK_COUNT_ ? hook_names[h] : "?";
}

int bw_hook_id(const char *name)
{
	for (unsigned int i = 0; i < BW_HOOK_COUNT_; i++)
		if (!strcmp(hook_names[i], name))
			return (int)i;
	return -1;
}

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* The kernel's names of a system call's functions, and the tracepoints'. */
static const char *syscall_of(const char *function)
{
	static const char *const prefixes[] = {
		"sys_enter_", "sys_exit_",  "__x64_sys_", "__arm64_sys_", "__ia32_sys_", "__riscv_sys_", "__s390x_sys_",
		"__se_sys_",  "__do_sys_",  "__sys_",	  "ksys_",	  "SyS_",	 "__arm64_compat_sys_", "sys_",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (starts(function, prefixes[i]))
			return function + strlen(prefixes[i]);
	return "";
}

/* The attach type, where the section's name says one. */
static bool attaches(const struct bw_prog *p, int type)
{
	return p->def.attach_type == type;
}

static uint32_t tracing_bits(const struct bw_prog *p)
{
	if (attaches(p, BPF_TRACE_FEXIT))
		return BW_HOOK_BIT(BW_HOOK_FUNCTION_EXIT);
	if (attaches(p, BPF_MODIFY_RETURN))
		return BW_HOOK_BIT(BW_HOOK_FMOD_RET);
	if (attaches(p, BPF_TRACE_ITER))
		return BW_HOOK_BIT(BW_HOOK_ITER);
	if (attaches(p, BPF_TRACE_RAW_TP))
		return BW_HOOK_BIT(BW_HOOK_TRACEPOINT);
	if (p->def.session)
		return BW_HOOK_BIT(BW_HOOK_FUNCTION_ENTER) | BW_HOOK_BIT(BW_HOOK_FUNCTION_EXIT);
	return BW_HOOK_BIT(p->def.ret ? BW_HOOK_FUNCTION_EXIT : BW_HOOK_FUNCTION_ENTER);
}

static uint32_t kprobe_bits(const struct bw_prog *p)
{
	bool user = starts(p->def.rule, "u") || starts(p->section, "u") || starts(p->section, "?u");

	if (user && p->def.session)
		return BW_HOOK_BIT(BW_HOOK_UPROBE) | BW_HOOK_BIT(BW_HOOK_URETPROBE);
	if (user)
		return BW_HOOK_BIT(p->def.ret ? BW_HOOK_URETPROBE : BW_HOOK_UPROBE);
	if (starts(p->def.rule, "ksyscall"))
		return BW_HOOK_BIT(BW_HOOK_SYSCALL_ENTER);
	if (starts(p->def.rule, "kretsyscall"))
		return BW_HOOK_BIT(BW_HOOK_SYSCALL_EXIT);
	if (p->def.session)
		return BW_HOOK_BIT(BW_HOOK_FUNCTION_ENTER) | BW_HOOK_BIT(BW_HOOK_FUNCTION_EXIT);
	return BW_HOOK_BIT(p->def.ret ? BW_HOOK_FUNCTION_EXIT : BW_HOOK_FUNCTION_ENTER);
}

static uint32_t type_bits(const struct bw_prog *p)
{
	switch (p->def.prog_type) {
	case BPF_PROG_TYPE_KPROBE:
		return kprobe_bits(p);
	case BPF_PROG_TYPE_TRACING:
		return tracing_bits(p);
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		return BW_HOOK_BIT(BW_HOOK_TRACEPOINT);
	case BPF_PROG_TYPE_LSM:
		return BW_HOOK_BIT(BW_HOOK_LSM);
	case BPF_PROG_TYPE_PERF_EVENT:
		return BW_HOOK_BIT(BW_HOOK_PERF_EVENT);
	case BPF_PROG_TYPE_XDP:
		return BW_HOOK_BIT(BW_HOOK_XDP);
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
		return BW_HOOK_BIT(BW_HOOK_TC);
	case BPF_PROG_TYPE_SOCKET_FILTER:
		return BW_HOOK_BIT(BW_HOOK_SOCKET_FILTER);
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_SK_LOOKUP:
	case BPF_PROG_TYPE_SK_REUSEPORT:
		return BW_HOOK_BIT(BW_HOOK_SOCKET);
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return BW_HOOK_BIT(BW_HOOK_CGROUP);
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
		return BW_HOOK_BIT(BW_HOOK_LWT);
	case BPF_PROG_TYPE_STRUCT_OPS:
		return BW_HOOK_BIT(BW_HOOK_STRUCT_OPS);
	case BPF_PROG_TYPE_SYSCALL:
		return BW_HOOK_BIT(BW_HOOK_SYSCALL_PROG);
	case BPF_PROG_TYPE_EXT:
		return BW_HOOK_BIT(BW_HOOK_EXT);
	default:
		return BW_HOOK_BIT(BW_HOOK_OTHER);
	}
}

/*
 * Function hooks and tracepoints of system calls become syscall-enter and syscall-exit. The generic tracepoints
 * sys_enter and sys_exit see every call.
 */
static void refine_syscall(struct bw_hook *h)
{
	const uint32_t enter = BW_HOOK_BIT(BW_HOOK_FUNCTION_ENTER), leave = BW_HOOK_BIT(BW_HOOK_FUNCTION_EXIT);
	const uint32_t functions = enter | leave | BW_HOOK_BIT(BW_HOOK_TRACEPOINT) | BW_HOOK_BIT(BW_HOOK_FMOD_RET) |
				   BW_HOOK_BIT(BW_HOOK_SYSCALL_ENTER) | BW_HOOK_BIT(BW_HOOK_SYSCALL_EXIT);
	uint32_t bits = h->bits;

	if (!(bits & functions))
		return;
	if (bits & BW_HOOK_BIT(BW_HOOK_TRACEPOINT)) {
		if (starts(h->target, "sys_enter"))
			h->bits = BW_HOOK_BIT(BW_HOOK_SYSCALL_ENTER);
		else if (starts(h->target, "sys_exit"))
			h->bits = BW_HOOK_BIT(BW_HOOK_SYSCALL_EXIT);
		else
			return;
		h->syscall = !strcmp(h->target, "sys_enter") || !strcmp(h->target, "sys_exit") ? "*" :
			     syscall_of(h->target);
		return;
	}
	if (bits & (BW_HOOK_BIT(BW_HOOK_SYSCALL_ENTER) | BW_HOOK_BIT(BW_HOOK_SYSCALL_EXIT))) {
		h->syscall = h->target;
		return;
	}
	h->syscall = syscall_of(h->target);
	if (!*h->syscall)
		return;
	if (bits & enter)
		h->bits |= BW_HOOK_BIT(BW_HOOK_SYSCALL_ENTER);
	if (bits & leave)
		h->bits |= BW_HOOK_BIT(BW_HOOK_SYSCALL_EXIT);
}

int bw_hook_of(const struct bw_object *o, const struct bw_prog *p, struct bw_arena *arena, struct bw_hook *ret)
{
	const char *target = p->def.target ? p->def.target : "", *sep;
	struct bw_hook h = { .bits = type_bits(p), .target = target, .syscall = "", .library = "" };

	if (h.bits & (BW_HOOK_BIT(BW_HOOK_UPROBE) | BW_HOOK_BIT(BW_HOOK_URETPROBE))) {
		sep = strrchr(target, ':');
		if (sep) {
			h.library = bw_arena_strn(arena, target, (size_t)(sep - target));
			if (!h.library)
				return -ENOMEM;
			h.target = sep + 1;
		}
	} else if (h.bits & BW_HOOK_BIT(BW_HOOK_TRACEPOINT)) {
		/* "syscalls/sys_enter_openat": the category is of no interest, except for what it says of raw ones */
		sep = strrchr(target, '/');
		h.target = sep ? sep + 1 : target;
	}
	if (!*h.target)
		h.target = p->struct_ops != BW_NONE && p->struct_ops < (int32_t)o->n_struct_ops ?
				   o->struct_ops[p->struct_ops].type_name : p->name;
	refine_syscall(&h);
	*ret = h;
	return 0;
}
