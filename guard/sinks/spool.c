// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The writer's side. */
#include "guard/sinks/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/event_view.h"
#include "guard/sinks/spool_segment.h"

#define AGE_FILE "age"
#define AGE_FORMAT "%lld %lld" /* the clock, CLOCK_BOOTTIME then */
#define AGE_SAVE_NS 60000000000LL

struct segment {
	uint64_t first;
	uint64_t size;
	uint64_t records;
	int64_t newest_ns; /* of the spool's clock */
	bool shed; /* holds high severity only */
};

struct spool {
	int dir_fd, fd; /* @fd: of the last segment, -1 while there is none */
	struct spool_config config;
	struct segment *segments;
	size_t n, room;
	uint64_t next; /* number */
	int64_t age_ns, boot_ns, age_saved_ns; /* the spool's clock; where CLOCK_BOOTTIME was then */
	struct bw_buf waiting;
	uint64_t waiting_first, waiting_records;
	uint8_t waiting_severity; /* the highest */
	struct spool_stats stats;
};

static uint64_t reserve(const struct spool *s)
{
	return s->config.max_bytes / 100 * SPOOL_RESERVE_PERCENT;
}

static int segment_append(struct spool *s, struct segment seg)
{
	if (s->n == SPOOL_MAX_SEGMENTS)
		return -ENOSPC;
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct segment *p = realloc(s->segments, room * sizeof(*p));

		if (!p)
			return -ENOMEM;
		s->segments = p;
		s->room = room;
	}
	s->segments[s->n++] = seg;
	s->stats.bytes += seg.size;
	return 0;
}

static void segment_forget(struct spool *s, size_t i)
{
	s->stats.bytes -= s->segments[i].size;
	memmove(&s->segments[i], &s->segments[i + 1], (s->n - i - 1) * sizeof(*s->segments));
	s->n--;
}

/* ---- the clock ------------------------------------------------------------------------------------------------------ */

static void age_advance(struct spool *s, int64_t boot_ns)
{
	if (boot_ns > s->boot_ns)
		s->age_ns += boot_ns - s->boot_ns;
	s->boot_ns = boot_ns;
}

/* At least so much has passed since the file was written; never more, so that nothing is taken for older than it is. */
static void age_load(struct spool *s, int64_t boot_ns)
{
	_cleanup_close_ int fd = openat(s->dir_fd, AGE_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	long long age = 0, boot = 0;
	char text[64];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, AGE_FORMAT, &age, &boot) == 2 && age >= 0 && boot >= 0 && age < INT64_MAX / 4)
		s->age_ns = age + (boot_ns >= boot ? boot_ns - boot : boot_ns);
	s->boot_ns = boot_ns;
}

