// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/sinks/spooler.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/json_check.h"
#include "guard/sinks/deliver.h"
#include "guard/sinks/spool.h"

#define SECOND 1000000000LL
#define MAX_STATUS (256u << 10)
#define SUMMARIES_PER_TICK 64

struct spooler {
	const struct sinks_config *config;
	spooler_say_fn say;
	void *arg;
	struct spool *spool;
	int64_t maintained_ns;
	uint64_t dropped_told, shed_told, expired_told;
	uint64_t last;
	bool failing;
	int own_fd; /* of the delivery process: its cursors */
	const struct noise_config *noise_config;
	struct noise_config *own_noise; /* set since the start; else it is that of @config */
	struct noise *noise; /* NULL: everything is delivered */
	struct event_view view;
	uint64_t unread; /* events that noise control could not read: delivered */
};

static int64_t boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

void spooler_cursors(const struct sinks_config *c, int own_fd, bool api, uint64_t *ret_low, uint64_t *ret_high)
{
	*ret_low = UINT64_MAX;
	*ret_high = 0;
	for (size_t i = 0; i < c->n; i++) {
		char name[SINK_NAME_MAX + 16];
		uint64_t v = 0;

		if ((c->sinks[i].signal != SINK_LOGS) != api)
			continue;
		snprintf(name, sizeof(name), "%s.cursor", c->sinks[i].name);
		if (spool_cursor_get(own_fd, name, &v) < 0)
			v = 0;
		*ret_low = v < *ret_low ? v : *ret_low;
		*ret_high = v > *ret_high ? v : *ret_high;
	}
}

static void forget_noise_config(struct spooler *d)
{
	if (d->own_noise)
		noise_config_free(d->own_noise);
	free(d->own_noise);
	d->own_noise = NULL;
}

static int make_noise(const struct noise_config *c, struct noise **ret)
{
	if (c->no_dedup && !c->n_limits && !c->n_maintenance && !c->n_suppress)
		return 0;
	return noise_new(c, ret);
}

int spooler_open(const struct sinks_config *config, const char *state, spooler_say_fn say, void *arg, struct spooler **ret)
{
	struct spool_config sc = { .max_bytes = config->spool_bytes, .max_age_ns = (int64_t)config->spool_age_s * SECOND,
				    .now_ns = boottime_ns() };
	struct spooler *d = calloc(1, sizeof(*d));
	char path[4096];
	uint64_t low;
	int r = 0;

	if (!d)
		return -ENOMEM;
	d->config = config;
	d->say = say;
	d->arg = arg;
	snprintf(path, sizeof(path), "%s/" DELIVER_OWN, state);
	d->own_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->own_fd < 0)
		r = -errno;
	if (r == 0) {
		spooler_cursors(config, d->own_fd, false, &low, &sc.above);
		snprintf(path, sizeof(path), "%s/" DELIVER_EVENTS, state);
		sc.dir = path;
		r = spool_open(&sc, &d->spool);
	}
	d->noise_config = &config->noise;
	if (r == 0)
		r = make_noise(d->noise_config, &d->noise);
	if (r < 0) {
		spooler_close(d);
		return r;
	}
	*ret = d;
	return 0;
}

static int64_t clock_s(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec;
}

