/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_REPEAT_H
#define BW_GUARD_REPEAT_H
/*
 * Tells the repetition of a report from a new one. libbpf tries a refused load again, at once, to get the verifier's log:
 * one attempt to load is to be one alert. Pure.
 */
#include <stdint.h>

#include "guard/decode.h"

#define REPEAT_WINDOW_NS 30000000000ULL
#define REPEAT_SLOTS 64

struct repeat_slot {
	uint64_t first_seq; /* 0: empty */
	uint64_t time_ns;   /* of the latest */
	uint64_t start_ns, generation;
	uint32_t tgid, prog_type;
	uint8_t digest[BW_DIGEST_LEN];
	uint8_t identity, reason, action;
	char name[BW_OBJ_NAME_LEN + 1];
};

struct repeat {
	struct repeat_slot slots[REPEAT_SLOTS];
	unsigned int next;
};

/*
 * If the load @e (number @seq) says the same as one of the last, of the same process and within the window, returns the
 * number of the first of them; else remembers it and returns 0. Loads without an identity never repeat.
 */
uint64_t repeat_find(struct repeat *r, const struct decode_event *e, uint64_t seq);

#endif
