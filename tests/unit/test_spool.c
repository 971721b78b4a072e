// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The spool: what was written is read, over restarts, damage, a full disk's limits, and readers at different places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/event_view.h"
#include "guard/sinks/spool.h"
#include "guard/sinks/spool_segment.h"

static char dir[64];
static int dir_fd = -1;

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/bw-spool-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0;
}

static int teardown(void **state)
{
	char command[128];
	uint64_t *list;
	size_t n;

	spool_segment_list(dir_fd, &list, &n);
	for (size_t i = 0; i < n; i++) {
		char name[SPOOL_SEGMENT_NAME];

		unlinkat(dir_fd, spool_segment_name(list[i], name), 0);
	}
	free(list);
	unlinkat(dir_fd, "c", 0);
	unlinkat(dir_fd, "age", 0);
	close(dir_fd);
	snprintf(command, sizeof(command), "%s", dir);
	return rmdir(command);
}

static struct spool *start(const struct spool_config *more)
{
	struct spool_config c = more ? *more : (struct spool_config){ 0 };
	struct spool *s;

	c.dir = dir;
	assert_int_equal(spool_open(&c, &s), 0);
	return s;
}

static uint64_t add(struct spool *s, uint8_t severity, size_t len)
{
	static char line[SPOOL_MAX_PAYLOAD + 2];
	uint64_t number;

	memset(line, 'a' + (int)(len % 26), len);
	spool_add(s, severity, line, len, &number);
	return number;
}

static struct spool_reader *reader(uint64_t after)
{
	struct spool_reader *r;

	assert_int_equal(spool_reader_open(dir_fd, after, &r), 0);
	return r;
}

static void expect(struct spool_reader *r, uint64_t number, size_t len)
{
	struct spool_record rec;

	assert_int_equal(spool_reader_next(r, &rec), 1);
	assert_int_equal(rec.number, number);
	if (len) {
		assert_int_equal(rec.len, len);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(rec.line[i], 'a' + (int)(len % 26));
	}
}

static void expect_end(struct spool_reader *r)
{
	struct spool_record rec;

	assert_int_equal(spool_reader_next(r, &rec), 0);
}

static void written_is_read(void **state)
{
	struct spool *s = start(&(struct spool_config){ .segment_bytes = 4096 });
	struct spool_reader *r = reader(0), *late;

	expect_end(r);
	for (size_t i = 1; i <= 200; i++)
		assert_int_equal(add(s, EVENT_INFO, i), i);
	expect_end(r); /* nothing of a group is there before its end */
	assert_int_equal(spool_flush(s), 0);
	for (size_t i = 1; i <= 200; i++)
		expect(r, i, i);
	expect_end(r);
	add(s, EVENT_HIGH, 7); /* at once */
	expect(r, 201, 7);
	late = reader(150);
	for (size_t i = 151; i <= 200; i++)
		expect(late, i, i);
	spool_reader_close(late);
	spool_close(s);
	s = start(NULL); /* numbers go on */
	assert_int_equal(add(s, EVENT_CRITICAL, SPOOL_MAX_PAYLOAD), 202);
	expect(r, 202, SPOOL_MAX_PAYLOAD);
	assert_int_equal(add(s, EVENT_CRITICAL, SPOOL_MAX_PAYLOAD + 1), 203);
	assert_int_equal(add(s, EVENT_CRITICAL, 1), 204);
	expect(r, 204, 1);
	spool_reader_close(r);
	spool_close(s);
}

static void *file_of(uint64_t first, size_t *ret_len, int *ret_fd)
{
	static uint8_t data[1 << 20];
	char name[SPOOL_SEGMENT_NAME];
	ssize_t n;

	*ret_fd = openat(dir_fd, spool_segment_name(first, name), O_RDWR | O_CLOEXEC);
	assert_true(*ret_fd >= 0);
	n = pread(*ret_fd, data, sizeof(data), 0);
	assert_true(n > 0);
	*ret_len = (size_t)n;
	return data;
}

