/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_FLOW_H
#define BW_FLOW_H
/*
 * What the data-flow analysis found out about an object: typed flows (a source class, the way, a channel, a length) and
 * the facts a reviewer needs about each program. This is the output type of the analysis and the input type of the
 * manifest, the rules and the reports. Names of enum members are fixed strings in JSON: append, never rename.
 *
 * All pointers belong to the struct bw_analysis; strings are never NULL ("" for none). Program, map, function and extern
 * numbers are indexes in the struct bw_object that was analysed, BW_NONE (-1) for none. Instruction numbers are indexes
 * in the code (section) of the function they name. Arrays are in a fixed order: the same object gives the same bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- source classes: what the bytes are ------------------------------------------------------------------------ */
enum bw_source {
	BW_SRC_TLS_PLAINTEXT,	 /* "tls-plaintext": buffers of a TLS library's read and write functions */
	BW_SRC_USER_MEMORY,	 /* "user-memory": of the traced process, nothing better known */
	BW_SRC_SYSCALL_BUFFER,	 /* "syscall-buffer": data given to or returned by read, write, send, recv, ... */
	BW_SRC_EXEC_ARGS,	 /* "exec-args": argv of execve, mm->arg_start */
	BW_SRC_KEYSTROKES,	 /* "keystrokes": input events, lines read by a shell */
	BW_SRC_TTY,		 /* "tty": bytes through a terminal or pseudo terminal */
	BW_SRC_FILE_CONTENT,	 /* "file-content" */
	BW_SRC_FILE_NAME,	 /* "file-name" */
	BW_SRC_PACKET_PAYLOAD,	 /* "packet-payload": beyond the transport header */
	BW_SRC_PACKET_HEADER,	 /* "packet-header": link, network and transport headers, socket addresses */
	BW_SRC_CREDENTIALS,	 /* "credentials": PAM tokens, keyrings, struct cred */
	BW_SRC_ENVIRONMENT,	 /* "environment": of a process */
	BW_SRC_DNS,		 /* "dns": name queries and answers */
	BW_SRC_KERNEL_MEMORY,	 /* "kernel-memory": nothing better known */
	BW_SRC_KERNEL_POINTER,	 /* "kernel-pointer": addresses of the kernel */
	BW_SRC_PROCESS_METADATA, /* "process-metadata": pid, uid, comm, cgroup, times */
	BW_SRC_MAP_VALUE,	 /* "map-value": put into a map by user space; what it is, is not known */
	BW_SRC_CONSTANT,	 /* "constant": an immediate, .rodata or initial data of the object itself */
	BW_SRC_COUNT_,
};
#define BW_SRC_BIT(s) (1u << (s))
#define BW_SRC_ALL (BW_SRC_BIT(BW_SRC_COUNT_) - 1)

/* ---- channels: how bytes leave, or act --------------------------------------------------------------------------- */
enum bw_channel {
	BW_CH_RINGBUF,	       /* "ringbuf": BPF_MAP_TYPE_RINGBUF */
	BW_CH_PERF,	       /* "perf": perf event array */
	BW_CH_MAP,	       /* "map": a map or global variable that user space can read */
	BW_CH_PINNED_MAP,      /* "pinned-map": the same, pinned by its definition */
	BW_CH_PACKET_WRITE,    /* "packet-write" */
	BW_CH_PACKET_REDIRECT, /* "packet-redirect": to another interface or socket, a clone, or out again (XDP_TX) */
	BW_CH_USER_WRITE,      /* "user-write": into the memory of a process */
	BW_CH_FILE_WRITE,      /* "file-write": files, xattrs, iterator output, sysctl buffers */
	BW_CH_TRACE_PIPE,      /* "trace-pipe" */
	BW_CH_RETURN_VALUE,    /* "return-value": the program's own return value depends on the data */
	BW_CH_SIGNAL,	       /* "signal" */
	BW_CH_RETURN_OVERRIDE, /* "return-override": of a kernel function or a system call */
	BW_CH_BPF_SYSCALL,     /* "bpf-syscall": bpf_sys_bpf and the like, made by the program */
	BW_CH_COUNT_,
};
#define BW_CH_BIT(c) (1u << (c))

