/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_HTTP1_HEAD_H
#define BW_GUARD_API_HTTP1_HEAD_H
/* The head of an HTTP/1 message: start line and fields. Used by http1.c. */
#include "guard/api/http1.h"

/* The length of the head that begins @in, with its empty line; 0: it is not complete. *scanned: as in struct http1. */
size_t http1_head_end(struct bw_slice in, size_t *scanned);
/* @in is all of the head. False when its first line is none. */
bool http1_head_parse(struct bw_slice in, bool response, struct http1_head *ret);
/* The findings of fields behind the body. */
uint64_t http1_trailer_findings(struct bw_slice in);
bool http1_is_token(struct bw_slice s);

#endif
