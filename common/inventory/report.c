// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The inventory as JSON (rules/schema/inventory-v1.schema.json) and as tables. Pure. */
#include "common/inventory/inventory.h"

#include <inttypes.h>
#include <string.h>

#include "common/bpf_names.h"
#include "common/cleanup.h"
#include "common/json.h"

static const char *type_name(enum inv_kind kind, uint32_t type, char buf[static 12])
{
	const char *name = kind == INV_PROG ? bw_prog_type_name(type) : kind == INV_MAP ? bw_map_type_name(type) : bw_link_type_name(type);

	if (!name) {
		snprintf(buf, 12, "%u", type);
		name = buf;
	}
	return name;
}

/* Sightings in the order of what they are of, so that each object finds its own at once. */
static int order(const void *a, const void *b)
{
	const struct inv_sighting *x = *(const struct inv_sighting *const *)a, *y = *(const struct inv_sighting *const *)b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x < y ? -1 : x > y;
}

struct sorted {
	const struct inv_sighting **v;
	uint32_t n;
};

static int sort(const struct inventory *inv, struct sorted *ret)
{
	ret->n = inv->n_sightings;
	ret->v = calloc(ret->n ? ret->n : 1, sizeof(const struct inv_sighting *));
	if (!ret->v)
		return -ENOMEM;
	for (uint32_t i = 0; i < ret->n; i++)
		ret->v[i] = &inv->sightings[i];
	qsort(ret->v, ret->n, sizeof(const struct inv_sighting *), order);
	return 0;
}

static uint32_t first_of(const struct sorted *s, enum inv_kind kind, uint32_t id)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->v[mid]->kind < kind || (s->v[mid]->kind == kind && s->v[mid]->id < id))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

#define FOR_EACH_SIGHTING(s, i, sorted, of_kind, object_id)                                                                     \
	for (uint32_t i = first_of(sorted, of_kind, object_id);                                                                  \
	     i < (sorted)->n && ((s) = (sorted)->v[i])->kind == (of_kind) && (s)->id == (object_id); i++)

static void json_views(struct bw_json *j, uint32_t views)
{
	bw_json_open(j, "seen_by", '[');
	for (int v = 0; v < INV_VIEWS; v++)
		if (views & (1u << v))
			bw_json_str(j, NULL, inv_view_name((enum inv_view)v));
	bw_json_close(j, ']');
}

static bool is_attachment(enum inv_view v)
{
	return v == INV_VIEW_NETLINK || v == INV_VIEW_QUERY || v == INV_VIEW_PERF;
}