/* ---- carriers: through what the data went on the way -------------------------------------------------------------- */
enum bw_carrier {
	BW_CARRY_REGISTER,	/* "register": only registers between source and sink */
	BW_CARRY_STACK,		/* "stack" */
	BW_CARRY_MAP_VALUE,	/* "map-value" */
	BW_CARRY_MAP_KEY,	/* "map-key" */
	BW_CARRY_GLOBAL,	/* "global-data": .data and .bss */
	BW_CARRY_PERCPU,	/* "percpu-scratch": a per-CPU map's value */
	BW_CARRY_LOCAL_STORAGE, /* "local-storage": task, inode, socket, cgroup storage */
	BW_CARRY_RINGBUF_MEM,	/* "ringbuf-memory": a reserved record */
	BW_CARRY_DYNPTR,	/* "dynptr" */
	BW_CARRY_ARENA,		/* "arena" */
	BW_CARRY_SUBPROG,	/* "subprogram": argument or return value of another function */
	BW_CARRY_CALLBACK,	/* "callback" */
	BW_CARRY_TAIL_CALL,	/* "tail-call": source and sink are in programs that call each other */
	BW_CARRY_CROSS_PROG,	/* "cross-program": stored in a map by one program, taken out by another */
	BW_CARRY_PACKET,	/* "packet": written to the packet and read back */
	BW_CARRY_COUNT_,
};
#define BW_CARRY_BIT(c) (1u << (c))

/* ---- origins: where an address or a number that decides something came from --------------------------------------- */
enum bw_origin {
	BW_FROM_CONSTANT,   /* "constant": an immediate */
	BW_FROM_RODATA,	    /* "rodata": a .rodata variable, set by user space before the load */
	BW_FROM_MAP,	    /* "map": a map value that no program of the object filled from its hook's arguments */
	BW_FROM_CTX_ARG,    /* "context-argument": of the hook itself: a syscall's or function's argument */
	BW_FROM_STORED_ARG, /* "stored-argument": such an argument, kept in a map by a program that ran earlier */
	BW_FROM_STACK_REG,  /* "user-stack-register": sp, bp or ip of the user's registers */
	BW_FROM_USER_MEMORY, /* "user-memory": read out of the process: a pointer chased in user space */
	BW_FROM_KERNEL_MEMORY, /* "kernel-memory": read out of kernel structures */
	BW_FROM_PACKET,	    /* "packet" */
	BW_FROM_HELPER,	    /* "helper": returned by a helper or kfunc */
	BW_FROM_UNKNOWN,    /* "unknown" */
	BW_FROM_COUNT_,
};
#define BW_FROM_BIT(o) (1u << (o))

/* Number of bytes, both inclusive. max is UINT64_MAX when nothing bounds it. */
struct bw_length {
	uint64_t min, max;
};
#define BW_LENGTH_UNBOUNDED UINT64_MAX

/* Bytes known at analysis time: a string literal, a written constant. */
struct bw_literal {
	const uint8_t *bytes; /* NULL: none known */
	uint32_t len;
	const char *text; /* printable form, "" when it is not text */
};

enum bw_step_kind {
	BW_STEP_SOURCE, /* "source" */
	BW_STEP_CARRY,	/* "carry" */
	BW_STEP_SINK,	/* "sink" */
};

/* One station of a flow, in order. */
struct bw_step {
	enum bw_step_kind kind;
	int32_t prog; /* a cross-program flow changes it on the way */
	int32_t func;
	uint32_t insn;
	const char *text; /* "bpf_probe_read_user(buf) of SSL_write's buffer" */
};

#define BW_MAX_FLOW_STEPS 16u

