// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/export.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/api_metrics.h"
#include "common/cleanup.h"
#include "common/event_store.h"
#include "guard/sinks/deliver.h"
#include "guard/sinks/spool.h"
#include "guard/sinks/spooler.h"

#define SECOND 1000000000ull
#define SEVERITY 1u	     /* info: makes room for others */
#define ENDPOINTS_PER_REQUEST 50u /* a request stays below what one record of the spool may be, and is halved when it does not */

struct api_export {
	struct api_export_config config;
	struct spool *spool;
	int own_fd; /* of the delivery process: its cursors */
	uint64_t told_ns; /* when metrics were put there last */
	uint64_t given_up; /* by the spool, as far as it is in @stats */
	struct api_export_stats stats;
};

static void cursors(const struct api_export *e, uint64_t *ret_low, uint64_t *ret_high)
{
	spooler_cursors(e->config.sinks, e->own_fd, true, ret_low, ret_high);
}

int api_export_open(const struct api_export_config *config, uint64_t boot_ns, struct api_export **ret)
{
	const struct sinks_config *sinks = config->sinks;
	struct spool_config sc = { .max_bytes = sinks->spool_bytes, .max_age_ns = (int64_t)(sinks->spool_age_s * SECOND), .now_ns = (int64_t)boot_ns };
	struct api_export *e = calloc(1, sizeof(*e));
	char path[PATH_MAX];
	uint64_t low;
	int r;

	if (!e)
		return -ENOMEM;
	e->config = *config;
	e->told_ns = boot_ns;
	if (!e->config.interval_s)
		e->config.interval_s = API_EXPORT_DEFAULT_INTERVAL_S;
	snprintf(path, sizeof(path), "%s/" DELIVER_OWN, config->dir);
	e->own_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->own_fd < 0) {
		r = -errno;
		free(e);
		return r;
	}
	cursors(e, &low, &sc.above);
	snprintf(path, sizeof(path), "%s/" DELIVER_API, config->dir);
	sc.dir = path;
	r = spool_open(&sc, &e->spool);
	if (r < 0) {
		close(e->own_fd);
		free(e);
		return r;
	}
	*ret = e;
	return 0;
}

static void put(struct api_export *e, const char *line, size_t len, uint64_t *count)
{
	uint64_t number;
	int r = spool_add(e->spool, SEVERITY, line, len, &number);

	*count += !r;
	if (r < 0)
		e->stats.error = r;
}

void api_export_span(struct api_export *e, const char *line, size_t len)
{
	if (e)
		put(e, line, len, &e->stats.spans);
}

/* Endpoints @first to @first + @n of @d, and its counters in the request that begins with the first of them. */
static void put_metrics(struct api_export *e, const struct api_data *d, uint32_t first, uint32_t n, int64_t now, struct bw_buf *b)
{
	struct api_data part = { .endpoints = d->endpoints + first, .n = n };

	if (!first) {
		part.counters = d->counters;
		part.ncounters = d->ncounters;
	}
	bw_buf_reset(b);
	api_metrics_otlp(&part, now, e->config.node, b);
	if (bw_buf_error(b) == -E2BIG && n > 1) {
		put_metrics(e, d, first, n / 2, now, b);
		put_metrics(e, d, first + n / 2, n - n / 2, now, b);
	} else if (bw_buf_error(b)) {
		e->stats.error = bw_buf_error(b);
		e->stats.lost++;
	} else {
		put(e, b->data, b->len, &e->stats.metrics);
	}
}

static int tell_metrics(struct api_export *e, int64_t now)
{
	_cleanup_buf_ struct bw_buf b = { .max = SPOOL_MAX_PAYLOAD };
	struct api_data d = { 0 };
	struct sqlite3 *db = NULL;
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/" API_STORE_FILE, e->config.dir);
	r = api_store_open(path, &db);
	if (!r)
		r = api_store_load(db, &d);
	event_store_close(&db);
	if (r < 0)
		return r;
	for (uint32_t i = 0; !i || i < d.n; i += ENDPOINTS_PER_REQUEST)
		put_metrics(e, &d, i, d.n - i < ENDPOINTS_PER_REQUEST ? d.n - i : ENDPOINTS_PER_REQUEST, now, &b);
	api_data_free(&d);
	return 0;
}

static void metrics(struct api_export *e, int64_t now)
{
	int r = tell_metrics(e, now);

	if (r < 0) {
		e->stats.error = r;
		e->stats.lost++;
	}
}

void api_export_tick(struct api_export *e, uint64_t boot_ns, int64_t realtime_ns)
{
	struct spool_stats s;
	uint64_t low, high;

	if (!e)
		return;
	if (boot_ns - e->told_ns >= e->config.interval_s * SECOND) {
		e->told_ns = boot_ns;
		metrics(e, realtime_ns);
	}
	spool_flush(e->spool);
	cursors(e, &low, &high);
	spool_maintain(e->spool, low, (int64_t)boot_ns);
	spool_stats(e->spool, &s);
	e->stats.lost += s.dropped + s.shed + s.expired - e->given_up;
	e->given_up = s.dropped + s.shed + s.expired;
	if (s.error)
		e->stats.error = s.error;
}

const struct api_export_stats *api_export_stats(const struct api_export *e)
{
	static const struct api_export_stats none;

	return e ? &e->stats : &none;
}

void api_export_close(struct api_export *e, int64_t realtime_ns)
{
	if (!e)
		return;
	metrics(e, realtime_ns);
	spool_close(e->spool);
	close(e->own_fd);
	free(e);
}
