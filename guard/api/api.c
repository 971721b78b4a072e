// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/api.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "guard/api/coverage.h"
#include "guard/api/probes.h"
#include "guard/api/targets.h"
#include "guard/api/worker.h"
#include "guard/config.h"

#define SECOND 1000000000ULL
#define STUCK_NS (10 * SECOND) /* a worker that has not looked at the ring buffer for so long is said to be stuck */
#define END_NS (5 * SECOND)    /* and one that does not end within this is killed */

#define WORKER_NICE 10
#define SCAN_NS (10 * SECOND)  /* all processes are looked at this often, besides those that begin a program */
#define FILES_PER_TICK 4	       /* that are parsed; the rest waits for the next tick */
#define MAX_LATER 256	       /* processes that are looked at again */

enum { SLOT_PARENT, SLOT_WORKER }; /* processes that the probes ignore */

struct api {
	api_say_fn say;
	void *arg;
	struct api_probes *probes;
	struct api_targets *targets;
	uint64_t scan_ns; /* when all processes are looked at next */
	bool scanned;	  /* all have been looked at once */
	/* Processes that began a program are looked at at once, and again when its libraries are there. */
	struct later {
		uint32_t tgid;
		uint64_t at_ns;
	} later[MAX_LATER];
	unsigned int n_later;
	struct api_worker_config worker_config;
	struct api_worker *worker;
	struct privsep_worker process;
	uint64_t restart_ns; /* when the worker is started again */
	uint64_t restarts;
	struct api_worker_report *report;
	struct bw_api_stats *kernel; /* shared with the worker, for the metrics */
	uint64_t beat, beat_ns; /* the worker's last sign of life, and when it was seen */
	bool stuck, nice;
	uint64_t checked_ns, lost;
	uint64_t coverage_failed; /* times that the coverage report could not be written */
};

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

const char *api_config_check(const struct api_config *c)
{
	if (c->log_permille > 1000 || c->span_permille > 1000)
		return "log_permille, span_permille: must be at most 1000";
	if (c->cpu_percent > 100)
		return "cpu_percent: must be at most 100";
	if (c->conn_calls > UINT32_MAX || c->total_calls > UINT32_MAX)
		return "conn_calls, total_calls: too many";
	if (c->call_bytes > BW_API_DATA_MAX)
		return "call_bytes: must be at most 16384";
	if (c->ring_bytes && (c->ring_bytes < 1 << 16 || c->ring_bytes > 1 << 30 || c->ring_bytes & (c->ring_bytes - 1)))
		return "ring_bytes: must be a power of two from 65536 to 1073741824";
	return NULL;
}

static void start_worker(struct api *a)
{
	char text[200];
	int r = api_worker_spawn(a->worker, &a->process);

	a->beat = a->report->beat;
	a->beat_ns = monotonic_ns();
	a->stuck = a->nice = false;
	if (!r) {
		api_probes_ignore(a->probes, SLOT_WORKER, a->process.pid);
		return;
	}
	a->process.failures++;
	a->restart_ns = a->beat_ns + privsep_backoff_ns(&a->process);
	snprintf(text, sizeof(text), "the worker that reads API traffic cannot be started: %s", strerror(-r));
	a->say(a->arg, "api_worker_ended", ALERT_HIGH, 0, text);
}

