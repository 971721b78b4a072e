/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_POLICY_KEEP_H
#define BW_GUARD_POLICY_KEEP_H
/*
 * What is remembered of the policy accepted last, over restarts: its number, so that none before it is accepted again, and the policy
 * itself, for a start at which the new one cannot be had or is refused. In a directory of root's alone: a worker that somebody has
 * taken over owns the state directory, and must not be able to turn the number back.
 *
 *	STATE.policy/serial	bw_signature_state_write()
 *	STATE.policy/last-good	struct kept_head | policy | signature | ETag
 *
 * Both are written here and are bytes here; who reads the policy again checks it again.
 */
#include <stdint.h>

#include "common/policy_sign.h"

#define POLICY_KEEP_ETAG_MAX 256u

struct policy_kept {
	char *text, *signature, *etag; /* owned; etag NUL-terminated, "" for none */
	size_t len, signature_len;
	int64_t accepted; /* when: seconds since 1970 */
};

/* Makes or takes the directory beside @state_dir; *ret, which the caller frees, is its absolute path. Negative errno, one line in @why. */
int policy_keep_open(const char *state_dir, char **ret, char *why, size_t why_len);

/* -ENOENT: nothing is kept; -EBADMSG: what is there was not written by policy_keep_write(). */
int policy_keep_read(const char *dir, struct policy_kept *ret);
int policy_keep_write(const char *dir, const struct policy_kept *k);
void policy_kept_free(struct policy_kept *k);

/* The bytes as they are; *ret_len 0 when there is no such file. @line has room for BW_SIGNATURE_STATE_MAX bytes. */
int policy_keep_serial(const char *dir, char *line, size_t *ret_len);
int policy_keep_set_serial(const char *dir, const char *line);

#endif
