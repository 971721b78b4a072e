/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_CONTROL_REPORT_H
#define BW_GUARD_CONTROL_REPORT_H
/* What a command may report over the control socket to become an event of the guard (docs/control.md). Pure. */
#include <stdbool.h>

#include "guard/alert.h"

#define CONTROL_REPORT_MEMBERS 7

struct cJSON;

/* Strings are the request's. */
struct control_report {
	const char *event, *message;
	enum alert_severity severity;
	struct alert_kv kv[CONTROL_REPORT_MEMBERS + 1];
};

/* False: not a report. Members that are not known or not of their type are left out. */
bool control_report_read(const struct cJSON *req, struct control_report *ret);

#endif
