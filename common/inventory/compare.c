// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Holds the sides against each other. Pure. An object counts as hidden only when the second look at the end confirms it: what
 * was loaded or went away while the sides were read is in one of the two lists, or gone.
 */
#include "common/inventory/inventory.h"

#include <linux/bpf.h>
#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"

#define BIT(view) (1u << (view))
/* Sides that name an object without being a list of all of them. */
#define SIGHTINGS                                                                                                              \
	(BIT(INV_VIEW_FD) | BIT(INV_VIEW_PIN) | BIT(INV_VIEW_LINK) | BIT(INV_VIEW_PROG) | BIT(INV_VIEW_MAP) | BIT(INV_VIEW_NETLINK) | \
	 BIT(INV_VIEW_QUERY) | BIT(INV_VIEW_PERF))

static int report(struct inventory *inv, enum inv_severity severity, enum inv_kind kind, uint32_t id, const char *what,
		  const char *fmt, ...) __attribute__((format(printf, 6, 7)));

static int report(struct inventory *inv, enum inv_severity severity, enum inv_kind kind, uint32_t id, const char *what,
		  const char *fmt, ...)
{
	struct inv_discrepancy *d;
	va_list ap;
	int r;

	if (inv->n_discrepancies == inv->cap_discrepancies) {
		uint32_t cap = inv->cap_discrepancies ? 2 * inv->cap_discrepancies : 16;
		struct inv_discrepancy *v = realloc(inv->discrepancies, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		inv->discrepancies = v;
		inv->cap_discrepancies = cap;
	}
	d = &inv->discrepancies[inv->n_discrepancies];
	*d = (struct inv_discrepancy){ .severity = severity, .kind = kind, .id = id, .what = what };
	va_start(ap, fmt);
	r = vasprintf(&d->message, fmt, ap);
	va_end(ap);
	if (r < 0)
		return -ENOMEM;
	inv->n_discrepancies++;
	return 0;
}

static const char *sides(uint32_t views, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = 0;
	for (int v = 0; v < INV_VIEWS && at < size; v++)
		if (views & BIT(v)) {
			int n = snprintf(buf + at, size - at, "%s%s", at ? ", " : "", inv_view_name((enum inv_view)v));

			at += n > 0 ? (size_t)n : 0;
		}
	return buf;
}

static int compare_object(struct inventory *inv, enum inv_kind kind, struct inv_object *o)
{
	const char *name = inv_kind_name(kind);
	uint32_t seen = o->views & (BIT(INV_VIEWS) - 1);
	bool listed = o->views & (BIT(INV_VIEW_WALK) | BIT(INV_AGAIN_WALK));
	bool iterated = o->views & (BIT(INV_VIEW_ITERATOR) | BIT(INV_AGAIN_ITERATOR));
	bool opened = o->views & (BIT(INV_VIEW_PROBE) | BIT(INV_AGAIN_OPEN));
	/* It was there before the second walk, and after it: it was there during it. */
	bool confirmed = (o->views & BIT(INV_AGAIN_ITERATOR)) || ((o->views & BIT(INV_AGAIN_OPEN)) && seen);
	bool stayed = (o->views & BIT(INV_VIEW_WALK)) && (o->views & BIT(INV_AGAIN_WALK));
	char buf[160];

	if (!listed && inv->view[kind][INV_VIEW_WALK] == INV_COMPLETE) {
		if (confirmed) {
			o->hidden = true;
			return report(inv, INV_CRITICAL, kind, o->id, "hidden_from_ids",
				      "%s %u is in use (%s) and missing from the kernel's list of identifiers", name, o->id,
				      sides(seen, buf, sizeof(buf)));
		}
		/* Seen once, by a side that cannot be asked again about it alone. */
		if (seen & SIGHTINGS)
			return report(inv, INV_MEDIUM, kind, o->id, "seen_once",
				      "%s %u was seen (%s) and is not listed; it went away meanwhile, or it is hidden from every list", name,
				      o->id, sides(seen, buf, sizeof(buf)));
		return 0;
	}
	if (stayed && !iterated && inv->view[kind][INV_VIEW_ITERATOR] == INV_COMPLETE) {
		o->hidden = true;
		return report(inv, INV_CRITICAL, kind, o->id, "hidden_from_iterator",
			      "%s %u is listed and missing from the kernel's own iterator", name, o->id);
	}
	if (stayed && !opened && !inv_is_guarded(inv, kind, o->id) && inv->view[kind][INV_VIEW_PROBE] == INV_COMPLETE) {
		o->hidden = true;
		return report(inv, INV_CRITICAL, kind, o->id, "hidden_from_open",
			      "%s %u is listed and cannot be opened: as if it did not exist", name, o->id);
	}
	return 0;
}

static int address_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Code that belongs to no program that can be seen. */
static int compare_symbols(struct inventory *inv)
{
	const struct inv_list *progs = &inv->objects[INV_PROG];
	_cleanup_free_ uint64_t *known = NULL;
	size_t n = 0, at = 0;
	int r = 0;

	for (uint32_t i = 0; i < progs->n; i++)
		n += progs->v[i].prog.n_ksyms;
	known = calloc(n ? n : 1, sizeof(*known));
	if (!known)
		return -ENOMEM;
	for (uint32_t i = 0; i < progs->n; i++)
		for (uint32_t k = 0; k < progs->v[i].prog.n_ksyms; k++)
			if (progs->v[i].prog.ksyms[k])
				known[at++] = progs->v[i].prog.ksyms[k];
	/* Without addresses on either side there is nothing to hold them against. */
	if (!at || inv->view[INV_PROG][INV_VIEW_KALLSYMS] != INV_COMPLETE)
		return 0;
	qsort(known, at, sizeof(*known), address_compare);
	for (uint32_t i = 0; i < inv->n_symbols && !r; i++) {
		const struct inv_symbol *s = &inv->symbols[i];

		if (s->again && s->address && !inv_is_guarded_code(inv, s->address) && !bsearch(&s->address, known, at, sizeof(*known), address_compare))
			r = report(inv, INV_CRITICAL, INV_PROG, 0, "hidden_code",
				   "the kernel has code \"%s\" that belongs to no program that can be seen", s->name);
	}
	return r;
}

/* Not hidden, and not looked into: said once for each guard. */
static int report_guarded(struct inventory *inv)
{
	uint32_t n[INV_KINDS] = { 0 };
	int r = 0;

	for (int k = 0; k < INV_KINDS; k++)
		for (uint32_t i = 0; i < inv->objects[k].n; i++)
			n[k] += !inv->objects[k].v[i].described && inv_is_guarded(inv, (enum inv_kind)k, inv->objects[k].v[i].id);
	if (n[INV_PROG] + n[INV_MAP] + n[INV_LINK] == 0)
		return 0; /* it only looks on */
	for (size_t i = 0; !r && i < ARRAY_SIZE(inv->guards) && inv->guards[i].id; i++)
		r = report(inv, inv->guards[i].in_place ? INV_INFO : INV_MEDIUM, INV_MAP, inv->guards[i].id, "guarded",
			   "%u programs, %u maps and %u links are closed: a guard lists them in map %u%s", n[INV_PROG], n[INV_MAP],
			   n[INV_LINK], inv->guards[i].id, inv->guards[i].in_place ? "" : ", which is not pinned where a guard pins it");
	return r;
}

/* Programs that live on without anybody holding them are not hidden, and worth a look. */
static int compare_holders(struct inventory *inv)
{
	int r = 0;

	for (uint32_t i = 0; i < inv->objects[INV_PROG].n && !r; i++) {
		const struct inv_object *o = &inv->objects[INV_PROG].v[i];
		const char *holder;

		if (!o->described || o->hidden || inv->view[INV_PROG][INV_VIEW_FD] != INV_COMPLETE || !(o->views & BIT(INV_AGAIN_OPEN)))
			continue;
		holder = inv_holder_of(inv, INV_PROG, o);
		if (!strcmp(holder, "unknown"))
			r = report(inv, INV_MEDIUM, INV_PROG, o->id, "unexplained",
				   "program %u \"%s\" is loaded, and no process, pin, link or attachment that can be seen holds it", o->id, o->name);
		else if (strcmp(holder, "process"))
			r = report(inv, INV_INFO, INV_PROG, o->id, "no_process", "program %u \"%s\" is held by no process, only by: %s", o->id,
				   o->name, holder);
	}
	return r;
}

/* Programs of struct_ops are held by their map, which does not tell. */
static bool has_struct_ops_map(const struct inventory *inv)
{
	for (uint32_t i = 0; i < inv->objects[INV_MAP].n; i++)
		if (inv->objects[INV_MAP].v[i].type == BPF_MAP_TYPE_STRUCT_OPS)
			return true;
	return false;
}

const char *inv_holder_of(const struct inventory *inv, enum inv_kind kind, const struct inv_object *o)
{
	bool by_link = false;

	if (o->views & BIT(INV_VIEW_FD) || (kind == INV_PROG && o->views & BIT(INV_VIEW_PERF)))
		return "process";
	if (kind == INV_PROG)
		for (uint32_t i = 0; i < inv->objects[INV_LINK].n; i++) {
			const struct inv_object *l = &inv->objects[INV_LINK].v[i];

			if (l->link.prog_id != o->id)
				continue;
			if (l->views & BIT(INV_VIEW_FD))
				return "process";
			by_link = true;
		}
	if (o->views & BIT(INV_VIEW_PIN))
		return "pin";
	if (by_link)
		return "link";
	if (o->views & (BIT(INV_VIEW_NETLINK) | BIT(INV_VIEW_QUERY)))
		return "attachment";
	if (o->views & BIT(INV_VIEW_MAP) || (kind == INV_PROG && o->type == BPF_PROG_TYPE_STRUCT_OPS && has_struct_ops_map(inv)))
		return "map";
	if (kind == INV_MAP && o->views & BIT(INV_VIEW_PROG))
		return "program";
	return "unknown";
}

int inv_compare(struct inventory *inv)
{
	int r = 0;

	for (int k = 0; k < INV_KINDS && !r; k++)
		for (uint32_t i = 0; i < inv->objects[k].n && !r; i++)
			r = compare_object(inv, (enum inv_kind)k, &inv->objects[k].v[i]);
	if (!r)
		r = compare_symbols(inv);
	if (!r)
		r = report_guarded(inv);
	return r ? r : compare_holders(inv);
}
