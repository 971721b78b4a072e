/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_CANARY_H
#define BW_GUARD_CANARY_H
/* Proof of enforcement: a load that the policy in force must refuse, made by a process that is not the guard. */
#include <stdint.h>

#include "bpf/event.h"

enum canary_result {
	CANARY_REFUSED,
	CANARY_LOADED,
	CANARY_UNKNOWN, /* the policy refuses none of the types tried, or the attempt itself failed */
};

/* With the guard as parent of the loader, this name tells its event from others. */
#define CANARY_NAME "bw_canary"

/* Forks. The program that is tried does nothing and is never attached. */
enum canary_result canary_try(const struct bw_policy_conf *conf);

#endif
