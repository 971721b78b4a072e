// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/pipeline.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/api_store.h"
#include "common/cleanup.h"
#include "guard/api/view.h"
#include "guard/lines.h"

#define DAY_NS (24ull * 3600 * 1000000000)

struct file {
	struct lines *lines; /* NULL: not wanted */
	char path[PATH_MAX];
	uint64_t size;
};

struct api_pipeline {
	struct api_pipeline_config config;
	struct api_view_context view;
	struct api_pipeline_stats stats;
	struct api_engine *engine;
	struct api_catalogue *catalogue;
	struct file calls, spans;
	struct bw_buf line;
	uint64_t flushed_ns, pruned_ns;
};

static int file_open(struct file *f, const char *dir, const char *name)
{
	int fd, r;
	off_t end;

	if ((size_t)snprintf(f->path, sizeof(f->path), "%s/%s", dir, name) >= sizeof(f->path))
		return -ENAMETOOLONG;
	fd = lines_target(f->path);
	if (fd < 0)
		return fd;
	end = lseek(fd, 0, SEEK_END);
	f->size = end > 0 ? (uint64_t)end : 0;
	r = lines_open(fd, &f->lines);
	if (r < 0)
		close(fd);
	return r;
}

static int file_write(struct file *f, const struct bw_buf *line, uint64_t max)
{
	char aside[PATH_MAX + 4];
	int fd, r;

	if (bw_buf_error(line))
		return bw_buf_error(line);
	if (f->size + line->len + 1 > max) {
		snprintf(aside, sizeof(aside), "%s.1", f->path);
		if (rename(f->path, aside) < 0)
			return -errno;
		fd = lines_target(f->path);
		r = fd < 0 ? fd : lines_replace(f->lines, fd);
		if (r < 0) {
			if (fd >= 0)
				close(fd);
			return r;
		}
		f->size = 0;
	}
	r = lines_write(f->lines, line->data, line->len);
	if (!r)
		f->size += line->len + 1;
	return r;
}

static void on_call(void *arg, const struct api_call *call)
{
	struct api_pipeline *p = arg;
	uint64_t when = call->request.first_ns ? call->request.first_ns : call->response.first_ns;
	int r;

	api_catalogue_add(p->catalogue, call, (int64_t)when + p->view.boot_offset_ns);
	if (p->calls.lines && api_view_sampled(call, p->config.log_permille)) {
		bw_buf_reset(&p->line);
		api_view_log(&p->view, call, &p->line);
		r = file_write(&p->calls, &p->line, p->config.max_file);
		p->stats.logged += !r;
		p->stats.log_lost += !!r;
		if (r)
			p->stats.error = r;
	}
	if (p->spans.lines && !(call->flags & API_CALL_NO_REQUEST) && api_view_sampled(call, p->config.span_permille)) {
		bw_buf_reset(&p->line);
		api_view_span(&p->view, call, &p->line);
		if (p->config.on_span && !bw_buf_error(&p->line))
			p->config.on_span(p->config.arg, p->line.data, p->line.len);
		r = file_write(&p->spans, &p->line, p->config.max_file);
		p->stats.spans += !r;
		p->stats.span_lost += !!r;
		if (r)
			p->stats.error = r;
	}
	if (p->config.on_call)
		p->config.on_call(p->config.arg, call);
}

/* What was lost where: bpfwarden api metrics shows it beside what was seen. */
static void put_counters(struct api_pipeline *p)
{
	const struct api_engine_stats *e = api_engine_stats(p->engine);
	const struct api_catalogue_stats *c = api_catalogue_stats(p->catalogue);
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {
		{ "engine.chunks", e->chunks },
		{ "engine.bytes", e->bytes },
		{ "engine.calls", e->calls },
		{ "engine.calls_duplicate", e->calls_duplicate },
		{ "engine.calls_without_request", e->calls_without_request },
		{ "engine.calls_without_response", e->calls_without_response },
		{ "engine.gaps", e->gaps },
		{ "engine.gap_bytes", e->gap_bytes },
		{ "engine.sampled_bytes", e->sampled_bytes },
		{ "engine.late_bytes", e->late_bytes },
		{ "engine.overflow_bytes", e->overflow_bytes },
		{ "engine.resyncs", e->resyncs },
		{ "engine.resync_bytes", e->resync_bytes },
		{ "engine.parse_errors", e->parse_errors },
		{ "engine.not_http", e->not_http },
		{ "engine.conns_evicted", e->conns_evicted },
		{ "engine.conns_expired", e->conns_expired },
		{ "engine.streams_evicted", e->streams_evicted },
		{ "engine.pipeline_overflow", e->pipeline_overflow },
		{ "engine.memory_refused", e->memory_refused },
		{ "engine.headers_unknown", e->headers_unknown },
		{ "engine.bodies_cut", e->bodies_cut },
		{ "engine.bodies_opaque", e->bodies_opaque },
		{ "catalogue.ignored", c->ignored },
		{ "catalogue.overflow_endpoints", c->overflow_endpoints },
		{ "catalogue.overflow_facts", c->overflow_facts },
		{ "catalogue.write_errors", c->write_errors },
		{ "log.lost", p->stats.log_lost },
		{ "spans.lost", p->stats.span_lost },
	};

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		api_catalogue_counter(p->catalogue, counters[i].name, counters[i].value);
}

