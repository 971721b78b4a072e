/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CGROUP2_H
#define BW_CGROUP2_H
/* Where cgroups of version 2 are on this host. */
#include <stddef.h>

/* The mount point: /sys/fs/cgroup, or on hosts that use both versions often /sys/fs/cgroup/unified. -ENOENT: there is none; -E2BIG. */
int cgroup2_mount(char *path, size_t size);
/* The cgroup of @pid, below the mount point: "/", "/system.slice/nginx.service". -ESRCH, -ENOENT: it has none. */
int cgroup2_of(unsigned int pid, char *path, size_t size);

#endif
