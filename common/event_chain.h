/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_EVENT_CHAIN_H
#define BW_EVENT_CHAIN_H
/*
 * The hash chain over events (docs/events.md). A sealed line ends with
 *	,"prev":"<64 hexadecimal digits>","hash":"<64 hexadecimal digits>"}
 * where hash is the SHA-256 over all bytes of the line before `,"hash":`, and prev is the hash of the event before it (zeros
 * for the first of all). Without a key: who can rewrite everything behind an edit can make it fit again, which is why the
 * latest hash leaves the host with every delivery. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define EVENT_CHAIN_LEN 32
/* How much sealing adds to a line. */
#define EVENT_CHAIN_ROOM (2 * (2 * EVENT_CHAIN_LEN + sizeof(",\"hash\":\"\"")))

struct event_chain {
	uint8_t head[EVENT_CHAIN_LEN]; /* of the latest event; zeros: none yet */
	uint64_t seq;		       /* its number */
};

/* Seals the complete object in @line and makes it the head. -EINVAL when it is not an object; -ENOMEM, -E2BIG. */
int event_chain_seal(struct event_chain *c, struct bw_buf *line, uint64_t seq);
/* Goes on behind a line that was sealed before. -EBADMSG when it is not a sealed line; @c is untouched then. */
int event_chain_resume(struct event_chain *c, const char *line, size_t len);

enum event_chain_fault {
	EVENT_CHAIN_OK,
	EVENT_CHAIN_NOT_EVENT, /* the line is not an event of ours */
	EVENT_CHAIN_UNSEALED,  /* an event without a seal, where all have one */
	EVENT_CHAIN_EDITED,    /* its bytes are not those that were sealed */
	EVENT_CHAIN_GAP,       /* events between the one before and this one are missing */
	EVENT_CHAIN_REPLACED,  /* the one before is another than the one that was followed */
	EVENT_CHAIN_ORDER,     /* it belongs before an event that came earlier */
	EVENT_CHAIN_FORKED,    /* another run of the guard, that did not go on behind the one before */
};

/* Zeroed at the beginning. */
struct event_chain_check {
	struct event_chain at; /* the highest number so far */
	char run[17];	       /* of the guard: the first part of uid */
	bool any, broken;      /* @broken: the head is not known, the next event is taken as it is */
	uint64_t events, first_seq;
	uint64_t skipped;      /* numbers that were never used: the chain holds across them */
	uint64_t missing;      /* numbers that gaps lack */
	uint64_t expected;     /* for EVENT_CHAIN_GAP: the first number that is missing */
	uint64_t seq;	       /* of the line at hand, 0 when it has none */
};

/* Takes the next line (without its newline). */
enum event_chain_fault event_chain_check(struct event_chain_check *c, const char *line, size_t len);
const char *event_chain_fault_name(enum event_chain_fault f);

#endif
