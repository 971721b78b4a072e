// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* journald's native protocol: a datagram an event; what is too large for one goes as a sealed memory file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "guard/sinks/sink.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct journald {
	int fd;
};

static int journald_prepare(struct sink *s)
{
	struct journald *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->fd = -1;
	s->state = j;
	return 0;
}

static int journald_open(struct sink *s)
{
	const char *path = s->config->address ? s->config->address : JOURNAL_SOCKET;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct journald *j = s->state;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		sink_why(s, "%s: %s", path, strerror(errno));
		return -errno;
	}
	j->fd = TAKE_FD(fd);
	return 0;
}

static int send_file(int socket, const char *data, size_t len)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	_cleanup_close_ int fd = memfd_create("bpfwarden-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	union {
		struct cmsghdr hdr;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_control = &control, .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	if (fd < 0)
		return -errno;
	if (write(fd, data, len) != (ssize_t)len)
		return -EIO;
	if (fcntl(fd, F_ADD_SEALS, seals) < 0)
		return -errno;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(socket, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int journald_send(struct sink *s, struct sink_batch *b)
{
	struct journald *j = s->state;

	for (size_t i = 0; i < b->n; i++) {
		struct sink_item *it = &b->items[i];
		/* The export format has the time in front and an empty line at the end, which the socket does not. */
		const char *text = b->text.data + it->offset, *begin = memchr(text, '\n', it->len);
		size_t len = it->len - (size_t)(begin + 1 - text) - 1;
		int r;

		if (it->status != ITEM_OPEN)
			continue;
		begin++;
		while ((r = send(j->fd, begin, len, MSG_NOSIGNAL) < 0 ? -errno : 0) == -EAGAIN && !sink_stopping(s)) {
			struct pollfd p = { .fd = j->fd, .events = POLLOUT };

			poll(&p, 1, 100);
		}
		if (r == -EMSGSIZE || r == -ENOBUFS)
			r = send_file(j->fd, begin, len);
		if (r < 0) {
			sink_why(s, "journald: %s", strerror(-r));
			return r;
		}
		it->status = ITEM_DONE;
	}
	return 0;
}

static void journald_close(struct sink *s, bool orderly)
{
	struct journald *j = s->state;

	(void)orderly;
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

static void journald_release(struct sink *s)
{
	if (!s->state)
		return;
	journald_close(s, false);
	free(s->state);
}

const struct sink_ops sink_journald_ops = {
	.prepare = journald_prepare, .open = journald_open, .send = journald_send, .close = journald_close, .release = journald_release,
};
