/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_BUF_H
#define BW_BUF_H
/*
 * A growable byte buffer with a maximum. Errors stick: after the first failure (out of memory, maximum reached) every
 * append is a no-op and bw_buf_error() says what happened, so that callers check once, at the end.
 * The content is always followed by a NUL byte, which is not counted in len.
 */
#include <stdarg.h>
#include <stddef.h>
#include "common/cleanup.h"

struct bw_buf {
	char *data; /* owned; NULL until the first append */
	size_t len;
	size_t cap;
	size_t max; /* 0 means BW_MAX_BUF */
	int error;  /* 0, -ENOMEM or -E2BIG */
};

void bw_buf_free(struct bw_buf *b);
void bw_buf_reset(struct bw_buf *b); /* empties it and clears the error, keeps the memory */
void bw_buf_append(struct bw_buf *b, const void *data, size_t len);
void bw_buf_str(struct bw_buf *b, const char *s);
void bw_buf_char(struct bw_buf *b, char c);
void bw_buf_hex(struct bw_buf *b, const void *data, size_t len); /* lower case, no separators */
void bw_buf_printf(struct bw_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bw_buf_vprintf(struct bw_buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Hands the content to the caller, who frees it; NULL after an error. The buffer is empty afterwards. */
char *bw_buf_steal(struct bw_buf *b);

static inline int bw_buf_error(const struct bw_buf *b)
{
	return b->error;
}

static inline const char *bw_buf_cstr(const struct bw_buf *b)
{
	return b->data ? b->data : "";
}

#define _cleanup_buf_ BW_CLEANUP(bw_buf_free)

/*
 * Whole-file helpers. bw_file_read() refuses what is not a regular file (-EISDIR for a directory, -EINVAL otherwise) and
 * files over @max bytes (-EFBIG). The caller frees *ret_data, which is NUL-terminated beyond its length.
 */
int bw_file_read(const char *path, size_t max, char **ret_data, size_t *ret_len);
/* Writes a temporary file beside @path, syncs it and renames it over @path: readers see the old or the new content. */
int bw_file_write_atomic(const char *path, const void *data, size_t len, unsigned int mode);

#endif
