// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/exposed.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bpf_names.h"
#include "common/cleanup.h"
#include "common/event_store.h"
#include "common/exposure.h"
#include "common/policy.h"
#include "guard/attach.h"

struct exposed {
	char *path;
	struct api_data data;
	struct exposure_world world;
	bool known;
	int64_t read_ns; /* 0: never */
	struct alert_exposure found;
	char api[512];
};

int exposed_new(const char *catalogue, struct exposed **ret)
{
	struct exposed *e = calloc(1, sizeof(*e));

	if (e)
		e->path = strdup(catalogue);
	if (!e || !e->path) {
		free(e);
		return -ENOMEM;
	}
	*ret = e;
	return 0;
}

static void forget(struct exposed *e)
{
	if (e->known) {
		exposure_world_free(&e->world);
		api_data_free(&e->data);
	}
	e->known = false;
}

void exposed_free(struct exposed *e)
{
	if (!e)
		return;
	forget(e);
	free(e->path);
	free(e);
}

static void refresh(struct exposed *e, int64_t now_ns)
{
	struct sqlite3 *db __attribute__((cleanup(event_store_close))) = NULL;
	struct api_data data;
	struct exposure_world world;

	if (e->read_ns && now_ns - e->read_ns < EXPOSED_REFRESH_NS)
		return;
	e->read_ns = now_ns;
	if (api_store_open(e->path, &db) < 0 || api_store_load_personal(db, &data) < 0) {
		forget(e);
		return;
	}
	forget(e);
	e->data = data;
	if (exposure_world(&e->data, NULL, 0, &world) < 0) {
		api_data_free(&e->data);
		return;
	}
	e->world = world;
	e->known = true;
}

/* ---- what the program takes, as far as its helpers say ----------------------------------------------------------------------- */

static bool calls(const struct bw_prog_ref *p, const char *const *helpers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int id = bw_helper_id(helpers[i]);

		if (id > 0 && id < 64 * BW_HELPER_WORDS && p->helpers[id / 64] >> id % 64 & 1)
			return true;
	}
	return false;
}

static uint32_t reads_of(const struct bw_prog_ref *p)
{
	static const char *const memory[] = { "probe_read", "probe_read_str", "probe_read_user", "probe_read_user_str", "copy_from_user",
					      "copy_from_user_task" };
	static const char *const kernel[] = { "probe_read_kernel", "probe_read_kernel_str" };

	if (!p->known)
		return EXPOSURE_READS_UNKNOWN;
	switch (p->type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
		return (calls(p, memory, ARRAY_SIZE(memory)) ? EXPOSURE_READS_MEMORY : 0) |
		       (calls(p, kernel, ARRAY_SIZE(kernel)) ? EXPOSURE_READS_KERNEL : 0);
	default:
		return EXPOSURE_READS_PACKETS; /* needs no helper for that */
	}
}

/* ---- where it is --------------------------------------------------------------------------------------------------------------- */

static void place(const struct attach_view *v, struct exposure_point *p)
{
	static const struct {
		const char *kind;
		enum exposure_place place;
	} kinds[] = {
		{ "uprobe", EXPOSURE_AT_FILE },		 { "uretprobe", EXPOSURE_AT_FILE },   { "interface", EXPOSURE_AT_INTERFACE },
		{ "cgroup", EXPOSURE_AT_CGROUP },	 { "netfilter", EXPOSURE_AT_NETNS },  { "network_namespace", EXPOSURE_AT_NETNS },
		{ "map", EXPOSURE_AT_SOCKETS },		 { "socket", EXPOSURE_AT_SOCKETS },   { "kprobe", EXPOSURE_AT_KERNEL },
		{ "kretprobe", EXPOSURE_AT_KERNEL },	 { "function", EXPOSURE_AT_KERNEL },  { "lsm_hook", EXPOSURE_AT_KERNEL },
		{ "tracepoint", EXPOSURE_AT_KERNEL },	 { "perf_event", EXPOSURE_AT_KERNEL }, { "program", EXPOSURE_AT_KERNEL },
	};
	const char *end;

	*p = (struct exposure_point){ .place = EXPOSURE_AT_NOTHING, .text = v->target, .name = v->target, .name_len = strlen(v->target), .any_netns = true };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(v->target_kind, kinds[i].kind))
			p->place = kinds[i].place;
	/* "FILE:0xOFFSET" */
	end = p->place == EXPOSURE_AT_FILE ? strrchr(v->target, ':') : NULL;
	if (end && !strncmp(end, ":0x", 3))
		p->name_len = (size_t)(end - v->target);
}