struct bw_flow {
	int32_t prog;	       /* the program with the sink */
	int32_t source_prog;   /* the program with the source: another one in a cross-program flow */
	enum bw_source source; /* one class; a sink that several reach has several flows */
	const char *source_detail; /* "SSL_write buf", "task_struct.cred.uid", "sys_read buf", "bpf_get_current_comm" */
	enum bw_channel channel;
	const char *channel_detail; /* the map's name, or the helper's */
	int32_t map;		    /* of the channel */
	struct bw_length len;	    /* of what goes through the sink at once */
	uint32_t carriers;	    /* BW_CARRY_BIT() */
	bool as_key;		    /* it leaves as (part of) a map key */
	bool derived;		    /* not the bytes themselves: a hash, checksum, length, comparison or counter */
	struct bw_literal literal;  /* source constant: what is written, where known */
	struct bw_step *path;
	uint32_t n_path;
};

/* ---- facts about one program ----------------------------------------------------------------------------------------- */
struct bw_call_count {
	uint32_t id; /* helper number; 0 for a kfunc */
	const char *name; /* without "bpf_" for helpers, as in the kernel for kfuncs */
	uint32_t count;	  /* call sites */
	bool known;	  /* our tables know what it does */
	uint64_t commands; /* bpf_sys_bpf: bit n: with command n (0 to 62); bit 63: with one that is not known */
};

enum bw_map_mode {
	BW_MODE_LOOKUP = 1,   /* bpf_map_lookup_elem and relatives */
	BW_MODE_UPDATE = 2,   /* bpf_map_update_elem, push */
	BW_MODE_DELETE = 4,   /* delete, pop */
	BW_MODE_READ = 8,     /* reads the value's bytes through a pointer */
	BW_MODE_WRITE = 16,   /* writes them */
	BW_MODE_ITERATE = 32, /* bpf_for_each_map_elem */
	BW_MODE_OUTPUT = 64,  /* ring or perf buffer output */
	BW_MODE_TAIL_CALL = 128,
	BW_MODE_REDIRECT = 256,
	BW_MODE_OTHER = 512, /* spin locks, timers, perf event reads, ... */
};

struct bw_map_use {
	int32_t map;
	uint32_t modes;	      /* enum bw_map_mode */
	uint32_t key_sources; /* BW_SRC_BIT(): what keys are made of */
	uint32_t value_sources; /* what this program puts into values */
};

/* A call that writes into user memory (bpf_probe_write_user, bpf_copy_to_user kfuncs, bpf_probe_write_user through dynptrs). */
struct bw_user_write {
	int32_t func;
	uint32_t insn;
	const char *helper;
	uint32_t dst;	 /* BW_FROM_BIT(): where the address came from */
	int32_t dst_map; /* FROM_MAP, FROM_STORED_ARG: which map */
	int32_t dst_prog; /* FROM_STORED_ARG: the program that stored it */
	const char *dst_detail; /* "sys_enter_getdents64 dirent", "PT_REGS sp" */
	int64_t dst_off;  /* constant added to that address; INT64_MIN when it varies */
	struct bw_length len;
	uint32_t sources; /* BW_SRC_BIT(): what is written */
	struct bw_literal literal;
};

/* bpf_override_return, a fmod_ret or LSM program's return value, bpf_set_retval. */
struct bw_override {
	int32_t func;
	uint32_t insn;
	const char *how; /* "bpf_override_return", "fmod_ret", "lsm", "bpf_set_retval" */
	bool value_known;
	int64_t value;	 /* one of the values where several are possible */
	uint32_t from;	 /* BW_FROM_BIT() */
	int32_t from_map;
};

struct bw_signal {
	int32_t func;
	uint32_t insn;
	const char *helper;
	bool signal_known;
	int64_t signal;
	uint32_t from; /* BW_FROM_BIT(): of the number */
	int32_t from_map;
};

