// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/exposure.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define MAX_CALL_DEPTH 4u /* of tail calls and devmaps: a program in a map of a program in a map ... */

/* ---- places of a program ------------------------------------------------------------------------------------------------- */

struct points {
	struct exposure_point *v;
	uint32_t n, cap;
};

static int point_add(const struct exposure_input *in, struct points *l, const char *text)
{
	struct exposure_point p;

	exposure_point_read(text, &p);
	if (p.place == EXPOSURE_AT_NOTHING || p.place == EXPOSURE_AT_MAP)
		return 0;
	if (l->n == l->cap) {
		uint32_t cap = l->cap ? 2 * l->cap : 4;
		struct exposure_point *v = realloc(l->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	if (in->locate)
		in->locate(in->arg, &p);
	l->v[l->n++] = p;
	return 0;
}

static bool uses_map(const struct inv_object *prog, uint64_t map)
{
	for (uint32_t i = 0; i < prog->prog.n_maps; i++)
		if (prog->prog.maps[i] == map)
			return true;
	return false;
}

static int points_of(const struct exposure_input *in, const struct inv_object *prog, unsigned int depth, struct points *l)
{
	const struct inv_list *progs = &in->inv->objects[INV_PROG], *links = &in->inv->objects[INV_LINK];
	int r = 0;

	for (uint32_t i = 0; i < links->n && !r; i++)
		if (links->v[i].link.prog_id == prog->id && links->v[i].described)
			r = point_add(in, l, links->v[i].link.target ? links->v[i].link.target : "a link of an unknown kind");
	for (uint32_t i = 0; i < in->inv->n_sightings && !r; i++) {
		const struct inv_sighting *s = &in->inv->sightings[i];
		struct exposure_point p;

		if (s->kind != INV_PROG || s->id != prog->id || !s->text)
			continue;
		if (s->view == INV_VIEW_NETLINK || s->view == INV_VIEW_QUERY || s->view == INV_VIEW_PERF)
			r = point_add(in, l, s->text);
		if (s->view != INV_VIEW_MAP || depth == MAX_CALL_DEPTH)
			continue;
		/* Called through a map: it sees what those see that have the map. */
		exposure_point_read(s->text, &p);
		for (uint32_t k = 0; p.cgroup && k < progs->n && !r; k++)
			if (progs->v[k].described && progs->v[k].id != prog->id && uses_map(&progs->v[k], p.cgroup))
				r = points_of(in, &progs->v[k], depth + 1, l);
	}
	/* Nothing lists the sockets that a filter is on. */
	if (!r && !l->n && !depth && prog->type == BPF_PROG_TYPE_SOCKET_FILTER)
		r = point_add(in, l, "socket filter of sockets that are not known");
	return r;
}

/* ---- readers --------------------------------------------------------------------------------------------------------------- */

static bool has_map(const struct exposure_reader *r, uint32_t map)
{
	for (uint32_t i = 0; i < r->n_maps; i++)
		if (r->maps[i] == map)
			return true;
	return false;
}

/* @map 0: it holds the program or a link, whose maps it can ask for. */
static int reader_add(struct exposure_program *p, uint32_t pid, const char *comm, const char *exe, bool now, uint32_t map)
{
	struct exposure_reader *r = NULL;
	uint32_t *maps;

	for (uint32_t i = 0; i < p->n_readers; i++)
		if (p->readers[i].pid == pid)
			r = &p->readers[i];
	if (!r) {
		if (p->n_readers == EXPOSURE_MAX_READERS)
			return 0;
		r = realloc(p->readers, (p->n_readers + 1) * sizeof(*r));
		if (!r)
			return -ENOMEM;
		p->readers = r;
		r += p->n_readers++;
		*r = (struct exposure_reader){ .pid = pid, .comm = comm, .exe = exe };
	}
	if (!*r->exe && *exe)
		r->exe = exe;
	r->now |= now;
	if (!map || has_map(r, map))
		return 0;
	maps = realloc(r->maps, (r->n_maps + 1) * sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	r->maps = maps;
	r->maps[r->n_maps++] = map;
	return 0;
}

static bool links_to(const struct inventory *inv, uint32_t link, uint32_t prog)
{
	const struct inv_object *l = inv_find(inv, INV_LINK, link);

	return l && l->described && l->link.prog_id == prog;
}

static int readers_of(const struct exposure_input *in, struct exposure_program *p)
{
	const struct inv_object *prog = p->prog;
	int r = 0;

	for (uint32_t i = 0; i < in->inv->n_sightings && !r; i++) {
		const struct inv_sighting *s = &in->inv->sightings[i];
		uint32_t map = 0;

		if (s->view != INV_VIEW_FD && s->view != INV_VIEW_PERF)
			continue;
		if (s->kind == INV_MAP && uses_map(prog, s->id))
			map = s->id;
		else if (!(s->kind == INV_PROG && s->id == prog->id) && !(s->kind == INV_LINK && links_to(in->inv, s->id, prog->id)))
			continue;
		r = reader_add(p, s->pid, s->comm, s->view == INV_VIEW_FD && s->text ? s->text : "", true, map);
	}
	for (uint32_t i = 0; i < in->n_accesses && !r; i++)
		if (uses_map(prog, in->accesses[i].map))
			r = reader_add(p, in->accesses[i].pid, in->accesses[i].comm, in->accesses[i].exe, false, in->accesses[i].map);
	return r;
}

static bool is_own(const struct exposure_input *in, const struct inv_object *prog)
{
	for (uint32_t i = 0; i < in->inv->n_sightings; i++) {
		const struct inv_sighting *s = &in->inv->sightings[i];

		if (s->view != INV_VIEW_FD && s->view != INV_VIEW_PERF)
			continue;
		if (!(s->kind == INV_PROG && s->id == prog->id) && !(s->kind == INV_LINK && links_to(in->inv, s->id, prog->id)))
			continue;
		for (uint32_t k = 0; k < in->n_own_pids; k++)
			if (in->own_pids[k] == s->pid)
				return true;
	}
	return false;
}

/* ---- the join -------------------------------------------------------------------------------------------------------------- */

/* From where @p sees most of @api. */
static enum exposure_level look(const struct exposure_world *w, const struct exposure_api *api, const struct exposure_program *p,
				const struct exposure_point **ret)
{
	enum exposure_level best = EXPOSURE_NONE;

	for (uint32_t i = 0; i < p->n_points; i++) {
		enum exposure_level l = exposure_judge(w, api, &p->points[i], p->reads);

		if (l > best) {
			best = l;
			*ret = &p->points[i];
		}
	}
	return best;
}

static int observer_add(struct exposure_report *rep, const struct exposure_observer *o)
{
	if (rep->n_observers == EXPOSURE_MAX_OBSERVERS) {
		rep->incomplete = true;
		return 0;
	}
	if (rep->n_observers == rep->cap_observers) {
		uint32_t cap = rep->cap_observers ? 2 * rep->cap_observers : 64;
		struct exposure_observer *v = realloc(rep->observers, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		rep->observers = v;
		rep->cap_observers = cap;
	}
	rep->observers[rep->n_observers++] = *o;
	return 0;
}

static void program_free(struct exposure_program *p)
{
	for (uint32_t i = 0; i < p->n_readers; i++) {
		for (uint32_t k = 0; k < p->readers[i].n_connections; k++)
			free(p->readers[i].connections[k]);
		free(p->readers[i].connections);
		free(p->readers[i].maps);
	}
	free(p->readers);
	free(p->points);
	*p = (struct exposure_program){ 0 };
}

/* One program: what it takes is asked only where data passes. */
static int join_program(const struct exposure_input *in, struct exposure_report *rep, const struct inv_object *prog)
{
	struct exposure_program *p = &rep->programs[rep->n_programs];
	struct points points = { 0 };
	const struct exposure_point *at = NULL;
	int r = points_of(in, prog, 0, &points);

	*p = (struct exposure_program){ .prog = prog, .points = points.v, .n_points = points.n, .reads = EXPOSURE_READS_UNKNOWN };
	for (uint32_t i = 0; i < rep->world.n_apis && !r && !at; i++)
		look(&rep->world, &rep->world.apis[i], p, &at);
	if (r || !at) {
		program_free(p);
		return r;
	}
	p->own = is_own(in, prog);
	p->approval = in->approval ? in->approval(in->arg, prog) : NULL;
	if (in->reads)
		p->reads = in->reads(in->arg, prog, at);
	for (uint32_t i = 0; i < rep->world.n_apis && !r; i++) {
		struct exposure_observer o = { .api = i, .program = rep->n_programs };

		o.level = look(&rep->world, &rep->world.apis[i], p, &o.point);
		if (o.level > p->level)
			p->level = o.level;
		if (o.level > EXPOSURE_PLACED || (o.level && in->everything))
			r = observer_add(rep, &o);
	}
	if (!r && (p->level > EXPOSURE_PLACED || in->everything)) {
		rep->n_programs++;
		return readers_of(in, p);
	}
	program_free(p);
	return r;
}

static int observer_order(const void *a, const void *b)
{
	const struct exposure_observer *x = a, *y = b;

	if (x->api != y->api)
		return x->api < y->api ? -1 : 1;
	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	return x->program < y->program ? -1 : x->program > y->program;
}

int exposure_join(const struct exposure_input *in, struct exposure_report *ret)
{
	const struct inv_list *progs = &in->inv->objects[INV_PROG];
	struct exposure_report rep = { 0 };
	int r = exposure_world(in->data, in->services, in->n_services, &rep.world);

	if (r)
		return r;
	rep.programs = calloc(progs->n + 1, sizeof(*rep.programs));
	r = rep.programs ? 0 : -ENOMEM;
	for (uint32_t i = 0; i < progs->n && !r; i++)
		if (progs->v[i].described)
			r = join_program(in, &rep, &progs->v[i]);
	if (r) {
		exposure_report_free(&rep);
		return r;
	}
	if (rep.n_observers)
		qsort(rep.observers, rep.n_observers, sizeof(*rep.observers), observer_order);
	*ret = rep;
	return 0;
}

void exposure_report_free(struct exposure_report *r)
{
	for (uint32_t i = 0; r->programs && i < r->n_programs; i++)
		program_free(&r->programs[i]);
	free(r->programs);
	free(r->observers);
	exposure_world_free(&r->world);
	*r = (struct exposure_report){ 0 };
}

bool exposure_alarming(const struct exposure_program *p)
{
	return p->level >= EXPOSURE_MAY && !p->own && !(p->approval && !strcmp(p->approval, "approved"));
}
