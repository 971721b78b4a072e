/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every sample shares: types, helpers, the contexts of the program types, and the few kernel fields the samples
 * read. Nothing here comes from a full vmlinux.h: each struct names only what is used, and CO-RE finds the offset.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef int pid_t;

/* The kernel's register names: bpf_tracing.h uses them when it believes that a vmlinux.h was included. */
#define __VMLINUX_H__
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#define LICENSE char LICENSE_TEXT[] SEC("license") = "Dual BSD/GPL"

/*
 * Samples of harmful techniques never act: every write, override, signal and packet change in them is behind this
 * constant, which nothing in the project sets. A verifier removes the branch at load; an auditor may not, because
 * user space can set .rodata before the load.
 */
#ifndef SAMPLE_ARMED
#define SAMPLE_ARMED 0
#endif
#define SAMPLE_SWITCH const volatile u8 sample_armed = SAMPLE_ARMED

#define RINGBUF(name_, size_)                          \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_RINGBUF);    \
		__uint(max_entries, size_);            \
	} name_ SEC(".maps")

#define PERFBUF(name_)                                       \
	struct {                                             \
		__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); \
		__uint(key_size, sizeof(u32));               \
		__uint(value_size, sizeof(u32));             \
	} name_ SEC(".maps")

#define HASH(name_, key_, value_, n_)             \
	struct {                                  \
		__uint(type, BPF_MAP_TYPE_HASH);  \
		__uint(max_entries, n_);          \
		__type(key, key_);                \
		__type(value, value_);            \
	} name_ SEC(".maps")

#define ARRAY(name_, value_, n_)                  \
	struct {                                  \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(max_entries, n_);          \
		__type(key, u32);                 \
		__type(value, value_);            \
	} name_ SEC(".maps")

#define PERCPU(name_, value_)                            \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, 1);                  \
		__type(key, u32);                        \
		__type(value, value_);                   \
	} name_ SEC(".maps")

#define PROG_ARRAY(name_, n_)                          \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, n_);               \
		__uint(key_size, sizeof(u32));         \
		__uint(value_size, sizeof(u32));       \
	} name_ SEC(".maps")

/* /sys/kernel/tracing/events/syscalls/sys_enter_*, sys_exit_*: the 8 common bytes, the number, then arguments or return. */
struct tp_enter {
	u64 common;
	long nr;
	unsigned long args[6];
};
struct tp_exit {
	u64 common;
	long nr;
	long ret;
};

/* <linux/bpf_perf_event.h>, with the registers' names from above. */
struct bpf_perf_event_data {
	struct pt_regs regs;
	u64 sample_period, addr;
};

#define ENOENT_ 2
#define EPERM_ 1

/* Bounds a 64-bit length in the register that is used afterwards, which is what verifiers follow. */
#define CLAMP(len_, max_)                            \
	do {                                         \
		asm volatile("" : "+r"(len_));       \
		if ((len_) > (max_))                 \
			(len_) = (max_);             \
	} while (0)

/* The same literal comparison compilers make of strncmp on a small constant: byte by byte, unrolled. */
static __always_inline bool same(const char *a, const char *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}
#define IS(buf, lit) same((buf), (lit), sizeof(lit))
#define STARTS(buf, lit) same((buf), (lit), sizeof(lit) - 1)

static __always_inline u32 tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

#endif
