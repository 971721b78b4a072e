/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_BODY_H
#define BW_GUARD_API_BODY_H
/* Content codings (RFC 9110 8.4): gzip, deflate, br, up to two behind each other. Bounded in output and in its ratio to the input. Pure. */
#include <stdbool.h>

#include "common/buf.h"
#include "common/slice.h"

/* A body may decode to so many times its size, and a small one to so many bytes in any case. */
#define BODY_MAX_RATIO 200u
#define BODY_FREE_BYTES (64u << 10)
/* What a brotli stream may ask for: its window is the sender's choice, up to 16 MiB. */
#define BODY_MAX_BROTLI_MEMORY (6u << 20)

enum body_result {
	BODY_WHOLE,	/* decoded to its end */
	BODY_CUT,	/* as far as there was input, or room */
	BODY_BOMB,	/* stopped at BODY_MAX_RATIO */
	BODY_BAD,	/* it is not what it says; @out holds what was decoded before that */
	BODY_UNKNOWN,	/* no coding that is known: @out is empty */
};

/* Is there something to decode? False for "", "identity". */
bool body_is_coded(const char *coding);

/* @coding as in Content-Encoding, lower case. At most @max bytes are appended to @out. */
enum body_result body_decode(const char *coding, struct bw_slice in, size_t max, struct bw_buf *out);

#endif
