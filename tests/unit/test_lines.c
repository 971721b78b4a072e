// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The line sink against receivers that are full, slow or gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "guard/lines.h"

static const char *opened_path;

static int open_path(const char *path, struct lines **ret)
{
	int fd = lines_target(path), r;

	opened_path = path;
	if (fd < 0)
		return fd;
	r = lines_open(fd, ret);
	if (r < 0)
		close(fd);
	return r;
}

static int reopen(struct lines *l)
{
	int fd = lines_target(opened_path);

	return fd < 0 ? fd : lines_replace(l, fd);
}

static char dir[64], path[100];

static int setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	snprintf(dir, sizeof(dir), "/tmp/bw-lines-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/l", dir);
	return 0;
}

static int teardown(void **state)
{
	char old[128];

	snprintf(old, sizeof(old), "%s.1", path);
	unlink(old);
	unlink(path);
	return rmdir(dir);
}

static struct lines_stats stats(const struct lines *l)
{
	struct lines_stats st;

	lines_stats(l, &st);
	return st;
}

static void assert_content(const char *file, const char *want)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	assert_int_equal(bw_file_read(file, 1 << 20, &text, &len), 0);
	assert_string_equal(text, want);
}

static void file_is_appended_and_reopened(void **state)
{
	struct lines *l = NULL;
	char old[128];
	struct stat st;

	assert_int_equal(open_path(dir, &l), -EISDIR);
	assert_int_equal(open_path("/nonexistent/x", &l), -ENOENT);
	assert_int_equal(open_path(path, &l), 0);
	assert_int_equal(lines_write(l, "one", 3), 0);
	assert_content(path, "one\n");
	lines_close(l, NULL);
	assert_int_equal(open_path(path, &l), 0);
	assert_int_equal(lines_write(l, "two", 3), 0);
	snprintf(old, sizeof(old), "%s.1", path);
	assert_int_equal(rename(path, old), 0);
	assert_int_equal(lines_write(l, "three", 5), 0);
	assert_int_equal(reopen(l), 0);
	assert_int_equal(lines_write(l, "four", 4), 0);
	assert_content(old, "one\ntwo\nthree\n");
	assert_content(path, "four\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
	/* Nowhere to reopen: the open file stays in use. */
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(reopen(l), -EISDIR);
	assert_int_equal(lines_write(l, "five", 4), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(stats(l).written, 4);
	assert_int_equal(stats(l).lost, 0);
	lines_close(l, NULL);
}

/* Room for half a line: it is cut off again, counted, and the next one that fits stands alone. */
static void full_disk_leaves_no_half_line(void **state)
{
	struct rlimit old, small = { .rlim_cur = 12 };
	struct lines *l;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(open_path(path, &l), 0);
	assert_int_equal(lines_write(l, "1234567", 7), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(lines_write(l, "abcdefgh", 8), -EFBIG);
	assert_content(path, "1234567\n");
	assert_int_equal(lines_write(l, "xyz", 3), 0);
	assert_int_equal(lines_write(l, "q", 1), -EFBIG);
	assert_int_equal(stats(l).error, -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(lines_write(l, "end", 3), 0);
	assert_content(path, "1234567\nxyz\nend\n");
	assert_int_equal(stats(l).written, 3);
	assert_int_equal(stats(l).lost, 2);
	assert_int_equal(stats(l).torn, 0);
	assert_int_equal(stats(l).error, 0);
	lines_close(l, NULL);
}

static void no_space_on_device(void **state)
{
	struct lines *l;

	assert_int_equal(open_path("/dev/full", &l), 0);
	assert_int_equal(lines_write(l, "x", 1), -ENOSPC);
	assert_int_equal(stats(l).lost, 1);
	assert_int_equal(stats(l).torn, 0);
	lines_close(l, NULL);
}

/*
 * Reads all that is there and checks that the lines are whole and count up; returns the number of the last. The beginning
 * of a line whose end was not there yet waits in @carry.
 */
static unsigned int drain(int fd, unsigned int last, char *carry, size_t *carried)
{
	static char buf[1 << 23];
	size_t len = *carried;
	char *p = buf, *nl;
	ssize_t n;

	memcpy(buf, carry, len);
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	for (; (nl = strchr(p, '\n')); p = nl + 1) {
		unsigned int number = 0;

		assert_int_equal(nl - p, 1000);
		assert_int_equal(sscanf(p, "%u", &number), 1);
		assert_int_equal(number, last + 1);
		last = number;
	}
	*carried = strlen(p);
	assert_true(*carried < 1001);
	memcpy(carry, p, *carried);
	return last;
}

static void slow(int reader, struct lines *l)
{
	unsigned int last = 0, given = 0;
	struct lines_stats st;
	char line[1001], carry[1001];
	size_t carried = 0;

	for (unsigned int i = 1; i <= 10000; i++) {
		snprintf(line, sizeof(line), "%-1000u", i);
		if (lines_write(l, line, 1000) == 0)
			given = i;
		else
			break;
	}
	st = stats(l);
	assert_true(st.pending > LINES_MAX_PENDING - 2000);
	assert_int_equal(st.lost, 1);
	assert_int_equal(st.torn, 0);
	assert_int_equal(st.written, given);
	for (unsigned int i = 0; i < 1000 && last != given; i++) {
		assert_int_equal(lines_flush(l), 0);
		last = drain(reader, last, carry, &carried);
	}
	assert_int_equal(last, given);
	assert_int_equal(stats(l).pending, 0);
	close(reader);
	assert_int_equal(lines_write(l, "x", 1), -EPIPE);
	assert_int_equal(lines_write(l, "x", 1), -EPIPE);
	assert_int_equal(stats(l).lost, 3);
}

static void slow_fifo(void **state)
{
	struct lines *l;
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(open_path(path, &l), 0);
	slow(fd, l);
	lines_close(l, NULL);
}

/* A FIFO whose reader comes later: the lines wait for it. */
static void fifo_without_a_reader(void **state)
{
	struct lines *l;
	char text[16];
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(open_path(path, &l), 0);
	assert_int_equal(lines_write(l, "first", 5), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 6);
	assert_memory_equal(text, "first\n", 6);
	close(fd);
	assert_int_equal(lines_write(l, "second", 6), 0);
	assert_int_equal(stats(l).lost, 0);
	lines_close(l, NULL);
}

/* A line that began and cannot go on is counted, ended, and the next one stands alone. */
static void torn_line_is_ended(void **state)
{
	_cleanup_free_ char *big = malloc(LINES_MAX_PENDING + (2u << 20));
	size_t len = LINES_MAX_PENDING + (2u << 20), got = 0;
	struct lines *l;
	ssize_t n;
	int fd;

	assert_non_null(big);
	memset(big, 'b', len);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(open_path(path, &l), 0);
	assert_int_equal(lines_write(l, big, len), -EAGAIN);
	assert_int_equal(stats(l).torn, 1);
	assert_int_equal(stats(l).lost, 1);
	while ((n = read(fd, big, len)) > 0)
		got += (size_t)n;
	assert_true(got > 0);
	assert_int_equal(lines_write(l, "next", 4), 0);
	assert_int_equal(lines_write(l, "last", 4), 0);
	n = read(fd, big, len);
	assert_int_equal(n, 11);
	assert_memory_equal(big, "\nnext\nlast\n", 11);
	lines_close(l, NULL);
	close(fd);
}

/* Standard output is a pipe or a socket (the journal's): it must not be made non-blocking for the others who have it. */
static void slow_stdout(void **state)
{
	for (int kind = 0; kind < 2; kind++) {
		int keep = dup(STDOUT_FILENO), p[2], flags;
		struct lines *l;

		fflush(stdout);
		assert_int_equal(kind ? socketpair(AF_UNIX, SOCK_STREAM, 0, p) : pipe(p), 0);
		if (kind) { /* p[0] reads in both cases */
			int t = p[0];

			p[0] = p[1];
			p[1] = t;
		}
		fcntl(p[0], F_SETFL, O_NONBLOCK);
		assert_int_equal(dup2(p[1], STDOUT_FILENO), STDOUT_FILENO);
		close(p[1]);
		assert_int_equal(open_path("-", &l), 0);
		flags = fcntl(STDOUT_FILENO, F_GETFL);
		dup2(keep, STDOUT_FILENO);
		close(keep);
		assert_int_equal(flags & O_NONBLOCK, 0);
		slow(p[0], l);
		lines_close(l, NULL);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(file_is_appended_and_reopened), T(full_disk_leaves_no_half_line), T(no_space_on_device),
		T(slow_fifo), T(fifo_without_a_reader),			  T(torn_line_is_ended),	     T(slow_stdout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
