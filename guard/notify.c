// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"

static bool number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return !errno && end != text && !*end;
}

int notify_open(const char *socket_name, const char *watchdog_usec, const char *watchdog_pid, struct notify *ret)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	size_t len = socket_name ? strlen(socket_name) : 0;
	uint64_t usec, pid;

	*ret = (struct notify){ .fd = -1 };
	if (!len)
		return 0;
	if ((socket_name[0] != '/' && socket_name[0] != '@') || len >= sizeof(a.sun_path))
		return -EINVAL;
	memcpy(a.sun_path, socket_name, len);
	if (socket_name[0] == '@')
		a.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return -errno;
	/* Meant for another process when it names one. */
	if (watchdog_usec && number(watchdog_usec, &usec) && usec && usec < UINT64_MAX / 1000 &&
	    (!watchdog_pid || (number(watchdog_pid, &pid) && pid == (uint64_t)getpid())))
		ret->watchdog_ns = usec * 1000;
	ret->fd = TAKE_FD(fd);
	return 0;
}

void notify_close(struct notify *n)
{
	bw_closep(&n->fd);
	n->fd = -1;
}

int notify_send(const struct notify *n, const char *state)
{
	if (n->fd < 0)
		return 0;
	return send(n->fd, state, strlen(state), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

bool notify_due(const struct notify *n, uint64_t last_ns, uint64_t now_ns)
{
	return n->fd >= 0 && n->watchdog_ns && now_ns - last_ns >= n->watchdog_ns / 2;
}