/* A failure makes events younger than they are, once. */
static void age_save(struct spool *s)
{
	_cleanup_close_ int fd = openat(s->dir_fd, AGE_FILE ".tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	char text[64];
	int n = snprintf(text, sizeof(text), AGE_FORMAT "\n", (long long)s->age_ns, (long long)s->boot_ns);

	s->age_saved_ns = s->age_ns;
	if (fd >= 0 && write(fd, text, (size_t)n) == n)
		renameat(s->dir_fd, AGE_FILE ".tmp", s->dir_fd, AGE_FILE);
}

/* ---- start -------------------------------------------------------------------------------------------------------- */

/* Reads through a segment. */
static int segment_scan(struct spool *s, uint64_t first, struct segment *ret, uint64_t *ret_last, uint64_t *ret_good)
{
	struct spool_segment g;
	struct spool_record r;
	int rc = spool_segment_open(s->dir_fd, first, &g);

	if (rc < 0)
		return rc;
	*ret = (struct segment){ .first = first };
	*ret_last = first - 1;
	while ((rc = spool_segment_next(&g, &r)) > 0) {
		ret->records++;
		/* What is said to be younger than the clock was written by a version that took the host's, or after the file. */
		ret->newest_ns = r.time_ns < s->age_ns ? r.time_ns : s->age_ns;
		*ret_last = r.number;
		*ret_good = spool_segment_tell(&g);
	}
	ret->size = spool_segment_size(&g);
	spool_segment_close(&g);
	return rc;
}

static int find_end(struct spool *s)
{
	_cleanup_free_ uint64_t *list = NULL;
	uint64_t last = 0, good;
	size_t n = 0;
	int r = spool_segment_list(s->dir_fd, &list, &n);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct segment seg;

		good = 0;
		r = segment_scan(s, list[i], &seg, &last, &good);
		if (r < 0)
			return r;
		if (i + 1 == n && good < seg.size) {
			char name[SPOOL_SEGMENT_NAME];
			_cleanup_close_ int fd = openat(s->dir_fd, spool_segment_name(list[i], name), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

			if (fd < 0 || ftruncate(fd, (off_t)good) < 0)
				return -errno;
			s->stats.torn = seg.size - good;
			seg.size = good;
		}
		r = segment_append(s, seg);
		if (r < 0)
			return r;
	}
	s->next = (last > s->config.above ? last : s->config.above) + 1;
	return 0;
}

int spool_open(const struct spool_config *c, struct spool **ret)
{
	struct spool *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->config = *c;
	if (!s->config.max_bytes)
		s->config.max_bytes = SPOOL_MAX_BYTES;
	if (s->config.max_bytes < SPOOL_MIN_BYTES)
		s->config.max_bytes = SPOOL_MIN_BYTES;
	if (!s->config.segment_bytes)
		s->config.segment_bytes = s->config.max_bytes / 16 < SPOOL_SEGMENT ? (uint32_t)(s->config.max_bytes / 16) : SPOOL_SEGMENT;
	s->waiting.max = 2 * (SPOOL_GROUP + SPOOL_MAX_PAYLOAD);
	s->dir_fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = s->dir_fd < 0 ? -errno : 0;
	if (r == 0) {
		age_load(s, c->now_ns);
		r = find_end(s);
	}
	if (r < 0) {
		spool_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	if (s->dir_fd >= 0) {
		spool_flush(s);
		age_save(s);
		close(s->dir_fd);
	}
	if (s->fd >= 0)
		close(s->fd);
	bw_buf_free(&s->waiting);
	free(s->segments);
	free(s);
}

/* ---- room ---------------------------------------------------------------------------------------------------------- */

static void segment_remove(struct spool *s, size_t i, bool read)
{
	char name[SPOOL_SEGMENT_NAME];

	unlinkat(s->dir_fd, spool_segment_name(s->segments[i].first, name), 0);
	if (!read)
		s->stats.expired += s->segments[i].records;
	if (i + 1 == s->n && s->fd >= 0) {
		close(s->fd);
		s->fd = -1;
	}
	segment_forget(s, i);
}

/*
 * Rewrites a segment without what is below high severity. Readers that have the old file open go on with it. A failure leaves
 * the segment as it was.
 */
static int segment_shed(struct spool *s, size_t i)
{
	struct segment *seg = &s->segments[i], after = { .first = seg->first, .newest_ns = seg->newest_ns, .shed = true };
	char name[SPOOL_SEGMENT_NAME];
	_cleanup_buf_ struct bw_buf b = { 0 };
	_cleanup_close_ int fd = -1;
	struct spool_segment g;
	struct spool_record r;
	int rc = spool_segment_open(s->dir_fd, seg->first, &g);

	if (rc < 0)
		return rc;
	while ((rc = spool_segment_next(&g, &r)) > 0) {
		uint8_t header[SPOOL_HEADER];

		if (r.severity < EVENT_HIGH)
			continue;
		spool_record_header(&r, header);
		bw_buf_append(&b, header, sizeof(header));
		bw_buf_append(&b, r.line, r.len);
		after.records++;
	}
	spool_segment_close(&g);
	if (rc == 0)
		rc = bw_buf_error(&b);
	if (rc < 0)
		return rc;
	fd = openat(s->dir_fd, "shed.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	after.size = b.len;
	if (b.len && write(fd, b.data, b.len) != (ssize_t)b.len)
		return -EIO;
	if (fdatasync(fd) < 0 || renameat(s->dir_fd, "shed.tmp", s->dir_fd, spool_segment_name(seg->first, name)) < 0)
		return -errno;
	s->stats.shed += seg->records - after.records;
	s->stats.bytes -= seg->size - after.size;
	*seg = after;
	return 0;
}

/* Makes room for @len bytes. False when an event of that severity has to be given up. */
static bool make_room(struct spool *s, size_t len, uint8_t severity)
{
	uint64_t limit = s->config.max_bytes - (severity >= EVENT_HIGH ? 0 : reserve(s));

	/* The last segment is being written. */
	for (size_t i = 0; s->stats.bytes + len > limit && i + 1 < s->n; i++)
		if (!s->segments[i].shed && segment_shed(s, i) < 0)
			break;
	while (s->stats.bytes + len > limit && severity >= EVENT_HIGH && s->n > 1)
		segment_remove(s, 0, false);
	return s->stats.bytes + len <= limit;
}

void spool_maintain(struct spool *s, uint64_t read, int64_t now_ns)
{
	age_advance(s, now_ns);
	if (s->age_ns - s->age_saved_ns >= AGE_SAVE_NS)
		age_save(s);
	while (s->n > 1 && s->segments[1].first <= read + 1)
		segment_remove(s, 0, true);
	/* The last one too, when it is large: its file is done when every reader is behind it. */
	if (s->n == 1 && read + 1 == s->next && !s->waiting.len && s->segments[0].size > s->config.segment_bytes / 2)
		segment_remove(s, 0, true);
	while (s->n > 1 && s->config.max_age_ns && s->segments[0].newest_ns < s->age_ns - s->config.max_age_ns)
		segment_remove(s, 0, false);
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

static int segment_begin(struct spool *s)
{
	char name[SPOOL_SEGMENT_NAME];
	int fd, r;

	if (s->fd >= 0)
		close(s->fd);
	/* The last one of an earlier run is gone on with. */
	if (s->fd < 0 && s->n && s->segments[s->n - 1].size < s->config.segment_bytes && !s->segments[s->n - 1].shed) {
		s->fd = openat(s->dir_fd, spool_segment_name(s->segments[s->n - 1].first, name), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
		if (s->fd >= 0)
			return 0;
	}
	s->fd = -1;
	/* 0644 below a directory that only the guard's user can enter: readers get the directory itself passed. */
	fd = openat(s->dir_fd, spool_segment_name(s->waiting_first, name), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	fchmod(fd, 0644); /* whatever the umask is */
	r = segment_append(s, (struct segment){ .first = s->waiting_first });
	if (r < 0) {
		close(fd);
		unlinkat(s->dir_fd, name, 0);
		return r;
	}
	s->fd = fd;
	return 0;
}

static int give_up(struct spool *s, int r)
{
	s->stats.dropped += s->waiting_records;
	s->stats.error = r;
	bw_buf_reset(&s->waiting);
	s->waiting_records = 0;
	s->waiting_severity = 0;
	return r;
}

int spool_flush(struct spool *s)
{
	struct segment *seg;
	size_t done = 0;
	int r;

	if (!s->waiting.len)
		return 0;
	if (!make_room(s, s->waiting.len, s->waiting_severity))
		return give_up(s, -ENOSPC);
	if (s->fd < 0 || s->segments[s->n - 1].size >= s->config.segment_bytes) {
		r = segment_begin(s);
		if (r < 0)
			return give_up(s, r);
	}
	seg = &s->segments[s->n - 1];
	while (done < s->waiting.len) {
		ssize_t n = write(s->fd, s->waiting.data + done, s->waiting.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = n < 0 ? -errno : -EIO;
			/* Nothing half: what was written of this group goes again. */
			if (done && ftruncate(s->fd, (off_t)seg->size) < 0) {
				close(s->fd);
				s->fd = -1;
				seg->size += done;
				s->stats.bytes += done;
				seg->shed = true; /* not to be appended to */
			}
			return give_up(s, r);
		}
		done += (size_t)n;
	}
	seg->size += done;
	seg->records += s->waiting_records;
	seg->newest_ns = s->age_ns;
	s->stats.bytes += done;
	s->stats.written += s->waiting_records;
	s->stats.error = 0;
	bw_buf_reset(&s->waiting);
	s->waiting_records = 0;
	s->waiting_severity = 0;
	return 0;
}

int spool_add(struct spool *s, uint8_t severity, const char *line, size_t len, uint64_t *ret_number)
{
	struct spool_record r = { .number = s->next, .time_ns = s->age_ns, .severity = severity, .line = line, .len = (uint32_t)len };
	uint8_t header[SPOOL_HEADER];

	*ret_number = s->next++;
	if (len > SPOOL_MAX_PAYLOAD) {
		s->stats.dropped++;
		return -E2BIG;
	}
	/* A group is given up as a whole: no high one is to go with low ones. */
	if (s->waiting.len && (severity >= EVENT_HIGH) != (s->waiting_severity >= EVENT_HIGH))
		spool_flush(s);
	spool_record_header(&r, header);
	if (!s->waiting_records)
		s->waiting_first = r.number;
	bw_buf_append(&s->waiting, header, sizeof(header));
	bw_buf_append(&s->waiting, line, len);
	s->waiting_records++;
	if (severity > s->waiting_severity)
		s->waiting_severity = severity;
	if (bw_buf_error(&s->waiting))
		return give_up(s, bw_buf_error(&s->waiting));
	if (s->waiting.len >= SPOOL_GROUP || severity >= EVENT_HIGH)
		return spool_flush(s);
	return 0;
}

void spool_stats(const struct spool *s, struct spool_stats *ret)
{
	*ret = s->stats;
	ret->segments = s->n;
	ret->last = s->next - 1;
	ret->oldest = s->n ? s->segments[0].first : s->next;
}
