// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes to and reads from a spool directory, for tests of kills and for measurements. The guard's own code, compiled in.
 *	bwspool write DIR COUNT [LINE]      COUNT events (0: for ever); prints each number once it is committed
 *	bwspool fill DIR COUNT [LINE]       as fast as possible, prints events and nanoseconds
 *	bwspool read DIR AFTER              prints the numbers, then "missing N damaged N"
 */
#include "guard/sinks/spool.c"
#include "guard/sinks/spool_read.c"
#include "guard/sinks/spool_record.c"
#undef BUFFER
#define compare segment_compare
#include "guard/sinks/spool_segment.c"
#include <time.h>

static int writer(const char *dir, uint64_t count, const char *line, bool fast)
{
	struct spool_config c = { .dir = dir, .segment_bytes = fast ? 0 : 65536 };
	struct timespec a, b;
	struct spool *s;
	char text[1024];
	int r = spool_open(&c, &s);

	if (r < 0) {
		fprintf(stderr, "bwspool: %s: %s\n", dir, strerror(-r));
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (uint64_t i = 0; !count || i < count; i++) {
		uint64_t number;
		int n = snprintf(text, sizeof(text), "{\"v\":1,\"seq\":%" PRIu64 ",%s", s->next, line);

		r = spool_add(s, i % 10 || fast ? EVENT_INFO : EVENT_HIGH, text, (size_t)n, &number);
		if (!fast && i % 3 == 0)
			r = spool_flush(s);
		if (r < 0) {
			fprintf(stderr, "bwspool: %s\n", strerror(-r));
			return 1;
		}
		if (!fast && !s->waiting.len) {
			n = snprintf(text, sizeof(text), "%" PRIu64 "\n", number);
			if (write(1, text, (size_t)n) != n)
				return 1;
		}
	}
	spool_close(s);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (fast)
		printf("%" PRIu64 " %lld\n", count, (long long)(b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec);
	return 0;
}

static int reader(const char *dir, uint64_t after)
{
	struct spool_reader_stats stats;
	struct spool_reader *r;
	struct spool_record rec;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || spool_reader_open(fd, after, &r) < 0)
		return 1;
	while (spool_reader_next(r, &rec) > 0)
		printf("%" PRIu64 " %.*s\n", rec.number, (int)rec.len, rec.line);
	spool_reader_stats(r, &stats);
	printf("missing %" PRIu64 " damaged %" PRIu64 "\n", stats.missing, stats.damaged);
	spool_reader_close(r);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	const char *line = argc > 4 ? argv[4] : "\"message\":\"x\"}";

	if (argc < 4) {
		fputs("usage: bwspool write|fill|read DIR N [LINE]\n", stderr);
		return 2;
	}
	if (!strcmp(argv[1], "read"))
		return reader(argv[2], strtoull(argv[3], NULL, 10));
	return writer(argv[2], strtoull(argv[3], NULL, 10), line, !strcmp(argv[1], "fill"));
}
