/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_CHUNK_H
#define BW_GUARD_API_CHUNK_H
/*
 * The contract between capture and protocols: bytes that a process sent or received on one connection, in clear text,
 * in the order of their position. Capture makes chunks, streams eat them; nobody else needs to know where they came from.
 */
#include <stdbool.h>
#include <stdint.h>

enum api_dir {
	API_DIR_IN,  /* the process received them */
	API_DIR_OUT, /* the process sent them */
	API_DIRS
};

/* Where the bytes were seen. */
enum api_source {
	API_SOURCE_SOCKET, /* the socket's system calls: clear text on the wire */
	API_SOURCE_OPENSSL,
	API_SOURCE_GNUTLS,
	API_SOURCE_GO_TLS,
	API_SOURCE_BORINGSSL,
	API_SOURCES
};

enum api_role {
	API_ROLE_UNKNOWN,
	API_ROLE_SERVER, /* the process accepted the connection */
	API_ROLE_CLIENT, /* the process made it */
};

struct api_address {
	uint16_t family;  /* AF_INET, AF_INET6, AF_UNIX; 0: unknown */
	uint16_t port;	  /* host byte order */
	uint8_t bytes[16]; /* network byte order; the first 4 for AF_INET */
};

/* Which process, talking to whom. Strings are NUL-terminated, never NULL, borrowed for the length of the call. */
struct api_peer {
	uint32_t tgid;
	uint64_t start_ns; /* of the process, CLOCK_BOOTTIME: with tgid it names the process for good */
	uint64_t cgroup_id;
	uint32_t uid;
	uint32_t net_ns;
	const char *comm;
	const char *exe;
	enum api_role role;
	enum api_source source;
	struct api_address local, remote;
};

enum api_chunk_flag {
	API_CHUNK_MIDWAY = 1u << 0,  /* the connection is older than the capture: its beginning is missing */
	API_CHUNK_CLOSED = 1u << 1,  /* nothing comes after this chunk in either direction */
	API_CHUNK_RESET = 1u << 2,   /* with CLOSED: ended by an error, not in order */
	API_CHUNK_SAMPLED = 1u << 3, /* @skipped is due to a budget, not to a loss */
	API_CHUNK_SKIPPED = 1u << 4, /* before this whole requests with their responses were left out, on purpose: @pos and @other are where it goes on */
};

/* Chunks of one direction of one connection come in rising @pos. A hole between two chunks is a gap, never glued over. */
struct api_chunk {
	uint64_t conn;	  /* of the connection; never used twice while the guard runs */
	uint64_t time_ns; /* CLOCK_BOOTTIME, when the call that moved the bytes returned */
	uint64_t pos;	  /* of data[0]: bytes that went this way before it */
	const uint8_t *data;
	uint64_t other;	  /* with SKIPPED: bytes that went the other way before this chunk */
	uint32_t len;	  /* at @data; may be 0 */
	uint32_t skipped; /* bytes that went this way right after data[len - 1] and were not captured */
	uint32_t tid;	  /* thread that made the call */
	uint32_t flags;	  /* enum api_chunk_flag */
	enum api_dir dir;
	const struct api_peer *peer;
};

#endif
