/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_API_H
#define BW_GUARD_API_API_H
/*
 * API visibility, as the guard sees it: the probes in the kernel and the worker that reads them, kept alive. Runs in the
 * privileged parent and parses nothing foreign itself.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "guard/alert.h"
#include "guard/sinks/config.h"

struct api;

struct api_config {
	bool on;
	uint64_t call_bytes;  /* of one call that are copied; 0: the default, here and below */
	uint64_t conn_bytes;  /* per second of one connection */
	uint64_t total_bytes; /* per second, over all */
	uint64_t ring_bytes;
	uint64_t conn_calls;  /* requests per second of one connection; 0: any number */
	uint64_t total_calls; /* over all; 0: any number */
	uint64_t cpu_percent; /* of one CPU that the worker may take */
	uint64_t log_permille;	/* of calls that are logged; the defaults are main.c's */
	uint64_t span_permille; /* of calls that are written as spans */
	uint64_t metrics_interval_s; /* between metrics for OTLP sinks */
};

/* Says something to the world: an event of the guard's own (docs/events.md). */
typedef void (*api_say_fn)(void *arg, const char *event, enum alert_severity severity, uint64_t lost, const char *text);

/* NULL, or what is wrong with the limits. */
const char *api_config_check(const struct api_config *c);
/* Starts. @state_dir, a descriptor, must outlive it, and so must @sinks. On failure a negative errno and one line in @why. */
int api_open(const struct api_config *config, const struct sinks_config *sinks, int state_dir, api_say_fn fn, void *arg, struct api **ret, char *why,
	     size_t why_len);
/* Ends the worker in order and takes the probes out of the kernel. NULL is fine. */
void api_close(struct api *a);
/* Call it a few times a second: starts the worker again if it ended, looks at the counters. */
void api_tick(struct api *a);
/* Members of the object that is open in @j. */
void api_status(const struct api *a, struct bw_json *j);

#endif
