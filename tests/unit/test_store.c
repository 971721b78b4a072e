// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The store in a directory of its own: the ordinary way, and every way it can be hindered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/cleanup.h"
#include "guard/store.h"

static char dir[64], path[128];

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/bw-store-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/%s", dir, EVENT_STORE_FILE);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {
		"", "-wal", "-shm", ".corrupt-0", ".corrupt-0-wal", ".corrupt-1", ".corrupt-1-wal", ".old", ".old-wal", ".old-shm",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char p[192];

		snprintf(p, sizeof(p), "%s%s", path, names[i]);
		unlink(p);
	}
	return rmdir(dir);
}

static struct store *open_store(const struct store_config *extra)
{
	struct store_config c = extra ? *extra : (struct store_config){ 0 };
	struct store *s = NULL;

	c.path = path;
	assert_int_equal(store_open(&c, &s), 0);
	return s;
}

/* Adds event number @seq; its time is its number. */
static int add_seq(struct store *s, uint64_t seq, enum alert_severity severity, size_t size)
{
	_cleanup_free_ char *line = malloc(size + 32);
	struct alert a = { .seq = seq, .time_ns = (int64_t)seq, .kind = seq % 2 ? "load" : "map", .severity = severity, .action = "" };

	assert_non_null(line);
	a.line_len = (size_t)snprintf(line, size + 32, "{\"seq\":%llu,\"pad\":\"", (unsigned long long)seq);
	while (a.line_len < size)
		line[a.line_len++] = 'x';
	a.line_len += (size_t)snprintf(line + a.line_len, 8, "\"}");
	a.line = line;
	snprintf(a.rule, sizeof(a.rule), "%s.r", a.kind);
	return store_add(s, &a);
}

static uint64_t add(struct store *s, enum alert_severity severity, size_t size)
{
	uint64_t seq = store_next_seq(s);

	add_seq(s, seq, severity, size);
	return seq;
}

static struct store_stats stats(const struct store *s)
{
	struct store_stats st;

	store_stats(s, &st);
	return st;
}

struct found {
	unsigned int n;
	uint64_t first, last;
	bool rising;
};

static int collect(void *arg, uint64_t seq, const char *json, int len)
{
	struct found *f = arg;
	char want[32];

	snprintf(want, sizeof(want), "{\"seq\":%llu,", (unsigned long long)seq);
	assert_int_equal(strlen(json), len);
	assert_memory_equal(json, want, strlen(want));
	if (!f->n)
		f->first = seq;
	else if (seq <= f->last)
		f->rising = false;
	f->last = seq;
	f->n++;
	return 0;
}

static struct found query(struct store *s, struct event_store_query q)
{
	struct found f = { .rising = true };

	assert_int_equal(store_query(s, &q, collect, &f), 0);
	assert_true(f.rising);
	return f;
}

static void events_are_found_again(void **state)
{
	struct store *s = open_store(NULL);
	struct sqlite3 *db = NULL;
	struct found f;
	struct stat st;

	for (int i = 1; i <= 100; i++)
		assert_int_equal(add(s, i % 10 == 0 ? ALERT_HIGH : ALERT_INFO, 40), i);
	assert_int_equal(stats(s).queued, 100);
	f = query(s, (struct event_store_query){ 0 });
	assert_int_equal(f.n, 100);
	assert_int_equal(f.first, 1);
	assert_int_equal(stats(s).written, 100);
	assert_int_equal(stats(s).rows, 100);
	f = query(s, (struct event_store_query){ .limit = 5 });
	assert_int_equal(f.n, 5);
	assert_int_equal(f.first, 96);
	f = query(s, (struct event_store_query){ .limit = 5, .forward = 1, .since_seq = 20 });
	assert_int_equal(f.first, 20);
	assert_int_equal(f.last, 24);
	f = query(s, (struct event_store_query){ .min_severity = ALERT_HIGH });
	assert_int_equal(f.n, 10);
	f = query(s, (struct event_store_query){ .kind = "load" });
	assert_int_equal(f.n, 50);
	assert_int_equal(f.first, 1);
	f = query(s, (struct event_store_query){ .kind = "map", .min_severity = ALERT_HIGH, .limit = 3 });
	assert_int_equal(f.n, 3);
	assert_int_equal(f.first, 80);
	f = query(s, (struct event_store_query){ .rule = "map.r", .since_ns = 50, .until_ns = 60 });
	assert_int_equal(f.n, 6);
	f = query(s, (struct event_store_query){ .rule = "' OR 1 --" });
	assert_int_equal(f.n, 0);

	/* Another process reads the file while it is written. */
	assert_int_equal(event_store_open(path, &db), 0);
	f = (struct found){ .rising = true };
	assert_int_equal(event_store_query(db, &(struct event_store_query){ .since_seq = 99 }, collect, &f), 0);
	assert_int_equal(f.n, 2);
	event_store_close(&db);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	store_close(s);
}

