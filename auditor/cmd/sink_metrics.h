/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SINK_METRICS_H
#define BW_SINK_METRICS_H
#include <cjson/cJSON.h>
#include <stdio.h>

/* Prints what @status, the guard's answer, says as metrics; NULL: no guard answers. */
void sink_metrics(FILE *f, const cJSON *status);

#endif