/* What may happen on one side of a comparison, and only there. */
enum bw_effect {
	BW_EFFECT_EVENT = 1,	    /* ring or perf buffer output, trace pipe */
	BW_EFFECT_MAP_WRITE = 2,
	BW_EFFECT_USER_WRITE = 4,
	BW_EFFECT_PACKET_WRITE = 8,
	BW_EFFECT_REDIRECT = 16,
	BW_EFFECT_OVERRIDE = 32,
	BW_EFFECT_SIGNAL = 64,
	BW_EFFECT_TAIL_CALL = 128,
	BW_EFFECT_RESIZE = 256, /* adjust_head, adjust_tail, change_tail, ... */
	BW_EFFECT_RETURN = 512, /* a constant return value, see the verdicts */
};

/* Tainted data compared with a literal: byte by byte, by immediates of up to 8 bytes, or by bpf_strncmp and relatives. */
struct bw_compare {
	int32_t func;
	uint32_t insn;	   /* the first comparison of a run */
	uint32_t sources;  /* BW_SRC_BIT(): of what is compared */
	const char *detail; /* "bpf_get_current_comm", "packet+54", "sys_enter_openat filename" */
	struct bw_literal literal; /* in memory order; a run of byte comparisons gives one */
	bool equality;	   /* ==, != and strncmp; false for ranges */
	bool from_map;	   /* compared with a map's content instead of a literal (then no literal) */
	int32_t map;
	int64_t packet_off; /* constant offset in the packet; -1: varies or not a packet */
	int64_t header_off; /* offset in the transport header (IPv4 without options, or behind options); -1 unknown */
	uint32_t match_effects;	   /* enum bw_effect, on the equal side only */
	uint32_t mismatch_effects; /* on the other side only */
	uint64_t match_verdicts;   /* bit n: returns n (0 to 62) after a match; bit 63: something else */
	uint64_t mismatch_verdicts;
};

enum bw_packet_layer {
	BW_LAYER_L2 = 1,
	BW_LAYER_L3 = 2,
	BW_LAYER_L4 = 4,
	BW_LAYER_PAYLOAD = 8,
	BW_LAYER_UNKNOWN = 16,
	BW_LAYER_METADATA = 32, /* xdp data_meta, skb->mark and other context fields */
};

struct bw_packet_write {
	int32_t func;
	uint32_t insn;
	const char *how;  /* helper's name, or "store" */
	uint32_t layers;  /* enum bw_packet_layer */
	int64_t off_min, off_max; /* from the start of the packet; -1 unknown */
	struct bw_length len;
	uint32_t sources; /* BW_SRC_BIT() */
	int32_t source_map; /* when it came out of a map */
	bool counted;	    /* the program itself changes what it takes there, from packet to packet */
	struct bw_literal literal;
};

struct bw_redirect {
	int32_t func;
	uint32_t insn;
	const char *how; /* "bpf_redirect", "bpf_clone_redirect", "bpf_redirect_map", "XDP_TX", ... */
	int32_t map;
	uint32_t from; /* BW_FROM_BIT(): of the interface number or key */
};

/* A string of the object that a program uses: given to a helper, written, or compared. */
struct bw_string_use {
	int32_t func;
	uint32_t insn;
	const char *helper; /* "" for a plain store or comparison */
	uint32_t arg;	    /* 1 to 5; 0 for none */
	struct bw_literal literal;
	bool rodata; /* from a data section; else built from immediates on the stack */
};

struct bw_tail_call {
	int32_t func;
	uint32_t insn;
	int32_t map;
	bool index_known;
	uint32_t index;
	int32_t target; /* program, where the object itself says it; BW_NONE: any program user space puts there */
};

/* What could not be analysed, and why. Never empty without a reason in clear words. */
struct bw_unanalysed {
	int32_t func;
	uint32_t insn;
	const char *reason; /* "step budget exhausted", "jump into the middle of ld_imm64", ... */
};

