// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/worker.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "guard/api/capture.h"
#include "guard/api/export.h"
#include "guard/api/extract.h"
#include "guard/api/pii_load.h"
#include "guard/api/pipeline.h"
#include "guard/loop.h"

#define SECOND 1000000000ULL
/* The ring buffer is looked at this often: nobody is woken when something is put there. */
#define LOOK_NS (SECOND / 50)
#define BURST_NS SECOND	  /* of the CPU time it may take, so much can be saved up */
#define RECORDS_PER_CHECK 32u /* between looks at the CPU time */
#define API_EXTRACT_FILE "/api-extract.json"
#define IDLE_NS (600 * SECOND) /* a connection without bytes for so long is forgotten */

struct api_worker {
	const struct api_worker_config *config;
	/* Of the process only: */
	struct ring_buffer *ring;
	struct api_capture *capture;
	struct loop *loop;
	uint64_t looks;
	/* CPU time: what may be used until the next look, and when both clocks were read last. */
	int64_t cpu_left;
	uint64_t cpu_ns, wall_ns;
	unsigned int unchecked;
	bool unlimited;
	struct pii_rules *rules;
	struct pii_scanner *scanner;
	struct pii_key key;
	struct api_extract *extract;
	struct api_pipeline *pipeline;
	struct api_export *export; /* NULL: not wanted */
	uint64_t rules_refused;
	char node[256];
};