int api_open(const struct api_config *config, const struct sinks_config *sinks, int state_dir, api_say_fn say, void *arg, struct api **ret, char *why,
	     size_t why_len)
{
	struct api_limits limits = {
		.call_bytes = config->call_bytes ? (uint32_t)config->call_bytes : API_DEFAULT_CALL_BYTES,
		.conn_bytes = config->conn_bytes ? config->conn_bytes : API_DEFAULT_CONN_BYTES,
		.total_bytes = config->total_bytes ? config->total_bytes : API_DEFAULT_TOTAL_BYTES,
		.ring_bytes = config->ring_bytes ? (uint32_t)config->ring_bytes : API_DEFAULT_RING_BYTES,
		.conn_calls = (uint32_t)config->conn_calls,
		.total_calls = (uint32_t)config->total_calls,
	};
	struct api *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		goto no_memory;
	a->say = say;
	a->arg = arg;
	a->process = (struct privsep_worker)PRIVSEP_WORKER_NONE;
	a->report = api_worker_report_map();
	a->kernel = mmap(NULL, sizeof(*a->kernel), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (a->kernel == MAP_FAILED)
		a->kernel = NULL;
	if (!a->report || !a->kernel || api_worker_new(&a->worker_config, &a->worker) < 0)
		goto no_memory;
	r = api_probes_open(&limits, &a->probes, why, why_len);
	if (r < 0) {
		api_close(a);
		return r;
	}
	api_probes_ignore(a->probes, SLOT_PARENT, getpid());
	r = api_targets_new(a->probes, &a->targets);
	if (r < 0)
		goto no_memory;
	a->worker_config = (struct api_worker_config){
		.ring_fd = api_probes_ring_fd(a->probes),
		.state_dir = state_dir,
		.log_permille = (uint32_t)config->log_permille,
		.span_permille = (uint32_t)config->span_permille,
		.cpu_percent = config->cpu_percent ? (uint32_t)config->cpu_percent : API_DEFAULT_CPU_PERCENT,
		.metrics_interval_s = config->metrics_interval_s,
		.sinks = sinks_carry_api(sinks) ? sinks : NULL,
		.report = a->report,
		.kernel = a->kernel,
	};
	start_worker(a);
	say(arg, "api_started", ALERT_INFO, 0, "API calls are looked at: HTTP on sockets and through TLS libraries");
	*ret = a;
	return 0;
no_memory:
	api_close(a);
	snprintf(why, why_len, "no memory");
	return -ENOMEM;
}

/* The worker drains and ends when its channel of notes does. */
static void end_worker(struct api *a)
{
	uint64_t deadline = monotonic_ns() + END_NS;
	char why[128];

	if (!a->process.pid)
		return;
	shutdown(a->process.ch.notes, SHUT_RDWR);
	while (!privsep_reap(&a->process, false, monotonic_ns(), why, sizeof(why))) {
		if (monotonic_ns() > deadline) {
			privsep_reap(&a->process, true, monotonic_ns(), why, sizeof(why));
			return;
		}
		usleep(5000);
	}
}

void api_close(struct api *a)
{
	if (!a)
		return;
	end_worker(a);
	api_targets_free(a->targets);
	api_probes_free(a->probes);
	api_worker_free(a->worker);
	api_worker_report_unmap(a->report);
	if (a->kernel)
		munmap(a->kernel, sizeof(*a->kernel));
	free(a);
}

static void check_loss(struct api *a)
{
	struct bw_api_stats s;
	char text[200];
	uint64_t lost;

	if (api_probes_stats(a->probes, &s) < 0)
		return;
	*a->kernel = s;
	lost = s.v[BW_API_STAT_LOST_RING] + s.v[BW_API_STAT_LOST_SCRATCH] + s.v[BW_API_STAT_LOST_STATE];
	if (lost > a->lost) {
		snprintf(text, sizeof(text), "%" PRIu64 " records of API traffic were lost: the reader does not keep up", lost - a->lost);
		a->say(a->arg, "api_loss", ALERT_MEDIUM, lost - a->lost, text);
	}
	a->lost = lost;
}

/*
 * Applications come first, once the worker has begun. Where the scheduler groups tasks by session, a niceness counts within the session
 * only, and the session's own is what counts against others (sched(7), autogroup). What cannot be had is not missed: the limit on its CPU
 * time holds anyway.
 */
static void make_nice(pid_t pid)
{
	char path[40];
	int fd;

	setpriority(PRIO_PROCESS, (id_t)pid, WORKER_NICE);
	snprintf(path, sizeof(path), "/proc/%d/autogroup", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	dprintf(fd, "%d", WORKER_NICE);
	close(fd);
}

static void check_beat(struct api *a, uint64_t now)
{
	if (a->report->beat != a->beat) {
		a->beat = a->report->beat;
		a->beat_ns = now;
		a->stuck = false;
		if (a->process.pid && !a->nice)
			make_nice(a->process.pid);
		a->nice = true;
	} else if (a->process.pid && !a->stuck && now - a->beat_ns > STUCK_NS) {
		a->stuck = true;
		a->say(a->arg, "api_worker_stuck", ALERT_HIGH, 0, "the worker that reads API traffic does not answer");
	}
}

/* Looks at all processes, and says for each how it is seen. */
static void scan(struct api *a, uint64_t now)
{
	struct timespec ts;
	char path[64];
	int r;

	api_targets_preload(a->targets);
	api_targets_scan_all(a->targets);
	if (api_targets_pending(a->targets)) {
		a->scan_ns = now;
		return;
	}
	a->scan_ns = now + SCAN_NS;
	a->scanned = true;
	clock_gettime(CLOCK_REALTIME, &ts);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", a->worker_config.state_dir, API_COVERAGE_FILE);
	r = api_coverage_write(a->targets, path, (int64_t)ts.tv_sec * (int64_t)SECOND + ts.tv_nsec);
	a->coverage_failed += r < 0;
}

static void look_later(struct api *a, uint32_t tgid, uint64_t at_ns)
{
	/* Who finds no room waits for the next look at all processes. */
	if (a->n_later < MAX_LATER)
		a->later[a->n_later++] = (struct later){ tgid, at_ns };
}

static void on_exec(void *arg, uint32_t tgid)
{
	struct api *a = arg;

	look_later(a, tgid, 0);
}

static void find_targets(struct api *a, uint64_t now)
{
	unsigned int n, kept = 0;

	api_targets_budget(a->targets, FILES_PER_TICK);
	api_probes_execs(a->probes, on_exec, a);
	n = a->n_later;
	for (unsigned int i = 0; i < n; i++) {
		struct later *l = &a->later[i];

		if (l->at_ns <= now)
			api_targets_scan_process(a->targets, (pid_t)l->tgid);
		if (!l->at_ns)
			l->at_ns = now + SECOND;
		else if (l->at_ns <= now)
			continue;
		a->later[kept++] = *l;
	}
	a->n_later = kept;
	if (now >= a->scan_ns)
		scan(a, now);
}

void api_tick(struct api *a)
{
	uint64_t now = monotonic_ns();
	char why[128], text[300];

	if (!a)
		return;
	if (privsep_reap(&a->process, false, now, why, sizeof(why))) {
		a->restart_ns = now + privsep_backoff_ns(&a->process);
		a->restarts++;
		snprintf(text, sizeof(text), "the worker that reads API traffic %s; it is started again in %.1f s", why,
			 (double)(a->restart_ns - now) / (double)SECOND);
		a->say(a->arg, "api_worker_ended", ALERT_HIGH, 0, text);
	}
	if (!a->process.pid && now >= a->restart_ns)
		start_worker(a);
	check_beat(a, now);
	find_targets(a, now);
	if (now - a->checked_ns >= SECOND) {
		a->checked_ns = now;
		check_loss(a);
	}
}

void api_status(const struct api *a, struct bw_json *j)
{
	static const char *const names[BW_API_STAT_COUNT] = {
		"calls", "records", "bytes_copied", "bytes_cut", "lost_ring", "lost_bytes", "lost_scratch", "lost_state", "read_failed",
		"conns_http", "conns_tls", "conns_other", "conns_midway", "skipped", "skipped_ends", "skipped_bytes",
	};
	const struct api_targets_stats *ts;
	struct bw_api_stats s;

	bw_json_bool(j, "on", a != NULL);
	if (!a)
		return;
	if (!api_probes_stats(a->probes, &s))
		for (int i = 0; i < BW_API_STAT_COUNT; i++)
			bw_json_u64(j, names[i], s.v[i]);
	ts = api_targets_stats(a->targets);
	bw_json_bool(j, "tls_pending", api_targets_pending(a->targets) || !a->scanned);
	bw_json_u64(j, "tls_files", ts->probed);
	bw_json_u64(j, "tls_probes", ts->links);
	bw_json_u64(j, "tls_failed", ts->failed);
	bw_json_u64(j, "coverage_failed", a->coverage_failed);
	bw_json_u64(j, "worker_pid", (uint64_t)a->process.pid);
	bw_json_u64(j, "worker_restarts", a->restarts);
	bw_json_u64(j, "received", a->report->records);
	bw_json_u64(j, "undecodable", a->report->undecodable);
	bw_json_u64(j, "chunks", a->report->chunks);
	bw_json_u64(j, "chunk_bytes", a->report->bytes);
	bw_json_u64(j, "late", a->report->late);
	bw_json_u64(j, "unknown_conn", a->report->unknown_conn);
	bw_json_u64(j, "conns_evicted", a->report->evicted);
	bw_json_u64(j, "conns", a->report->conns);
	bw_json_u64(j, "http_calls", a->report->calls);
	bw_json_u64(j, "http_calls_without_request", a->report->calls_without_request);
	bw_json_u64(j, "http_calls_without_response", a->report->calls_without_response);
	bw_json_u64(j, "gaps", a->report->gaps);
	bw_json_u64(j, "gap_bytes", a->report->gap_bytes);
	bw_json_u64(j, "parse_errors", a->report->parse_errors);
	bw_json_u64(j, "memory", a->report->memory);
	bw_json_u64(j, "memory_refused", a->report->memory_refused);
	bw_json_u64(j, "endpoints", a->report->endpoints);
	bw_json_u64(j, "facts", a->report->facts);
	bw_json_u64(j, "catalogue_write_errors", a->report->write_errors);
	bw_json_u64(j, "log_lost", a->report->log_lost);
	bw_json_u64(j, "span_lost", a->report->span_lost);
	bw_json_u64(j, "rules_refused", a->report->rules_refused);
	bw_json_u64(j, "export_spans", a->report->export_spans);
	bw_json_u64(j, "export_metrics", a->report->export_metrics);
	bw_json_u64(j, "export_lost", a->report->export_lost);
	bw_json_u64(j, "export_errno", a->report->export_errno);
	/* The worker's memory: it need not end in a NUL byte. */
	bw_json_strn(j, "worker_failed", a->report->failed, strnlen(a->report->failed, sizeof(a->report->failed)));
	bw_json_u64(j, "worker_failed_errno", a->report->failed_errno);
}
