// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/ledger.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* Kinds of thing that somebody made: part of the key. */
enum made { MADE_LINK = 1, MADE_PROGRAM, MADE_INTERFACE };

struct maker {
	uint64_t start_ns;
	uint32_t tgid;
	uint32_t id;
	uint32_t kind; /* enum made; 0: free */
};

struct map_name {
	uint32_t id; /* 0: free */
	char name[BW_OBJ_NAME_LEN + 1];
};

struct process {
	uint64_t start_ns;
	uint32_t tgid; /* 0: free */
	char exe[DECODE_PATH_MAX];
};

struct ledger {
	struct ledger_namespaces own;
	struct maker makers[LEDGER_PLACES];
	struct map_name maps[LEDGER_PLACES];
	struct process readers[LEDGER_PLACES / 16];
	uint64_t forgotten;
};

int ledger_new(const struct ledger_namespaces *own, struct ledger **ret)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->own = *own;
	*ret = l;
	return 0;
}

void ledger_free(struct ledger *l)
{
	free(l);
}

uint64_t ledger_forgotten(const struct ledger *l)
{
	return l->forgotten;
}

static size_t place(uint64_t a, uint64_t b, size_t places)
{
	uint64_t h = (a ^ b * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;

	return (h ^ h >> 32) % places;
}

static void maker_note(struct ledger *l, enum made kind, uint32_t id, const struct decode_actor *a)
{
	struct maker *m = &l->makers[place(kind, id, LEDGER_PLACES)];

	if (!id)
		return;
	l->forgotten += m->kind && (m->kind != kind || m->id != id);
	*m = (struct maker){ .start_ns = a->start_ns, .tgid = a->tgid, .id = id, .kind = kind };
}

/* Is it known that another process made it? */
static bool made_by_other(const struct ledger *l, enum made kind, uint32_t id, const struct decode_actor *a)
{
	const struct maker *m = &l->makers[place(kind, id, LEDGER_PLACES)];

	return id && m->kind == kind && m->id == id && (m->tgid != a->tgid || m->start_ns != a->start_ns);
}

static void map_note(struct ledger *l, uint32_t id, const char *name)
{
	struct map_name *m = &l->maps[place(id, 0, LEDGER_PLACES)];

	if (!id || !name[0])
		return;
	l->forgotten += m->id && m->id != id;
	m->id = id;
	snprintf(m->name, sizeof(m->name), "%s", name);
}

static void reader_note(struct ledger *l, const struct decode_actor *a)
{
	struct process *p = &l->readers[place(a->tgid, a->start_ns, ARRAY_SIZE(l->readers))];

	l->forgotten += p->tgid && (p->tgid != a->tgid || p->start_ns != a->start_ns);
	p->tgid = a->tgid;
	p->start_ns = a->start_ns;
	snprintf(p->exe, sizeof(p->exe), "%s", a->exe);
}

/* The interface that a netlink message is about: at 20 in it. 0: none. */
static uint32_t interface_of(const struct decode_attach *a)
{
	uint32_t v = 0;

	if (a->way != BW_WAY_NETLINK_TC || a->request == 48 /* RTM_NEWACTION */ || a->attr_len < 24)
		return 0;
	memcpy(&v, (const char *)a->attr + 20, sizeof(v));
	return v;
}

static void look_attach(struct ledger *l, const struct decode_event *e, struct alert_detail *d)
{
	const struct decode_attach *a = &e->attach;
	const struct decode_actor *who = &e->actor;
	bool worked = !(a->flags & BW_ATTACH_HAS_RESULT) || a->error >= 0;

	d->other_namespaces = (l->own.pid && who->pid_ns != l->own.pid) || (l->own.mnt && who->mnt_ns != l->own.mnt) ||
			      (l->own.user && who->user_ns != l->own.user);
	switch (a->way) {
	case BW_WAY_LINK:
		if (a->request == BPF_LINK_CREATE) {
			if (worked)
				maker_note(l, MADE_LINK, a->link_id, who);
		} else {
			d->not_owner = made_by_other(l, MADE_LINK, a->link_id, who);
		}
		break;
	case BW_WAY_RAW_TRACEPOINT:
		if (worked)
			maker_note(l, MADE_LINK, a->link_id, who);
		break;
	case BW_WAY_PROG_ATTACH:
		if (a->request == BPF_PROG_DETACH)
			d->not_owner = made_by_other(l, MADE_PROGRAM, a->prog.id, who);
		else if (worked)
			maker_note(l, MADE_PROGRAM, a->prog.id, who);
		break;
	case BW_WAY_NETLINK_TC:
		if (a->request == 44 /* RTM_NEWTFILTER */)
			maker_note(l, MADE_INTERFACE, interface_of(a), who);
		else
			d->not_owner = made_by_other(l, MADE_INTERFACE, interface_of(a), who);
		break;
	default:
		break;
	}
}

static void look_egress(struct ledger *l, const struct decode_egress *g, struct alert_detail *d)
{
	const struct map_name *m = &l->maps[place(g->map_id, 0, LEDGER_PLACES)];
	const struct process *p = &l->readers[place(g->reader_tgid, g->reader_start_ns, ARRAY_SIZE(l->readers))];

	if (m->id == g->map_id)
		d->map_name = m->name;
	if (p->tgid == g->reader_tgid && p->start_ns == g->reader_start_ns)
		d->reader_exe = p->exe;
}

void ledger_look(struct ledger *l, const struct decode_event *e, struct alert_detail *d)
{
	switch (e->type) {
	case BW_EVENT_MAP:
		map_note(l, e->map.map_id, e->map.name);
		break;
	case BW_EVENT_ACCESS:
		map_note(l, e->access.map_id, e->access.name);
		if (e->access.labels)
			reader_note(l, &e->actor);
		break;
	case BW_EVENT_ATTACH:
		look_attach(l, e, d);
		break;
	case BW_EVENT_EGRESS:
		look_egress(l, &e->egress, d);
		break;
	default:
		break;
	}
}
