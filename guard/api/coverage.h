/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_COVERAGE_H
#define BW_GUARD_API_COVERAGE_H
/*
 * Which processes could speak HTTP with somebody, and how each is seen, or why not: written to a file in the state directory
 * that bpfwarden api coverage prints. Part of the privileged parent; reads /proc.
 */
#include "guard/api/targets.h"

#define API_COVERAGE_FILE "api-coverage.json"
#define API_COVERAGE_MAX_PROCESSES 20000u
#define API_COVERAGE_MAX_SOCKETS 400000u

/*
 * Writes the report to @path, atomically; @time_ns is CLOCK_REALTIME. -E2BIG: more sockets or processes than the limits, and nothing is
 * written; or another negative errno.
 */
int api_coverage_write(struct api_targets *t, const char *path, int64_t time_ns);

#endif
