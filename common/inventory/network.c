// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is attached to interfaces, in every network namespace that some process has: XDP (rtnetlink(7), IFLA_XDP), tc classifiers
 * (RTM_GETTFILTER, linux/pkt_cls.h), tcx, netkit, flow dissectors and socket lookup (BPF_PROG_QUERY).
 */
#include "common/inventory/inventory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/bpf_names.h"
#include "common/cleanup.h"

#define MAX_NAMESPACES 4096u
#define MAX_QDISCS     65536u

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

struct qdisc {
	uint32_t ifindex, handle;
	char kind[16];
};

struct net {
	struct inventory *inv;
	int rtnl;
	uint32_t seq;
	char ns[32]; /* "" for this process' own, else " netns 4026531840" */
	struct qdisc *qdiscs;
	uint32_t n_qdiscs, cap_qdiscs;
	const struct qdisc *at; /* whose filters are being read */
	const char *direction;
	uint32_t *ifindexes;
	uint32_t n_ifindexes, cap_ifindexes;
};

static const char *device(uint32_t ifindex, char buf[static IF_NAMESIZE + 16])
{
	if (!if_indextoname(ifindex, buf))
		snprintf(buf, IF_NAMESIZE + 16, "interface %u", ifindex);
	return buf;
}

static int saw(struct net *n, uint32_t prog_id, const char *what, uint32_t ifindex, const char *name)
{
	struct inv_sighting s = { .kind = INV_PROG, .view = INV_VIEW_NETLINK, .id = prog_id, .fd = -1 };
	char dev[IF_NAMESIZE + 16], *text;

	if (asprintf(&text, "%s %s%s%s%s", what, device(ifindex, dev), name ? " " : "", name ? name : "", n->ns) < 0)
		return -ENOMEM;
	return inv_saw(n->inv, &s, text);
}

/* Attributes by number; those beyond @max are passed over. The kernel is trusted to be well-formed, its lengths are not. */
static void attributes(const struct rtattr *a, size_t len, const struct rtattr **table, unsigned int max)
{
	memset(table, 0, (max + 1) * sizeof(*table));
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if ((a->rta_type & NLA_TYPE_MASK) <= max)
			table[a->rta_type & NLA_TYPE_MASK] = a;
}

static uint32_t attr_u32(const struct rtattr *a)
{
	uint32_t v = 0;

	if (a && RTA_PAYLOAD(a) >= sizeof(v))
		memcpy(&v, RTA_DATA(a), sizeof(v));
	return v;
}

static int on_link(struct net *n, const struct nlmsghdr *h)
{
	static const struct {
		int attr;
		const char *what;
	} modes[] = { { IFLA_XDP_DRV_PROG_ID, "xdp" }, { IFLA_XDP_SKB_PROG_ID, "xdp generic" }, { IFLA_XDP_HW_PROG_ID, "xdp offload" } };
	const struct ifinfomsg *i = NLMSG_DATA(h);
	const struct rtattr *table[IFLA_XDP + 1], *xdp[IFLA_XDP_HW_PROG_ID + 1];
	bool some = false;
	int r = 0;

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*i)))
		return 0;
	if (n->n_ifindexes == n->cap_ifindexes) {
		uint32_t cap = n->cap_ifindexes ? 2 * n->cap_ifindexes : 64;
		uint32_t *v = realloc(n->ifindexes, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		n->ifindexes = v;
		n->cap_ifindexes = cap;
	}
	n->ifindexes[n->n_ifindexes++] = (uint32_t)i->ifi_index;
	attributes(IFLA_RTA(i), h->nlmsg_len - NLMSG_LENGTH(sizeof(*i)), table, IFLA_XDP);
	if (!table[IFLA_XDP])
		return 0;
	attributes(RTA_DATA(table[IFLA_XDP]), RTA_PAYLOAD(table[IFLA_XDP]), xdp, IFLA_XDP_HW_PROG_ID);
	for (size_t k = 0; k < ARRAY_SIZE(modes) && !r; k++)
		if (attr_u32(xdp[modes[k].attr])) {
			r = saw(n, attr_u32(xdp[modes[k].attr]), modes[k].what, (uint32_t)i->ifi_index, NULL);
			some = true;
		}
	if (!some && !r && attr_u32(xdp[IFLA_XDP_PROG_ID]))
		r = saw(n, attr_u32(xdp[IFLA_XDP_PROG_ID]), "xdp", (uint32_t)i->ifi_index, NULL);
	return r;
}

