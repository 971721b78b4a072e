/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_GUARD_H
#define BW_GUARD_GUARD_H
/*
 * The guard itself: ties the kernel side, the policy, the store, the sink and the control socket together on one loop.
 */
#include "common/feature.h"
#include "guard/config.h"

struct guard;

/*
 * Starts in the best tier that @features allow. On failure a negative errno and one line in @why. @config and @features
 * must outlive the guard.
 */
int guard_open(const struct config *config, const struct bw_features *features, struct guard **ret, char *why,
	       size_t why_len);
/*
 * Puts the programs and the policy into the kernel, leaves them there, and nothing else: before there is a state directory, a journal,
 * a service manager. guard_open() takes over, with what was reported meanwhile. Not for mode observe. As guard_open().
 */
int guard_arm(const struct config *config, const struct bw_features *features, char *why, size_t why_len);
/* Serves until SIGTERM or SIGINT, then drains what the kernel has reported. Returns 0 or a negative errno. */
int guard_run(struct guard *g);
void guard_free(struct guard *g);

#endif
