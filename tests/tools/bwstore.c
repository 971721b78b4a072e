// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-libs: guard
/*
 * bwstore FILE EVENTS ROWS HOURS: EVENTS events within HOURS simulated hours through the event store, of which ROWS are kept; what the
 * guard does each second is done each simulated second. Prints one line "KEY VALUE" for each: events per second and the CPU time of
 * one, rows and bytes at the end, the most rows and memory there ever were, and the time of questions to the full store.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "guard/store.h"

#define SECOND 1000000000LL
#define BEGIN (1700000000LL * SECOND)

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int on_row(void *arg, uint64_t seq, const char *json, int len)
{
	++*(uint64_t *)arg;
	return 0;
}

static void ask(struct store *s, const char *name, const struct event_store_query *q)
{
	uint64_t n = 0;
	double begin = seconds(CLOCK_MONOTONIC);
	int r = store_query(s, q, on_row, &n);

	printf("query_%s_us %.0f\nquery_%s_rows %" PRIu64 "\nquery_%s_result %d\n", name, (seconds(CLOCK_MONOTONIC) - begin) * 1e6, name, n, name, r);
}

static uint64_t size_of(const char *path, const char *suffix)
{
	char name[4200];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "load", "attach", "map", "access", "command" };
	static const char *const rules[] = { "load.approved", "attach.link", "map.opened", "access.lookup", "command.none" };
	struct store_config c = { .path = argc > 1 ? argv[1] : NULL };
	uint64_t events, most_rows = 0, most_bytes = 0;
	struct event_store_query q = { .limit = 100 };
	int64_t step, now = BEGIN, tick = BEGIN;
	struct store_stats stats;
	struct rusage use;
	struct store *s;
	char line[1024];
	double begin;

	if (argc != 5 || !(events = strtoull(argv[2], NULL, 10))) {
		fprintf(stderr, "usage: bwstore FILE EVENTS ROWS HOURS\n");
		return 2;
	}
	c.max_rows = strtoull(argv[3], NULL, 10);
	step = strtoll(argv[4], NULL, 10) * 3600 * SECOND / (int64_t)events;
	if (store_open(&c, &s) < 0)
		return 1;
	begin = seconds(CLOCK_MONOTONIC);
	for (uint64_t i = 0; i < events; i++, now += step) {
		struct alert a = { .seq = store_next_seq(s), .time_ns = now, .kind = kinds[i % 5], .action = "allowed", .pid = (uint32_t)(i % 32768) };

		a.severity = i % 10000 == 77 ? ALERT_HIGH : ALERT_INFO;
		snprintf(a.rule, sizeof(a.rule), "%s", a.severity == ALERT_HIGH ? "load.default" : rules[i % 5]);
		snprintf(a.prog_name, sizeof(a.prog_name), "p%" PRIu64, i % 1000);
		snprintf(a.comm, sizeof(a.comm), "agent%" PRIu64, i % 50);
		snprintf(a.exe, sizeof(a.exe), "/usr/bin/agent%" PRIu64, i % 50);
		a.line = line;
		a.line_len = (size_t)snprintf(line, sizeof(line), "{\"v\":1,\"seq\":%" PRIu64 ",\"kind\":\"%s\",\"rule\":\"%s\",\"pad\":\"%0400d\"}", a.seq, a.kind,
					      a.rule, 0);
		store_add(s, &a);
		if (now - tick < SECOND)
			continue;
		tick = now;
		store_maintain(s, now);
		store_stats(s, &stats);
		most_rows = stats.rows > most_rows ? stats.rows : most_rows;
		if (i % 4096 == 0 && size_of(c.path, "-wal") + size_of(c.path, "") > most_bytes)
			most_bytes = size_of(c.path, "-wal") + size_of(c.path, "");
	}
	store_flush(s);
	store_maintain(s, now);
	store_stats(s, &stats);
	getrusage(RUSAGE_SELF, &use);
	printf("events_per_second %.0f\ncpu_us_per_event %.2f\n", (double)events / (seconds(CLOCK_MONOTONIC) - begin),
	       seconds(CLOCK_PROCESS_CPUTIME_ID) * 1e6 / (double)events);
	printf("written %" PRIu64 "\nlost %" PRIu64 "\npruned %" PRIu64 "\nrows %" PRIu64 "\nmost_rows %" PRIu64 "\nmemory_kib %ld\n", stats.written,
	       stats.lost, stats.pruned, stats.rows, most_rows, use.ru_maxrss);
	printf("bytes %" PRIu64 "\nmost_bytes %" PRIu64 "\n", size_of(c.path, "") + size_of(c.path, "-wal"), most_bytes);
	ask(s, "latest", &q);
	q = (struct event_store_query){ .limit = 100, .since_ns = now - 600 * SECOND, .until_ns = now - 540 * SECOND };
	ask(s, "minute", &q);
	q = (struct event_store_query){ .limit = 100, .rule = "load.default" };
	ask(s, "rule", &q);
	q = (struct event_store_query){ .limit = 100, .min_severity = ALERT_HIGH };
	ask(s, "severity", &q);
	store_close(s);
	return 0;
}
