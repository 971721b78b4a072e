/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_QUARANTINE_EVENT_H
#define BW_GUARD_QUARANTINE_EVENT_H
/* What mode protect adds to events and to the status. */
#include "common/json.h"
#include "guard/alert.h"
#include "guard/quarantine.h"

/* @ret borrows from @r. */
void quarantine_describe(const struct quarantine_result *r, struct alert_analysis *ret);
/* Adds members to the open object of @j. */
void quarantine_status(const struct quarantine_stats *s, struct bw_json *j);

#endif