static void numbers_go_on(void **state)
{
	struct store *s = open_store(NULL);
	struct store_stats st;
	pid_t pid;
	int status;

	assert_int_equal(add(s, ALERT_INFO, 40), 1);
	assert_int_equal(add(s, ALERT_INFO, 40), 2);
	store_close(s);
	s = open_store(NULL);
	st = stats(s);
	assert_false(st.unclean);
	assert_int_equal(st.last_seq_before, 2);
	assert_int_equal(st.last_time_before, 2);
	assert_int_equal(st.first_seq, 3);
	assert_int_equal(st.rows, 2);
	store_close(s);

	/* Killed: numbers that were handed out but not written must not come again. */
	pid = fork();
	if (!pid) {
		s = open_store(NULL);
		for (int i = 0; i < 2000; i++)
			add(s, ALERT_INFO, 40);
		_exit(store_next_seq(s) == 2003 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	s = open_store(NULL);
	st = stats(s);
	assert_true(st.unclean);
	assert_true(st.last_seq_before >= 2002 - STORE_BATCH);
	assert_true(st.first_seq > 2003);
	assert_true(st.first_seq <= st.last_seq_before + 4096 + STORE_BATCH + 1);
	assert_int_equal(store_next_seq(s), st.first_seq);
	store_close(s);
}

static void burst(void **state)
{
	struct store *s = open_store(NULL);
	struct timespec t0, t1;
	double ms;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (int i = 0; i < 10000; i++)
		add(s, ALERT_INFO, 1200);
	assert_int_equal(store_flush(s), 0);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	ms = (t1.tv_sec - t0.tv_sec) * 1e3 + (t1.tv_nsec - t0.tv_nsec) / 1e6;
	print_message("# 10,000 events of 1,200 bytes: %.0f ms\n", ms);
	assert_int_equal(stats(s).written, 10000);
	assert_int_equal(stats(s).lost, 0);
	assert_int_equal(query(s, (struct event_store_query){ 0 }).n, 10000);
	assert_true(ms < 5000); /* sanitizers and a busy machine included; the aim is one second */
	store_close(s);
}

static void retention(void **state)
{
	struct store *s = open_store(&(struct store_config){ .max_rows = 10000 });
	unsigned int calls = 0;
	struct found f;

	for (int i = 0; i < 6000; i++)
		add(s, ALERT_INFO, 40);
	store_close(s);
	s = open_store(&(struct store_config){ .max_rows = 1000, .max_age_ns = 500 });
	assert_int_equal(store_maintain(s, 0), 0);
	assert_int_equal(stats(s).pruned, STORE_PRUNE_ROWS); /* bounded */
	while (stats(s).rows > 1000 && calls++ < 10)
		assert_int_equal(store_maintain(s, 0), 0);
	f = query(s, (struct event_store_query){ 0 });
	assert_int_equal(f.n, 1000);
	assert_int_equal(f.first, 5001);
	assert_int_equal(store_maintain(s, 6200), 0); /* older than 500 */
	f = query(s, (struct event_store_query){ 0 });
	assert_int_equal(f.first, 5700);
	assert_int_equal(stats(s).rows, 301);
	/* However much comes in between two calls, the next one is enough. */
	store_close(s);
	s = open_store(&(struct store_config){ .max_rows = 1000 });
	for (int i = 0; i < 9000; i++)
		add(s, ALERT_INFO, 40);
	assert_int_equal(store_maintain(s, 0), 0);
	assert_int_equal(stats(s).rows, 1000);
	store_close(s);
	/* All gone: the numbers still go on. */
	s = open_store(&(struct store_config){ .max_age_ns = 1 });
	assert_int_equal(store_maintain(s, INT64_MAX), 0);
	assert_int_equal(stats(s).rows, 0);
	store_close(s);
	s = open_store(NULL);
	assert_int_equal(store_next_seq(s), 15001);
	store_close(s);
}

/* A file of a limited size is full: nothing is lost while the queue has room, then the least severe go first. */
static void full_by_pages(void **state)
{
	struct store *s = open_store(&(struct store_config){ .max_pages = 64 });
	struct store_stats st;

	for (int i = 0; i < 400; i++)
		add(s, ALERT_INFO, 1000);
	assert_int_equal(store_flush(s), -ENOSPC);
	st = stats(s);
	assert_true(st.failing);
	assert_int_equal(st.failures, 1);
	assert_int_equal(st.queued, 400);
	assert_int_equal(st.written, 0);
	assert_true(st.messages > 0);
	for (int i = 0; i < 100; i++)
		add(s, ALERT_HIGH, 40);
	for (int i = 0; i < STORE_MAX_QUEUE; i++)
		add(s, ALERT_INFO, 40);
	st = stats(s);
	assert_int_equal(st.queued, STORE_MAX_QUEUE);
	assert_int_equal(st.lost, 500);
	assert_int_equal(st.failures, 1); /* adding does not hammer a failing store */
	assert_int_equal(add_seq(s, store_next_seq(s), ALERT_INFO, 40), -ENOBUFS);
	assert_int_equal(stats(s).lost, 501);
	store_close(s);

	/* Room again: the important ones are all there. */
	s = open_store(NULL);
	assert_int_equal(query(s, (struct event_store_query){ 0 }).n, 0);
	store_close(s);
}

static void oldest_make_room_within_a_size(void **state)
{
	struct store *s = open_store(&(struct store_config){ .max_pages = 256 });
	struct found f;

	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 100; k++)
			add(s, ALERT_INFO, 1000);
		store_maintain(s, 0);
	}
	assert_int_equal(store_maintain(s, 0), 0);
	assert_false(stats(s).failing);
	assert_true(stats(s).failures > 0);
	assert_int_equal(stats(s).lost, 0);
	f = query(s, (struct event_store_query){ 0 });
	assert_int_equal(f.last, 2000);
	assert_true(f.first > 1);
	assert_int_equal(f.n, 2000 - f.first + 1);
	store_close(s);
}

