/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_LEDGER_H
#define BW_GUARD_LEDGER_H
/*
 * What the guard remembers from one event to the next: who made which link and put which program on which interface, how
 * maps are called, which process read one. Bounded: each table has a fixed number of places, and a newer entry takes the
 * place of an older one that it collides with, which is counted. Pure.
 */
#include <stdbool.h>
#include <stdint.h>

#include "guard/alert.h"
#include "guard/decode.h"

#define LEDGER_PLACES 8192 /* in each table */

struct ledger;

/* Namespaces of the guard, by inode number; 0: not known. */
struct ledger_namespaces {
	uint32_t pid, mnt, user;
};

int ledger_new(const struct ledger_namespaces *own, struct ledger **ret); /* -ENOMEM */
void ledger_free(struct ledger *l);

/*
 * Notes the event, and adds to @d what earlier ones say about it. The strings live until the next call.
 */
void ledger_look(struct ledger *l, const struct decode_event *e, struct alert_detail *d);

/* Entries that had to go for others. */
uint64_t ledger_forgotten(const struct ledger *l);

#endif