/* What flows into a map, by the labels that the policy gave it. */
static uint32_t reads_of_labels(uint32_t labels)
{
	static const struct {
		const char *name;
		uint32_t reads;
	} classes[] = {
		{ "tls-plaintext", EXPOSURE_READS_MEMORY }, { "user-memory", EXPOSURE_READS_MEMORY },
		{ "syscall-buffer", EXPOSURE_READS_CALLS }, { "packet-payload", EXPOSURE_READS_PACKETS },
	};
	uint32_t reads = 0;

	for (unsigned int bit = 0; bit < 32; bit++) {
		const char *name = labels >> bit & 1 ? bw_policy_class_of_data(bit) : NULL;

		for (size_t i = 0; name && i < ARRAY_SIZE(classes); i++)
			if (!strcmp(name, classes[i].name))
				reads |= classes[i].reads;
	}
	return reads;
}

/* ---- the join -------------------------------------------------------------------------------------------------------------------- */

static void add_class(struct alert_exposure *x, const char *name)
{
	for (uint32_t i = 0; i < x->n_classes; i++)
		if (!strcmp(x->classes[i], name))
			return;
	if (x->n_classes < ALERT_MAX_EXPOSED_CLASSES)
		x->classes[x->n_classes++] = name;
}

static const struct alert_exposure *join(struct exposed *e, const struct exposure_point *p, uint32_t reads)
{
	const struct api_endpoint *most = NULL;
	struct alert_exposure x = { .place = exposure_place_name(p->place) };

	for (uint32_t i = 0; i < e->world.n_apis; i++) {
		const struct api_endpoint *end = e->world.apis[i].endpoint;
		uint32_t n;
		const struct api_fact *f = api_endpoint_facts(end, "class", &n);

		if (exposure_judge(&e->world, &e->world.apis[i], p, reads) < EXPOSURE_MAY)
			continue;
		x.n_apis++;
		for (uint32_t k = 0; k < n; k++)
			add_class(&x, f[k].name);
		if (!most || end->calls > most->calls)
			most = end;
	}
	if (!most)
		return NULL;
	snprintf(e->api, sizeof(e->api), "%s %s%s", most->method, most->host, most->path);
	x.api = e->api;
	e->found = x;
	return &e->found;
}

const struct alert_exposure *exposed_look(struct exposed *e, const struct decode_event *event, int64_t now_ns)
{
	const struct decode_attach *a = &event->attach;
	struct exposure_point p = { .place = EXPOSURE_AT_KERNEL, .text = "", .name = "" };
	struct attach_view view;
	uint32_t reads;

	switch (event->type) {
	case BW_EVENT_ATTACH:
		attach_view(a, &view);
		place(&view, &p);
		/* Own programs are no exposure, nor is what is taken away or did not work. */
		if (!a->prog.id || a->reason == BW_REASON_GUARD || (strcmp(view.operation, "attach") && strcmp(view.operation, "update")) ||
		    (a->flags & BW_ATTACH_HAS_RESULT && a->error < 0 && a->action == BW_ACTION_ALLOWED))
			return NULL;
		reads = reads_of(&a->prog);
		break;
	case BW_EVENT_ACCESS:
		reads = reads_of_labels(event->access.labels);
		break;
	case BW_EVENT_EGRESS:
		reads = reads_of_labels(event->egress.labels);
		break;
	default:
		return NULL;
	}
	if (!reads || p.place == EXPOSURE_AT_NOTHING)
		return NULL;
	refresh(e, now_ns);
	return e->known ? join(e, &p, reads) : NULL;
}
