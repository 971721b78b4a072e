/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_WORKER_H
#define BW_GUARD_API_WORKER_H
/*
 * The process without privileges that reads what the API probes captured: ring buffer -> capture -> engine -> catalogue and logs. Strangers' bytes are
 * parsed nowhere else. It tells the parent how it fares through shared memory, which the parent treats as untrusted numbers.
 */
#include <stdint.h>

#include "bpf/api.h"
#include "guard/privsep.h"
#include "guard/sinks/config.h"

/* Shared with the parent; written by the worker. */
struct api_worker_report {
	uint64_t beat; /* rises with every look at the ring buffer */
	uint64_t records, undecodable, chunks, bytes, late, unknown_conn, evicted, conns;
	/* of engine, catalogue and logs: pipeline.h */
	uint64_t calls, calls_without_request, calls_without_response, gaps, gap_bytes, parse_errors, memory, memory_refused;
	uint64_t endpoints, facts, write_errors, log_lost, span_lost, rules_refused;
	uint64_t export_spans, export_metrics, export_lost, export_errno; /* export.h */
	/* Why it could not begin: an errno, and what it is about. */
	uint64_t failed_errno;
	char failed[32];
};

#define API_DEFAULT_CPU_PERCENT 25u

struct api_worker_config {
	int ring_fd;
	int state_dir; /* descriptor */
	uint32_t cpu_percent; /* of one CPU that it may take; what that does not suffice for the probes leave out */
	uint32_t log_permille, span_permille; /* of calls that nothing is wrong with, that are written to the log and as spans */
	uint64_t metrics_interval_s; /* 0: the default */
	const struct sinks_config *sinks; /* NULL: none of them carries spans or metrics */
	struct api_worker_report *report; /* of api_worker_report_map() */
	const struct bw_api_stats *kernel; /* the kernel side's counters: shared memory, written by the parent */
};

struct api_worker;

/* Memory that a worker and its parent share. NULL when there is none. */
struct api_worker_report *api_worker_report_map(void);
void api_worker_report_unmap(struct api_worker_report *r);

/* @config must outlive it; the same object serves every start. -ENOMEM. */
int api_worker_new(const struct api_worker_config *config, struct api_worker **ret);
void api_worker_free(struct api_worker *w);
/* Starts the process. As privsep_spawn(). */
int api_worker_spawn(struct api_worker *w, struct privsep_worker *process);

#endif
