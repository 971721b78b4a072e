// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/sinks/delivery.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "guard/sinks/deliver.h"

#define SECOND 1000000000LL
#define END_NS (5 * SECOND)
#define NOTES_PER_TICK 64

struct delivery {
	delivery_say_fn say;
	void *arg;
	struct deliver_job job;
	struct privsep_worker process;
	uint64_t restart_ns;
	bool reloading;
};

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * (uint64_t)SECOND + (uint64_t)ts.tv_nsec;
}

static void start_process(struct delivery *d)
{
	char text[200];
	int r = privsep_spawn(&d->job.job, &d->process);

	if (!r)
		return;
	d->process.failures++;
	d->restart_ns = monotonic_ns() + privsep_backoff_ns(&d->process);
	snprintf(text, sizeof(text), "the process that delivers events cannot be started: %s", strerror(-r));
	d->say(d->arg, "deliver_ended", ALERT_HIGH, NULL, 0, text);
}

/* Owned by the user that all workers are: the core worker writes events, that of API traffic its own, the delivery the rest. */
static int make_directories(int state_fd, uid_t uid, gid_t gid, char *why, size_t why_len)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = { { "spool", 0700 }, { DELIVER_EVENTS, 0755 }, { DELIVER_API, 0755 }, { DELIVER_OWN, 0755 } };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_close_ int fd = -1;

		if (mkdirat(state_fd, dirs[i].name, dirs[i].mode) == 0 || errno == EEXIST)
			fd = openat(state_fd, dirs[i].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 || fchmod(fd, dirs[i].mode) < 0 || (!geteuid() && fchown(fd, uid, gid) < 0)) {
			int r = -errno;

			snprintf(why, why_len, "%s in the state directory: %s", dirs[i].name, strerror(-r));
			return r;
		}
	}
	return 0;
}

int delivery_open(const struct sinks_config *config, int state_fd, delivery_say_fn say, void *arg, struct delivery **ret, char *why,
		  size_t why_len)
{
	struct delivery *d = calloc(1, sizeof(*d));
	int r;

	if (!d) {
		snprintf(why, why_len, "no memory");
		return -ENOMEM;
	}
	d->say = say;
	d->arg = arg;
	d->job.stdout_fd = -1;
	d->process = (struct privsep_worker)PRIVSEP_WORKER_NONE;
	for (size_t i = 0; i < config->n; i++)
		if (config->sinks[i].type == SINK_STDOUT && d->job.stdout_fd < 0)
			d->job.stdout_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	d->job.config = config;
	d->job.state_fd = state_fd;
	deliver_prepare_job(&d->job);
	r = make_directories(state_fd, d->job.job.uid, d->job.job.gid, why, why_len);
	if (r < 0) {
		delivery_close(d);
		return r;
	}
	start_process(d);
	*ret = d;
	return 0;
}

static void end_process(struct delivery *d)
{
	uint64_t deadline = monotonic_ns() + END_NS;
	char why[128];

	if (!d->process.pid)
		return;
	shutdown(d->process.ch.notes, SHUT_RDWR);
	while (!privsep_reap(&d->process, monotonic_ns() > deadline, monotonic_ns(), why, sizeof(why)))
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

void delivery_close(struct delivery *d)
{
	if (!d)
		return;
	end_process(d);
	if (d->job.stdout_fd >= 0)
		close(d->job.stdout_fd);
	free(d);
}

void delivery_reload(struct delivery *d)
{
	if (!d || !d->process.pid)
		return;
	d->reloading = true;
	shutdown(d->process.ch.notes, SHUT_RDWR);
}

/* ---- what the process says -------------------------------------------------------------------------------------------- */

static const struct {
	const char *event;
	enum alert_severity severity;
} notes[] = {
	{ "sink_failed", ALERT_HIGH },
	{ "sink_recovered", ALERT_LOW },
	{ "sink_refused", ALERT_HIGH },
	{ "sink_loss", ALERT_HIGH },
};

static void take_note(struct delivery *d, const struct privsep_message *m)
{
	cJSON *o = cJSON_ParseWithLength(m->data, m->len);
	const char *sink = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "sink"));
	const char *event = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "event"));
	const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "message"));
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, "n");

	for (size_t i = 0; sink && event && message && i < ARRAY_SIZE(notes); i++)
		if (!strcmp(notes[i].event, event))
			d->say(d->arg, notes[i].event, notes[i].severity, sink, cJSON_IsNumber(n) ? (uint64_t)n->valuedouble : 0, message);
	cJSON_Delete(o);
}

static void hear(struct delivery *d)
{
	static struct privsep_message m; /* 16 KiB; one thread */

	for (int i = 0; i < NOTES_PER_TICK && d->process.pid; i++) {
		int r = privsep_recv(d->process.ch.requests, deliver_forms, DELIVER_NOTES, &m, false);

		if (r == -EBADMSG) {
			/* Not ours any more. */
			char why[128];

			privsep_reap(&d->process, true, monotonic_ns(), why, sizeof(why));
			d->restart_ns = monotonic_ns() + privsep_backoff_ns(&d->process);
			d->say(d->arg, "deliver_ended", ALERT_HIGH, NULL, 0, "the process that delivers events talked nonsense and was ended");
		}
		if (r < 0)
			return;
		take_note(d, &m);
	}
}

static void watch_process(struct delivery *d)
{
	uint64_t now = monotonic_ns();
	char why[128], text[300];

	if (privsep_reap(&d->process, false, now, why, sizeof(why))) {
		d->restart_ns = d->reloading ? now : now + privsep_backoff_ns(&d->process);
		if (d->reloading) {
			d->process.failures = 0;
		} else {
				snprintf(text, sizeof(text), "the process that delivers events %s; it is started again in %.1f s, nothing is lost", why,
				 (double)(d->restart_ns - now) / (double)SECOND);
			d->say(d->arg, "deliver_ended", ALERT_HIGH, NULL, 0, text);
		}
		d->reloading = false;
	}
	if (!d->process.pid && now >= d->restart_ns)
		start_process(d);
}

void delivery_tick(struct delivery *d)
{
	if (!d)
		return;
	hear(d);
	watch_process(d);
}
