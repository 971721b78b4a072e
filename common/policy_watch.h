/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_WATCH_H
#define BW_POLICY_WATCH_H
/*
 * The parts of a policy that are not about loads: who may attach by which way ("attach"), and which maps hold what, and what
 * is done when their readers send something ("exfiltration"). Private to the parser.
 */
#include "common/policy.h"
#include "common/policy_value.h"

int policy_parse_attach(struct policy_parser *ps, const struct policy_node *n);
int policy_parse_exfiltration(struct policy_parser *ps, const struct policy_node *n);

#endif
