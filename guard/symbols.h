/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_SYMBOLS_H
#define BW_GUARD_SYMBOLS_H
/*
 * Helper calls in rewritten programs hold the address of the helper's function relative to __bpf_call_base. This turns
 * kernel symbols into a table of those, for kernels where the hook sees only rewritten instructions (before 6.9).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct symbol_imm {
	int32_t imm;
	uint32_t helper; /* id */
};

/* The helper that the kernel function @name implements, by the naming habits of the kernel; 0 for none. */
uint32_t symbol_helper(const char *name);

/*
 * Reads @kallsyms (the format of /proc/kallsyms). The caller frees *ret. Returns 0, -ENODATA when addresses are hidden or
 * __bpf_call_base is missing, -ENOMEM.
 */
int symbols_helper_imms(FILE *kallsyms, struct symbol_imm **ret, size_t *ret_n);

#endif
