/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_LIMITS_H
#define BW_LIMITS_H
/*
 * Every growing thing has a named maximum. Reaching one is an error or a flag in the output, never silent truncation.
 * A module with limits of its own keeps them in its header; those shared between modules live here.
 */

/* The largest BPF object or executable that is read, in bytes. */
#define BW_MAX_OBJECT_SIZE (256u << 20)
/* The kernel's BPF_COMPLEXITY_LIMIT_INSNS: no loadable program has more instructions. */
#define BW_MAX_INSNS 1000000u
/* A policy or rule file, in bytes. */
#define BW_MAX_POLICY_SIZE (64u << 20)
/* One JSON document nests at most this deep. */
#define BW_MAX_JSON_DEPTH 64u
/* One growable buffer (an event line, a report) in bytes, unless its owner says otherwise. */
#define BW_MAX_BUF (256u << 20)

#endif
