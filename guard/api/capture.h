/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_CAPTURE_H
#define BW_GUARD_API_CAPTURE_H
/*
 * Records of the API probes (bpf/api.h) to chunks: knows the connections, who is at their ends, and where in the stream the
 * next byte belongs. Pure: no I/O, no clock. A record is untrusted until its version, type, size and lengths were checked.
 */
#include <stddef.h>
#include <stdint.h>

#include "guard/api/chunk.h"

struct api_capture;

typedef void (*api_chunk_fn)(void *arg, const struct api_chunk *chunk);

#define API_CAPTURE_MAX_CONNS 65536u

struct api_capture_stats {
	uint64_t records;     /* all */
	uint64_t undecodable; /* of them */
	uint64_t chunks;
	uint64_t bytes;	       /* in the chunks */
	uint64_t late;	       /* records whose position had passed: dropped */
	uint64_t unknown_conn; /* data on a connection whose first record was lost */
	uint64_t evicted;      /* connections forgotten to make room */
	uint64_t expired;      /* forgotten because nothing came for long */
	uint64_t conns;	       /* now */
};

/* @max_conns 0: API_CAPTURE_MAX_CONNS. -ENOMEM. */
int api_capture_new(uint32_t max_conns, api_chunk_fn fn, void *arg, struct api_capture **ret);
void api_capture_free(struct api_capture *c);

/*
 * Takes one record of @size bytes; calls back with what it is in chunks. Returns 0, or what is wrong with the record: -EPROTONOSUPPORT
 * another version, -EMSGSIZE, -EOPNOTSUPP unknown type, -EBADMSG. -ENOMEM.
 */
int api_capture_record(struct api_capture *c, const void *data, size_t size);
/* Forgets connections on which nothing came since @before_ns (CLOCK_BOOTTIME); they are closed first. */
void api_capture_expire(struct api_capture *c, uint64_t before_ns);

const struct api_capture_stats *api_capture_stats(const struct api_capture *c);

#endif
