/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_PROTECT_H
#define BW_POLICY_PROTECT_H
/* Private to the policy parser. */
#include "common/policy_value.h"

void policy_protect_defaults(struct bw_policy_protect *p);
int policy_parse_protect(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_protect *p);

#endif
