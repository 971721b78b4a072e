/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_RULES_LOAD_H
#define BW_RULES_LOAD_H
#include "auditor/checks/rule.h"

/*
 * The rules compiled in, or with @dir (not NULL) those of its files audit-*.json, in the order of their names. Logs what is
 * wrong. Returns 0 or -errno.
 */
int rules_load(const char *dir, struct bw_ruleset *ret);

#endif
