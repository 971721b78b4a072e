// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What attach points hand to programs. Sources: the layout of syscall tracepoints in kernel/trace/trace_syscalls.c,
 * arch/x86/include/asm/ptrace.h. The tables are in sources_syscall.c, sources_func.c and sources_struct.c.
 */
#include <ctype.h>
#include <string.h>

#include "auditor/sources_table.h"
#include "common/cleanup.h"

bool bw_glob(const char *p, const char *s, size_t len)
{
	const char *star = NULL;
	size_t i = 0, mark = 0;

	for (;;) {
		if (*p == '*') {
			star = ++p;
			mark = i;
		} else if (i < len && *p == s[i]) {
			p++;
			i++;
		} else if (i == len && !*p) {
			return true;
		} else if (star && mark < len) {
			p = star;
			i = ++mark;
		} else {
			return false;
		}
	}
}

/* ---- what a program is attached to ------------------------------------------------------------------------------------ */

enum { T_SOCKET_FILTER = 1, T_KPROBE, T_SCHED_CLS, T_SCHED_ACT, T_TRACEPOINT, T_XDP, T_PERF_EVENT, T_CGROUP_SKB, T_CGROUP_SOCK,
       T_LWT_IN, T_LWT_OUT, T_LWT_XMIT, T_SOCK_OPS, T_SK_SKB, T_CGROUP_DEVICE, T_SK_MSG, T_RAW_TP, T_CGROUP_SOCK_ADDR,
       T_LWT_SEG6LOCAL, T_LIRC, T_SK_REUSEPORT, T_FLOW_DISSECTOR, T_CGROUP_SYSCTL, T_RAW_TP_W, T_CGROUP_SOCKOPT, T_TRACING,
       T_STRUCT_OPS, T_EXT, T_LSM, T_SK_LOOKUP, T_SYSCALL, T_NETFILTER };

static bool has(const char *s, const char *word)
{
	return strstr(s, word) != NULL;
}

static bool starts(const char *s, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !memcmp(s, prefix, n);
}