/* Says what has been held back. */
static void say_summaries(struct spooler *d, bool all)
{
	int64_t boot = clock_s(CLOCK_BOOTTIME), real = clock_s(CLOCK_REALTIME);
	struct noise_summary s;
	char text[512];

	for (int i = 0; d->noise && (all || i < SUMMARIES_PER_TICK) && noise_next(d->noise, boot, real, all, &s); i++) {
		const struct alert_kv kv[] = {
			ALERT_STR("summary_cause", noise_verdict_name(s.cause)), ALERT_U64("summary_count", s.count), ALERT_STR("summary_rule", s.rule),
			ALERT_STR("summary_kind", s.kind), ALERT_STR("summary_id", s.id), ALERT_STR("summary_reason", s.reason),
			ALERT_U64("summary_first_seq", s.first_seq), ALERT_U64("summary_last_seq", s.last_seq), ALERT_LIST("summary_facts", s.list), { 0 },
		};

		if (!strcmp(s.event, "suppression_expired"))
			snprintf(text, sizeof(text), "suppression %s has expired; it held back %" PRIu64 " events since the start", s.id, s.count);
		else if (s.id)
			snprintf(text, sizeof(text), "%" PRIu64 " events were held back by %s %s: %.200s", s.count,
				 s.cause == NOISE_MAINTENANCE ? "maintenance window" : "suppression", s.id, s.reason);
		else
			snprintf(text, sizeof(text), "%" PRIu64 " more events of %s, saying %" PRIu64 " different things, were held back: %s", s.count, s.rule,
				 s.facts, s.cause == NOISE_REPEAT ? "they repeat what was delivered" : "there were too many");
		d->say(d->arg, s.event, (enum alert_severity)s.severity, kv, text);
	}
}

void spooler_finish(struct spooler *d)
{
	if (d)
		say_summaries(d, true);
}

int spooler_set_noise(struct spooler *d, struct noise_config *c)
{
	struct noise *noise = NULL;
	struct noise_config *own;
	int r;

	if (!d)
		return 0;
	own = malloc(sizeof(*own));
	if (!own)
		return -ENOMEM;
	*own = *c;
	r = make_noise(own, &noise);
	if (r < 0) {
		free(own);
		return r;
	}
	*c = (struct noise_config){ 0 };
	say_summaries(d, true);
	noise_free(d->noise);
	forget_noise_config(d);
	d->noise = noise;
	d->noise_config = d->own_noise = own;
	return 0;
}

void spooler_close(struct spooler *d)
{
	if (!d)
		return;
	spool_close(d->spool);
	noise_free(d->noise);
	forget_noise_config(d);
	if (d->own_fd >= 0)
		close(d->own_fd);
	free(d);
}

static bool is_noise(struct spooler *d, const struct alert *a)
{
	if (!d->noise)
		return false;
	if (event_view_parse(a->line, a->line_len, &d->view) < 0) {
		d->unread++;
		return false;
	}
	return noise_judge(d->noise, &d->view, clock_s(CLOCK_BOOTTIME), clock_s(CLOCK_REALTIME)) != NOISE_SEND;
}

void spooler_publish(struct spooler *d, const struct alert *a)
{
	if (!d || is_noise(d, a))
		return;
	/* A failure is in the statistics, which the tick looks at. */
	spool_add(d->spool, (uint8_t)a->severity, a->line, a->line_len, &d->last);
}

uint64_t spooler_last(const struct spooler *d)
{
	return d ? d->last : 0;
}

void spooler_flush(struct spooler *d)
{
	if (d)
		spool_flush(d->spool);
}

bool spooler_has_sink(const struct spooler *d, const char *name)
{
	for (size_t i = 0; d && i < d->config->n; i++)
		if (!strcmp(d->config->sinks[i].name, name) && d->config->sinks[i].signal == SINK_LOGS)
			return true;
	return false;
}

static void watch_spool(struct spooler *d)
{
	struct spool_stats s;
	char text[256];

	spool_stats(d->spool, &s);
	if ((s.error != 0) != d->failing) {
		d->failing = s.error != 0;
		snprintf(text, sizeof(text), d->failing ? "the spool cannot be written: %s; events for the sinks are lost" : "the spool is written again%s",
			 d->failing ? strerror(-s.error) : "");
		d->say(d->arg, d->failing ? "spool_failed" : "spool_recovered", d->failing ? ALERT_HIGH : ALERT_LOW,
		       (struct alert_kv[]){ ALERT_U64("n", s.dropped), { 0 } }, text);
	}
	if (s.dropped + s.shed + s.expired > d->dropped_told + d->shed_told + d->expired_told) {
		uint64_t dropped = s.dropped - d->dropped_told, shed = s.shed - d->shed_told, expired = s.expired - d->expired_told;

		snprintf(text, sizeof(text), "the spool gave up %" PRIu64 " new events, %" PRIu64 " old ones below high severity and %" PRIu64
			 " in its oldest files: a receiver is away for too long, or the disk is full", dropped, shed, expired);
		d->dropped_told = s.dropped;
		d->shed_told = s.shed;
		d->expired_told = s.expired;
		d->say(d->arg, "spool_loss", ALERT_HIGH, (struct alert_kv[]){ ALERT_U64("n", dropped + shed + expired), { 0 } }, text);
	}
}

