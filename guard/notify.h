/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_NOTIFY_H
#define BW_GUARD_NOTIFY_H
/*
 * Tells the service manager how the guard is: datagrams to $NOTIFY_SOCKET (sd_notify(3)), without a library. Everything is a no-op where
 * there is no service manager.
 */
#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;		      /* -1: nobody listens */
	uint64_t watchdog_ns; /* how often a sign of life is wanted at least; 0: never */
};

/*
 * Connects to the address in @socket (a path, or an abstract name after '@'; NULL for none). @watchdog_usec and @watchdog_pid are the texts of
 * the variables, NULL when unset. 0, or a negative errno: then nobody is told.
 */
int notify_open(const char *socket, const char *watchdog_usec, const char *watchdog_pid, struct notify *ret);
void notify_close(struct notify *n);
/* "READY=1\nSTATUS=...". 0 or -errno; callers may ignore it. */
int notify_send(const struct notify *n, const char *state);
/* Is a sign of life due, @now_ns after @last_ns? Half of what is wanted has passed. */
bool notify_due(const struct notify *n, uint64_t last_ns, uint64_t now_ns);

#endif
