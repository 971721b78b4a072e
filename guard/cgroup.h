/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_CGROUP_H
#define BW_GUARD_CGROUP_H
/* Paths of cgroup ids, remembered for a while: a cgroup may be gone when its event is read. */
#include <stddef.h>
#include <stdint.h>

#define CGROUP_PATH_LEN 512

/* A descriptor of the root of the cgroup file system, or a negative errno. */
int cgroup_root(void);
/* "/system.slice/x.service". Needs CAP_DAC_READ_SEARCH. 0 or a negative errno. */
int cgroup_path(int root, uint64_t id, char *path, size_t len);

/* Who has not the privilege asks somebody: as cgroup_path(). */
typedef int (*cgroup_resolve_fn)(void *arg, uint64_t id, char *path, size_t len);

struct cgroup_names;

int cgroup_names_open(cgroup_resolve_fn resolve, void *arg, struct cgroup_names **ret); /* -ENOMEM */
void cgroup_names_free(struct cgroup_names *c);
/* The path, or NULL. Lives until the next call of any of these. */
const char *cgroup_name(struct cgroup_names *c, uint64_t id);
void cgroup_names_forget(struct cgroup_names *c);

#endif