/* Cut at every byte of the last record: it is gone, the others are not, and new ones follow. */
static void torn_end(void **state)
{
	for (size_t cut = 1; cut < SPOOL_HEADER + 50; cut++) {
		struct spool_stats stats;
		struct spool_reader *r;
		struct spool *s = start(NULL);
		size_t len;
		int fd;

		for (size_t i = 0; i < 3; i++)
			add(s, EVENT_INFO, 50);
		spool_close(s);
		file_of(1, &len, &fd);
		assert_int_equal(ftruncate(fd, (off_t)(len - cut)), 0);
		close(fd);
		r = reader(0); /* waits at the incomplete one */
		expect(r, 1, 50);
		expect(r, 2, 50);
		expect_end(r);
		s = start(NULL);
		spool_stats(s, &stats);
		assert_int_equal(stats.torn, SPOOL_HEADER + 50 - cut);
		assert_int_equal(add(s, EVENT_HIGH, 9), 3);
		expect(r, 3, 9);
		expect_end(r);
		spool_reader_close(r);
		spool_close(s);
		unlinkat(dir_fd, "0000000000000001.seg", 0);
	}
}

/* Every byte of a record in the middle flipped: that record is missing, and counted; the next one is read. */
static void damage(void **state)
{
	struct spool *s = start(NULL);
	uint8_t *data;
	size_t len;
	int fd;

	for (size_t i = 0; i < 4; i++)
		add(s, EVENT_INFO, 40);
	spool_close(s);
	data = file_of(1, &len, &fd);
	for (size_t i = SPOOL_HEADER + 40; i < 2 * (SPOOL_HEADER + 40); i++) {
		struct spool_reader_stats stats;
		struct spool_reader *r;

		data[i] ^= 0x10;
		assert_int_equal(pwrite(fd, data, len, 0), (ssize_t)len);
		r = reader(0);
		expect(r, 1, 40);
		expect(r, 3, 40);
		expect(r, 4, 40);
		expect_end(r);
		spool_reader_stats(r, &stats);
		assert_int_equal(stats.missing, 1);
		assert_int_equal(stats.damaged, SPOOL_HEADER + 40);
		spool_reader_close(r);
		data[i] ^= 0x10;
	}
	close(fd);
}

/* A spool of 1 MiB under a load of low and high events: high ones stay, holes are counted. */
static void full(void **state)
{
	struct spool *s = start(&(struct spool_config){ .max_bytes = SPOOL_MIN_BYTES });
	struct spool_reader_stats rs;
	struct spool_stats stats;
	struct spool_reader *r;
	struct spool_record rec;
	uint64_t high = 0, seen_high = 0, seen = 0;

	for (int i = 0; i < 5000; i++) {
		bool is_high = i % 20 == 0;

		high += is_high;
		add(s, is_high ? EVENT_HIGH : EVENT_INFO, 1000);
	}
	spool_flush(s);
	spool_stats(s, &stats);
	assert_true(stats.bytes <= SPOOL_MIN_BYTES);
	assert_true(stats.shed > 3000);
	r = reader(0);
	while (spool_reader_next(r, &rec) > 0) {
		seen++;
		seen_high += rec.severity == EVENT_HIGH;
	}
	assert_int_equal(seen_high, high);
	spool_reader_stats(r, &rs);
	/* The very first may be missing without being known to a reader that had none before. */
	assert_int_equal(seen + stats.shed + stats.dropped + stats.expired, 5000);
	assert_true(rs.missing >= 5000 - seen - 1 && rs.missing <= 5000 - seen);
	assert_int_equal(rs.damaged, 0);
	spool_reader_close(r);
	/* More high ones than the spool holds: the oldest go. */
	for (int i = 0; i < 2000; i++)
		add(s, EVENT_CRITICAL, 1000);
	spool_stats(s, &stats);
	assert_true(stats.bytes <= SPOOL_MIN_BYTES && stats.expired > 0);
	assert_int_equal(stats.last, 7000);
	r = reader(6999);
	expect(r, 7000, 1000);
	spool_reader_close(r);
	spool_close(s);
}

static void what_was_read_goes(void **state)
{
	struct spool *s = start(&(struct spool_config){ .segment_bytes = 4096, .max_age_ns = 1000 });
	struct spool_stats stats;

	for (size_t i = 1; i <= 100; i++) {
		add(s, EVENT_INFO, 500);
		spool_flush(s);
	}
	spool_stats(s, &stats);
	assert_true(stats.segments > 10);
	spool_maintain(s, 50, 0);
	spool_stats(s, &stats);
	assert_true(stats.oldest <= 51 && stats.oldest > 40);
	assert_int_equal(stats.expired, 0);
	spool_maintain(s, 50, 1000000);
	spool_stats(s, &stats);
	assert_int_equal(stats.segments, 1);
	assert_true(stats.expired > 30);
	spool_close(s);
	/* All files gone, readers far ahead: no number is used twice. */
	teardown(state);
	setup(state);
	s = start(&(struct spool_config){ .above = 400 });
	assert_int_equal(add(s, EVENT_HIGH, 5), 401);
	spool_close(s);
}