static int on_qdisc(struct net *n, const struct nlmsghdr *h)
{
	const struct tcmsg *t = NLMSG_DATA(h);
	const struct rtattr *table[TCA_KIND + 1];
	struct qdisc *q;

	if (h->nlmsg_type != RTM_NEWQDISC || h->nlmsg_len < NLMSG_LENGTH(sizeof(*t)))
		return 0;
	attributes(TCA_RTA(t), h->nlmsg_len - NLMSG_LENGTH(sizeof(*t)), table, TCA_KIND);
	if (!table[TCA_KIND])
		return 0;
	if (n->n_qdiscs == MAX_QDISCS)
		return inv_note(n->inv, "more than %u queueing disciplines", MAX_QDISCS);
	if (n->n_qdiscs == n->cap_qdiscs) {
		uint32_t cap = n->cap_qdiscs ? 2 * n->cap_qdiscs : 64;
		struct qdisc *v = realloc(n->qdiscs, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		n->qdiscs = v;
		n->cap_qdiscs = cap;
	}
	q = &n->qdiscs[n->n_qdiscs++];
	*q = (struct qdisc){ .ifindex = (uint32_t)t->tcm_ifindex, .handle = t->tcm_handle };
	snprintf(q->kind, sizeof(q->kind), "%.*s", (int)RTA_PAYLOAD(table[TCA_KIND]), (const char *)RTA_DATA(table[TCA_KIND]));
	return 0;
}

static int on_filter(struct net *n, const struct nlmsghdr *h)
{
	const struct tcmsg *t = NLMSG_DATA(h);
	const struct rtattr *table[TCA_OPTIONS + 1], *bpf[TCA_BPF_ID + 1];
	char what[32], name[64];

	if (h->nlmsg_type != RTM_NEWTFILTER || h->nlmsg_len < NLMSG_LENGTH(sizeof(*t)))
		return 0;
	attributes(TCA_RTA(t), h->nlmsg_len - NLMSG_LENGTH(sizeof(*t)), table, TCA_OPTIONS);
	if (!table[TCA_KIND] || !table[TCA_OPTIONS] || RTA_PAYLOAD(table[TCA_KIND]) < 3 || memcmp(RTA_DATA(table[TCA_KIND]), "bpf", 3))
		return 0;
	attributes(RTA_DATA(table[TCA_OPTIONS]), RTA_PAYLOAD(table[TCA_OPTIONS]), bpf, TCA_BPF_ID);
	if (!attr_u32(bpf[TCA_BPF_ID]))
		return 0; /* the head of the list, or classic BPF */
	snprintf(what, sizeof(what), "tc %s", n->direction);
	name[0] = 0;
	if (bpf[TCA_BPF_NAME])
		snprintf(name, sizeof(name), "%.*s", (int)RTA_PAYLOAD(bpf[TCA_BPF_NAME]), (const char *)RTA_DATA(bpf[TCA_BPF_NAME]));
	return saw(n, attr_u32(bpf[TCA_BPF_ID]), what, (uint32_t)t->tcm_ifindex, name[0] ? name : NULL);
}

/* Sends a dump request and hands each message to @fn. */
static int dump(struct net *n, int type, const void *body, size_t len, int (*fn)(struct net *n, const struct nlmsghdr *h))
{
	static _Alignas(struct nlmsghdr) char buf[65536];
	struct {
		struct nlmsghdr h;
		char body[64];
	} req = { .h = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(len), .nlmsg_type = (uint16_t)type,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = ++n->seq } };

	memcpy(req.body, body, len);
	if (send(n->rtnl, &req, req.h.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t got = recv(n->rtnl, buf, sizeof(buf), MSG_TRUNC);
		const struct nlmsghdr *h = (const void *)buf;
		size_t left;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if ((size_t)got > sizeof(buf))
			return -EMSGSIZE;
		for (left = (size_t)got; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			int r;

			if (h->nlmsg_seq != n->seq)
				continue;
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)) ? ((struct nlmsgerr *)NLMSG_DATA(h))->error : -EPROTO;
			r = fn(n, h);
			if (r)
				return r;
		}
	}
}

