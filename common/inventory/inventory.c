// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/inventory/inventory.h"

#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"

const char *inv_kind_name(enum inv_kind kind)
{
	static const char *const names[INV_KINDS] = { "program", "map", "link" };

	return names[kind];
}

const char *inv_view_name(enum inv_view view)
{
	static const char *const names[INV_VIEWS] = { "ids", "id_probe", "iterator", "fd", "pin", "link", "program", "map",
						      "kallsyms", "netlink", "query", "perf" };

	return names[view];
}

const char *inv_severity_name(enum inv_severity s)
{
	static const char *const names[] = { "info", "medium", "critical" };

	return names[s];
}

/* Index of the first object whose id is not below @id. */
static uint32_t lower_bound(const struct inv_list *l, uint32_t id)
{
	uint32_t lo = 0, hi = l->n;

	/* Views come in rising order mostly: the end first. */
	if (l->n && l->v[l->n - 1].id < id)
		return l->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (l->v[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct inv_object *inv_find(const struct inventory *inv, enum inv_kind kind, uint32_t id)
{
	const struct inv_list *l = &inv->objects[kind];
	uint32_t at = lower_bound(l, id);

	return at < l->n && l->v[at].id == id ? &l->v[at] : NULL;
}

struct inv_object *inv_add(struct inventory *inv, enum inv_kind kind, uint32_t id, enum inv_view view)
{
	struct inv_list *l = &inv->objects[kind];
	uint32_t at = lower_bound(l, id);

	if (at == l->n || l->v[at].id != id) {
		if (l->n == INV_MAX_OBJECTS) {
			inv->incomplete = true;
			return NULL;
		}
		if (l->n == l->cap) {
			uint32_t cap = l->cap ? 2 * l->cap : 256;
			struct inv_object *v = realloc(l->v, cap * sizeof(*v));

			if (!v)
				return NULL;
			l->v = v;
			l->cap = cap;
		}
		memmove(&l->v[at + 1], &l->v[at], (l->n - at) * sizeof(*l->v));
		l->v[at] = (struct inv_object){ .id = id };
		l->n++;
	}
	l->v[at].views |= 1u << view;
	return &l->v[at];
}

int inv_saw(struct inventory *inv, const struct inv_sighting *s, char *text)
{
	if (inv->n_sightings == INV_MAX_SIGHTINGS) {
		inv->incomplete = true;
		free(text);
		return 0;
	}
	if (inv->n_sightings == inv->cap_sightings) {
		uint32_t cap = inv->cap_sightings ? 2 * inv->cap_sightings : 256;
		struct inv_sighting *v = realloc(inv->sightings, cap * sizeof(*v));

		if (!v) {
			free(text);
			return -ENOMEM;
		}
		inv->sightings = v;
		inv->cap_sightings = cap;
	}
	inv->sightings[inv->n_sightings] = *s;
	inv->sightings[inv->n_sightings++].text = text;
	if (s->id && !inv_add(inv, s->kind, s->id, s->view))
		return inv->incomplete ? 0 : -ENOMEM;
	return 0;
}

static int keep_note(struct inventory *inv, const char *fmt, va_list ap)
{
	char *text;

	if (inv->n_notes == INV_MAX_NOTES)
		return 0;
	if (vasprintf(&text, fmt, ap) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < inv->n_notes; i++)
		if (!strcmp(inv->notes[i], text)) {
			free(text);
			return 0;
		}
	inv->notes[inv->n_notes++] = text;
	return 0;
}

int inv_note(struct inventory *inv, const char *fmt, ...)
{
	va_list ap;
	int r;

	inv->incomplete = true;
	va_start(ap, fmt);
	r = keep_note(inv, fmt, ap);
	va_end(ap);
	return r;
}

int inv_remark(struct inventory *inv, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = keep_note(inv, fmt, ap);
	va_end(ap);
	return r;
}

static void object_free(enum inv_kind kind, struct inv_object *o)
{
	if (kind == INV_PROG) {
		free(o->prog.maps);
		free(o->prog.ksyms);
	} else if (kind == INV_LINK) {
		free(o->link.target);
	}
}

/* What was seen in passing, is listed nowhere and cannot be opened is no longer there. */
static void prune(struct inventory *inv)
{
	const uint32_t stays = 1u << INV_VIEW_WALK | 1u << INV_AGAIN_WALK | 1u << INV_AGAIN_OPEN | 1u << INV_AGAIN_ITERATOR;

	for (int k = 0; k < INV_KINDS; k++) {
		struct inv_list *l = &inv->objects[k];
		uint32_t n = 0;

		for (uint32_t i = 0; i < l->n; i++) {
			if (l->v[i].views & stays || l->v[i].hidden)
				l->v[n++] = l->v[i];
			else
				object_free((enum inv_kind)k, &l->v[i]);
		}
		l->n = n;
	}
}

int inv_collect(struct inventory *inv, inv_progress_fn progress, void *arg)
{
	int r;

	*inv = (struct inventory){ 0 };
	r = inv_guarded(inv);
	if (!r)
		r = inv_ids(inv, progress, arg);
	if (!r)
		r = inv_iterators(inv, INV_VIEW_ITERATOR);
	if (!r)
		r = inv_pins(inv);
	if (!r)
		r = inv_processes(inv, progress, arg);
	if (!r)
		r = inv_nested(inv);
	if (!r)
		r = inv_network(inv);
	if (!r)
		r = inv_cgroups(inv);
	/* What comes and goes meanwhile is not hidden: before anything is compared, a second look at what moves. */
	if (!r)
		r = inv_symbols(inv, "/proc/kallsyms");
	if (!r)
		r = inv_ids_again(inv);
	if (!r)
		r = inv_iterators(inv, INV_AGAIN_ITERATOR);
	if (!r)
		r = inv_symbols(inv, "/proc/kallsyms");
	if (!r)
		r = inv_compare(inv);
	if (!r)
		prune(inv);
	return r;
}

void inv_free(struct inventory *inv)
{
	for (int k = 0; k < INV_KINDS; k++) {
		for (uint32_t i = 0; i < inv->objects[k].n; i++)
			object_free((enum inv_kind)k, &inv->objects[k].v[i]);
		free(inv->objects[k].v);
	}
	for (uint32_t i = 0; i < inv->n_sightings; i++)
		free(inv->sightings[i].text);
	free(inv->sightings);
	free(inv->guarded);
	for (uint32_t i = 0; i < inv->n_symbols; i++)
		free(inv->symbols[i].name);
	free(inv->symbols);
	for (uint32_t i = 0; i < inv->n_discrepancies; i++)
		free(inv->discrepancies[i].message);
	free(inv->discrepancies);
	for (uint32_t i = 0; i < inv->n_notes; i++)
		free(inv->notes[i]);
	*inv = (struct inventory){ 0 };
}