/* The file system takes no more bytes: what RLIMIT_FSIZE does is what a failing disk does. */
static void disk_full_and_free_again(void **state)
{
	struct rlimit old, small = { .rlim_cur = 300000 };
	struct store *s = open_store(NULL);

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(add(s, ALERT_INFO, 40), 1);
	assert_int_equal(store_flush(s), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 500; i++)
		add(s, ALERT_INFO, 2000);
	assert_true(store_flush(s) < 0);
	assert_true(store_flush(s) < 0);
	assert_int_equal(stats(s).queued, 500);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(store_flush(s), 0);
	assert_false(stats(s).failing);
	assert_non_null(strstr(stats(s).message, "written again"));
	assert_int_equal(stats(s).lost, 0);
	assert_int_equal(stats(s).written, 501);
	assert_int_equal(query(s, (struct event_store_query){ 0 }).n, 501);
	store_close(s);
}

/* While nothing can be written the least severe events are given up first; the severe ones arrive later. */
static void severe_events_outlast(void **state)
{
	struct store *s = open_store(NULL);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 100; i++)
		add(s, i % 2 ? ALERT_CRITICAL : ALERT_HIGH, 40);
	for (int i = 0; i < 2 * STORE_MAX_QUEUE; i++)
		add(s, ALERT_MEDIUM, 40);
	assert_int_equal(stats(s).lost, STORE_MAX_QUEUE + 100);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_flush(s), 0);
	assert_int_equal(query(s, (struct event_store_query){ .min_severity = ALERT_HIGH }).n, 100);
	assert_int_equal(query(s, (struct event_store_query){ 0 }).n, STORE_MAX_QUEUE);
	assert_int_equal(stats(s).written + stats(s).lost, 100 + 2 * STORE_MAX_QUEUE);
	/* All severe: the oldest go. */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < STORE_MAX_QUEUE + 1; i++)
		add(s, ALERT_HIGH, 40);
	assert_int_equal(add_seq(s, store_next_seq(s), ALERT_INFO, 40), -ENOBUFS);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_flush(s), 0);
	assert_int_equal(query(s, (struct event_store_query){ .since_seq = 40101 }).first, 40102);
	assert_int_equal(query(s, (struct event_store_query){ .min_severity = ALERT_HIGH }).n, 100 + STORE_MAX_QUEUE);
	store_close(s);
}

static void locked_by_another(void **state)
{
	struct store *s = open_store(NULL);
	struct timespec t0, t1;
	sqlite3 *db;

	add(s, ALERT_INFO, 40);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	assert_int_equal(store_flush(s), -EBUSY);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	assert_true(t1.tv_sec - t0.tv_sec <= 1); /* did not wait for it */
	assert_true(stats(s).failing);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_flush(s), 0);
	assert_int_equal(stats(s).written, 1);
	store_close(s);
}

static void overwrite(off_t at, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY);
	char junk[4096];

	memset(junk, 0xa5, sizeof(junk));
	assert_true(fd >= 0);
	for (size_t done = 0; done < len; done += sizeof(junk))
		assert_int_equal(pwrite(fd, junk, sizeof(junk), at + (off_t)done), sizeof(junk));
}

static bool exists(const char *suffix)
{
	char p[192];

	snprintf(p, sizeof(p), "%s%s", path, suffix);
	return access(p, F_OK) == 0;
}

