/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_PIPELINE_H
#define BW_GUARD_API_PIPELINE_H
/*
 * Everything behind capture in one piece: engine -> catalogue, log of calls, spans, and their files in one directory.
 *
 *   api.db            the catalogue
 *   api-calls.jsonl   one redacted line per sampled call     (and .1, the one before)
 *   api-spans.jsonl   OTLP/JSON, one line per sampled call   (the same)
 *
 * For a process without privileges whose files are in that directory; it opens nothing else.
 */
#include <stdint.h>

#include "guard/api/catalogue.h"
#include "guard/api/engine.h"

#define API_CALLS_FILE "api-calls.jsonl"
#define API_SPANS_FILE "api-spans.jsonl"
/* A file of lines that is longer is put aside, and the one before it is dropped. */
#define API_PIPELINE_MAX_FILE (64u << 20)
#define API_PIPELINE_DEFAULT_RETENTION_NS (90ll * 24 * 3600 * 1000000000)

struct api_pipeline;

struct api_pipeline_config {
	const char *dir;	   /* where the files are */
	const char *node;	   /* name of this host */
	struct api_engine_config engine; /* on_call and arg are the pipeline's */
	unsigned int log_permille; /* of calls in api-calls.jsonl; 0: no file */
	unsigned int span_permille;
	uint64_t max_file;	   /* 0: API_PIPELINE_MAX_FILE */
	int64_t retention_ns;	   /* endpoints that were not seen for so long are forgotten; 0: the default */
	int64_t boot_offset_ns;	   /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	/* Also told of every span that is written, as OTLP/JSON; may be NULL. */
	void (*on_span)(void *arg, const char *line, size_t len);
	/* Also told of every call, after all; may be NULL. */
	api_call_fn on_call;
	void *arg;
};

struct api_pipeline_stats {
	uint64_t logged, log_lost, spans, span_lost;
	int error; /* of the latest failed write, negative errno; 0 while all is well */
};

/* Negative errno; *ret_what says which file or part it was. */
int api_pipeline_open(const struct api_pipeline_config *config, struct api_pipeline **ret, const char **ret_what);
/* Reports what is open and writes everything. Returns what the last write said. */
int api_pipeline_close(struct api_pipeline *p);

void api_pipeline_chunk(struct api_pipeline *p, const struct api_chunk *chunk);
/* About once a second; @boot_offset_ns as above, which changes when the clock is set. */
void api_pipeline_tick(struct api_pipeline *p, uint64_t boot_ns, int64_t boot_offset_ns);
/* A counter of somebody else for bpfwarden api metrics: "capture.late". @name lives on. */
void api_pipeline_counter(struct api_pipeline *p, const char *name, uint64_t value);

struct api_engine *api_pipeline_engine(struct api_pipeline *p);
const struct api_catalogue_stats *api_pipeline_catalogue_stats(const struct api_pipeline *p);
const struct api_pipeline_stats *api_pipeline_stats(const struct api_pipeline *p);

#endif
