/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_BUILTIN_H
#define BW_POLICY_BUILTIN_H
/*
 * Private to the policy compiler: feature probes of common loaders that the inert rule cannot admit and that must not be
 * refused. Some call a helper that reads: libbpf rewrites a program's helpers when it believes that the kernel lacks
 * probe_read_kernel, so the program would no longer have the identity that was approved. One is longer than the rule
 * allows: it asks whether a program may be. They are approved by their exact instructions, for any loader, while the inert
 * rule is on. None refers to a map: a digest does not say which map.
 */
#include <stdint.h>
#include "bpf/event.h"

enum bw_builtin_form { BW_BUILTIN_DIGEST, BW_BUILTIN_TAG_SHA1, BW_BUILTIN_TAG_SHA256, BW_BUILTIN_FORMS };

struct bw_policy_builtin {
	const char *id; /* for events: "builtin:..." */
	uint32_t prog_type; /* loaded with expected attach type 0 */
	uint32_t instructions;
	uint8_t ids[BW_BUILTIN_FORMS][BW_DIGEST_LEN]; /* tags use the first BW_TAG_LEN bytes */
};

#define BW_N_BUILTINS 4u
extern const struct bw_policy_builtin bw_policy_builtins[BW_N_BUILTINS];

#endif
