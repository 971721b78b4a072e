/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SOURCES_H
#define BW_SOURCES_H
/*
 * What data an attach point's arguments and the kernel's structures hold. Tables only: the analysis asks.
 */
#include "auditor/flow.h"
#include "auditor/object.h"

/* How a program's context is laid out. */
enum bw_ctx_kind {
	BW_CTX_OTHER,	  /* nothing known */
	BW_CTX_PTREGS,	  /* kprobe, uprobe: struct pt_regs */
	BW_CTX_TP_ENTER,  /* syscalls/sys_enter_*: 8 common bytes, number, arguments from 16 on */
	BW_CTX_TP_EXIT,	  /* syscalls/sys_exit_*: number, return value at 16 */
	BW_CTX_TP,	  /* another tracepoint's record */
	BW_CTX_ARGS,	  /* raw tracepoint, fentry, LSM, struct_ops: 8 bytes per argument */
	BW_CTX_SKB,	  /* struct __sk_buff */
	BW_CTX_XDP,	  /* struct xdp_md */
	BW_CTX_SK_MSG,
	BW_CTX_SK_REUSEPORT,
	BW_CTX_SOCK_OPS,
	BW_CTX_SOCK,	  /* bpf_sock, bpf_sock_addr, bpf_sk_lookup */
	BW_CTX_SOCKOPT,
	BW_CTX_SYSCTL,
	BW_CTX_ITER,
	BW_CTX_PERF,
	BW_CTX_SYSCALL,	  /* BPF_PROG_TYPE_SYSCALL: bytes from the caller */
	BW_CTX_LIRC,
	BW_CTX_NETFILTER,
};

/* What the probed function is. */
enum bw_target_kind {
	BW_TARGET_NONE,
	BW_TARGET_KERNEL,  /* a kernel function */
	BW_TARGET_SYSCALL, /* a system call: .name is "read" */
	BW_TARGET_WRAPPER, /* its wrapper (__x64_sys_read): the only argument is struct pt_regs * */
	BW_TARGET_USER,	   /* a function in user space */
	BW_TARGET_RAW_SYS_ENTER, /* raw_tp sys_enter: (pt_regs *, number) */
	BW_TARGET_RAW_SYS_EXIT,	 /* raw_tp sys_exit: (pt_regs *, return value) */
};

enum bw_arg_kind {
	BW_ARG_NUMBER,
	BW_ARG_USER_PTR,   /* to bytes of .classes */
	BW_ARG_KERNEL_PTR, /* to bytes of .classes */
	BW_ARG_STRUCT,	   /* to a kernel structure of .type */
	BW_ARG_POINTERS,   /* to an array of pointers to .classes in user space */
	BW_ARG_PTREGS,
	BW_ARG_UNKNOWN,	   /* may be a pointer to anything */
};
struct bw_arg {
	enum bw_arg_kind kind;
	uint32_t classes;
	const char *name; /* "buf"; "" when not known */
	const char *type;
};

#define BW_ATTACH_ARGS 8 /* looked up once: the return value and the first arguments */

struct bw_attach {
	enum bw_ctx_kind ctx;
	enum bw_target_kind target;
	const char *name; /* function, system call, "category/event"; never NULL. Points into the program's section name */
	size_t name_len;  /* it may not be terminated there */
	bool ret;	  /* runs at the return */
	bool guessed;	  /* the program's own name says it, its section does not */
	bool network;	  /* sees packets */
	bool l3;	  /* packets start at the network header */
	bool stream;	  /* packets are pieces of a stream, without headers */
	bool internal;	  /* the BPF subsystem itself */
	bool arm64;
	struct bw_arg args[BW_ATTACH_ARGS]; /* [0] is the return value, [i + 1] argument i */
	uint32_t user_classes;		    /* what memory reached from a user-space function's arguments holds */
	uint32_t record_classes;	    /* of a tracepoint's record */
};

void bw_attach_of(const struct bw_object *o, const struct bw_prog *p, struct bw_attach *ret);

/* Argument @i (from 0) of a system call; @i == -1 is its return value. False when nothing is known about it. */
bool bw_syscall_arg(const char *name, size_t len, int i, struct bw_arg *ret);
/* x86-64 numbers; NULL for one without interest. */
const char *bw_syscall_name(int64_t nr);
/* Argument @i (-1: return value) of what a program is attached to. Always fills *ret. */
void bw_attach_arg(const struct bw_attach *a, int i, struct bw_arg *ret);

struct bw_field {
	uint32_t classes; /* of the field's own bytes */
	uint32_t pointee; /* of what it points to, 0: decided by the type it points to */
	bool user;	  /* it points into user space */
};
/* @type: root structure, flavour removed; @path: "task_struct.cred.uid". Always fills *ret. */
void bw_field_of(const char *type, const char *path, struct bw_field *ret);
uint32_t bw_struct_classes(const char *type);

/* x86-64 struct pt_regs: argument number (0 to 5) at a byte offset, or one of these. */
enum bw_reg_role {
	BW_REG_OTHER = -1,
	BW_REG_RET = -2,
	BW_REG_STACK = -3, /* sp, bp, ip */
	BW_REG_SYSNR = -4, /* orig_ax */
};
/* @field: "pt_regs.di" from CO-RE or "", @off: otherwise. @syscall: the fourth argument is in r10. */
int bw_ptregs_role(const struct bw_attach *a, const char *field, int64_t off, bool syscall);

bool bw_glob(const char *pattern, const char *s, size_t len);

#endif
