// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/sinks/spool_segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "guard/sinks/spool.h"

#define BUFFER (2u * (SPOOL_MAX_PAYLOAD + SPOOL_HEADER))

const char *spool_segment_name(uint64_t first, char dst[SPOOL_SEGMENT_NAME])
{
	snprintf(dst, SPOOL_SEGMENT_NAME, "%016" PRIx64 ".seg", first);
	return dst;
}

static bool parse_name(const char *name, uint64_t *ret)
{
	uint64_t v = 0;

	if (strlen(name) != 20 || strcmp(name + 16, ".seg"))
		return false;
	for (int i = 0; i < 16; i++) {
		char c = name[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
		v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret = v;
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int spool_segment_list(int dir_fd, uint64_t **ret, size_t *ret_n)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ uint64_t *list = NULL;
	size_t n = 0, room = 0;
	const struct dirent *e;
	int r = 0;
	DIR *d;

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((e = readdir(d)) && n < SPOOL_MAX_SEGMENTS) {
		uint64_t first;

		if (!parse_name(e->d_name, &first) || !first)
			continue;
		if (n == room) {
			uint64_t *p;

			room = room ? 2 * room : 64;
			p = realloc(list, room * sizeof(*p));
			if (!p) {
				r = -ENOMEM;
				break;
			}
			list = p;
		}
		list[n++] = first;
	}
	closedir(d);
	if (r < 0)
		return r;
	if (n)
		qsort(list, n, sizeof(*list), compare);
	*ret = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}

int spool_segment_open(int dir_fd, uint64_t first, struct spool_segment *g)
{
	char name[SPOOL_SEGMENT_NAME];

	*g = (struct spool_segment){ .first = first };
	g->fd = openat(dir_fd, spool_segment_name(first, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (g->fd < 0)
		return -errno;
	g->buf = malloc(BUFFER);
	if (!g->buf) {
		close(g->fd);
		g->fd = -1;
		return -ENOMEM;
	}
	return 0;
}

void spool_segment_close(struct spool_segment *g)
{
	if (g->fd >= 0)
		close(g->fd);
	free(g->buf);
	*g = (struct spool_segment){ .fd = -1 };
}

/* More of the file. 0 at its end, else how much. */
static ssize_t fill(struct spool_segment *g)
{
	ssize_t n;

	if (g->head) {
		memmove(g->buf, g->buf + g->head, g->len);
		g->head = 0;
	}
	do
		n = pread(g->fd, g->buf + g->len, BUFFER - g->len, (off_t)(g->offset + g->len));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	g->len += (size_t)n;
	return n;
}

static void skip(struct spool_segment *g, size_t n)
{
	g->head += n;
	g->len -= n;
	g->offset += n;
}

int spool_segment_next(struct spool_segment *g, struct spool_record *ret)
{
	for (;;) {
		struct bw_slice s = bw_slice(g->buf + g->head, g->len);
		enum spool_parse p = g->len ? spool_record_parse(s, ret) : SPOOL_MORE;
		ssize_t n;

		if (p == SPOOL_OK) {
			skip(g, SPOOL_HEADER + ret->len);
			return 1;
		}
		if (p == SPOOL_BAD) {
			size_t bad = spool_record_resync(s);

			g->damaged += bad;
			skip(g, bad);
			continue;
		}
		n = fill(g);
		if (n > 0)
			continue;
		/* What is incomplete is read anew: a writer that died is followed by one that cuts it off. */
		g->head = g->len = 0;
		return (int)n;
	}
}

uint64_t spool_segment_tell(const struct spool_segment *g)
{
	return g->offset;
}

uint64_t spool_segment_size(const struct spool_segment *g)
{
	struct stat st;

	return fstat(g->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}
