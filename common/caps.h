/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CAPS_H
#define BW_CAPS_H
/* The capabilities of this process (capabilities(7)), as sets of bits: BW_CAP(CAP_BPF) | BW_CAP(CAP_KILL). */
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#define BW_CAP(c) (1ULL << (c))

/*
 * Keeps @permitted and nothing else, for good: the inheritable, ambient and bounding sets are emptied, so that no program
 * that is started gets any. Of the permitted ones @effective are in force; bw_caps_raise() is for the others. What this
 * process does not have is left out. Returns 0 or a negative errno.
 */
int bw_caps_limit(uint64_t permitted, uint64_t effective);

/* Puts permitted ones into force. Returns 0, or -EPERM when one is not permitted. */
int bw_caps_raise(uint64_t caps);

/* Takes them out of force; they stay permitted. Returns 0 or a negative errno. */
int bw_caps_lower(uint64_t caps);

/* The effective ones. */
uint64_t bw_caps_effective(void);

#endif