/* Takes "__x64_sys_read", "sys_read", "__se_sys_read", "ksys_read" apart; 0: not a system call's function. */
static enum bw_target_kind syscall_symbol(const char *s, size_t len, const char **ret, size_t *ret_len)
{
	static const struct {
		const char *prefix;
		enum bw_target_kind kind;
	} prefixes[] = {
		{ "__x64_sys_", BW_TARGET_WRAPPER },	{ "__ia32_sys_", BW_TARGET_WRAPPER },
		{ "__arm64_sys_", BW_TARGET_WRAPPER },	{ "__ia32_compat_sys_", BW_TARGET_WRAPPER },
		{ "__s390x_sys_", BW_TARGET_WRAPPER },	{ "__riscv_sys_", BW_TARGET_WRAPPER },
		{ "__se_sys_", BW_TARGET_SYSCALL },	{ "__do_sys_", BW_TARGET_SYSCALL },
		{ "sys_", BW_TARGET_SYSCALL },		{ "SyS_", BW_TARGET_SYSCALL },
		{ "SYSC_", BW_TARGET_SYSCALL },		{ "compat_sys_", BW_TARGET_SYSCALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (starts(s, len, prefixes[i].prefix)) {
			*ret = s + strlen(prefixes[i].prefix);
			*ret_len = len - strlen(prefixes[i].prefix);
			return prefixes[i].kind;
		}
	return BW_TARGET_NONE;
}

/*
 * Programs with a bare SEC("uprobe") are attached by their loader to what only it knows; most are named after it. Finds the
 * longest name of the tables inside the program's name, without regard to case and underscores around it.
 */
static bool guess_user_target(const char *name, const char **ret, size_t *ret_len)
{
	static const char *const known[] = {
		"SSL_write_ex2", "SSL_write_ex", "SSL_read_ex", "SSL_peek_ex", "SSL_write", "SSL_read", "SSL_peek",
		"gnutls_record_send", "gnutls_record_recv", "PR_Write", "PR_Read", "PR_Send", "PR_Recv", "readline",
		"pam_get_authtok", "pam_authenticate", "pam_sm_authenticate", "pam_set_item", "pam_get_item", "getaddrinfo",
		"gethostbyname", "mbedtls_ssl_read", "mbedtls_ssl_write", "wolfSSL_read", "wolfSSL_write", "s2n_send", "s2n_recv",
		"crypto/tls.", "zleread", "getenv", "keylog", "master_secret",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcasestr(name, known[i])) {
			*ret = known[i];
			*ret_len = strlen(known[i]);
			return true;
		}
	if (strcasestr(name, "gotls") || strcasestr(name, "go_tls") || strcasestr(name, "go_crypto_tls")) {
		*ret = "crypto/tls.";
		*ret_len = strlen(*ret);
		return true;
	}
	if (strcasestr(name, "ssl") || strcasestr(name, "tls")) {
		bool out = strcasestr(name, "write") || strcasestr(name, "send");

		if (out || strcasestr(name, "read") || strcasestr(name, "recv")) {
			*ret = out ? "SSL_write" : "SSL_read";
			*ret_len = strlen(*ret);
			return true;
		}
	}
	return false;
}

static bool is_internal(const char *s, size_t len)
{
	static const char *const names[] = { "*sys_bpf", "__sys_bpf*", "security_bpf*", "bpf_prog_*", "bpf_map_*", "bpf_link_*",
					     "bpf_obj_*", "bpf_check", "bpf_get_prog*", "bpf", "bpf_prog", "bpf_map", "bpf_btf_*",
					     "*btf_get_*", "bpf_task_fd_query*", "map_get_next_*", "bpf_iter_*" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (bw_glob(names[i], s, len))
			return true;
	return false;
}

static void attach_tracepoint(const struct bw_prog *p, struct bw_attach *a)
{
	const char *t = a->name, *sys;

	a->ctx = BW_CTX_TP;
	sys = strstr(t, "sys_enter");
	if (sys && (has(t, "syscalls/") || sys == t)) {
		a->ctx = BW_CTX_TP_ENTER;
		a->target = BW_TARGET_SYSCALL;
		a->name = sys[9] == '_' ? sys + 10 : "";
	}
	sys = strstr(t, "sys_exit");
	if (sys && (has(t, "syscalls/") || sys == t)) {
		a->ctx = BW_CTX_TP_EXIT;
		a->target = BW_TARGET_SYSCALL;
		a->ret = true;
		a->name = sys[8] == '_' ? sys + 9 : "";
	}
	if (!*t) {
		/* Bare SEC("tp"): the program's name may say it (tracepoint__syscalls__sys_enter_read). */
		sys = strstr(p->name, "sys_enter_");
		if (sys) {
			a->ctx = BW_CTX_TP_ENTER;
			a->target = BW_TARGET_SYSCALL;
			a->name = sys + 10;
			a->guessed = true;
		}
		sys = strstr(p->name, "sys_exit_");
		if (sys) {
			a->ctx = BW_CTX_TP_EXIT;
			a->target = BW_TARGET_SYSCALL;
			a->ret = true;
			a->name = sys + 9;
			a->guessed = true;
		}
	}
	a->name_len = strlen(a->name);
}

static void attach_function(const struct bw_object *o, const struct bw_prog *p, struct bw_attach *a)
{
	const char *rule = p->def.rule, *colon;
	enum bw_target_kind k;

	if (starts(rule, strlen(rule), "uprobe") || starts(rule, strlen(rule), "uretprobe") || starts(rule, strlen(rule), "usdt")) {
		a->target = BW_TARGET_USER;
		/* "path:symbol", "path:provider:name" of USDT; a Go symbol may contain dots, slashes and parentheses. */
		colon = strrchr(a->name, ':');
		if (colon) {
			a->name = colon + 1;
			a->name_len = strlen(a->name);
		}
		if (!a->name_len)
			a->guessed = guess_user_target(p->name, &a->name, &a->name_len);
		return;
	}
	if (starts(rule, strlen(rule), "ksyscall") || starts(rule, strlen(rule), "kretsyscall")) {
		a->target = BW_TARGET_SYSCALL;
		return;
	}
	a->target = BW_TARGET_KERNEL;
	if (!a->name_len && p->def.prog_type == T_KPROBE) {
		/* Bare SEC("kprobe"): may also be a uprobe. */
		if (guess_user_target(p->name, &a->name, &a->name_len)) {
			a->target = BW_TARGET_USER;
			a->guessed = true;
			return;
		}
	}
	k = syscall_symbol(a->name, a->name_len, &a->name, &a->name_len);
	if (k != BW_TARGET_NONE)
		a->target = k;
}

static void attach_arg(const struct bw_attach *a, int i, struct bw_arg *ret)
{
	*ret = (struct bw_arg){ BW_ARG_UNKNOWN, 0, "", "" };
	switch (a->target) {
	case BW_TARGET_WRAPPER:
		if (i == 0)
			*ret = (struct bw_arg){ BW_ARG_PTREGS, 0, "regs", "pt_regs" };
		else
			*ret = (struct bw_arg)N("ret");
		break;
	case BW_TARGET_SYSCALL:
		if (!bw_syscall_arg(a->name, a->name_len, i, ret))
			*ret = (struct bw_arg){ BW_ARG_UNKNOWN, S(USER_MEMORY), "", "" };
		break;
	case BW_TARGET_USER:
		/* Only the first few functions are listed by argument; everything a probed function points to is user memory. */
		if (!bw_user_func_arg(a, i, ret))
			*ret = (struct bw_arg){ BW_ARG_USER_PTR, S(USER_MEMORY), "", "" };
		break;
	case BW_TARGET_RAW_SYS_ENTER:
	case BW_TARGET_RAW_SYS_EXIT:
		if (i == 0)
			*ret = (struct bw_arg){ BW_ARG_PTREGS, 0, "regs", "pt_regs" };
		else
			*ret = (struct bw_arg)N("id");
		break;
	default:
		bw_kernel_func_arg(a, i, ret);
		break;
	}
	if (i == -1 && !*ret->name)
		ret->name = "return value";
}

static uint32_t tracepoint_classes(const struct bw_attach *a)
{
	static const struct {
		const char *name;
		uint32_t classes;
	} t[] = {
		{ "sched/sched_process_exec", S(FILE_NAME) | S(PROCESS_METADATA) },
		{ "sched/*", S(PROCESS_METADATA) },
		{ "task/*", S(PROCESS_METADATA) },
		{ "signal/*", S(PROCESS_METADATA) },
		{ "cgroup/*", S(PROCESS_METADATA) },
		{ "oom/*", S(PROCESS_METADATA) },
		{ "block/*", S(PROCESS_METADATA) },
		{ "irq/*", S(PROCESS_METADATA) },
		{ "power/*", S(PROCESS_METADATA) },
		{ "timer/*", S(PROCESS_METADATA) },
		{ "module/*", S(PROCESS_METADATA) },
		{ "fib*", S(PACKET_HEADER) },
		{ "net/*", S(PACKET_HEADER) },
		{ "skb/*", S(PACKET_HEADER) },
		{ "sock/*", S(PACKET_HEADER) },
		{ "tcp/*", S(PACKET_HEADER) },
		{ "udp/*", S(PACKET_HEADER) },
		{ "xdp/*", S(PACKET_HEADER) },
		{ "qdisc/*", S(PACKET_HEADER) },
		{ "neigh/*", S(PACKET_HEADER) },
		{ "raw_syscalls/*", S(PROCESS_METADATA) },
		{ "exceptions/*", S(PROCESS_METADATA) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (bw_glob(t[i].name, a->name, a->name_len))
			return t[i].classes;
	return S(KERNEL_MEMORY);
}

void bw_attach_of(const struct bw_object *o, const struct bw_prog *p, struct bw_attach *a)
{
	const char *rule = p->def.rule ? p->def.rule : "";

	*a = (struct bw_attach){ .name = p->def.target ? p->def.target : "", .ret = p->def.ret };
	a->name_len = strlen(a->name);
	if (o->btf && bw_btf_find(o->btf, BW_BTF_STRUCT, "user_pt_regs"))
		a->arm64 = true;
	switch (p->def.prog_type) {
	case T_KPROBE:
		a->ctx = BW_CTX_PTREGS;
		attach_function(o, p, a);
		break;
	case T_TRACEPOINT:
		attach_tracepoint(p, a);
		break;
	case T_RAW_TP:
	case T_RAW_TP_W:
		a->ctx = BW_CTX_ARGS;
		break;
	case T_TRACING:
		a->ctx = starts(rule, strlen(rule), "iter") ? BW_CTX_ITER : BW_CTX_ARGS;
		if (a->ctx == BW_CTX_ARGS && !starts(rule, strlen(rule), "tp_btf"))
			attach_function(o, p, a);
		break;
	case T_LSM:
	case T_STRUCT_OPS:
	case T_EXT:
		a->ctx = BW_CTX_ARGS;
		a->target = BW_TARGET_KERNEL;
		if (p->def.prog_type == T_STRUCT_OPS && p->struct_ops >= 0) {
			a->name = o->struct_ops[p->struct_ops].members[p->member].name;
			a->name_len = strlen(a->name);
		}
		break;
	case T_SOCKET_FILTER:
	case T_SCHED_CLS:
	case T_SCHED_ACT:
	case T_SK_SKB:
	case T_FLOW_DISSECTOR:
		a->ctx = BW_CTX_SKB;
		a->network = true;
		a->stream = p->def.prog_type == T_SK_SKB;
		break;
	case T_CGROUP_SKB:
	case T_LWT_IN:
	case T_LWT_OUT:
	case T_LWT_XMIT:
	case T_LWT_SEG6LOCAL:
		a->ctx = BW_CTX_SKB;
		a->network = a->l3 = true;
		break;
	case T_NETFILTER:
		a->ctx = BW_CTX_NETFILTER;
		a->network = a->l3 = true;
		break;
	case T_XDP:
		a->ctx = BW_CTX_XDP;
		a->network = true;
		break;
	case T_SK_MSG:
		a->ctx = BW_CTX_SK_MSG;
		a->network = true;
		break;
	case T_SK_REUSEPORT:
		a->ctx = BW_CTX_SK_REUSEPORT;
		a->network = true;
		break;
	case T_SOCK_OPS:
		a->ctx = BW_CTX_SOCK_OPS;
		a->network = true;
		break;
	case T_CGROUP_SOCK:
	case T_CGROUP_SOCK_ADDR:
	case T_SK_LOOKUP:
		a->ctx = BW_CTX_SOCK;
		break;
	case T_CGROUP_SOCKOPT:
		a->ctx = BW_CTX_SOCKOPT;
		break;
	case T_CGROUP_SYSCTL:
		a->ctx = BW_CTX_SYSCTL;
		break;
	case T_PERF_EVENT:
		a->ctx = BW_CTX_PERF;
		break;
	case T_SYSCALL:
		a->ctx = BW_CTX_SYSCALL;
		break;
	case T_LIRC:
		a->ctx = BW_CTX_LIRC;
		break;
	default:
		break;
	}
	if (a->ctx == BW_CTX_ARGS && a->target != BW_TARGET_SYSCALL && a->target != BW_TARGET_WRAPPER) {
		if (bw_glob("sys_enter", a->name, a->name_len) || (!a->name_len && has(p->name, "sys_enter")))
			a->target = BW_TARGET_RAW_SYS_ENTER;
		else if (bw_glob("sys_exit", a->name, a->name_len) || (!a->name_len && has(p->name, "sys_exit")))
			a->target = BW_TARGET_RAW_SYS_EXIT;
	}
	if (a->target == BW_TARGET_KERNEL || a->target == BW_TARGET_NONE)
		a->internal = is_internal(a->name, a->name_len) && p->def.prog_type != T_STRUCT_OPS && a->ctx != BW_CTX_TP;
	else if (a->target == BW_TARGET_SYSCALL || a->target == BW_TARGET_WRAPPER)
		a->internal = a->name_len == 3 && !memcmp(a->name, "bpf", 3);
	a->user_classes = bw_user_func_classes(a);
	a->record_classes = tracepoint_classes(a);
	for (int i = -1; i < BW_ATTACH_ARGS - 1; i++)
		attach_arg(a, i, &a->args[i + 1]);
}

void bw_attach_arg(const struct bw_attach *a, int i, struct bw_arg *ret)
{
	if (i >= -1 && i < BW_ATTACH_ARGS - 1)
		*ret = a->args[i + 1];
	else
		attach_arg(a, i, ret);
}

/* ---- registers -------------------------------------------------------------------------------------------------------- */

int bw_ptregs_role(const struct bw_attach *a, const char *field, int64_t off, bool syscall)
{
	static const struct {
		const char *name;
		int off, role;
	} x86[] = {
		{ "di", 112, 0 }, { "si", 104, 1 }, { "dx", 96, 2 }, { "cx", 88, 3 }, { "r8", 72, 4 }, { "r9", 64, 5 },
		{ "ax", 80, BW_REG_RET }, { "sp", 152, BW_REG_STACK }, { "bp", 32, BW_REG_STACK }, { "ip", 128, BW_REG_STACK },
		{ "orig_ax", 120, BW_REG_SYSNR }, { "r10", 56, 3 },
	};
	const char *dot = strrchr(field, '.');

	if (a->arm64) {
		if (off >= 0 && off < 48 && !(off % 8))
			return (int)(off / 8);
		return off == 64 ? BW_REG_SYSNR : off == 248 || off == 256 ? BW_REG_STACK : BW_REG_OTHER;
	}
	for (size_t i = 0; i < ARRAY_SIZE(x86); i++) {
		bool here = off == x86[i].off;

		if (dot) {
			const char *n = dot + 1;

			here = !strcmp(n, x86[i].name) || (n[0] == 'r' && !strcmp(n + 1, x86[i].name));
		}
		if (!here)
			continue;
		if (x86[i].role == 3 && syscall != (x86[i].off == 56))
			return BW_REG_OTHER;
		return x86[i].role;
	}
	return BW_REG_OTHER;
}
