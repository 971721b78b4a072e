/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_STATE_H
#define BW_GUARD_STATE_H
/* The state directory: made by the guard, owned by the user of its workers, to whom it is the whole file system. */
#include <stddef.h>
#include <sys/types.h>

/*
 * Makes @path, or takes over one that is empty or holds an event store already, with the store's files. Any other is refused (-ENOTEMPTY): its
 * owner would change. Returns a descriptor, or a negative errno and one line in @why.
 */
int state_open(const char *path, uid_t uid, char *why, size_t why_len);

#endif