struct bw_prog_facts {
	int32_t prog;
	struct bw_call_count *helpers, *kfuncs;
	uint32_t n_helpers, n_kfuncs;
	struct bw_map_use *maps;
	uint32_t n_maps;
	struct bw_user_write *user_writes;
	uint32_t n_user_writes;
	struct bw_override *overrides;
	uint32_t n_overrides;
	struct bw_signal *signals;
	uint32_t n_signals;
	struct bw_compare *compares;
	uint32_t n_compares;
	struct bw_packet_write *packet_writes;
	uint32_t n_packet_writes;
	struct bw_redirect *redirects;
	uint32_t n_redirects;
	struct bw_string_use *strings;
	uint32_t n_strings;
	struct bw_tail_call *tail_calls;
	uint32_t n_tail_calls;
	struct bw_unanalysed *unanalysed;
	uint32_t n_unanalysed;

	uint64_t return_values; /* bit n: may return n (0 to 62); bit 63: something else */
	int64_t return_min, return_max;
	uint32_t return_sources; /* BW_SRC_BIT(): what the return value is computed from */
	uint32_t checksum_fixups; /* calls of l3/l4_csum_replace, csum_diff, csum_level, ... */
	uint32_t packet_resizes;  /* adjust_head/tail, change_tail/head, adjust_room, vlan push/pop */
	uint32_t dns_compares;	  /* comparisons of a port with 53 */
	uint32_t entry_sources;	  /* BW_SRC_BIT(): what this attach point's arguments hold */
	bool sleepable;
	bool uses_bpf_loop;    /* bpf_loop, open-coded iterators, may_goto */
	bool uses_callbacks;   /* timers, work queues, for_each, user ring buffer */
	bool uses_exceptions;  /* bpf_throw */
	bool uses_arena;
	bool enters_user_loop; /* a loop around reads of user memory: it scans */
	bool attach_internal;  /* attached to the BPF subsystem itself: sys_bpf, security_bpf*, bpf_map_*, bpf_prog_* */
	uint32_t n_insns;      /* of the program with its subprograms */
	uint32_t visits;       /* block visits of the fixpoint */
};

/* A map through which one program hands data to another. */
struct bw_cross_flow {
	int32_t map;
	int32_t writer, reader; /* programs */
	uint32_t sources;	/* BW_SRC_BIT(): what the writer puts in */
	uint32_t reader_channels; /* BW_CH_BIT(): what of it goes where in the reader; 0: it only decides there */
};

struct bw_analysis {
	const struct bw_object *object; /* borrowed: must outlive the analysis */
	struct bw_flow *flows;	/* sorted by program, source, channel, channel detail */
	uint32_t n_flows;
	struct bw_prog_facts *progs; /* one per object->progs, same order */
	uint32_t n_progs;
	struct bw_cross_flow *cross;
	uint32_t n_cross;
	bool complete; /* nothing in any .unanalysed */
	uint32_t rounds; /* of the fixpoint over the object's maps */
	uint64_t steps;	 /* instructions interpreted */
	size_t memory;	 /* peak bytes */
	struct bw_analysis_private *priv;
};

/* The fixed strings. For a number out of range: "?". */
const char *bw_source_name(enum bw_source s);
const char *bw_channel_name(enum bw_channel c);
const char *bw_carrier_name(enum bw_carrier c);
const char *bw_origin_name(enum bw_origin o);
const char *bw_step_kind_name(enum bw_step_kind k);
const char *bw_map_mode_name(enum bw_map_mode m); /* of one bit */
const char *bw_effect_name(enum bw_effect e);	  /* of one bit */
const char *bw_layer_name(enum bw_packet_layer l); /* of one bit */
/* By name; -1 for an unknown one. */
int bw_source_id(const char *name);
int bw_channel_id(const char *name);
int bw_carrier_id(const char *name);
int bw_origin_id(const char *name);

#endif
