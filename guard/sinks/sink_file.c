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

struct file {
	int fd, dir_fd;
	char *name; /* in the directory */
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

static int file_open(struct sink *s)
{
	struct file *f = s->state;

	if (f->fd >= 0)
		return 0;
	f->fd = openat(f->dir_fd, f->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (f->fd < 0) {
		sink_why(s, "%s: %s", s->config->path, strerror(errno));
		return -errno;
	}
	return 0;
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
	return file_open(s);
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
