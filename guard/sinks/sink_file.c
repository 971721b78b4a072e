// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Files, with rotation by size, and standard output. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "guard/sinks/sink.h"

#define MAX_TAIL (4 * SINK_MAX_BATCH_BYTES) /* more than a batch, which is written in one go */

struct file {
	int fd, dir_fd;
	char *name; /* in the directory */
	bool whole; /* it was looked whether a kill has left half a line at its end */
};

static int file_prepare(struct sink *s)
{
	struct file *f = calloc(1, sizeof(*f));
	_cleanup_free_ char *dir = NULL, *base = NULL;
	struct stat st;

	if (!f)
		return -ENOMEM;
	s->state = f;
	f->fd = f->dir_fd = -1;
	if (s->config->type == SINK_STDOUT) {
		f->fd = s->fd;
		return 0;
	}
	dir = strdup(s->config->path);
	base = strdup(s->config->path);
	f->name = base ? strdup(basename(base)) : NULL;
	if (!dir || !f->name)
		return -ENOMEM;
	f->dir_fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->dir_fd = f->dir_fd;
	if (f->dir_fd >= 0)
		f->fd = openat(f->dir_fd, f->name, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0640);
	/* Of the delivery's user already, from an earlier start, and so not to be opened by a root without CAP_DAC_OVERRIDE: later. */
	if (f->fd < 0 && f->dir_fd >= 0 && errno == EACCES)
		return 0;
	if (f->fd < 0) {
		sink_why(s, "%s: %s", s->config->path, strerror(errno));
		return -errno;
	}
	/* The process that writes and rotates it has no privileges. */
	if (!geteuid() && fstat(f->fd, &st) == 0 && st.st_uid != s->uid && fchown(f->fd, s->uid, s->gid) < 0) {
		sink_why(s, "%s: cannot be given to the user of the delivery: %s", s->config->path, strerror(errno));
		return -errno;
	}
	return 0;
}

/* Half a line would spoil the one that is written behind it. It is cut off: its event was not confirmed, and comes again whole. */
static int mend_end(struct sink *s, struct file *f)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	char buf[4096];
	off_t at;

	if (f->whole || s->config->type == SINK_STDOUT || !format_is_line(s->config->format))
		return 0;
	if (fstat(f->fd, &st) < 0)
		return -errno;
	at = S_ISREG(st.st_mode) ? st.st_size : 0;
	if (at)
		fd = openat(f->dir_fd, f->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (at && fd < 0)
		return -errno;
	while (at && st.st_size - at < MAX_TAIL) {
		size_t n = at < (off_t)sizeof(buf) ? (size_t)at : sizeof(buf);
		const char *end;

		if (pread(fd, buf, n, at - (off_t)n) != (ssize_t)n)
			return -EIO;
		end = memrchr(buf, '\n', n);
		at -= (off_t)n;
		if (end) {
			at += end - buf + 1;
			break;
		}
	}
	/* What has no line in all that was not written here. */
	if (st.st_size - at < MAX_TAIL ? at != st.st_size && ftruncate(f->fd, at) < 0 : write(f->fd, "\n", 1) != 1)
		return -errno;
	f->whole = true;
	return 0;
}

static int open_path(struct sink *s, struct file *f)
{
	if (f->fd >= 0)
		return 0;
	f->fd = openat(f->dir_fd, f->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (f->fd < 0) {
		sink_why(s, "%s: %s", s->config->path, strerror(errno));
		return -errno;
	}
	return 0;
}

static int file_open(struct sink *s)
{
	struct file *f = s->state;
	int r = open_path(s, f);

	if (r < 0)
		return r;
	r = mend_end(s, f);
	if (r < 0)
		sink_why(s, "%s: its end cannot be read: %s", s->config->path, strerror(-r));
	return r;
}

/* name.1 is the youngest. */
static int rotate(struct sink *s, struct file *f)
{
	char from[300], to[300];

	for (unsigned int i = (unsigned int)s->config->keep; i-- > 0;) {
		if (i)
			snprintf(from, sizeof(from), "%s.%u", f->name, i);
		else
			snprintf(from, sizeof(from), "%s", f->name);
		snprintf(to, sizeof(to), "%s.%u", f->name, i + 1);
		if (renameat(f->dir_fd, from, f->dir_fd, to) < 0 && errno != ENOENT) {
			sink_why(s, "%s: cannot be rotated: %s (the user of the delivery must be able to write the directory)", s->config->path,
				 strerror(errno));
			return -errno;
		}
	}
	snprintf(from, sizeof(from), "%s.%u", f->name, (unsigned int)s->config->keep + 1);
	unlinkat(f->dir_fd, from, 0);
	close(f->fd);
	f->fd = -1;
	return open_path(s, f);
}

/* All or nothing: what a full disk took half is cut off again. */
static int write_whole(struct sink *s, struct file *f, const char *data, size_t len, off_t before, bool regular)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(f->fd, data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = f->fd, .events = POLLOUT };

			/* Half a line is never left behind, but at the end of the process. */
			if (sink_stopping(s))
				return -EAGAIN;
			poll(&p, 1, 100);
			continue;
		}
		if (n <= 0) {
			int r = n < 0 ? -errno : -EIO;

			if (regular && ftruncate(f->fd, before) < 0)
				sink_why(s, "%s: half a record stays: %s", s->config->path ? s->config->path : "standard output", strerror(errno));
			return r;
		}
		done += (size_t)n;
	}
	return 0;
}

static int file_send(struct sink *s, struct sink_batch *b)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct file *f = s->state;
	struct stat st;
	int r;

	for (size_t i = 0; i < b->n; i++) {
		if (b->items[i].status != ITEM_OPEN)
			continue;
		bw_buf_append(&out, b->text.data + b->items[i].offset, b->items[i].len);
		if (format_is_line(s->config->format))
			bw_buf_char(&out, '\n');
	}
	if (bw_buf_error(&out))
		return bw_buf_error(&out);
	if (fstat(f->fd, &st) < 0)
		return -errno;
	if (s->config->rotate_bytes && S_ISREG(st.st_mode) && (uint64_t)st.st_size + out.len > s->config->rotate_bytes && st.st_size) {
		r = rotate(s, f);
		if (r < 0 && f->fd < 0)
			return r;
		if (fstat(f->fd, &st) < 0) /* not rotated: a large file is better than none */
			return -errno;
	}
	r = write_whole(s, f, out.data, out.len, st.st_size, S_ISREG(st.st_mode));
	if (r == 0 && S_ISREG(st.st_mode) && !s->config->no_sync && fdatasync(f->fd) < 0)
		r = -errno;
	if (r < 0) {
		if (!s->why[0])
			sink_why(s, "%s: %s", s->config->path ? s->config->path : "standard output", strerror(-r));
		return r;
	}
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].status == ITEM_OPEN)
			b->items[i].status = ITEM_DONE;
	return 0;
}

static void file_close(struct sink *s, bool orderly)
{
	(void)s;
	(void)orderly;
}

static void file_release(struct sink *s)
{
	struct file *f = s->state;

	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	free(f->name);
	free(f);
}

const struct sink_ops sink_file_ops = {
	.prepare = file_prepare, .open = file_open, .send = file_send, .close = file_close, .release = file_release,
};
