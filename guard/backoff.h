/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_BACKOFF_H
#define BW_BACKOFF_H
/*
 * A service that ends badly again and again waits longer before each start: loading is work for the whole host, and what the kernel
 * refuses it goes on refusing meanwhile. What is known of earlier starts is one line in a directory that the service manager keeps
 * from one start to the next, and removes with the service.
 */
#include <stdint.h>

#define BACKOFF_MAX_MS	  30000u
#define BACKOFF_STABLE_MS 600000u /* a start that lasted so long was a good one */

/* Before the start that follows so many bad ones: 0 for the first, whose pause is the service manager's; then 2 s, 4 s, ... */
uint32_t backoff_wait_ms(uint32_t failures);
/*
 * Notes that a start begins, at @now_ms of CLOCK_BOOTTIME, and will have waited by backoff_wait_ms() first. *ret_failures: how many before
 * it, one after the other, neither ended in order nor lasted; 0 when one of @settings (paths, to NULL) was changed since the last of
 * them, because somebody is mending. -errno: nothing is known, and nothing noted.
 */
int backoff_begin(const char *dir, uint64_t now_ms, const char *const *settings, uint32_t *ret_failures);
/* Ended in order: the next start has nothing to wait for. */
void backoff_end(const char *dir);

#endif
