// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The exposure report as JSON and as tables. Pure. */
#include <string.h>

#include "auditor/exposure.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"
#include "common/json.h"

static const char *const reads_names[] = { "process-memory", "system-calls", "packets", "kernel-memory", "unknown" };

static const char *prog_type(const struct inv_object *o, char buf[static 12])
{
	const char *name = bw_prog_type_name(o->type);

	if (name)
		return name;
	snprintf(buf, 12, "%u", o->type);
	return buf;
}

static void json_reader(struct bw_json *j, const struct exposure_reader *r)
{
	bw_json_open(j, NULL, '{');
	bw_json_u64(j, "pid", r->pid);
	bw_json_str(j, "comm", r->comm);
	if (*r->exe)
		bw_json_str(j, "exe", r->exe);
	bw_json_bool(j, "now", r->now);
	bw_json_open(j, "maps", '[');
	for (uint32_t i = 0; i < r->n_maps; i++)
		bw_json_u64(j, NULL, r->maps[i]);
	bw_json_close(j, ']');
	bw_json_open(j, "connections", '[');
	for (uint32_t i = 0; i < r->n_connections; i++)
		bw_json_str(j, NULL, r->connections[i]);
	bw_json_close(j, ']');
	bw_json_close(j, '}');
}

static void json_program(struct bw_json *j, const struct exposure_program *p)
{
	char buf[12];

	bw_json_open(j, NULL, '{');
	bw_json_u64(j, "id", p->prog->id);
	bw_json_str(j, "name", p->prog->name);
	bw_json_str(j, "type", prog_type(p->prog, buf));
	bw_json_hex(j, "tag", p->prog->prog.tag, INV_TAG_LEN);
	bw_json_str(j, "level", exposure_level_name(p->level));
	bw_json_bool(j, "guard", p->own);
	if (p->approval)
		bw_json_str(j, "approval", p->approval);
	bw_json_open(j, "reads", '[');
	for (size_t i = 0; i < ARRAY_SIZE(reads_names); i++)
		if (p->reads >> i & 1)
			bw_json_str(j, NULL, reads_names[i]);
	bw_json_close(j, ']');
	bw_json_open(j, "attachments", '[');
	for (uint32_t i = 0; i < p->n_points; i++)
		bw_json_str(j, NULL, p->points[i].text);
	bw_json_close(j, ']');
	bw_json_open(j, "readers", '[');
	for (uint32_t i = 0; i < p->n_readers; i++)
		json_reader(j, &p->readers[i]);
	bw_json_close(j, ']');
	bw_json_close(j, '}');
}

/* The names of the classes of personal data of an endpoint, each once. */
static const struct api_fact *classes(const struct api_endpoint *e, uint32_t *ret_n)
{
	return api_endpoint_facts(e, "class", ret_n);
}

