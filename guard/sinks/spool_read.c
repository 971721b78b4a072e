// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The readers' side, and cursors. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "guard/sinks/spool.h"
#include "guard/sinks/spool_segment.h"

struct spool_reader {
	int dir_fd;
	struct spool_segment seg; /* seg.fd -1: none yet */
	uint64_t after;		  /* the latest number that was delivered, or given up */
	struct spool_reader_stats stats;
};

int spool_reader_open(int dir_fd, uint64_t after, struct spool_reader **ret)
{
	struct spool_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->dir_fd = dir_fd;
	r->seg.fd = -1;
	r->after = after;
	*ret = r;
	return 0;
}

void spool_reader_close(struct spool_reader *r)
{
	if (!r)
		return;
	spool_segment_close(&r->seg);
	free(r);
}

/*
 * Opens the segment that follows the open one, or, at the beginning, the one in which the next number is looked for. 1 when
 * there is one.
 */
static int open_next(struct spool_reader *r)
{
	_cleanup_free_ uint64_t *list = NULL;
	struct spool_segment g;
	size_t n = 0, i;
	int rc;

	/* The writer may remove a segment between the two looks: look again. */
	for (int attempt = 0; attempt < 10; attempt++) {
		free(TAKE_PTR(list));
		rc = spool_segment_list(r->dir_fd, &list, &n);
		if (rc < 0)
			return rc;
		if (r->seg.fd >= 0) {
			for (i = 0; i < n && list[i] <= r->seg.first; i++)
				;
		} else {
			for (i = n ? n - 1 : 0; i > 0 && list[i] > r->after + 1; i--)
				;
		}
		if (i >= n)
			return 0;
		rc = spool_segment_open(r->dir_fd, list[i], &g);
		if (rc == -ENOENT)
			continue;
		if (rc < 0)
			return rc;
		r->stats.damaged += r->seg.damaged;
		spool_segment_close(&r->seg);
		r->seg = g;
		return 1;
	}
	return 0;
}

int spool_reader_next(struct spool_reader *r, struct spool_record *ret)
{
	for (;;) {
		int rc = r->seg.fd >= 0 ? spool_segment_next(&r->seg, ret) : 0;

		if (rc < 0)
			return rc;
		if (rc == 0) {
			struct spool_segment old = r->seg;

			/* What was written between our look and the next segment's beginning is still to be read. */
			if (old.fd >= 0) {
				_cleanup_free_ uint64_t *list = NULL;
				size_t n = 0;

				rc = spool_segment_list(r->dir_fd, &list, &n);
				if (rc < 0)
					return rc;
				if (!n || list[n - 1] <= old.first)
					return 0;
				rc = spool_segment_next(&r->seg, ret);
				if (rc < 0)
					return rc;
			}
			if (rc == 0) {
				uint64_t size = r->seg.fd >= 0 ? spool_segment_size(&r->seg) : 0, at = spool_segment_tell(&r->seg);
				uint64_t rest = size > at ? size - at : 0;

				rc = open_next(r);
				if (rc <= 0)
					return rc;
				r->stats.damaged += rest; /* an incomplete record that nobody will complete */
				continue;
			}
		}
		if (ret->number <= r->after)
			continue;
		if (r->after)
			r->stats.missing += ret->number - r->after - 1;
		r->after = ret->number;
		return 1;
	}
}

void spool_reader_stats(const struct spool_reader *r, struct spool_reader_stats *ret)
{
	*ret = r->stats;
	ret->damaged += r->seg.damaged;
}

int spool_sync(int dir_fd, uint64_t *from)
{
	_cleanup_free_ uint64_t *list = NULL;
	size_t n = 0;
	int r = spool_segment_list(dir_fd, &list, &n);

	for (size_t i = 0; i < n && r >= 0; i++) {
		char name[SPOOL_SEGMENT_NAME];
		_cleanup_close_ int fd = -1;

		if (list[i] < *from)
			continue;
		fd = openat(dir_fd, spool_segment_name(list[i], name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 ? errno != ENOENT : fdatasync(fd) < 0)
			r = -errno;
		else if (fsync(dir_fd) < 0)
			r = -errno;
		if (r >= 0)
			*from = list[i];
	}
	return r;
}

/* ---- cursors ---------------------------------------------------------------------------------------------------------- */

static int read_cursor(int fd, uint64_t *ret)
{
	uint8_t data[2 * SPOOL_CURSOR_SLOT];
	ssize_t n = pread(fd, data, sizeof(data), 0);

	if (n < 0)
		return -errno;
	return spool_cursor_parse(bw_slice(data, (size_t)n), ret) ? 0 : -EBADMSG;
}

int spool_cursor_open(int dir_fd, const char *name, struct spool_cursor *c)
{
	*c = (struct spool_cursor){ .fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644) };
	if (c->fd < 0)
		return -errno;
	fchmod(c->fd, 0644);
	read_cursor(c->fd, &c->number); /* none, or damaged: all that is there is new */
	return 0;
}

int spool_cursor_set(struct spool_cursor *c, uint64_t number)
{
	uint8_t data[SPOOL_CURSOR_SLOT];
	ssize_t n;

	if (number == c->number)
		return 0;
	spool_cursor_write(number, data);
	n = pwrite(c->fd, data, sizeof(data), (off_t)(c->slot++ % 2 * SPOOL_CURSOR_SLOT));
	if (n != (ssize_t)sizeof(data))
		return n < 0 ? -errno : -EIO;
	c->number = number;
	return 0;
}

int spool_cursor_get(int dir_fd, const char *name, uint64_t *ret)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : read_cursor(fd, ret);
}