static int flush(struct api_pipeline *p)
{
	int r;

	put_counters(p);
	r = api_catalogue_flush(p->catalogue);
	if (p->calls.lines)
		lines_flush(p->calls.lines);
	if (p->spans.lines)
		lines_flush(p->spans.lines);
	if (r < 0)
		p->stats.error = r;
	return r;
}

void api_pipeline_chunk(struct api_pipeline *p, const struct api_chunk *chunk)
{
	api_engine_chunk(p->engine, chunk);
}

void api_pipeline_tick(struct api_pipeline *p, uint64_t boot_ns, int64_t boot_offset_ns)
{
	p->view.boot_offset_ns = boot_offset_ns;
	api_engine_tick(p->engine, boot_ns);
	if (boot_ns - p->flushed_ns < API_CATALOGUE_FLUSH_NS)
		return;
	p->flushed_ns = boot_ns;
	if (boot_ns - p->pruned_ns >= DAY_NS) {
		p->pruned_ns = boot_ns;
		api_catalogue_prune(p->catalogue, (int64_t)boot_ns + boot_offset_ns - p->config.retention_ns);
	}
	flush(p);
}

void api_pipeline_counter(struct api_pipeline *p, const char *name, uint64_t value)
{
	api_catalogue_counter(p->catalogue, name, value);
}

struct api_engine *api_pipeline_engine(struct api_pipeline *p)
{
	return p->engine;
}

const struct api_catalogue_stats *api_pipeline_catalogue_stats(const struct api_pipeline *p)
{
	return api_catalogue_stats(p->catalogue);
}

const struct api_pipeline_stats *api_pipeline_stats(const struct api_pipeline *p)
{
	return &p->stats;
}

static void pipeline_free(struct api_pipeline *p)
{
	api_engine_free(p->engine);
	api_catalogue_free(p->catalogue);
	if (p->calls.lines)
		lines_close(p->calls.lines, NULL);
	if (p->spans.lines)
		lines_close(p->spans.lines, NULL);
	bw_buf_free(&p->line);
	free(p);
}

int api_pipeline_close(struct api_pipeline *p)
{
	int r;

	api_engine_flush(p->engine);
	r = flush(p);
	pipeline_free(p);
	return r;
}

/* A corrupt catalogue is kept for whoever wants to look at it, the latest one, and a new one is begun. */
static int open_catalogue(const char *path, struct api_catalogue **ret)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char from[PATH_MAX + 16], to[PATH_MAX + 32];
	int r = api_catalogue_open(path, ret);

	if (r != -EUCLEAN)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(from, sizeof(from), "%s%s", path, ends[i]);
		snprintf(to, sizeof(to), "%s.corrupt%s", path, ends[i]);
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return api_catalogue_open(path, ret);
}

int api_pipeline_open(const struct api_pipeline_config *config, struct api_pipeline **ret, const char **ret_what)
{
	struct api_pipeline *p = calloc(1, sizeof(*p));
	char path[PATH_MAX];
	int r;

	*ret_what = "memory";
	if (!p)
		return -ENOMEM;
	p->config = *config;
	p->config.engine.on_call = on_call;
	p->config.engine.arg = p;
	if (!p->config.max_file)
		p->config.max_file = API_PIPELINE_MAX_FILE;
	if (!p->config.retention_ns)
		p->config.retention_ns = API_PIPELINE_DEFAULT_RETENTION_NS;
	p->view = (struct api_view_context){ .host = config->node ? config->node : "", .boot_offset_ns = config->boot_offset_ns };
	r = (size_t)snprintf(path, sizeof(path), "%s/%s", config->dir, API_STORE_FILE) < sizeof(path) ? 0 : -ENAMETOOLONG;
	*ret_what = API_STORE_FILE;
	if (!r)
		r = open_catalogue(path, &p->catalogue);
	if (!r && config->log_permille) {
		*ret_what = API_CALLS_FILE;
		r = file_open(&p->calls, config->dir, API_CALLS_FILE);
	}
	if (!r && config->span_permille) {
		*ret_what = API_SPANS_FILE;
		r = file_open(&p->spans, config->dir, API_SPANS_FILE);
	}
	if (!r) {
		*ret_what = "engine";
		r = api_engine_new(&p->config.engine, &p->engine);
	}
	if (r < 0) {
		pipeline_free(p);
		return r;
	}
	*ret = p;
	return 0;
}