void spooler_tick(struct spooler *d)
{
	const int64_t now_ns = boottime_ns();
	uint64_t low, high;

	if (!d)
		return;
	spool_flush(d->spool);
	if (d->maintained_ns && now_ns - d->maintained_ns < SECOND)
		return;
	d->maintained_ns = now_ns;
	spooler_cursors(d->config, d->own_fd, false, &low, &high);
	spool_maintain(d->spool, low, now_ns);
	watch_spool(d);
	say_summaries(d, false);
}

static void list_rules(const struct spooler *d, struct bw_json *j, bool maintenance)
{
	const struct noise_config *c = d->noise_config;
	size_t n = maintenance ? c->n_maintenance : c->n_suppress;
	int64_t real = clock_s(CLOCK_REALTIME);

	bw_json_open(j, maintenance ? "maintenance_windows" : "suppress", '[');
	for (size_t i = 0; i < n; i++) {
		const struct noise_rule *r = maintenance ? &c->maintenance[i] : &c->suppress[i];

		bw_json_open(j, NULL, '{');
		bw_json_str(j, "id", r->id);
		bw_json_str(j, "reason", r->reason);
		bw_json_bool(j, "active", maintenance ? noise_window_open(r, real) : real < r->until_s);
		bw_json_u64(j, "held_back", noise_rule_count(d->noise, maintenance, i));
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
}

static void noise_status(const struct spooler *d, struct bw_json *j)
{
	struct noise_stats s;

	if (!d->noise)
		return;
	noise_stats(d->noise, &s);
	bw_json_open(j, "noise", '{');
	for (int v = 0; v < NOISE_VERDICTS; v++)
		bw_json_u64(j, noise_verdict_name((enum noise_verdict)v), s.verdicts[v]);
	bw_json_u64(j, "summaries", s.summaries);
	bw_json_u64(j, "untold", s.untold);
	bw_json_u64(j, "facts", s.facts);
	bw_json_u64(j, "overflows", s.overflows);
	bw_json_u64(j, "unread", d->unread);
	list_rules(d, j, true);
	list_rules(d, j, false);
	bw_json_close(j, '}');
}

void spooler_status(const struct spooler *d, struct bw_json *j)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct spool_stats s;
	const char *reason;
	size_t offset;
	ssize_t n;

	if (!d)
		return;
	spool_stats(d->spool, &s);
	bw_json_open(j, "spool", '{');
	bw_json_u64(j, "last", s.last);
	bw_json_u64(j, "oldest", s.oldest);
	bw_json_u64(j, "bytes", s.bytes);
	bw_json_u64(j, "segments", s.segments);
	bw_json_u64(j, "written", s.written);
	bw_json_u64(j, "dropped", s.dropped);
	bw_json_u64(j, "shed", s.shed);
	bw_json_u64(j, "expired", s.expired);
	bw_json_u64(j, "torn_bytes", s.torn);
	bw_json_bool(j, "failing", s.error != 0);
	bw_json_close(j, '}');
	noise_status(d, j);
	/* Written by a process that is not trusted: it has to be JSON. */
	fd = openat(d->own_fd, "status.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	text = fd >= 0 ? malloc(MAX_STATUS) : NULL;
	n = text ? read(fd, text, MAX_STATUS - 1) : -1;
	if (n > 1) {
		text[n] = '\0';
		n -= text[n - 1] == '\n';
		text[n] = '\0';
		if (!memchr(text, '\n', (size_t)n) && bw_json_check(text, (size_t)n, 4096, &offset, &reason) == 0)
			bw_json_raw(j, "deliver", text, (size_t)n);
	}
}