static void corrupt_file_is_moved_aside(void **state)
{
	struct store *s = open_store(NULL);
	struct store_stats st;

	for (int i = 0; i < 100; i++)
		add(s, ALERT_INFO, 1000);
	store_close(s);
	overwrite(0, 4096);
	s = open_store(NULL);
	st = stats(s);
	assert_int_equal(st.recoveries, 1);
	assert_false(st.failing);
	assert_non_null(strstr(st.message, "corrupt"));
	assert_true(exists(".corrupt-0"));
	add(s, ALERT_INFO, 40);
	assert_int_equal(store_flush(s), 0);
	store_close(s);

	/* Damage below an intact header, found while writing: nothing that waits is lost, numbers go on. */
	s = open_store(NULL);
	for (int i = 0; i < 300; i++)
		add(s, ALERT_INFO, 1000);
	store_close(s);
	overwrite(4096, 100 * 4096);
	s = open_store(NULL);
	for (int i = 0; i < 50; i++)
		add(s, ALERT_INFO, 1000);
	assert_int_equal(store_flush(s), 0);
	st = stats(s);
	assert_int_equal(st.recoveries, 1);
	assert_int_equal(st.lost, 0);
	assert_true(exists(".corrupt-1"));
	assert_int_equal(query(s, (struct event_store_query){ 0 }).n, 50);
	store_close(s);
}

static void vanished_file_is_begun_anew(void **state)
{
	struct store *s = open_store(NULL);
	char old[192];

	add(s, ALERT_INFO, 40);
	assert_int_equal(store_flush(s), 0);
	snprintf(old, sizeof(old), "%s.old", path);
	assert_int_equal(rename(path, old), 0);
	add(s, ALERT_INFO, 40);
	assert_int_equal(store_maintain(s, 0), 0);
	assert_true(exists(""));
	assert_int_equal(stats(s).recoveries, 1);
	assert_int_equal(query(s, (struct event_store_query){ 0 }).first, 2);
	/* Replaced by another file, which is what a restored backup looks like. */
	assert_int_equal(rename(old, path), 0);
	add(s, ALERT_INFO, 40);
	assert_int_equal(store_maintain(s, 0), 0);
	assert_int_equal(stats(s).recoveries, 2);
	assert_int_equal(query(s, (struct event_store_query){ 0 }).first, 1);
	assert_int_equal(stats(s).rows, 2);
	store_close(s);
}

static void foreign_files_are_not_touched(void **state)
{
	struct store *s;
	struct sqlite3 *ro;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE x(y); PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	s = open_store(NULL);
	assert_true(stats(s).failing);
	assert_non_null(strstr(stats(s).message, "schema 99"));
	add(s, ALERT_INFO, 40);
	assert_true(store_flush(s) < 0);
	assert_int_equal(stats(s).queued, 1);
	assert_false(exists(".corrupt-0"));
	store_close(s);
	assert_int_equal(event_store_open(path, &ro), -EPROTO);
	unlink(path);
	assert_int_equal(event_store_open(path, &ro), -ENOENT);
	/* A directory in its place, and then not. */
	assert_int_equal(mkdir(path, 0700), 0);
	s = open_store(NULL);
	assert_true(stats(s).failing);
	add(s, ALERT_INFO, 40);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(store_flush(s), 0);
	assert_int_equal(stats(s).written, 1);
	store_close(s);
	assert_int_equal(store_open(&(struct store_config){ 0 }, &s), -EINVAL);
}

/* Opened only after numbers had been given out: the file's own events are never replaced. */
static void numbers_taken_meanwhile(void **state)
{
	struct store *s = open_store(NULL);
	char old[192];

	for (int i = 0; i < 10; i++)
		add(s, ALERT_INFO, 40);
	store_close(s);
	snprintf(old, sizeof(old), "%s.old", path);
	assert_int_equal(rename(path, old), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	s = open_store(NULL);
	assert_int_equal(add(s, ALERT_INFO, 40), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(old, path), 0);
	assert_int_equal(store_flush(s), 0);
	assert_int_equal(stats(s).lost, 1);
	assert_int_equal(stats(s).written, 0);
	assert_int_equal(add(s, ALERT_INFO, 40), 11);
	assert_int_equal(query(s, (struct event_store_query){ 0 }).n, 11);
	store_close(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(events_are_found_again),
		T(numbers_go_on),
		T(burst),
		T(retention),
		T(full_by_pages),
		T(oldest_make_room_within_a_size),
		T(disk_full_and_free_again),
		T(severe_events_outlast),
		T(locked_by_another),
		T(corrupt_file_is_moved_aside),
		T(vanished_file_is_begun_anew),
		T(foreign_files_are_not_touched),
		T(numbers_taken_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
