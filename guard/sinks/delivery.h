/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_DELIVERY_H
#define BW_DELIVERY_H
/*
 * Delivery, as the guard's parent process sees it: the process that empties the spool, kept alive. Nothing here waits for a
 * receiver or for that process. What is written into the spool is spooler.h.
 */
#include "guard/alert.h"
#include "guard/sinks/config.h"

struct delivery;

/* Says something to the world: an event of the guard's own (docs/events.md). @sink may be NULL. */
typedef void (*delivery_say_fn)(void *arg, const char *event, enum alert_severity severity, const char *sink, uint64_t n, const char *text);

/*
 * Makes the directories and starts the process. @config and @state_fd (the state directory) must outlive it. On failure a
 * negative errno and one line in @why.
 */
int delivery_open(const struct sinks_config *config, int state_fd, delivery_say_fn say, void *arg, struct delivery **ret, char *why,
		  size_t why_len);
/* Lets the process finish what is under way (at most some seconds), ends it. All of these take NULL. */
void delivery_close(struct delivery *d);
/* Call it a few times a second. */
void delivery_tick(struct delivery *d);
/* Starts the process anew: secrets and certificates are read again, files opened again. */
void delivery_reload(struct delivery *d);

#endif
