/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_EXPORT_H
#define BW_GUARD_API_EXPORT_H
/*
 * Spans and metrics on their way to OTLP receivers: put into a spool, from which the delivery process takes them
 * (guard/sinks/deliver.h), so that no receiver is waited for and nothing is lost when one is away.
 *
 * Of the worker that reads API traffic: it writes the spool, reads the catalogue, and has no network.
 */
#include <stddef.h>
#include <stdint.h>

#include "guard/sinks/config.h"

#define API_EXPORT_DEFAULT_INTERVAL_S 60u

struct api_export;

struct api_export_config {
	const struct sinks_config *sinks;
	const char *dir;  /* the state directory, as this process sees it */
	const char *node; /* name of this host */
	uint64_t interval_s; /* between metrics; 0: API_EXPORT_DEFAULT_INTERVAL_S */
};

struct api_export_stats {
	uint64_t spans, metrics; /* requests put into the spool */
	uint64_t lost;		 /* given up: by the spool, or because the catalogue could not be read */
	int error;		 /* of the latest failure, negative errno; 0 while all is well */
};

/* Strings and @config->sinks are borrowed. Negative errno. All of these take NULL. */
int api_export_open(const struct api_export_config *config, uint64_t boot_ns, struct api_export **ret);
/* Puts the metrics there once more. */
void api_export_close(struct api_export *e, int64_t realtime_ns);
/* One OTLP request with spans. */
void api_export_span(struct api_export *e, const char *line, size_t len);
/* About once a second, after the catalogue was written. */
void api_export_tick(struct api_export *e, uint64_t boot_ns, int64_t realtime_ns);
const struct api_export_stats *api_export_stats(const struct api_export *e);

#endif
