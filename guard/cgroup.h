/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_CGROUP_H
#define BW_GUARD_CGROUP_H
/* Paths of cgroup ids, remembered for a while: a cgroup may be gone when its event is read. */
#include <stdint.h>

struct cgroup_names;

int cgroup_names_open(struct cgroup_names **ret); /* -ENOMEM; works without a cgroup file system, knowing no names */
void cgroup_names_free(struct cgroup_names *c);
/* "/system.slice/x.service", or NULL. Lives until the next call of any of these. */
const char *cgroup_name(struct cgroup_names *c, uint64_t id);
void cgroup_names_forget(struct cgroup_names *c);

#endif
