/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_EXPOSED_H
#define BW_GUARD_EXPOSED_H
/*
 * Which APIs with personal data an event is about: the join of common/exposure.h, made by the worker, which sees the catalogue in
 * its state directory and nothing of the processes. docs/exposure.md.
 */
#include <stdint.h>

#include "guard/alert.h"
#include "guard/decode.h"

#define EXPOSED_REFRESH_NS (60 * 1000000000ll) /* the catalogue is read again when what is known is older, and only when it is needed */

struct exposed;

int exposed_new(const char *catalogue, struct exposed **ret); /* -ENOMEM */
void exposed_free(struct exposed *e); /* NULL is fine */

/*
 * What is exposed by what the event reports, NULL for nothing; good until the next call. @now_ns: CLOCK_MONOTONIC. Without a catalogue, or
 * with one that cannot be read, nothing is known to be exposed.
 */
const struct alert_exposure *exposed_look(struct exposed *e, const struct decode_event *event, int64_t now_ns);

#endif