struct api_worker_report *api_worker_report_map(void)
{
	void *p = mmap(NULL, sizeof(struct api_worker_report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void api_worker_report_unmap(struct api_worker_report *r)
{
	if (r)
		munmap(r, sizeof(*r));
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

static uint64_t boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

static int64_t boot_offset_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)((uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec - boot_ns());
}

static void on_chunk(void *arg, const struct api_chunk *chunk)
{
	struct api_worker *w = arg;

	api_pipeline_chunk(w->pipeline, chunk);
}

/* A share of the time that has passed may be used, less what was used. */
static void cpu_refill(struct api_worker *w)
{
	uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), wall = clock_ns(CLOCK_MONOTONIC);
	int64_t max = (int64_t)(BURST_NS / 100 * w->config->cpu_percent);

	if (w->wall_ns)
		w->cpu_left += (int64_t)((wall - w->wall_ns) / 100 * w->config->cpu_percent) - (int64_t)(cpu - w->cpu_ns);
	else
		w->cpu_left = max;
	if (w->cpu_left > max)
		w->cpu_left = max;
	w->cpu_ns = cpu;
	w->wall_ns = wall;
}

static bool cpu_is_used_up(struct api_worker *w)
{
	if (w->unlimited || w->config->cpu_percent >= 100)
		return false;
	return (int64_t)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - w->cpu_ns) > w->cpu_left;
}

/*
 * libbpf calls this for each record; anything but 0 stops the draining, with this record done. What is wrong with a record is counted.
 * What is left in the ring buffer makes the probes leave out requests.
 */
static int on_record(void *arg, void *data, size_t size)
{
	struct api_worker *w = arg;

	api_capture_record(w->capture, data, size);
	if (++w->unchecked < RECORDS_PER_CHECK)
		return 0;
	w->unchecked = 0;
	return cpu_is_used_up(w) ? -EAGAIN : 0;
}

static void report(struct api_worker *w)
{
	const struct api_capture_stats *s = api_capture_stats(w->capture);
	const struct api_engine_stats *e = api_engine_stats(api_pipeline_engine(w->pipeline));
	const struct api_catalogue_stats *c = api_pipeline_catalogue_stats(w->pipeline);
	const struct api_pipeline_stats *p = api_pipeline_stats(w->pipeline);
	const struct api_export_stats *x = api_export_stats(w->export);

	*w->config->report = (struct api_worker_report){
		.beat = w->looks,
		.records = s->records,
		.undecodable = s->undecodable,
		.chunks = s->chunks,
		.bytes = s->bytes,
		.late = s->late,
		.unknown_conn = s->unknown_conn,
		.evicted = s->evicted,
		.conns = s->conns,
		.calls = e->calls,
		.calls_without_request = e->calls_without_request,
		.calls_without_response = e->calls_without_response,
		.gaps = e->gaps,
		.gap_bytes = e->gap_bytes,
		.parse_errors = e->parse_errors,
		.memory = e->memory,
		.memory_refused = e->memory_refused,
		.endpoints = c->endpoints,
		.facts = c->facts,
		.write_errors = c->write_errors,
		.log_lost = p->log_lost,
		.span_lost = p->span_lost,
		.rules_refused = w->rules_refused,
		.export_spans = x->spans,
		.export_metrics = x->metrics,
		.export_lost = x->lost,
		.export_errno = (uint64_t)-x->error,
	};
}

static void put_counters(struct api_worker *w)
{
	static const struct {
		const char *name;
		enum bw_api_stat stat;
	} kernel[] = {
		{ "capture.bytes_copied", BW_API_STAT_COPIED },	   { "capture.bytes_cut", BW_API_STAT_CUT },
		{ "capture.lost_ring", BW_API_STAT_LOST_RING },	   { "capture.lost_bytes", BW_API_STAT_LOST_BYTES },
		{ "capture.lost_scratch", BW_API_STAT_LOST_SCRATCH }, { "capture.lost_state", BW_API_STAT_LOST_STATE },
		{ "capture.read_failed", BW_API_STAT_READ_FAILED },   { "capture.skipped", BW_API_STAT_SKIPPED },
		{ "capture.skipped_ends", BW_API_STAT_SKIPPED_ENDS }, { "capture.skipped_bytes", BW_API_STAT_SKIPPED_BYTES },
	};
	const struct api_capture_stats *s = api_capture_stats(w->capture);

	for (size_t i = 0; i < ARRAY_SIZE(kernel); i++)
		api_pipeline_counter(w->pipeline, kernel[i].name, w->config->kernel->v[kernel[i].stat]);

	api_pipeline_counter(w->pipeline, "capture.records", s->records);
	api_pipeline_counter(w->pipeline, "capture.undecodable", s->undecodable);
	api_pipeline_counter(w->pipeline, "capture.late", s->late);
	api_pipeline_counter(w->pipeline, "capture.unknown_conn", s->unknown_conn);
	api_pipeline_counter(w->pipeline, "capture.conns_evicted", s->evicted);
}

static int on_look(void *arg, uint64_t expirations)
{
	struct api_worker *w = arg;
	uint64_t now;

	cpu_refill(w);
	if (!cpu_is_used_up(w))
		ring_buffer__consume(w->ring);
	if (++w->looks % (SECOND / LOOK_NS) == 0) {
		now = boot_ns();
		if (now > IDLE_NS)
			api_capture_expire(w->capture, now - IDLE_NS);
		put_counters(w);
		api_pipeline_tick(w->pipeline, now, boot_offset_ns());
		api_export_tick(w->export, now, (int64_t)now + boot_offset_ns());
	}
	report(w);
	return 0;
}

/* The parent tells nothing: its end is what this waits for. */
static int on_notes(void *arg, int fd, uint32_t events)
{
	struct api_worker *w = arg;

	loop_quit(w->loop, 0);
	return 0;
}

/* Still with the parent's privileges: before 5.19 asking for a map's size takes CAP_BPF. */
static int prepare(void *arg)
{
	struct api_worker *w = arg;

	setsid(); /* where the scheduler groups tasks by session, a niceness of its own */
	w->ring = ring_buffer__new(w->config->ring_fd, on_record, w, NULL);
	return w->ring ? 0 : -errno;
}

/* Custom rules are there if the file is; one with a mistake is not used, and counted. */
static void load_rules(struct api_worker *w)
{
	_cleanup_free_ char *text = NULL;
	struct api_extract_error e;
	size_t len;
	int r = bw_file_read(API_EXTRACT_FILE, API_EXTRACT_MAX_FILE, &text, &len);

	if (r == -ENOENT)
		return;
	if (!r)
		r = api_extract_parse(text, len, &w->extract, &e);
	w->rules_refused += r < 0;
}

static void on_span(void *arg, const char *line, size_t len)
{
	struct api_worker *w = arg;

	api_export_span(w->export, line, len);
}

static int open_export(struct api_worker *w)
{
	const struct api_export_config config = {
		.sinks = w->config->sinks, .dir = "", .node = w->node, .interval_s = w->config->metrics_interval_s,
	};

	return w->config->sinks ? api_export_open(&config, boot_ns(), &w->export) : 0;
}

/* In the sandbox: the state directory is "/". */
static int open_pipeline(struct api_worker *w)
{
	struct api_pipeline_config config = {
		.dir = "/", .node = w->node, .log_permille = w->config->log_permille,
		.span_permille = w->config->span_permille, .boot_offset_ns = boot_offset_ns(),
	};
	struct pii_error error;
	const char *what = "personal-data rules";
	int r;

	gethostname(w->node, sizeof(w->node) - 1);
	load_rules(w);
	r = pii_rules_builtin(&w->rules, &error);
	if (!r)
		r = pii_scanner_new(w->rules, &w->scanner);
	if (!r) {
		what = "pii.key";
		r = pii_load_key("/", &w->key);
	}
	config.engine = (struct api_engine_config){ .scanner = w->scanner, .rules = w->rules, .key = &w->key, .extract = w->extract };
	if (!r && getrandom(config.engine.seed, sizeof(config.engine.seed), 0) != sizeof(config.engine.seed))
		r = -errno;
	if (!r) {
		what = "spool/api";
		r = open_export(w);
	}
	if (w->export) {
		config.on_span = on_span;
		config.arg = w;
	}
	if (!r)
		r = api_pipeline_open(&config, &w->pipeline, &what);
	w->config->report->failed_errno = (uint64_t)-r;
	snprintf(w->config->report->failed, sizeof(w->config->report->failed), "%s", r ? what : "");
	return r;
}

static int run(void *arg, const struct privsep_channels *ch)
{
	struct api_worker *w = arg;
	int r;

	r = open_pipeline(w);
	if (!r)
		r = api_capture_new(0, on_chunk, w, &w->capture);
	if (!r)
		r = loop_open(&w->loop);
	if (!r)
		r = loop_add_fd(w->loop, ch->notes, EPOLLIN, on_notes, w, NULL);
	if (!r)
		r = loop_add_timer(w->loop, LOOK_NS, LOOK_NS, on_look, w, NULL);
	if (!r)
		r = loop_run(w->loop);
	if (!r) {
		w->unlimited = true;
		ring_buffer__consume(w->ring);
		put_counters(w);
		r = api_pipeline_close(w->pipeline);
		api_export_close(w->export, (int64_t)boot_ns() + boot_offset_ns());
	}
	return r;
}

int api_worker_new(const struct api_worker_config *config, struct api_worker **ret)
{
	struct api_worker *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->config = config;
	*ret = w;
	return 0;
}

void api_worker_free(struct api_worker *w)
{
	free(w);
}

int api_worker_spawn(struct api_worker *w, struct privsep_worker *process)
{
	static const struct privsep_profile profile = { .name = "api", .calls = BW_CALLS_FILES | BW_CALLS_EVENTS };
	struct privsep_job job = {
		.profile = &profile,
		.root = w->config->state_dir,
		.keep = &w->config->ring_fd,
		.n_keep = 1,
		.prepare = prepare,
		.run = run,
		.arg = w,
	};

	privsep_user(&job.uid, &job.gid);
	return privsep_spawn(&job, process);
}
