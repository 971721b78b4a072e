/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_HOOK_H
#define BW_HOOK_H
/*
 * Where a program is attached, in the words the rules use: what kind of hook, at the entry or the exit, and which system
 * call, however the author chose to get there (tracepoint, kprobe, fentry, ksyscall, raw tracepoint).
 */
#include <stdint.h>

#include "auditor/arena.h"
#include "auditor/object.h"

/* Names in rules: bw_hook_name(). Append, never rename. */
enum bw_hook_bit {
	BW_HOOK_SYSCALL_ENTER, /* "syscall-enter" */
	BW_HOOK_SYSCALL_EXIT,  /* "syscall-exit" */
	BW_HOOK_FUNCTION_ENTER, /* "function-enter": kprobe, fentry */
	BW_HOOK_FUNCTION_EXIT, /* "function-exit" */
	BW_HOOK_FMOD_RET,      /* "fmod-ret" */
	BW_HOOK_UPROBE,	       /* "uprobe" */
	BW_HOOK_URETPROBE,     /* "uretprobe" */
	BW_HOOK_TRACEPOINT,    /* "tracepoint": also raw and BTF-typed ones, other than of system calls */
	BW_HOOK_LSM,	       /* "lsm" */
	BW_HOOK_ITER,	       /* "iter" */
	BW_HOOK_PERF_EVENT,    /* "perf-event" */
	BW_HOOK_XDP,	       /* "xdp" */
	BW_HOOK_TC,	       /* "tc" */
	BW_HOOK_SOCKET_FILTER, /* "socket-filter" */
	BW_HOOK_SOCKET,	       /* "socket": sk_msg, sk_skb, sock_ops, sk_lookup, reuseport */
	BW_HOOK_CGROUP,	       /* "cgroup" */
	BW_HOOK_LWT,	       /* "lwt": lightweight tunnels, seg6, flow dissector, netfilter */
	BW_HOOK_STRUCT_OPS,    /* "struct-ops" */
	BW_HOOK_SYSCALL_PROG,  /* "syscall-program": BPF_PROG_TYPE_SYSCALL */
	BW_HOOK_EXT,	       /* "ext" */
	BW_HOOK_OTHER,	       /* "other" */
	BW_HOOK_COUNT_,
};
#define BW_HOOK_BIT(h) (1u << (h))

struct bw_hook {
	uint32_t bits;	      /* several for what runs at entry and exit */
	const char *target;   /* the function, tracepoint or hook; the program's own name when the section does not say */
	const char *syscall;  /* "getdents64"; "*" for the raw tracepoints that see all; "" for none */
	const char *library;  /* uprobes: the file, "" unknown */
};

#define BW_HOOKS_TRACING                                                                                             \
	(BW_HOOK_BIT(BW_HOOK_SYSCALL_ENTER) | BW_HOOK_BIT(BW_HOOK_SYSCALL_EXIT) | BW_HOOK_BIT(BW_HOOK_FUNCTION_ENTER) |  \
	 BW_HOOK_BIT(BW_HOOK_FUNCTION_EXIT) | BW_HOOK_BIT(BW_HOOK_FMOD_RET) | BW_HOOK_BIT(BW_HOOK_UPROBE) |               \
	 BW_HOOK_BIT(BW_HOOK_URETPROBE) | BW_HOOK_BIT(BW_HOOK_TRACEPOINT) | BW_HOOK_BIT(BW_HOOK_PERF_EVENT))
#define BW_HOOKS_PACKET                                                                                              \
	(BW_HOOK_BIT(BW_HOOK_XDP) | BW_HOOK_BIT(BW_HOOK_TC) | BW_HOOK_BIT(BW_HOOK_SOCKET_FILTER) |                       \
	 BW_HOOK_BIT(BW_HOOK_SOCKET) | BW_HOOK_BIT(BW_HOOK_LWT))

/* Strings are in @arena or static, or belong to @o. Returns 0 or -ENOMEM. */
int bw_hook_of(const struct bw_object *o, const struct bw_prog *p, struct bw_arena *arena, struct bw_hook *ret);
const char *bw_hook_name(enum bw_hook_bit h);
int bw_hook_id(const char *name);

#endif