static int filters(struct net *n)
{
	for (uint32_t i = 0; i < n->n_qdiscs; i++) {
		const struct qdisc *q = &n->qdiscs[i];
		bool clsact = !strcmp(q->kind, "clsact");
		const struct {
			uint32_t parent;
			const char *direction;
		} places[] = {
			{ TC_H_MAKE(TC_H_CLSACT, clsact ? TC_H_MIN_INGRESS : 0), "ingress" },
			{ TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), "egress" },
			{ q->handle, "egress" },
		};
		bool ingress = clsact || !strcmp(q->kind, "ingress");

		for (size_t k = ingress ? 0 : 2; k < (clsact ? 2u : ingress ? 1u : 3u); k++) {
			struct tcmsg t = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)q->ifindex, .tcm_parent = places[k].parent };
			int r;

			n->direction = places[k].direction;
			r = dump(n, RTM_GETTFILTER, &t, sizeof(t), on_filter);
			/* A discipline without classes has no filters to list. */
			if (r && r != -EINVAL && r != -ENOENT && r != -EOPNOTSUPP && r != -ENODEV)
				return r;
		}
	}
	return 0;
}

static int queries(struct net *n)
{
	static const char *const of_device[] = { "tcx_ingress", "tcx_egress", "netkit_primary", "netkit_peer" };
	static const char *const of_ns[] = { "flow_dissector", "sk_lookup" };
	_cleanup_close_ int ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	char where[96], dev[IF_NAMESIZE + 16];
	int r = 0;

	for (size_t k = 0; k < ARRAY_SIZE(of_ns) && !r && ns >= 0; k++) {
		snprintf(where, sizeof(where), "%s%s", of_ns[k], n->ns);
		r = inv_query(n->inv, (uint32_t)ns, (uint32_t)bw_attach_type_id(of_ns[k]), where);
	}
	for (size_t k = 0; k < ARRAY_SIZE(of_device) && !r; k++)
		for (uint32_t i = 0; i < n->n_ifindexes && !r; i++) {
			int type = bw_attach_type_id(of_device[k]);

			if (type < 0)
				continue;
			snprintf(where, sizeof(where), "%s %s%s", of_device[k], device(n->ifindexes[i], dev), n->ns);
			r = inv_query(n->inv, n->ifindexes[i], (uint32_t)type, where);
		}
	return r;
}

/* The network namespace that this thread is in. */
static int look(struct inventory *inv, const char *ns)
{
	struct net n = { .inv = inv, .rtnl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) };
	struct ifinfomsg i = { .ifi_family = AF_UNSPEC };
	struct tcmsg t = { .tcm_family = AF_UNSPEC };
	int r;

	snprintf(n.ns, sizeof(n.ns), "%s", ns);
	if (n.rtnl < 0)
		return inv_note(inv, "no rtnetlink: %s", strerror(errno));
	r = dump(&n, RTM_GETLINK, &i, sizeof(i), on_link);
	if (!r)
		r = dump(&n, RTM_GETQDISC, &t, sizeof(t), on_qdisc);
	if (!r)
		r = filters(&n);
	if (!r)
		r = queries(&n);
	close(n.rtnl);
	free(n.qdiscs);
	free(n.ifindexes);
	return r && r != -ENOMEM ? inv_note(inv, "rtnetlink: %s", strerror(-r)) : r;
}

int inv_network(struct inventory *inv)
{
	_cleanup_close_ int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	BW_CLEANUP(closedirp) DIR *d = opendir("/proc");
	_cleanup_free_ ino_t *seen = calloc(MAX_NAMESPACES, sizeof(*seen));
	enum inv_state state = INV_COMPLETE;
	uint32_t n_seen = 0;
	struct dirent *e;
	struct stat st;
	int r;

	if (!seen)
		return -ENOMEM;
	r = look(inv, "");
	if (own >= 0 && !fstat(own, &st))
		seen[n_seen++] = st.st_ino;
	while (!r && own >= 0 && d && (e = readdir(d))) {
		_cleanup_close_ int fd = -1;
		char path[64], name[40];
		bool known = false;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/ns/net", e->d_name);
		if (stat(path, &st) < 0)
			continue;
		for (uint32_t i = 0; i < n_seen; i++)
			known |= seen[i] == st.st_ino;
		if (known)
			continue;
		if (n_seen == MAX_NAMESPACES) {
			r = inv_note(inv, "more than %u network namespaces", MAX_NAMESPACES);
			break;
		}
		seen[n_seen++] = st.st_ino;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
			state = INV_PARTIAL;
			r = inv_note(inv, "network namespaces of some processes cannot be entered");
			continue;
		}
		snprintf(name, sizeof(name), " netns %lu", (unsigned long)st.st_ino);
		r = look(inv, name);
		if (setns(own, CLONE_NEWNET) < 0)
			return inv_note(inv, "the network namespace cannot be entered again: %s", strerror(errno));
	}
	inv->view[INV_PROG][INV_VIEW_NETLINK] = state;
	return r;
}
