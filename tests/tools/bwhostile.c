// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-libs: guard
/*
 * bwhostile: the guard, whose worker is in other hands from its first moment. Everything else is bpfwardend's own: options, parent, and
 * what surrounds the worker. Each time it is started it does one thing more from a list, counted in the file "attack" of the state
 * directory, and says on standard error what came of it: "attack N NAME: RESULT". After the last it is quiet.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "guard/requests.h"
#include "guard/worker.h"

/* These take the place of guard/worker.c. */
const struct privsep_profile worker_profile = { .name = "core", .calls = BW_CALLS_FILES | BW_CALLS_EVENTS };

static void *ring_pages[2]; /* of the consumer, writable: mapped while that is allowed */

int worker_prepare(void *arg)
{
	const struct worker_setup *s = arg;
	const int rings[] = { s->alerts, s->events };

	for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
		ring_pages[i] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, rings[i], 0);
		if (ring_pages[i] == MAP_FAILED)
			return -errno;
	}
	return 0;
}

static void said(unsigned int n, const char *name, const char *result)
{
	dprintf(2, "attack %u %s: %s\n", n, name, result);
}

/* A packet as it is on the channel (guard/privsep.c): type, length, payload; nothing is checked on this side. */
static int raw(int channel, uint32_t type, uint32_t len, size_t n, int fd)
{
	static char packet[PRIVSEP_MAX_MESSAGE + 4096];
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { packet, 8 + n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	memset(packet, 0xff, sizeof(packet));
	memcpy(packet, &type, 4);
	memcpy(packet + 4, &len, 4);
	if (fd >= 0) {
		struct cmsghdr *c;

		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	return sendmsg(channel, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- within the protocol: any number, in any order, again and again */

static const char *flood(const struct privsep_channels *ch)
{
	static struct privsep_message m;
	static char result[100];
	unsigned int answered = 0;
	uint64_t id = ~0ULL;

	for (unsigned int i = 0; i < 3000; i++) {
		enum request type = i % 3 == 0 ? REQUEST_STATUS : i % 3 == 1 ? REQUEST_CGROUP : REQUEST_API;

		id = id * 6364136223846793005ULL + 1;
		raw(ch->requests, REQUEST_READY, 0, 0, -1);
		if (!privsep_ask(ch->requests, answer_forms, REQUEST_COUNT, type, type == REQUEST_CGROUP ? &id : NULL,
				 type == REQUEST_CGROUP ? sizeof(id) : 0, &m))
			answered++;
	}
	snprintf(result, sizeof(result), "%u of 3000 answered", answered);
	return result;
}

/* What a worker has in its hands beside the channels: the consumer's side of the ring buffers. */
static const char *spoil_rings(const struct privsep_channels *ch)
{
	for (size_t i = 0; i < ARRAY_SIZE(ring_pages); i++)
		for (size_t k = 0; k < 4096 / sizeof(uint64_t); k++)
			((volatile uint64_t *)ring_pages[i])[k] = ~0ULL - k;
	return "written";
}

/* The other direction: what only the parent says. */
static const char *talk_back(const struct privsep_channels *ch)
{
	for (uint32_t type = 0; type < NOTE_COUNT + 2; type++)
		raw(ch->notes, type, 64, 64, -1);
	return "sent";
}

/* ---- outside it: each of these has to be the end */

static const char *unknown_type(const struct privsep_channels *ch)
{
	raw(ch->requests, REQUEST_COUNT, 0, 0, -1);
	return "sent";
}

static const char *lying_length(const struct privsep_channels *ch)
{
	raw(ch->requests, REQUEST_CGROUP, 8, 4, -1);
	raw(ch->requests, REQUEST_CGROUP, UINT32_MAX, 8, -1);
	return "sent";
}

static const char *too_long(const struct privsep_channels *ch)
{
	raw(ch->requests, REQUEST_STATUS, PRIVSEP_MAX_MESSAGE + 4000, PRIVSEP_MAX_MESSAGE + 4000, -1);
	return "sent";
}

static const char *with_descriptor(const struct privsep_channels *ch)
{
	raw(ch->requests, REQUEST_STATUS, 0, 0, ch->notes);
	return "sent";
}

static const char *disarm(const struct privsep_channels *ch)
{
	uint32_t attr[32] = { 2, 4, 4, 1 };

	syscall(SYS_bpf, 0, attr, sizeof(attr));
	return "came back from bpf()";
}

static const struct {
	const char *name;
	const char *(*run)(const struct privsep_channels *ch);
	bool ends; /* it has to be killed for that */
} attacks[] = {
	{ "flood", flood, false },	    { "rings", spoil_rings, false },	{ "notes", talk_back, false },
	{ "unknown", unknown_type, true },  { "length", lying_length, true },	{ "long", too_long, true },
	{ "descriptor", with_descriptor, true }, { "bpf", disarm, true },
};

int worker_run(void *arg, const struct privsep_channels *ch)
{
	int fd = open("/attack", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unsigned int n = 0;
	bool ends = false;

	if (fd < 0 || privsep_send(ch->requests, REQUEST_READY, NULL, 0, -1, true) < 0)
		return -EIO;
	if (pread(fd, &n, sizeof(n), 0) != sizeof(n))
		n = 0;
	poll(NULL, 0, 1000); /* until the parent is armed and has dropped its privileges */
	for (; n < ARRAY_SIZE(attacks) && !ends; n++) {
		unsigned int next = n + 1;

		ends = attacks[n].ends;
		if (pwrite(fd, &next, sizeof(next), 0) != sizeof(next))
			return -EIO;
		if (ends)
			said(n, attacks[n].name, "to be the end");
		said(n, attacks[n].name, attacks[n].run(ch));
	}
	if (!ends)
		said(n, "over", "quiet");
	/* Reads nothing of what it is told, until it is ended for that or the parent is gone. */
	for (;;)
		poll(NULL, 0, 200);
}

#include "guard/main.c"
