/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_LOOP_H
#define BW_GUARD_LOOP_H
/*
 * A small event loop: epoll, timerfd, signalfd. One thread. Sources may be added and removed from inside callbacks.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

struct loop;
struct loop_source;

/* Callbacks return 0 to go on, or a negative errno, which ends loop_run() with it. */
typedef int (*loop_fd_fn)(void *arg, int fd, uint32_t events); /* EPOLLIN ... */
typedef int (*loop_timer_fn)(void *arg, uint64_t expirations);
typedef int (*loop_signal_fn)(void *arg, const struct signalfd_siginfo *si);

/* Also ignores SIGPIPE for the process: a reader that went away is an errno here, not a death. */
int loop_open(struct loop **ret);
void loop_close(struct loop *l); /* frees all sources; NULL is fine */

/* @fd stays the caller's. @ret_source may be NULL. Level-triggered. */
int loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn fn, void *arg, struct loop_source **ret_source);
int loop_modify(struct loop_source *s, uint32_t events);
/* CLOCK_MONOTONIC; @first_ns from now; @interval_ns 0 is a single shot. Missed expirations come as one call. */
int loop_add_timer(struct loop *l, uint64_t first_ns, uint64_t interval_ns, loop_timer_fn fn, void *arg,
		   struct loop_source **ret_source);
/* Sets a timer anew; both zero stop it. */
int loop_set_timer(struct loop_source *s, uint64_t first_ns, uint64_t interval_ns);
/* Blocks the signals of @set and reports them here. */
int loop_add_signals(struct loop *l, const sigset_t *set, loop_signal_fn fn, void *arg, struct loop_source **ret_source);
void loop_remove(struct loop_source *s); /* closes timer and signal descriptors; NULL is fine */

/* Waits up to @timeout_ms (-1: for ever) and dispatches once. Returns 0 or the negative errno of a callback. */
int loop_step(struct loop *l, int timeout_ms);
/* Until loop_quit() (returns its @code) or an error. */
int loop_run(struct loop *l);
void loop_quit(struct loop *l, int code);

#endif
