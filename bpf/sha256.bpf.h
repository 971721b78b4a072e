/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SHA256_BPF_H
#define BW_SHA256_BPF_H
/*
 * Layer 1: SHA-256 (FIPS 180-4) one block at a time, for the verifier: no loop it has to follow, no variable index.
 * The 64 rounds are unrolled over a rolling schedule of 16 words.
 */
#include "bpf/kernel.bpf.h"

struct sha256 {
	u32 h[8];
	u32 w[16];
};

static __always_inline void sha256_init(struct sha256 *s)
{
	s->h[0] = 0x6a09e667;
	s->h[1] = 0xbb67ae85;
	s->h[2] = 0x3c6ef372;
	s->h[3] = 0xa54ff53a;
	s->h[4] = 0x510e527f;
	s->h[5] = 0x9b05688c;
	s->h[6] = 0x1f83d9ab;
	s->h[7] = 0x5be0cd19;
}

/*
 * BPF has no rotation. A word beside itself in 64 bits makes one a shift: the low half of TWICE(x) >> n is x rotated.
 */
#define TWICE(x) ((u64)(x) | (u64)(x) << 32)

#define SHA_ROUND(a, b, c, d, e, f, g, h, k, i)                                                                      \
	do {                                                                                                         \
		u64 ee = TWICE(e), aa = TWICE(a);                                                                     \
		u32 t1 = h + (u32)(ee >> 6 ^ ee >> 11 ^ ee >> 25) + (g ^ (e & (f ^ g))) + k + w[(i) & 15];            \
		d += t1;                                                                                             \
		h = t1 + (u32)(aa >> 2 ^ aa >> 13 ^ aa >> 22) + ((a & b) | (c & (a | b)));                            \
	} while (0)

#define SHA_EXPAND(i)                                                                                                \
	do {                                                                                                         \
		u32 x = w[((i) + 1) & 15], y = w[((i) + 14) & 15];                                                    \
		u64 xx = TWICE(x), yy = TWICE(y);                                                                     \
		w[(i) & 15] += ((u32)(xx >> 7 ^ xx >> 18) ^ x >> 3) + w[((i) + 9) & 15] +                              \
			       ((u32)(yy >> 17 ^ yy >> 19) ^ y >> 10);                                                \
	} while (0)

#define SHA_EIGHT(n, k0, k1, k2, k3, k4, k5, k6, k7)                                                                 \
	SHA_ROUND(a, b, c, d, e, f, g, h, k0, (n) + 0);                                                              \
	SHA_ROUND(h, a, b, c, d, e, f, g, k1, (n) + 1);                                                              \
	SHA_ROUND(g, h, a, b, c, d, e, f, k2, (n) + 2);                                                              \
	SHA_ROUND(f, g, h, a, b, c, d, e, k3, (n) + 3);                                                              \
	SHA_ROUND(e, f, g, h, a, b, c, d, k4, (n) + 4);                                                              \
	SHA_ROUND(d, e, f, g, h, a, b, c, k5, (n) + 5);                                                              \
	SHA_ROUND(c, d, e, f, g, h, a, b, k6, (n) + 6);                                                              \
	SHA_ROUND(b, c, d, e, f, g, h, a, k7, (n) + 7)

#define SHA_NEXT_EIGHT(n, k0, k1, k2, k3, k4, k5, k6, k7)                                                            \
	SHA_EXPAND((n) + 0);                                                                                         \
	SHA_ROUND(a, b, c, d, e, f, g, h, k0, (n) + 0);                                                              \
	SHA_EXPAND((n) + 1);                                                                                         \
	SHA_ROUND(h, a, b, c, d, e, f, g, k1, (n) + 1);                                                              \
	SHA_EXPAND((n) + 2);                                                                                         \
	SHA_ROUND(g, h, a, b, c, d, e, f, k2, (n) + 2);                                                              \
	SHA_EXPAND((n) + 3);                                                                                         \
	SHA_ROUND(f, g, h, a, b, c, d, e, k3, (n) + 3);                                                              \
	SHA_EXPAND((n) + 4);                                                                                         \
	SHA_ROUND(e, f, g, h, a, b, c, d, k4, (n) + 4);                                                              \
	SHA_EXPAND((n) + 5);                                                                                         \
	SHA_ROUND(d, e, f, g, h, a, b, c, k5, (n) + 5);                                                              \
	SHA_EXPAND((n) + 6);                                                                                         \
	SHA_ROUND(c, d, e, f, g, h, a, b, k6, (n) + 6);                                                              \
	SHA_EXPAND((n) + 7);                                                                                         \
	SHA_ROUND(b, c, d, e, f, g, h, a, k7, (n) + 7)

/* Takes in the block in s->w, given as 16 words already in the byte order of the host (the caller swapped them). */
static __always_inline void sha256_block(struct sha256 *s)
{
	u32 a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3];
	u32 e = s->h[4], f = s->h[5], g = s->h[6], h = s->h[7];
	volatile u32 *w = s->w; /* else the compiler hoists the schedule and runs out of stack */

	SHA_EIGHT(0, 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5);
	SHA_EIGHT(8, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174);
	SHA_NEXT_EIGHT(0, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da);
	SHA_NEXT_EIGHT(8, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967);
	SHA_NEXT_EIGHT(0, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85);
	SHA_NEXT_EIGHT(8, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070);
	SHA_NEXT_EIGHT(0, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3);
	SHA_NEXT_EIGHT(8, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2);
	s->h[0] += a;
	s->h[1] += b;
	s->h[2] += c;
	s->h[3] += d;
	s->h[4] += e;
	s->h[5] += f;
	s->h[6] += g;
	s->h[7] += h;
}

#endif
