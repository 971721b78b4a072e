// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/event_store.h"

struct client {
	int fd;
	char *buf; /* CLIENT_MAX_LINE + 1 bytes */
	size_t head, len;
};

int client_open(const char *path, struct client **ret)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	_cleanup_client_ struct client *c = NULL;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->fd = -1;
	c->buf = malloc(CLIENT_MAX_LINE + 1);
	if (!c->buf)
		return -ENOMEM;
	c->fd = TAKE_FD(fd);
	*ret = TAKE_PTR(c);
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	free(c);
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int client_send(struct client *c, const char *line)
{
	int r = send_all(c->fd, line, strlen(line));

	return r < 0 ? r : send_all(c->fd, "\n", 1);
}

static int wait_readable(int fd, unsigned int timeout_s)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, timeout_s ? (int)timeout_s * 1000 : -1);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
}

int client_receive(struct client *c, unsigned int timeout_s, const char **ret_line, size_t *ret_len)
{
	size_t seen = 0; /* no newline in so many bytes */

	for (;;) {
		char *nl = memchr(c->buf + c->head + seen, '\n', c->len - seen);
		ssize_t n;
		int r;

		if (nl) {
			size_t line = (size_t)(nl - (c->buf + c->head));

			*nl = '\0';
			*ret_line = c->buf + c->head;
			*ret_len = line;
			c->head += line + 1;
			c->len -= line + 1;
			return 1;
		}
		seen = c->len;
		if (c->len == CLIENT_MAX_LINE)
			return -EMSGSIZE;
		memmove(c->buf, c->buf + c->head, c->len);
		c->head = 0;
		r = wait_readable(c->fd, timeout_s);
		if (r < 0)
			return r;
		n = recv(c->fd, c->buf + c->len, CLIENT_MAX_LINE - c->len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return c->len ? -EPIPE : 0;
		c->len += (size_t)n;
	}
}

const char *client_socket_path(const char *socket, const char *state_dir, char *buf, size_t size)
{
	if (socket)
		return socket;
	if (!state_dir)
		return EVENT_STORE_DEFAULT_SOCKET;
	snprintf(buf, size, "%s/%s", state_dir, EVENT_STORE_SOCKET_FILE);
	return buf;
}

const char *client_open_error(int r)
{
	switch (r) {
	case -ENOENT:
	case -ECONNREFUSED:
	case -ENOTDIR:
		return "no guard runs there";
	case -EACCES:
	case -EPERM:
		return "not allowed: ask as root or as the guard's user";
	default:
		return strerror(-r);
	}
}
