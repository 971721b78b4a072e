// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/hpack.h"

/*
 * The code of RFC 7541 appendix B is canonical: codes of one length are consecutive numbers in the order of the symbols, and
 * follow on from those of the length before. So the lengths are all there is to know.
 */
#define EOS 256
#define MIN_BITS 5
#define MAX_BITS 30

static const uint8_t lengths[EOS + 1] = {
	13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, /* 00 */
	6,  10, 10, 12, 13, 6,	8,  11, 10, 10, 8,  11, 8,  6,	6,  6,	5,  5,	5,  6,	6,  6,	6,  6,	6,  6,	7,  8,	15, 6,	12, 10, /* 20 */
	13, 6,	7,  7,	7,  7,	7,  7,	7,  7,	7,  7,	7,  7,	7,  7,	7,  7,	7,  7,	7,  7,	7,  7,	8,  7,	8,  13, 19, 13, 14, 6,	/* 40 */
	15, 5,	6,  5,	6,  5,	6,  6,	6,  5,	7,  7,	6,  6,	6,  5,	6,  7,	6,  5,	5,  6,	7,  7,	7,  7,	7,  15, 11, 14, 13, 28, /* 60 */
	20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, /* 80 */
	22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, /* a0 */
	26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, /* c0 */
	20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, /* e0 */
	30,
};

struct table {
	uint32_t first[MAX_BITS + 1]; /* the first code of that length */
	uint16_t count[MAX_BITS + 1];
	uint16_t start[MAX_BITS + 1]; /* where its symbols begin */
	uint16_t symbols[EOS + 1];
};

static void table_make(struct table *t)
{
	uint32_t code = 0;
	uint16_t n = 0;

	memset(t->count, 0, sizeof(t->count));
	for (unsigned int bits = MIN_BITS; bits <= MAX_BITS; bits++) {
		t->first[bits] = code;
		t->start[bits] = n;
		for (unsigned int s = 0; s <= EOS; s++)
			if (lengths[s] == bits)
				t->symbols[n++] = (uint16_t)s;
		t->count[bits] = (uint16_t)(n - t->start[bits]);
		code = (code + t->count[bits]) << 1;
	}
}

static const struct table *table_get(void)
{
	static struct table table;
	static bool made;

	if (!made) {
		table_make(&table);
		made = true;
	}
	return &table;
}

long hpack_huffman_decode(struct bw_slice in, uint8_t *out, size_t size)
{
	const struct table *t = table_get();
	uint32_t code = 0;
	unsigned int bits = 0;
	long n = 0;

	for (size_t i = 0; i < in.len; i++) {
		for (int b = 7; b >= 0; b--) {
			uint32_t at;

			code = code << 1 | ((in.data[i] >> b) & 1u);
			if (++bits < MIN_BITS)
				continue;
			at = code - t->first[bits];
			if (code < t->first[bits] || at >= t->count[bits]) {
				if (bits == MAX_BITS)
					return -1;
				continue;
			}
			if (t->symbols[t->start[bits] + at] == EOS)
				return -1;
			if ((size_t)n < size)
				out[n] = (uint8_t)t->symbols[t->start[bits] + at];
			n++;
			code = 0;
			bits = 0;
		}
	}
	/* Padding: fewer than eight bits, all ones. */
	return bits < 8 && code == (1u << bits) - 1 ? n : -1;
}