static void json_holders(struct bw_json *j, const struct inventory *inv, const struct sorted *sorted, enum inv_kind kind,
			 const struct inv_object *o)
{
	const struct inv_sighting *s;

	bw_json_str(j, "held_by", inv_holder_of(inv, kind, o));
	bw_json_open(j, "processes", '[');
	FOR_EACH_SIGHTING(s, i, sorted, kind, o->id) {
		if (s->view != INV_VIEW_FD && s->view != INV_VIEW_PERF)
			continue;
		bw_json_open(j, NULL, '{');
		bw_json_u64(j, "pid", s->pid);
		bw_json_str(j, "comm", s->comm);
		if (s->view == INV_VIEW_FD && s->text)
			bw_json_str(j, "exe", s->text);
		bw_json_i64(j, "fd", s->fd);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	bw_json_open(j, "pins", '[');
	FOR_EACH_SIGHTING(s, i, sorted, kind, o->id)
		if (s->view == INV_VIEW_PIN)
			bw_json_str(j, NULL, s->text);
	bw_json_close(j, ']');
}

static void json_common(struct bw_json *j, enum inv_kind kind, const struct inv_object *o)
{
	char buf[12];

	bw_json_u64(j, "id", o->id);
	if (o->described) {
		if (kind != INV_LINK)
			bw_json_str(j, "name", o->name);
		bw_json_str(j, "type", type_name(kind, o->type, buf));
	}
	bw_json_bool(j, "hidden", o->hidden);
	json_views(j, o->views);
}

static void json_attachments(struct bw_json *j, const struct inventory *inv, const struct sorted *sorted, const struct inv_object *o)
{
	const struct inv_sighting *s;

	bw_json_open(j, "attachments", '[');
	for (uint32_t i = 0; i < inv->objects[INV_LINK].n; i++) {
		const struct inv_object *l = &inv->objects[INV_LINK].v[i];
		char buf[12];

		if (l->link.prog_id != o->id || !l->described)
			continue;
		bw_json_open(j, NULL, '{');
		bw_json_str(j, "via", "link");
		bw_json_u64(j, "link_id", l->id);
		bw_json_str(j, "target", l->link.target ? l->link.target : type_name(INV_LINK, l->type, buf));
		bw_json_close(j, '}');
	}
	FOR_EACH_SIGHTING(s, i, sorted, INV_PROG, o->id) {
		if (!is_attachment(s->view) && s->view != INV_VIEW_MAP)
			continue;
		bw_json_open(j, NULL, '{');
		bw_json_str(j, "via", inv_view_name(s->view));
		bw_json_str(j, "target", s->text ? s->text : "?");
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
}

static void json_prog(struct bw_json *j, const struct inventory *inv, const struct sorted *sorted, const struct inv_opinion *opinion,
		      const struct inv_object *o)
{
	const char *text;

	bw_json_open(j, NULL, '{');
	json_common(j, INV_PROG, o);
	if (o->described) {
		bw_json_hex(j, "tag", o->prog.tag, INV_TAG_LEN);
		bw_json_u64(j, "loaded_ns", o->prog.loaded_ns);
		bw_json_u64(j, "uid", o->prog.uid);
		bw_json_u64(j, "bytes_xlated", o->prog.xlated_len);
		bw_json_u64(j, "bytes_jited", o->prog.jited_len);
		bw_json_u64(j, "bytes_memlock", o->memlock);
		if (inv->stats_enabled) {
			bw_json_u64(j, "run_time_ns", o->prog.run_time_ns);
			bw_json_u64(j, "run_count", o->prog.run_count);
		}
		bw_json_u64(j, "recursion_misses", o->prog.recursion_misses);
		bw_json_open(j, "maps", '[');
		for (uint32_t i = 0; i < o->prog.n_maps; i++)
			bw_json_u64(j, NULL, o->prog.maps[i]);
		bw_json_close(j, ']');
	}
	json_holders(j, inv, sorted, INV_PROG, o);
	json_attachments(j, inv, sorted, o);
	text = opinion && opinion->approval ? opinion->approval(opinion->arg, o) : NULL;
	if (text)
		bw_json_str(j, "approval", text);
	text = opinion && opinion->findings ? opinion->findings(opinion->arg, o) : NULL;
	if (text)
		bw_json_raw(j, "findings", text, strlen(text));
	bw_json_close(j, '}');
}

static void json_map(struct bw_json *j, const struct inventory *inv, const struct sorted *sorted, const struct inv_object *o)
{
	bw_json_open(j, NULL, '{');
	json_common(j, INV_MAP, o);
	if (o->described) {
		bw_json_u64(j, "key_size", o->map.key_size);
		bw_json_u64(j, "value_size", o->map.value_size);
		bw_json_u64(j, "max_entries", o->map.max_entries);
		bw_json_u64(j, "flags", o->map.flags);
		bw_json_bool(j, "frozen", o->map.frozen);
		bw_json_u64(j, "bytes_memlock", o->memlock);
	}
	json_holders(j, inv, sorted, INV_MAP, o);
	bw_json_close(j, '}');
}

static void json_link(struct bw_json *j, const struct inventory *inv, const struct sorted *sorted, const struct inv_object *o)
{
	bw_json_open(j, NULL, '{');
	json_common(j, INV_LINK, o);
	if (o->described) {
		bw_json_u64(j, "prog_id", o->link.prog_id);
		if (o->link.target)
			bw_json_str(j, "target", o->link.target);
	}
	json_holders(j, inv, sorted, INV_LINK, o);
	bw_json_close(j, '}');
}

void inv_report_json(const struct inventory *inv, const struct inv_opinion *opinion, struct bw_buf *out)
{
	static const char *const states[] = { "unavailable", "partial", "complete" };
	static const char *const lists[INV_KINDS] = { "programs", "maps", "links" };
	struct bw_json j = { .buf = out, .indent = 1 };
	struct sorted sorted;

	if (sort(inv, &sorted) < 0) {
		out->error = -ENOMEM;
		return;
	}
	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", 1);
	bw_json_bool(&j, "complete", !inv->incomplete);
	bw_json_open(&j, "notes", '[');
	for (uint32_t i = 0; i < inv->n_notes; i++)
		bw_json_str(&j, NULL, inv->notes[i]);
	bw_json_close(&j, ']');
	bw_json_open(&j, "views", '{');
	for (int k = 0; k < INV_KINDS; k++) {
		bw_json_open(&j, lists[k], '{');
		for (int v = 0; v < INV_VIEWS; v++) {
			/* What names objects on the way is no view that could be had or not. */
			if (v == INV_VIEW_LINK || v == INV_VIEW_PROG || v == INV_VIEW_MAP || (k != INV_PROG && v >= INV_VIEW_KALLSYMS))
				continue;
			bw_json_str(&j, inv_view_name((enum inv_view)v), states[inv->view[k][v]]);
		}
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, '}');
	bw_json_open(&j, "discrepancies", '[');
	for (uint32_t i = 0; i < inv->n_discrepancies; i++) {
		const struct inv_discrepancy *d = &inv->discrepancies[i];

		bw_json_open(&j, NULL, '{');
		bw_json_str(&j, "what", d->what);
		bw_json_str(&j, "severity", inv_severity_name(d->severity));
		bw_json_str(&j, "kind", inv_kind_name(d->kind));
		if (d->id)
			bw_json_u64(&j, "id", d->id);
		bw_json_str(&j, "message", d->message);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	for (int k = 0; k < INV_KINDS; k++) {
		bw_json_open(&j, lists[k], '[');
		for (uint32_t i = 0; i < inv->objects[k].n; i++) {
			const struct inv_object *o = &inv->objects[k].v[i];

			if (k == INV_PROG)
				json_prog(&j, inv, &sorted, opinion, o);
			else if (k == INV_MAP)
				json_map(&j, inv, &sorted, o);
			else
				json_link(&j, inv, &sorted, o);
		}
		bw_json_close(&j, ']');
	}
	bw_json_close(&j, '}');
	bw_buf_char(out, '\n');
	free(sorted.v);
}

/* ---- tables ----------------------------------------------------------------------------------------------------------- */

/* "3 bpftool, 17 agent, /sys/fs/bpf/x": who and what keeps it, briefly. */
static void table_holders(const struct inventory *inv, const struct sorted *sorted, enum inv_kind kind, const struct inv_object *o, struct bw_buf *out)
{
	const struct inv_sighting *s;
	uint32_t pid = 0, n = 0, more = 0;

	FOR_EACH_SIGHTING(s, i, sorted, kind, o->id) {
		bool process = s->view == INV_VIEW_FD || s->view == INV_VIEW_PERF;

		if ((process && s->pid == pid) || (!process && s->view != INV_VIEW_PIN))
			continue;
		if (process)
			pid = s->pid;
		if (n == 3) {
			more++;
			continue;
		}
		if (process)
			bw_buf_printf(out, "%s%u %s", n ? ", " : "", s->pid, s->comm);
		else
			bw_buf_printf(out, "%s%s", n ? ", " : "", s->text);
		n++;
	}
	if (more)
		bw_buf_printf(out, " and %u more", more);
	if (!n)
		bw_buf_printf(out, "(%s)", inv_holder_of(inv, kind, o));
}

static void table_targets(const struct inventory *inv, const struct sorted *sorted, const struct inv_object *o, struct bw_buf *out)
{
	const struct inv_sighting *s;
	uint32_t n = 0, more = 0;

	for (uint32_t i = 0; i < inv->objects[INV_LINK].n; i++) {
		const struct inv_object *l = &inv->objects[INV_LINK].v[i];

		if (l->link.prog_id != o->id || !l->link.target)
			continue;
		if (n < 3)
			bw_buf_printf(out, "%s%s", n ? ", " : "", l->link.target);
		else
			more++;
		n++;
	}
	FOR_EACH_SIGHTING(s, i, sorted, INV_PROG, o->id) {
		if (!is_attachment(s->view) && s->view != INV_VIEW_MAP)
			continue;
		if (n < 3)
			bw_buf_printf(out, "%s%s", n ? ", " : "", s->text ? s->text : "?");
		else
			more++;
		n++;
	}
	if (more)
		bw_buf_printf(out, " and %u more", more);
	if (!n)
		bw_buf_str(out, "-");
}

void inv_report_table(const struct inventory *inv, const struct inv_opinion *opinion, struct bw_buf *out)
{
	struct sorted sorted;
	char buf[12];

	if (sort(inv, &sorted) < 0) {
		out->error = -ENOMEM;
		return;
	}
	bw_buf_printf(out, "%u programs, %u maps, %u links\n", inv->objects[INV_PROG].n, inv->objects[INV_MAP].n, inv->objects[INV_LINK].n);
	for (uint32_t i = 0; i < inv->n_discrepancies; i++)
		if (inv->discrepancies[i].severity != INV_INFO)
			bw_buf_printf(out, "%s: %s\n", inv_severity_name(inv->discrepancies[i].severity), inv->discrepancies[i].message);
	for (uint32_t i = 0; i < inv->n_notes; i++)
		bw_buf_printf(out, "note: %s\n", inv->notes[i]);
	bw_buf_printf(out, "\n%6s %-16s %-16s %-16s %9s %-10s %-36s %s\n", "PROG", "NAME", "TYPE", "TAG", "BYTES", "APPROVAL", "HELD BY", "ATTACHED TO");
	for (uint32_t i = 0; i < inv->objects[INV_PROG].n; i++) {
		const struct inv_object *o = &inv->objects[INV_PROG].v[i];
		const char *approval = opinion && opinion->approval ? opinion->approval(opinion->arg, o) : NULL;
		_cleanup_buf_ struct bw_buf holders = { 0 };
		char tag[2 * INV_TAG_LEN + 1] = "";

		for (int k = 0; k < INV_TAG_LEN; k++)
			snprintf(tag + 2 * k, 3, "%02x", o->prog.tag[k]);
		table_holders(inv, &sorted, INV_PROG, o, &holders);
		bw_buf_printf(out, "%6u %-16s %-16s %-16s %9" PRIu64 " %-10s %-36s ", o->id, o->described ? o->name : "?",
			      o->described ? type_name(INV_PROG, o->type, buf) : "?", tag,
			      o->memlock ? o->memlock : (uint64_t)o->prog.xlated_len + o->prog.jited_len, approval ? approval : "-",
			      bw_buf_cstr(&holders));
		table_targets(inv, &sorted, o, out);
		bw_buf_char(out, '\n');
	}
	bw_buf_printf(out, "\n%6s %-16s %-16s %5s %6s %9s %11s %s\n", "MAP", "NAME", "TYPE", "KEY", "VALUE", "ENTRIES", "BYTES", "HELD BY");
	for (uint32_t i = 0; i < inv->objects[INV_MAP].n; i++) {
		const struct inv_object *o = &inv->objects[INV_MAP].v[i];

		bw_buf_printf(out, "%6u %-16s %-16s %5u %6u %9u %11" PRIu64 " ", o->id, o->described ? o->name : "?",
			      o->described ? type_name(INV_MAP, o->type, buf) : "?", o->map.key_size, o->map.value_size, o->map.max_entries, o->memlock);
		table_holders(inv, &sorted, INV_MAP, o, out);
		bw_buf_char(out, '\n');
	}
	bw_buf_printf(out, "\n%6s %-16s %6s %-40s %s\n", "LINK", "TYPE", "PROG", "TARGET", "HELD BY");
	for (uint32_t i = 0; i < inv->objects[INV_LINK].n; i++) {
		const struct inv_object *o = &inv->objects[INV_LINK].v[i];

		bw_buf_printf(out, "%6u %-16s %6u %-40s ", o->id, o->described ? type_name(INV_LINK, o->type, buf) : "?", o->link.prog_id,
			      o->link.target ? o->link.target : "-");
		table_holders(inv, &sorted, INV_LINK, o, out);
		bw_buf_char(out, '\n');
	}
	free(sorted.v);
}