/* Ages are counted by the spool: over restarts, reboots, and whatever files say. */
static void age_is_what_has_passed(void **state)
{
	struct spool_config c = { .segment_bytes = 4096, .max_age_ns = 100, .now_ns = 1000 };
	struct spool_stats stats;
	struct spool *s = start(&c);

	for (size_t i = 1; i <= 50; i++)
		add(s, EVENT_INFO, 500);
	spool_flush(s);
	spool_maintain(s, 0, 1050);
	spool_close(s);
	/* 40 later, the same boot: 90 old. */
	c.now_ns = 1090;
	s = start(&c);
	spool_maintain(s, 0, 1090);
	spool_stats(s, &stats);
	assert_int_equal(stats.expired, 0);
	spool_maintain(s, 0, 1095);
	spool_close(s);
	/* A reboot: 4 since then, and nobody knows how long it was off. 99 old. */
	c.now_ns = 4;
	s = start(&c);
	spool_maintain(s, 0, 4);
	spool_stats(s, &stats);
	assert_int_equal(stats.expired, 0);
	add(s, EVENT_INFO, 4096);
	add(s, EVENT_INFO, 500);
	spool_flush(s);
	add(s, EVENT_INFO, 500);
	spool_flush(s);
	spool_maintain(s, 0, 6);
	spool_stats(s, &stats);
	assert_int_equal(stats.expired, 50);
	spool_close(s);
	/* A file that says nonsense, and one that is gone: what is there counts as new, and is kept. */
	for (int i = 0; i < 2; i++) {
		int fd = openat(dir_fd, "age", O_WRONLY | O_TRUNC);

		assert_true(fd >= 0);
		if (!i)
			assert_int_equal(write(fd, "-5 99999999999999999999", 22), 22);
		close(fd);
		if (i)
			unlinkat(dir_fd, "age", 0);
		c.now_ns = 7;
		s = start(&c);
		spool_maintain(s, 0, 8);
		spool_stats(s, &stats);
		assert_int_equal(stats.expired, 0);
		spool_close(s);
	}
}

static void reader_over_a_shed_segment(void **state)
{
	struct spool *s = start(&(struct spool_config){ .max_bytes = SPOOL_MIN_BYTES });
	struct spool_reader *r;
	struct spool_record rec;
	uint64_t last = 0;

	for (int i = 0; i < 100; i++)
		add(s, EVENT_INFO, 1000);
	spool_flush(s);
	r = reader(0);
	expect(r, 1, 1000);
	for (int i = 0; i < 3000; i++)
		add(s, EVENT_INFO, 1000);
	spool_flush(s);
	/* The open file goes on to its end; then whatever is left, in order. */
	while (spool_reader_next(r, &rec) > 0) {
		assert_true(rec.number > last);
		last = rec.number;
	}
	assert_int_equal(last, 3100);
	spool_reader_close(r);
	spool_close(s);
}

static void cursors(void **state)
{
	struct spool_cursor c;
	uint64_t v = 0;
	char byte = 'x';

	assert_int_equal(spool_cursor_get(dir_fd, "c", &v), -ENOENT);
	assert_int_equal(spool_cursor_open(dir_fd, "c", &c), 0);
	assert_int_equal(c.number, 0);
	assert_int_equal(spool_cursor_get(dir_fd, "c", &v), -EBADMSG);
	for (uint64_t i = 1; i < 10; i++)
		assert_int_equal(spool_cursor_set(&c, i), 0);
	assert_int_equal(spool_cursor_get(dir_fd, "c", &v), 0);
	assert_int_equal(v, 9);
	/* A slot that is torn: the one before counts. */
	assert_int_equal(pwrite(c.fd, &byte, 1, 10), 1);
	assert_int_equal(spool_cursor_get(dir_fd, "c", &v), 0);
	assert_int_equal(v, 8);
	close(c.fd);
	assert_int_equal(spool_cursor_open(dir_fd, "c", &c), 0);
	assert_int_equal(c.number, 8);
	close(c.fd);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(written_is_read), T(torn_end), T(damage), T(full), T(what_was_read_goes), T(age_is_what_has_passed), T(reader_over_a_shed_segment), T(cursors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
