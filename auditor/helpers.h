/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_HELPERS_H
#define BW_HELPERS_H
/*
 * What helpers and kfuncs do with data: which arguments they read, what they write, where bytes leave.
 * Source: the prototypes and descriptions in include/uapi/linux/bpf.h and kernel/bpf/helpers.c, kernel/trace/bpf_trace.c,
 * net/core/filter.c of Linux 6.18 and 7.3. Every helper of the uapi enum has a row: tests/unit/test_callees.c checks it.
 */
#include <stdint.h>
#include "auditor/flow.h"

/*
 * One letter per argument:
 *   .  a number or pointer that does not matter       c  context, socket, task: a kernel object
 *   m  map          k  key read        v  value read       V  value written
 *   r  memory read, n  size of the memory before it        w  memory written      b  memory read and written
 *   s  constant string                 u  address outside, read from              x  address outside, written to
 *   L  8 bytes written   I  4 bytes written                S  a number that goes to the channel
 *   d  dynptr       D  dynptr made     f  callback         p  the callback's context
 *   t  iterator or other opaque object on the stack
 * Result: i status   l length or count computed from what was read   h hash or number computed from the arguments
 *   T  a number of the classes in .sources     V  pointer to a map value, or null    K  kernel pointer (.ret_type)
 *   v  none         S  by .special
 */
enum bw_special {
	BW_SP_NONE,
	BW_SP_MAP_LOOKUP,
	BW_SP_MAP_UPDATE,
	BW_SP_MAP_DELETE,
	BW_SP_MAP_PUSH,
	BW_SP_MAP_POP,
	BW_SP_STORAGE_GET,
	BW_SP_STORAGE_DELETE,
	BW_SP_LOCAL_STORAGE,
	BW_SP_PROBE_READ,
	BW_SP_EVENT_OUTPUT, /* (ctx, map, flags, data, size) */
	BW_SP_RB_OUTPUT,
	BW_SP_RB_RESERVE,
	BW_SP_RB_SUBMIT,
	BW_SP_RB_DISCARD,
	BW_SP_TAIL_CALL,
	BW_SP_PACKET_LOAD,  /* (ctx, offset, to, len) */
	BW_SP_PACKET_LOAD_REL,
	BW_SP_PACKET_STORE, /* (ctx, offset, from, len) */
	BW_SP_CSUM_REPLACE, /* (ctx, offset, from, to, flags) */
	BW_SP_CSUM,
	BW_SP_RESIZE,
	BW_SP_REDIRECT,
	BW_SP_REDIRECT_MAP,
	BW_SP_WRITE_USER,
	BW_SP_OVERRIDE,
	BW_SP_SET_RETVAL,
	BW_SP_SIGNAL,
	BW_SP_TRACE_PRINTK,
	BW_SP_STRNCMP,
	BW_SP_FOR_EACH_MAP,
	BW_SP_LOOP,
	BW_SP_TIMER_CALLBACK,
	BW_SP_FIND_VMA,
	BW_SP_USER_DRAIN,
	BW_SP_DYNPTR_FROM_MEM,
	BW_SP_DYNPTR_FROM_PACKET,
	BW_SP_RB_RESERVE_DYNPTR,
	BW_SP_RB_SUBMIT_DYNPTR,
	BW_SP_RB_DISCARD_DYNPTR,
	BW_SP_DYNPTR_READ,
	BW_SP_DYNPTR_WRITE,
	BW_SP_DYNPTR_DATA,
	BW_SP_DYNPTR_SLICE,
	BW_SP_DYNPTR_CLONE,
	BW_SP_DYNPTR_ADJUST,
	BW_SP_DYNPTR_COPY,
	BW_SP_DYNPTR_FILL,     /* reads memory outside into a dynptr */
	BW_SP_DYNPTR_FROM_FILE,
	BW_SP_GET_TASK,
	BW_SP_TASK_PT_REGS,
	BW_SP_GET_FUNC_ARG,
	BW_SP_GET_FUNC_RET,
	BW_SP_KPTR_XCHG,
	BW_SP_FIRST_ARG, /* returns its first argument */
	BW_SP_THROW,
	BW_SP_ITER_NEXT,
	BW_SP_ITER_NUM_NEXT,
	BW_SP_OBJ_NEW,
	BW_SP_ARENA_ALLOC,
	BW_SP_WQ_CALLBACK,
	BW_SP_RBTREE_ADD,
	BW_SP_HID_DATA,
	BW_SP_SYS_BPF,
};

struct bw_callee {
	const char *name;
	const char *args;
	char ret;
	uint8_t channel; /* 1 + enum bw_channel of what r, v, s, S and d arguments give away; 0 none */
	uint16_t effects; /* enum bw_effect */
	uint32_t sources; /* BW_SRC_BIT(): what is written to w, L, I, V arguments, or returned (T) */
	uint16_t special; /* enum bw_special */
	uint16_t modes;	  /* enum bw_map_mode of the m argument */
	const char *ret_type; /* K: structure */
};

/* NULL for a number that is not known. */
const struct bw_callee *bw_helper_get(uint32_t id);
/* NULL for one that is not in the table: any source and a sink. */
const struct bw_callee *bw_kfunc_get(const char *name);
/* The tables themselves, for tests: each sorted by name. */
const struct bw_callee *bw_kfunc_table(uint32_t *ret_n);
const struct bw_callee *bw_kfunc_plain_table(uint32_t *ret_n);

#endif
