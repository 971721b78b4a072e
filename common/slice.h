/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SLICE_H
#define BW_SLICE_H
/*
 * A borrowed, read-only range of bytes with one way to take a piece of it. All parsing of untrusted bytes goes through
 * here, so that the bounds check is written once, in the form that cannot overflow.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bw_slice {
	const uint8_t *data;
	size_t len;
};

static inline struct bw_slice bw_slice(const void *data, size_t len)
{
	return (struct bw_slice){ .data = data, .len = len };
}

/* The @len bytes at @off, or false (and *ret untouched) when they are not all inside @s. */
static inline bool bw_slice_sub(struct bw_slice s, uint64_t off, uint64_t len, struct bw_slice *ret)
{
	if (off > s.len || len > s.len - off)
		return false;
	ret->data = s.data + off;
	ret->len = (size_t)len;
	return true;
}

/* Copies @len bytes at @off to @dst. */
static inline bool bw_slice_copy(struct bw_slice s, uint64_t off, void *dst, size_t len)
{
	struct bw_slice sub;

	if (!bw_slice_sub(s, off, len, &sub))
		return false;
	memcpy(dst, sub.data, len);
	return true;
}

/* The NUL-terminated string at @off; NULL when it is not terminated inside @s. */
static inline const char *bw_slice_str(struct bw_slice s, uint64_t off)
{
	if (off >= s.len || !memchr(s.data + off, 0, s.len - off))
		return NULL;
	return (const char *)s.data + off;
}

static inline uint16_t bw_get_u16(const uint8_t *p, bool big_endian)
{
	return big_endian ? (uint16_t)(p[0] << 8 | p[1]) : (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t bw_get_u32(const uint8_t *p, bool big_endian)
{
	return big_endian ? (uint32_t)bw_get_u16(p, true) << 16 | bw_get_u16(p + 2, true) :
			    (uint32_t)bw_get_u16(p + 2, false) << 16 | bw_get_u16(p, false);
}

static inline uint64_t bw_get_u64(const uint8_t *p, bool big_endian)
{
	return big_endian ? (uint64_t)bw_get_u32(p, true) << 32 | bw_get_u32(p + 4, true) :
			    (uint64_t)bw_get_u32(p + 4, false) << 32 | bw_get_u32(p, false);
}

#endif
