// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/body.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PIECE (16u << 10)

struct sink {
	struct bw_buf *out;
	size_t max, in_len, given;
};

/* Takes decoded bytes. False: that is enough, *ret says why. */
static bool take(struct sink *s, const void *data, size_t len, enum body_result *ret)
{
	size_t room = s->max - s->given;

	if (len > room) {
		bw_buf_append(s->out, data, room);
		s->given = s->max;
		*ret = BODY_CUT;
		return false;
	}
	bw_buf_append(s->out, data, len);
	s->given += len;
	if (s->given > BODY_FREE_BYTES && s->given / BODY_MAX_RATIO > s->in_len) {
		*ret = BODY_BOMB;
		return false;
	}
	if (bw_buf_error(s->out)) {
		*ret = BODY_CUT;
		return false;
	}
	return true;
}

/* @window as inflateInit2() takes it. */
static enum body_result inflate_all(int window, struct bw_slice in, struct sink *s)
{
	uint8_t piece[PIECE];
	enum body_result r = BODY_CUT;
	z_stream z = { .next_in = (Bytef *)in.data, .avail_in = (uInt)in.len };

	if (in.len > UINT32_MAX || inflateInit2(&z, window) != Z_OK)
		return BODY_CUT;
	for (;;) {
		int rc;

		z.next_out = piece;
		z.avail_out = sizeof(piece);
		rc = inflate(&z, Z_NO_FLUSH);
		if (!take(s, piece, sizeof(piece) - z.avail_out, &r))
			break;
		if (rc == Z_STREAM_END) {
			r = BODY_WHOLE;
			/* gzip members may follow each other (RFC 1952 2.2) */
			if (window > MAX_WBITS && z.avail_in > 18 && z.next_in[0] == 0x1f && z.next_in[1] == 0x8b && inflateReset(&z) == Z_OK)
				continue;
			break;
		}
		if (rc == Z_BUF_ERROR || (rc == Z_OK && !z.avail_in && z.avail_out)) {
			r = BODY_CUT;
			break;
		}
		if (rc != Z_OK) {
			r = BODY_BAD;
			break;
		}
	}
	inflateEnd(&z);
	explicit_bzero(piece, sizeof(piece));
	return r;
}

/* "deflate" is zlib by the standard and raw deflate by habit. */
static enum body_result inflate_either(struct bw_slice in, struct sink *s)
{
	bool zlib = in.len >= 2 && (in.data[0] & 0x0f) == 8 && bw_get_u16(in.data, true) % 31 == 0;

	return inflate_all(zlib ? MAX_WBITS : -MAX_WBITS, in, s);
}

struct allowance {
	size_t left;
};

static void *brotli_alloc(void *opaque, size_t size)
{
	struct allowance *a = opaque;

	if (size > a->left)
		return NULL;
	a->left -= size;
	return malloc(size);
}

static void brotli_free(void *opaque, void *p)
{
	free(p);
}

static enum body_result brotli_all(struct bw_slice in, struct sink *s)
{
	struct allowance a = { .left = BODY_MAX_BROTLI_MEMORY };
	BrotliDecoderState *d = BrotliDecoderCreateInstance(brotli_alloc, brotli_free, &a);
	enum body_result r = BODY_CUT;
	const uint8_t *next = in.data;
	size_t left = in.len;
	uint8_t piece[PIECE];

	if (!d)
		return BODY_CUT;
	for (;;) {
		size_t room = sizeof(piece);
		uint8_t *out = piece;
		BrotliDecoderResult rc = BrotliDecoderDecompressStream(d, &left, &next, &room, &out, NULL);

		if (!take(s, piece, sizeof(piece) - room, &r))
			break;
		if (rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
			continue;
		if (rc == BROTLI_DECODER_RESULT_SUCCESS)
			r = BODY_WHOLE;
		else if (rc == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
			r = BODY_CUT;
		else
			r = BrotliDecoderGetErrorCode(d) <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES ? BODY_CUT : BODY_BAD;
		break;
	}
	BrotliDecoderDestroyInstance(d);
	explicit_bzero(piece, sizeof(piece));
	return r;
}

static bool is_word(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && !memcmp(word, name, len);
}

/* Takes the last coding off @list, which is the one to undo first. */
static const char *last_coding(const char *list, size_t *list_len, size_t *ret_len)
{
	size_t end = *list_len, start;

	while (end && (list[end - 1] == ' ' || list[end - 1] == '\t'))
		end--;
	start = end;
	while (start && list[start - 1] != ',')
		start--;
	*list_len = start ? start - 1 : 0;
	while (start < end && (list[start] == ' ' || list[start] == '\t'))
		start++;
	*ret_len = end - start;
	return list + start;
}

static enum body_result decode_one(const char *name, size_t len, struct bw_slice in, size_t max, struct bw_buf *out)
{
	struct sink s = { .out = out, .max = max, .in_len = in.len };

	if (is_word(name, len, "gzip") || is_word(name, len, "x-gzip"))
		return inflate_all(MAX_WBITS + 16, in, &s);
	if (is_word(name, len, "deflate"))
		return inflate_either(in, &s);
	if (is_word(name, len, "br"))
		return brotli_all(in, &s);
	return BODY_UNKNOWN;
}

bool body_is_coded(const char *coding)
{
	return *coding && strcmp(coding, "identity");
}

enum body_result body_decode(const char *coding, struct bw_slice in, size_t max, struct bw_buf *out)
{
	size_t list_len = strlen(coding), len;
	_cleanup_buf_ struct bw_buf between = { 0 };
	const char *first = last_coding(coding, &list_len, &len), *second;
	enum body_result r, r2;
	size_t len2;

	if (!list_len)
		return decode_one(first, len, in, max, out);
	second = last_coding(coding, &list_len, &len2);
	if (list_len)
		return BODY_UNKNOWN; /* three of them: nobody honest does that */
	r = decode_one(first, len, in, max, &between);
	if (r == BODY_UNKNOWN || r == BODY_BOMB || r == BODY_BAD)
		return r;
	r2 = decode_one(second, len2, bw_slice(bw_buf_cstr(&between), between.len), max, out);
	if (between.data)
		explicit_bzero(between.data, between.cap);
	return r2 == BODY_WHOLE ? r : r2;
}
