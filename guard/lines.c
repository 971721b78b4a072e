// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

struct target {
	int fd;
	bool regular;
	bool socket;
	bool nonblock; /* the open file description does not block */
};

struct lines {
	struct target t;
	char *pending; /* LINES_MAX_PENDING bytes, made when first needed */
	size_t head, len;
	bool torn; /* the receiver has the beginning of a line whose end was given up */
	struct lines_stats stats;
};

static int target_describe(struct target *t)
{
	struct stat st;

	if (fstat(t->fd, &st) < 0)
		return -errno;
	t->regular = S_ISREG(st.st_mode);
	t->socket = S_ISSOCK(st.st_mode);
	t->nonblock = fcntl(t->fd, F_GETFL) & O_NONBLOCK;
	return S_ISDIR(st.st_mode) ? -EISDIR : 0;
}

/*
 * O_NONBLOCK belongs to the open file description, which standard output shares with whoever started us; so it is opened
 * anew. That is not possible for a socket, where MSG_DONTWAIT does it.
 */
static int open_stdout(void)
{
	int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_APPEND | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

int lines_target(const char *path)
{
	_cleanup_close_ int fd = -1;
	struct target t;
	int r;

	if (!strcmp(path, "-"))
		return open_stdout();
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);
	/* A FIFO that nobody reads yet. fifo(7): opened both ways it waits for its reader on Linux. */
	if (fd < 0 && errno == ENXIO)
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	t.fd = fd;
	r = target_describe(&t);
	return r < 0 ? r : TAKE_FD(fd);
}

int lines_open(int fd, struct lines **ret)
{
	struct lines *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->t.fd = fd;
	r = target_describe(&l->t);
	if (r < 0) {
		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

/* At most one attempt; never waits. */
static ssize_t target_write(const struct target *t, const char *data, size_t len)
{
	struct pollfd p = { .fd = t->fd, .events = POLLOUT };
	ssize_t n;

	if (t->socket)
		n = send(t->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (t->nonblock || t->regular)
		n = write(t->fd, data, len);
	else if (poll(&p, 1, 0) == 1)
		/* pipe(7): what is said to be writable takes PIPE_BUF bytes without blocking. */
		n = write(t->fd, data, len < 512 ? len : 512);
	else
		return -EAGAIN;
	return n < 0 ? -errno : n;
}

static bool try_later(ssize_t r)
{
	return r == -EAGAIN || r == -EINTR || r == -ENOBUFS;
}

/* Puts bytes that the receiver did not take yet at the end of the buffer. */
static bool keep(struct lines *l, const char *data, size_t len)
{
	if (!l->pending)
		l->pending = malloc(LINES_MAX_PENDING);
	if (!l->pending || len > LINES_MAX_PENDING - l->len)
		return false;
	if (len > LINES_MAX_PENDING - l->head - l->len) {
		memmove(l->pending, l->pending + l->head, l->len);
		l->head = 0;
	}
	memcpy(l->pending + l->head + l->len, data, len);
	l->len += len;
	return true;
}

static uint64_t count_lines(const char *data, size_t len)
{
	uint64_t n = 0;

	for (const char *p = data; (p = memchr(p, '\n', len - (size_t)(p - data))); p++)
		n++;
	return n;
}

/* Gives up what waits: the receiver is gone or its disk is full. */
static void give_up(struct lines *l)
{
	uint64_t n = l->pending ? count_lines(l->pending + l->head, l->len) : 0;

	l->stats.written -= n < l->stats.written ? n : l->stats.written;
	l->stats.lost += n;
	if (l->torn && n)
		l->stats.torn++;
	l->head = l->len = 0;
}

int lines_flush(struct lines *l)
{
	while (l->len) {
		ssize_t n = target_write(&l->t, l->pending + l->head, l->len);

		if (n < 0) {
			if (try_later(n))
				return 0;
			l->stats.error = (int)n;
			if (n == -EPIPE || n == -ECONNRESET)
				give_up(l);
			return (int)n;
		}
		l->torn = l->pending[l->head + (size_t)n - 1] != '\n';
		l->head += (size_t)n;
		l->len -= (size_t)n;
		l->stats.error = 0;
	}
	l->head = 0;
	return 0;
}

/* After @done bytes of a line the disk was full: take them back, so that no half line stays. */
static void cut_back(struct lines *l, off_t size_before)
{
	if (l->t.regular && ftruncate(l->t.fd, size_before) == 0)
		return;
	l->torn = true;
	l->stats.torn++;
}

static off_t file_size(const struct lines *l)
{
	struct stat st;

	return l->t.regular && fstat(l->t.fd, &st) == 0 ? st.st_size : -1;
}

/* Writes directly what the receiver takes. Returns how much, or the negative errno that ended it with nothing left behind. */
static ssize_t write_now(struct lines *l, const char *data, size_t len)
{
	off_t before = -1;
	size_t done = 0;

	while (done < len) {
		ssize_t n;

		if (done && before < 0 && l->t.regular)
			before = file_size(l) - (off_t)done;
		n = target_write(&l->t, data + done, len - done);
		if (n < 0) {
			if (try_later(n))
				break;
			if (done)
				cut_back(l, before);
			return n;
		}
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int lost(struct lines *l, int error)
{
	l->stats.lost++;
	l->stats.error = error;
	return error;
}

int lines_write(struct lines *l, const char *line, size_t len)
{
	/* One write for the line and its end: a reader never sees one without the other. */
	_cleanup_free_ char *data = malloc(len + 2);
	size_t n = 0;
	ssize_t done;

	if (!data)
		return lost(l, -ENOMEM);
	lines_flush(l);
	if (l->torn && !l->len)
		data[n++] = '\n'; /* ends the line that stayed incomplete */
	memcpy(data + n, line, len);
	n += len;
	data[n++] = '\n';

	done = l->len ? 0 : write_now(l, data, n);
	if (done < 0)
		return lost(l, (int)done);
	if ((size_t)done < n) {
		if (!keep(l, data + done, n - (size_t)done)) {
			if (done) {
				l->torn = true;
				l->stats.torn++;
			}
			return lost(l, -EAGAIN);
		}
		if (done)
			l->torn = true; /* until the rest, which is first in the buffer, has gone */
	} else if (done) {
		l->torn = false;
		l->stats.error = 0;
	}
	l->stats.written++;
	return 0;
}

int lines_replace(struct lines *l, int fd)
{
	struct target t = { .fd = fd };
	int r = target_describe(&t);

	if (r < 0)
		return r;
	lines_flush(l);
	/* The rest of a line that began in the old file would be garbage in the new one. */
	if (l->torn && l->len) {
		const char *begin = l->pending + l->head, *nl = memchr(begin, '\n', l->len);
		size_t rest = nl ? (size_t)(nl - begin) + 1 : l->len;

		l->head += rest;
		l->len -= rest;
		l->stats.torn++;
		l->stats.lost++;
		if (l->stats.written)
			l->stats.written--;
	}
	l->torn = false;
	close(l->t.fd);
	l->t = t;
	l->stats.error = 0;
	return lines_flush(l);
}

void lines_stats(const struct lines *l, struct lines_stats *ret)
{
	*ret = l->stats;
	ret->pending = l->len;
}

void lines_close(struct lines *l, struct lines_stats *ret_stats)
{
	if (!l)
		return;
	lines_flush(l);
	give_up(l);
	if (ret_stats)
		lines_stats(l, ret_stats);
	close(l->t.fd);
	free(l->pending);
	free(l);
}
