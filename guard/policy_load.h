/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_POLICY_LOAD_H
#define BW_GUARD_POLICY_LOAD_H
/*
 * From a policy file to what the kernel gets, without parsing a byte of it here: the text goes to a process that can do nothing but
 * compute (common/sandbox.h), made for this one file, so that nothing else can talk it into anything; what comes back is
 * checked (guard/policy_pack.h). Only the inodes of loaders are looked up here.
 */
#include "guard/policy_pack.h"

struct btf;

/*
 * @btf NULL: only finds out whether it is a policy; *ret has no image then. Returns 0, or a negative errno and one line in @why. *ret
 * is to be released with policy_load_free().
 */
struct policy_loaded {
	struct policy_pack pack;
	struct bw_buf bytes; /* what pack's warnings point into */
};

int policy_load(const char *path, const struct btf *btf, struct policy_loaded *ret, char *why, size_t why_len);
void policy_load_free(struct policy_loaded *p);

#endif
