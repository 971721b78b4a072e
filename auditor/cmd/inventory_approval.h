/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_INVENTORY_APPROVAL_H
#define BW_INVENTORY_APPROVAL_H
/* What a policy says of programs that are loaded already. */
#include "common/inventory/inventory.h"

struct approvals;

/* Logs what is wrong with the policy. 0 or -errno. */
int approvals_read(const char *path, struct approvals **ret);
void approvals_free(struct approvals *a); /* NULL is fine */
/* "approved"; "unapproved"; "unknown": the policy knows programs of this type by digests alone, which a loaded program no longer has. */
const char *approvals_of(const struct approvals *a, const struct inv_object *prog);

#endif