static void json_api(struct bw_json *j, const struct exposure_report *r, uint32_t api)
{
	const struct api_endpoint *e = r->world.apis[api].endpoint;
	uint32_t n;
	const struct api_fact *f = classes(e, &n);

	bw_json_open(j, NULL, '{');
	bw_json_str(j, "host", e->host);
	bw_json_str(j, "method", e->method);
	bw_json_str(j, "path", e->path);
	bw_json_u64(j, "calls", e->calls);
	bw_json_bool(j, "running", !r->world.apis[api].absent);
	bw_json_open(j, "classes", '[');
	for (uint32_t i = 0; i < n; i++)
		if (!i || strcmp(f[i].name, f[i - 1].name))
			bw_json_str(j, NULL, f[i].name);
	bw_json_close(j, ']');
	bw_json_open(j, "observers", '[');
	for (uint32_t i = 0; i < r->n_observers; i++) {
		const struct exposure_observer *o = &r->observers[i];

		if (o->api != api)
			continue;
		bw_json_open(j, NULL, '{');
		bw_json_u64(j, "program", r->programs[o->program].prog->id);
		bw_json_str(j, "level", exposure_level_name(o->level));
		bw_json_str(j, "place", exposure_place_name(o->point->place));
		bw_json_str(j, "attachment", o->point->text);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	bw_json_close(j, '}');
}

void exposure_report_json(const struct exposure_report *r, char *const *notes, uint32_t n_notes, struct bw_buf *out)
{
	struct bw_json j = { .buf = out, .indent = 1 };

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", 1);
	bw_json_bool(&j, "complete", !r->incomplete && !n_notes);
	bw_json_open(&j, "notes", '[');
	for (uint32_t i = 0; i < n_notes; i++)
		bw_json_str(&j, NULL, notes[i]);
	bw_json_close(&j, ']');
	bw_json_open(&j, "programs", '[');
	for (uint32_t i = 0; i < r->n_programs; i++)
		json_program(&j, &r->programs[i]);
	bw_json_close(&j, ']');
	bw_json_open(&j, "apis", '[');
	for (uint32_t i = 0; i < r->world.n_apis; i++)
		json_api(&j, r, i);
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(out, '\n');
}

/* ---- tables ----------------------------------------------------------------------------------------------------------------- */

static void table_api(const struct exposure_report *r, uint32_t api, struct bw_buf *out)
{
	const struct api_endpoint *e = r->world.apis[api].endpoint;
	uint32_t n, shown = 0, more = 0;
	const struct api_fact *f = classes(e, &n);

	bw_buf_printf(out, "%s %s%s", e->method, e->host, e->path);
	for (uint32_t i = 0; i < n; i++)
		if (!i || strcmp(f[i].name, f[i - 1].name))
			bw_buf_printf(out, "%s%s", i ? "," : "  ", f[i].name);
	bw_buf_char(out, '\n');
	for (uint32_t i = 0; i < r->n_observers; i++) {
		const struct exposure_observer *o = &r->observers[i];
		const struct exposure_program *p;

		if (o->api != api)
			continue;
		p = &r->programs[o->program];
		if (shown++ == 20) {
			more++;
			shown--;
			continue;
		}
		bw_buf_printf(out, "    %-10s %6u %-16s %-10s %s\n", exposure_level_name(o->level), p->prog->id, p->prog->name,
			      p->own ? "guard" : p->approval ? p->approval : "-", o->point->text);
	}
	if (more)
		bw_buf_printf(out, "    and %u programs more\n", more);
	if (!shown)
		bw_buf_str(out, "    no program observes it\n");
}

static void table_program(const struct exposure_program *p, struct bw_buf *out)
{
	char buf[12];

	bw_buf_printf(out, "%6u %-16s %-16s %-10s takes", p->prog->id, p->prog->name, prog_type(p->prog, buf),
		      p->own ? "guard" : p->approval ? p->approval : "-");
	if (!p->reads)
		bw_buf_str(out, " nothing");
	for (size_t i = 0; i < ARRAY_SIZE(reads_names); i++)
		if (p->reads >> i & 1)
			bw_buf_printf(out, " %s", reads_names[i]);
	bw_buf_char(out, '\n');
	for (uint32_t i = 0; i < p->n_readers && i < 10; i++) {
		const struct exposure_reader *r = &p->readers[i];

		bw_buf_printf(out, "       read by %u %s%s%s%s", r->pid, r->comm, *r->exe ? " " : "", r->exe, r->now ? "" : " (earlier)");
		for (uint32_t k = 0; k < r->n_connections; k++)
			bw_buf_printf(out, "%s%s", k ? ", " : ", connected to ", r->connections[k]);
		bw_buf_char(out, '\n');
	}
	if (p->n_readers > 10)
		bw_buf_printf(out, "       and %u readers more\n", p->n_readers - 10);
	if (!p->n_readers)
		bw_buf_str(out, "       no process holds its maps\n");
}

void exposure_report_table(const struct exposure_report *r, char *const *notes, uint32_t n_notes, struct bw_buf *out)
{
	uint32_t alarming = 0;

	for (uint32_t i = 0; i < r->world.n_apis; i++)
		table_api(r, i, out);
	if (r->n_programs)
		bw_buf_printf(out, "\n%6s %-16s %-16s %-10s\n", "PROG", "NAME", "TYPE", "APPROVAL");
	for (uint32_t i = 0; i < r->n_programs; i++) {
		table_program(&r->programs[i], out);
		alarming += exposure_alarming(&r->programs[i]);
	}
	for (uint32_t i = 0; i < n_notes; i++)
		bw_buf_printf(out, "note: %s\n", notes[i]);
	bw_buf_printf(out, "%u APIs with personal data; %u programs observe some, %u of them neither approved nor the guard's own\n",
		      r->world.n_apis, r->n_programs, alarming);
}
