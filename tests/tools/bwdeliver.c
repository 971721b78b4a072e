// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guard's delivery without the guard, for tests and measurements: publishes the events it reads.
 *	bwdeliver CONFIG STATE_DIR [WAIT_S]
 * Standard input: native events, one a line ("*N LINE" publishes LINE N times, with "@" replaced by a running number). Standard output:
 * "said EVENT SINK N TEXT" for what delivery says, "committed N" after each flush, at the end the status. At the end of the input it waits until
 * every sink has everything, at most WAIT_S seconds (default 30; SIGTERM ends that), then closes in order.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "common/event_view.h"
#include "guard/config.h"
#include "guard/sinks/delivery.h"
#include "guard/sinks/spooler.h"
#include "guard/sinks/spool.h"

static volatile sig_atomic_t ended;
static struct delivery *delivery;
static struct spooler *spooler;
static struct event_view view;
static uint64_t running_number;

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static void on_hup(int sig)
{
	(void)sig;
	ended = 2;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void said(void *arg, const char *event, enum alert_severity severity, const char *sink, uint64_t n, const char *text)
{
	(void)arg;
	printf("said %s %s %" PRIu64 " %s %s\n", event, sink ? sink : "-", n, alert_severity_name(severity), text);
	fflush(stdout);
}

/* What noise control says becomes an event and is published, as the guard does; what the spool says is printed only. */
static void spool_said(void *arg, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *text)
{
	static struct bw_buf b;
	static uint64_t seq = 1ULL << 40;
	struct alert_context c = { .instance = "bwdeliver0000000", .host = "web-1" };
	struct alert a;

	said(arg, event, severity, NULL, kv->u64, text);
	if (strcmp(event, "summary") && strcmp(event, "suppression_expired"))
		return;
	if (alert_guard_event(&c, seq++, now_ns(), event, severity, text, kv, &b, &a) == 0)
		spooler_publish(spooler, &a);
}

static void tick(void)
{
	spooler_tick(spooler);
	delivery_tick(delivery);
}

static void publish(const char *line, size_t len)
{
	struct alert a = { .time_ns = now_ns(), .line = line, .line_len = len, .severity = ALERT_INFO };

	if (event_view_parse(line, len, &view) == 0)
		a.severity = (enum alert_severity)event_severity(&view);
	spooler_publish(spooler, &a);
}

static void take_line(char *line)
{
	const int64_t begin_ns = now_ns();
	uint64_t n;
	char *text;

	if (*line != '*') {
		publish(line, strlen(line));
		return;
	}
	n = strtoull(line + 1, &text, 10);
	text++;
	for (uint64_t i = 0; i < n; i++) {
		char one[65536];
		size_t o = 0;

		for (const char *p = text; *p && o < sizeof(one) - 32; p++) {
			if (*p == '@')
				o += (size_t)snprintf(one + o, 24, "%" PRIu64, running_number);
			else
				one[o++] = *p;
		}
		one[o] = '\0';
		running_number++;
		/* The severity is looked at once: parsing is not what is measured. */
		if (!i) {
			publish(one, o);
		} else {
			struct alert a = { .time_ns = begin_ns, .line = one, .line_len = o, .severity = (enum alert_severity)event_severity(&view) };

			spooler_publish(spooler, &a);
		}
		if (i % 5000 == 4999)
			tick();
	}
}

static void status(struct bw_buf *b)
{
	struct bw_json j = { .buf = b };

	bw_buf_reset(b);
	bw_json_open(&j, NULL, '{');
	spooler_status(spooler, &j);
	bw_json_close(&j, '}');
}

static bool all_there(const struct config *c, const char *state)
{
	for (size_t i = 0; i < c->sinks.n; i++) {
		char path[4096];
		uint64_t v = 0;

		snprintf(path, sizeof(path), "%s/spool/deliver/%s.cursor", state, c->sinks.sinks[i].name);
		if (spool_cursor_get(AT_FDCWD, path, &v) < 0 || v < spooler_last(spooler))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	double wait_s = argc > 3 ? strtod(argv[3], NULL) : 30;
	struct config config = { 0 };
	struct bw_buf b = { 0 };
	char why[1024], *line = NULL;
	struct timespec begin, now;
	bool eof = false;
	int state_fd, r;
	size_t size = 0;

	if (argc < 3)
		return 2;
	if (config_read(argv[1], &config, why, sizeof(why)) < 0) {
		fprintf(stderr, "bwdeliver: %s\n", why);
		return 2;
	}
	mkdir(argv[2], 0700);
	signal(SIGTERM, on_term);
	signal(SIGHUP, on_hup);
	signal(SIGPIPE, SIG_IGN);
	state_fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_fd < 0 || delivery_open(&config.sinks, state_fd, said, NULL, &delivery, why, sizeof(why)) < 0) {
		fprintf(stderr, "bwdeliver: %s\n", why);
		return 1;
	}
	r = spooler_open(&config.sinks, argv[2], spool_said, NULL, &spooler);
	if (r < 0) {
		fprintf(stderr, "bwdeliver: %s: %s\n", argv[2], strerror(-r));
		return 1;
	}
	printf("started\n");
	fflush(stdout);
	setvbuf(stdin, NULL, _IONBF, 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (ended != 1) {
		struct pollfd p = { .fd = 0, .events = POLLIN };

		if (ended == 2) {
			ended = 0;
			delivery_reload(delivery);
		}
		if (!eof && poll(&p, 1, 50) > 0) {
			ssize_t n = getline(&line, &size, stdin);

			if (n <= 0) {
				eof = true;
				clock_gettime(CLOCK_MONOTONIC, &begin);
				continue;
			}
			line[strcspn(line, "\n")] = '\0';
			if (*line) {
				take_line(line);
				continue; /* a group: an empty line ends it */
			}
			spooler_flush(spooler);
			printf("committed %" PRIu64 "\n", spooler_last(spooler));
			fflush(stdout);
		}
		tick();
		if (!eof)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (all_there(&config, argv[2]) || (double)(now.tv_sec - begin.tv_sec) > wait_s)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	tick();
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL); /* the process writes its status four times a second */
	status(&b);
	printf("status %s\n", bw_buf_cstr(&b));
	spooler_finish(spooler);
	spooler_close(spooler);
	delivery_close(delivery);
	printf("closed\n");
	config_free(&config);
	bw_buf_free(&b);
	free(line);
	return 0;
}
