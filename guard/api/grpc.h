/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_GRPC_H
#define BW_GUARD_API_GRPC_H
/* Length-prefixed messages of gRPC and gRPC-Web, counted as the bytes pass, and the trailers of gRPC-Web. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

/* A prefix that says more than this is not believed: the counting stops. */
#define GRPC_MAX_MESSAGE (256u << 20)
#define GRPC_MAX_TRAILER 512u

struct grpc_reader {
	uint8_t prefix[5];
	uint8_t have; /* bytes of the prefix */
	bool broken;
	uint32_t left; /* bytes of the current message */
	uint32_t messages, compressed;
	/* gRPC-Web: a frame with the highest bit set holds "grpc-status: 0\r\n..." */
	bool in_trailer;
	uint16_t trailer_len;
	char trailer[GRPC_MAX_TRAILER];
};

void grpc_feed(struct grpc_reader *g, struct bw_slice data);
/* @n bytes are missing. */
void grpc_gap(struct grpc_reader *g, uint64_t n);
/* Of the trailer frame; -1: none. */
int grpc_web_status(const struct grpc_reader *g);
/* A grpc-status value: 0 to 999; -1 otherwise. */
int grpc_status_parse(struct bw_slice value);
/* "/package.Service/Method" has exactly two segments. */
bool grpc_is_path(struct bw_slice path);

#endif
