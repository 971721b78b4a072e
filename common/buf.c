// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/buf.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "common/limits.h"

void bw_buf_free(struct bw_buf *b)
{
	free(b->data);
	*b = (struct bw_buf){ 0 };
}

void bw_buf_reset(struct bw_buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->data)
		b->data[0] = 0;
}

/* Makes room for @more bytes and the final NUL. */
static bool buf_reserve(struct bw_buf *b, size_t more)
{
	size_t max = b->max ? b->max : BW_MAX_BUF;
	size_t cap = b->cap ? b->cap : 256;
	char *data;

	if (b->error)
		return false;
	if (more >= max - b->len) {
		b->error = -E2BIG;
		return false;
	}
	if (b->data && more < b->cap - b->len)
		return true;
	while (cap - b->len <= more)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->error = -ENOMEM;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void bw_buf_append(struct bw_buf *b, const void *data, size_t len)
{
	if (!buf_reserve(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = 0;
}

void bw_buf_str(struct bw_buf *b, const char *s)
{
	bw_buf_append(b, s, strlen(s));
}

void bw_buf_char(struct bw_buf *b, char c)
{
	bw_buf_append(b, &c, 1);
}

void bw_buf_hex(struct bw_buf *b, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		char pair[2] = { digits[p[i] >> 4], digits[p[i] & 15] };

		bw_buf_append(b, pair, 2);
	}
}

void bw_buf_vprintf(struct bw_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !buf_reserve(b, (size_t)n))
		return;
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void bw_buf_printf(struct bw_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bw_buf_vprintf(b, fmt, ap);
	va_end(ap);
}

char *bw_buf_steal(struct bw_buf *b)
{
	char *data;

	if (!b->data)
		bw_buf_append(b, "", 0);
	if (b->error) {
		bw_buf_free(b);
		return NULL;
	}
	data = b->data;
	*b = (struct bw_buf){ .max = b->max };
	return data;
}

int bw_file_read(const char *path, size_t max, char **ret_data, size_t *ret_len)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *data = NULL;
	size_t len = 0, cap;
	struct stat st;

	/* O_NONBLOCK: a FIFO at the path must not hang us before fstat() can refuse it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > 0 && (uint64_t)st.st_size > max)
		return -EFBIG;
	/* Files in /proc and /sys are "regular" with size 0 or 4096: read until the end, not until st_size. */
	cap = (size_t)st.st_size + 4096;
	data = malloc(cap + 1);
	if (!data)
		return -ENOMEM;
	for (;;) {
		ssize_t n;

		if (len == cap) {
			char *bigger;

			if (cap > max)
				return -EFBIG;
			bigger = realloc(data, cap * 2 + 1);
			if (!bigger)
				return -ENOMEM;
			data = bigger;
			cap *= 2;
		}
		n = read(fd, data + len, cap - len);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > max)
		return -EFBIG;
	data[len] = 0;
	*ret_data = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

int bw_file_write_atomic(const char *path, const void *data, size_t len, unsigned int mode)
{
	_cleanup_free_ char *tmp = NULL;
	_cleanup_close_ int fd = -1;
	const char *p = data;
	int r = 0;

	if (asprintf(&tmp, "%s.XXXXXX", path) < 0) {
		tmp = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, (mode_t)mode) < 0)
		r = -errno;
	while (!r && len) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno != EINTR)
				r = -errno;
			continue;
		}
		p += n;
		len -= (size_t)n;
	}
	if (!r && fsync(fd) < 0)
		r = -errno;
	if (!r && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(tmp);
	return r;
}
