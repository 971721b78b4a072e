/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_NAMES_H
#define BW_POLICY_NAMES_H
/*
 * What the names in a policy stand for on a host, while it is compiled: each is resolved once. Pure.
 */
#include "common/policy_compile.h"

enum name_kind { NAME_LOADER, NAME_CONTENT, NAME_TARGET, NAME_KFUNC };

struct name {
	const char *text; /* NULL: free */
	enum name_kind kind;
	uint32_t prog_type, attach_type; /* of a target */
	int error;
	uint32_t id; /* BTF id, or device */
	uint64_t ino;
	struct bw_loader_content content;
};

struct policy_names_table {
	struct name *names; /* open addressing; the size is a power of two */
	uint32_t n, size;
};

/* Valid until the next call. Returns 0 or -ENOMEM; what could not be resolved is in (*ret)->error. */
int policy_name_get(struct policy_names_table *t, const struct bw_policy_env *env, struct name wanted, const struct name **ret);
const char *policy_name_error(const struct name *n);
void policy_names_table_free(struct policy_names_table *t);

#endif
