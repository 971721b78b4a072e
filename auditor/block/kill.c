// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sock_diag(7): lists TCP sockets and has the kernel end those whose other side is blocked (SOCK_DESTROY, as ss -K does). */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auditor/block/host.h"
#include "common/cleanup.h"

#ifndef SOCK_DESTROY
#define SOCK_DESTROY 21
#endif
#define MAX_KILLED 65536u

struct request {
	struct nlmsghdr h;
	struct inet_diag_req_v2 r;
};

struct found {
	struct inet_diag_sockid *v;
	uint32_t n;
};

static bool is_in(const struct block_prefix *p, uint8_t family, const __be32 *address)
{
	struct block_prefix a = { .len = 128 };

	if (family == AF_INET) {
		a.address[10] = a.address[11] = 0xff;
		memcpy(a.address + 12, address, 4);
	} else {
		memcpy(a.address, address, 16);
	}
	return block_prefix_overlaps(p, &a);
}

static int dump(int fd, uint8_t family, const struct block_prefix *p, struct found *f)
{
	static _Alignas(struct nlmsghdr) char buf[65536];
	struct request q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = family },
			     .r = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u } };

	if (send(fd, &q, sizeof(q), 0) < 0)
		return -errno;
	for (;;) {
		ssize_t got = recv(fd, buf, sizeof(buf), 0);
		const struct nlmsghdr *h = (const void *)buf;
		size_t left;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		for (left = (size_t)got; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			const struct inet_diag_msg *m = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)) ? ((const struct nlmsgerr *)NLMSG_DATA(h))->error : -EPROTO;
			if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || !m->id.idiag_dport || !is_in(p, m->idiag_family, m->id.idiag_dst))
				continue;
			if (f->n == MAX_KILLED)
				return -E2BIG;
			if (!(f->n & (f->n - 1))) {
				struct inet_diag_sockid *v = realloc(f->v, (f->n ? 2 * (size_t)f->n : 1) * sizeof(*v));

				if (!v)
					return -ENOMEM;
				f->v = v;
			}
			f->v[f->n++] = m->id;
		}
	}
}

/* 0: ended; -ENOENT: it was over by then. */
static int destroy(int fd, uint8_t family, const struct inet_diag_sockid *id)
{
	struct request q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = SOCK_DESTROY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
			     .r = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u, .id = *id } };
	_Alignas(struct nlmsghdr) char buf[1024];
	const struct nlmsghdr *h = (const void *)buf;
	ssize_t got;

	if (send(fd, &q, sizeof(q), 0) < 0)
		return -errno;
	do
		got = recv(fd, buf, sizeof(buf), 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (!NLMSG_OK(h, (size_t)got) || h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EPROTO;
	return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
}

int block_kill_connections(const struct block_prefix *p, uint32_t *ret_n)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int r = fd < 0 ? -errno : 0;

	*ret_n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(families) && !r; i++) {
		struct found f = { 0 };

		r = dump(fd, families[i], p, &f);
		for (uint32_t k = 0; k < f.n && !r; k++) {
			r = destroy(fd, families[i], &f.v[k]);
			*ret_n += !r;
			if (r == -ENOENT)
				r = 0;
		}
		free(f.v);
	}
	return r;
}
