/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_LIVE_CALLS_H
#define BW_LIVE_CALLS_H
/* Part of live.c: what the calls of a translated program call. */
#include "auditor/object.h"

/*
 * Puts helper numbers back into the calls of @o (one code, from the kernel), and gives kfunc calls a relocation; its relocs
 * have room for one per instruction and are sorted afterwards by the caller. @kallsyms is the path to read.
 * *ret_unknown is how many calls stay without a name. -ENOMEM.
 */
int bw_live_calls(struct bw_object *o, const char *kallsyms, uint32_t *ret_unknown);
/* The helper that a kernel function implements; -ENOENT. */
int bw_live_helper(const char *function);

#endif
