/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_CONTROL_H
#define BW_GUARD_CONTROL_H
/*
 * The control socket: a UNIX stream socket, mode 0600, for root and the guard's own user. Requests and answers are lines of
 * JSON (docs/control.md):
 *	{"cmd":"status"}
 *	{"cmd":"sink_test","sink":"..."}
 *	{"cmd":"report","event":"block_added","message":"...","block_id":3,...}	root only
 *	{"cmd":"events","follow":true,"since_seq":N,"kind":"load","severity":"high","rule":"...","limit":N}
 * Nothing a client does blocks the guard or grows beyond a bound: a follower that does not keep up is told from which event
 * on it lost some, and dropped.
 */
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "common/buf.h"
#include "common/event_store.h"
#include "common/json.h"
#include "guard/alert.h"
#include "guard/loop.h"

#define CONTROL_MAX_CLIENTS 16
#define CONTROL_MAX_REQUEST 4096
#define CONTROL_MAX_OUTPUT (1u << 20) /* bytes waiting for one client */

struct control;

struct control_ops {
	/* Appends one JSON object (no newline) to @out. */
	int (*status)(void *arg, struct bw_buf *out);
	/* Stored events, in rising order, like store_query(). */
	int (*query)(void *arg, const struct event_store_query *q, event_store_row_fn fn, void *fn_arg);
	/* Publishes a test event for the sink @name and tells where: members of the object that is open in @j. -ENOENT: no such sink. */
	int (*sink_test)(void *arg, const char *name, struct bw_json *j);
	/* What bpfwarden block has done becomes an event of the guard. NULL: not taken. */
	void (*report)(void *arg, const char *event, const char *message, enum alert_severity severity, const struct alert_kv *kv);
	void *arg;
};

struct control_stats {
	unsigned int clients, followers;
	uint64_t accepted;
	uint64_t refused;    /* not allowed, or too many */
	uint64_t bad;	     /* requests that were not understood */
	uint64_t dropped;    /* followers that were too slow */
	uint64_t lost;	     /* events that those followers did not get before they were closed */
};

/* The listening socket: made by one process, served by another. */
struct control_socket {
	struct sockaddr_un addr;
	int fd, lock_fd; /* -1: none */
	dev_t dev;
	ino_t ino;
};

/*
 * Listens at @path. -EADDRINUSE: another guard serves there ("already running"); the socket file of a dead one is
 * replaced. -ENOTSOCK: something else is at @path.
 */
int control_listen(const char *path, struct control_socket *ret);
/* Removes the socket file, if it still is ours, and closes. */
void control_unlisten(struct control_socket *cs);

/* Starts to serve on @fd, a control_socket's, which stays the caller's. @ops and @l must outlive the control. */
int control_open(struct loop *l, int fd, const struct control_ops *ops, struct control **ret);
/* Closes all clients. NULL is fine. */
void control_close(struct control *c);
/* Hands one event to the followers that want it. */
void control_publish(struct control *c, const struct alert *a);
void control_stats(const struct control *c, struct control_stats *ret);

#endif
