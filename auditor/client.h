/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CLIENT_H
#define BW_CLIENT_H
/*
 * The client's side of the guard's control socket: lines of JSON both ways (docs/control.md).
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

#define CLIENT_MAX_LINE (2u << 20) /* an answer longer than this is refused */

struct client;

/* -ENOENT or -ECONNREFUSED: no guard runs there; -EACCES: not allowed to ask; other negative errnos. */
int client_open(const char *path, struct client **ret);
void client_close(struct client *c); /* NULL is fine */
static inline void client_closep(struct client **c)
{
	client_close(*c);
}
#define _cleanup_client_ BW_CLEANUP(client_closep)

/* Sends @line and a newline. */
int client_send(struct client *c, const char *line);
/*
 * Waits for the next line; *ret_line (without newline, NUL-terminated) is good until the next call. Returns 1; 0 at the end;
 * -ETIMEDOUT after @timeout_s seconds (0: waits for ever); -EMSGSIZE; -EPIPE when the end came inside a line.
 */
int client_receive(struct client *c, unsigned int timeout_s, const char **ret_line, size_t *ret_len);

/* Where the guard listens: @socket if given, else in @state_dir if given, else the default. In @buf, or one of the arguments. */
const char *client_socket_path(const char *socket, const char *state_dir, char *buf, size_t size);
/* One line for people about an error of client_open(). */
const char *client_open_error(int r);

#endif
