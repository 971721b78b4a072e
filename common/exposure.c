// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/exposure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

const char *exposure_place_name(enum exposure_place p)
{
	static const char *const names[EXPOSURE_PLACES] = { "nothing", "file", "kernel", "interface", "cgroup", "network-namespace",
							    "sockets", "map" };

	return names[p];
}

const char *exposure_level_name(enum exposure_level l)
{
	static const char *const names[EXPOSURE_LEVELS] = { "none", "placed", "ciphertext", "may", "takes" };

	return names[l];
}

/* ---- places ------------------------------------------------------------------------------------------------------------- */

/* First words of attachments. The longer ones first where one begins another. */
static const struct {
	const char *word;
	enum exposure_place place;
} words[] = {
	{ "uprobe.multi ", EXPOSURE_AT_FILE },	  { "uretprobe.multi ", EXPOSURE_AT_FILE }, { "uprobe ", EXPOSURE_AT_FILE },
	{ "uretprobe ", EXPOSURE_AT_FILE },	  { "xdp generic ", EXPOSURE_AT_INTERFACE }, { "xdp offload ", EXPOSURE_AT_INTERFACE },
	{ "xdp ", EXPOSURE_AT_INTERFACE },	  { "tc ingress ", EXPOSURE_AT_INTERFACE }, { "tc egress ", EXPOSURE_AT_INTERFACE },
	{ "tcx_ingress ", EXPOSURE_AT_INTERFACE }, { "tcx_egress ", EXPOSURE_AT_INTERFACE },
	{ "netkit_primary ", EXPOSURE_AT_INTERFACE }, { "netkit_peer ", EXPOSURE_AT_INTERFACE },
	{ "flow_dissector", EXPOSURE_AT_NETNS },  { "sk_lookup", EXPOSURE_AT_NETNS },	    { "netfilter ", EXPOSURE_AT_NETNS },
	{ "lsm_cgroup ", EXPOSURE_AT_CGROUP },	  { "sk_skb", EXPOSURE_AT_SOCKETS },	    { "sk_msg", EXPOSURE_AT_SOCKETS },
	{ "socket filter", EXPOSURE_AT_SOCKETS }, { "in map ", EXPOSURE_AT_MAP },	    { "iterator ", EXPOSURE_AT_NOTHING },
	{ "trace_iter ", EXPOSURE_AT_NOTHING },	  { "struct_ops ", EXPOSURE_AT_NOTHING },   { "cgroup_", EXPOSURE_AT_CGROUP },
};

/* A decimal number at @s, up to a blank or the end; 0 for none. */
static uint64_t number_at(const char *s)
{
	char *end;
	unsigned long long v = *s >= '0' && *s <= '9' ? strtoull(s, &end, 10) : 0;

	return v && (*end == ' ' || !*end) ? v : 0;
}

/* "PATH+0xOFFSET", "PATH"; of many at once "PATH at N offsets". */
static void read_file(const char *name, bool many, struct exposure_point *p)
{
	const char *end = NULL, *at;
	char *last;

	for (at = name; many && (at = strstr(at, " at ")); at++)
		end = at;
	for (at = name; !end && (at = strstr(at, "+0x")); at++) {
		unsigned long long v = strtoull(at + 3, &last, 16);

		if (last == at + 3 || *last)
			continue;
		end = at;
		p->offset = v;
	}
	p->name = name;
	p->name_len = end ? (size_t)(end - name) : strlen(name);
}

/* "NAME[ WORDS][ netns NUMBER]" */
static void read_interface(const char *name, struct exposure_point *p)
{
	const char *ns = strstr(name, " netns ");

	p->name = name;
	p->name_len = strcspn(name, " ");
	if (ns)
		p->netns = number_at(ns + strlen(" netns "));
}

void exposure_point_read(const char *text, struct exposure_point *ret)
{
	struct exposure_point p = { .place = EXPOSURE_AT_KERNEL, .text = text };
	const char *rest = text, *at;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strncmp(text, words[i].word, strlen(words[i].word))) {
			p.place = words[i].place;
			rest = text + strlen(words[i].word);
			break;
		}
	switch (p.place) {
	case EXPOSURE_AT_FILE:
		read_file(rest, !strncmp(rest - 7, ".multi ", 7), &p);
		break;
	case EXPOSURE_AT_INTERFACE:
		read_interface(rest, &p);
		break;
	case EXPOSURE_AT_NETNS:
		at = strstr(text, "namespace ");
		p.netns = at ? number_at(at + strlen("namespace ")) : 0;
		at = strstr(text, " netns ");
		if (at)
			p.netns = number_at(at + strlen(" netns "));
		p.any_netns = !strncmp(text, "netfilter ", 10); /* the kernel does not say which */
		break;
	case EXPOSURE_AT_CGROUP:
		/* "TYPE /PATH" of a query, "TYPE cgroup ID" of a link */
		at = strchr(text, ' ');
		if (at && !strncmp(at, " cgroup ", 8)) {
			p.cgroup = number_at(at + 8);
		} else if (at) {
			p.name = at + 1;
			p.name_len = strlen(p.name);
		}
		break;
	case EXPOSURE_AT_SOCKETS:
		at = strstr(text, " map ");
		p.cgroup = at ? number_at(at + 5) : 0;
		break;
	case EXPOSURE_AT_MAP:
		p.cgroup = number_at(rest);
		break;
	default:
		/* "kprobe FUNCTION+0x10", "raw tracepoint NAME" */
		at = strrchr(text, ' ');
		p.name = at ? at + 1 : text;
		p.name_len = strcspn(p.name, "+");
	}
	*ret = p;
}

/* ---- APIs ----------------------------------------------------------------------------------------------------------------- */

static uint32_t ways_of(const struct api_endpoint *e)
{
	static const struct {
		const char *kind, *name;
		uint32_t way;
	} facts[] = {
		{ "source", "socket", EXPOSURE_CLEAR },	     { "source", "openssl", EXPOSURE_OPENSSL },
		{ "source", "gnutls", EXPOSURE_GNUTLS },	     { "source", "go-tls", EXPOSURE_STATIC_TLS },
		{ "source", "boringssl", EXPOSURE_STATIC_TLS },   { "direction", "loopback", EXPOSURE_LOOPBACK },
		{ "direction", "east-west", EXPOSURE_REMOTE },    { "direction", "north-south", EXPOSURE_REMOTE },
		{ "direction", "unknown", EXPOSURE_LOOPBACK | EXPOSURE_REMOTE },
	};
	uint32_t ways = 0;

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (api_endpoint_fact(e, facts[i].kind, facts[i].name))
			ways |= facts[i].way;
	/* A catalogue that does not say: everything is possible. */
	if (!(ways & (EXPOSURE_CLEAR | EXPOSURE_OPENSSL | EXPOSURE_GNUTLS | EXPOSURE_STATIC_TLS)))
		ways |= EXPOSURE_CLEAR;
	if (!(ways & (EXPOSURE_LOOPBACK | EXPOSURE_REMOTE)))
		ways |= EXPOSURE_LOOPBACK | EXPOSURE_REMOTE;
	return ways;
}

static bool has_personal_data(const struct api_endpoint *e)
{
	uint32_t n;

	return api_endpoint_facts(e, "class", &n) || api_endpoint_facts(e, "pii", &n);
}

bool exposure_concerns(const struct api_data *data, const char *exe)
{
	for (uint32_t i = 0; i < data->n; i++)
		if (has_personal_data(&data->endpoints[i]) && api_endpoint_fact(&data->endpoints[i], "process", exe))
			return true;
	return false;
}

static int api_init(struct exposure_api *a, const struct api_endpoint *e, const struct exposure_service *services, uint32_t n)
{
	*a = (struct exposure_api){ .endpoint = e, .ways = ways_of(e) };
	a->services = calloc(n ? n : 1, sizeof(*a->services));
	if (!a->services)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		/* A process whose executable could not be read is known by its comm. */
		if (api_endpoint_fact(e, "process", services[i].exe) || (!*services[i].exe && api_endpoint_fact(e, "process", services[i].comm)))
			a->services[a->n_services++] = i;
	a->absent = !a->n_services;
	return 0;
}

int exposure_world(const struct api_data *data, const struct exposure_service *services, uint32_t n_services, struct exposure_world *ret)
{
	struct exposure_world w = { .services = services, .n_services = services ? n_services : 0, .no_services = !services };
	int r = 0;

	w.apis = calloc(data->n ? data->n : 1, sizeof(*w.apis));
	if (!w.apis)
		return -ENOMEM;
	for (uint32_t i = 0; i < data->n && !r; i++)
		if (has_personal_data(&data->endpoints[i])) {
			r = api_init(&w.apis[w.n_apis], &data->endpoints[i], services, w.n_services);
			w.n_apis++;
		}
	if (r) {
		exposure_world_free(&w);
		return r;
	}
	*ret = w;
	return 0;
}

void exposure_world_free(struct exposure_world *w)
{
	for (uint32_t i = 0; i < w->n_apis; i++)
		free(w->apis[i].services);
	free(w->apis);
	*w = (struct exposure_world){ 0 };
}

/* ---- the join ------------------------------------------------------------------------------------------------------------- */

/* The last component of a path begins with @prefix. */
static bool named(const struct exposure_point *p, const char *prefix)
{
	size_t at = p->name_len;

	while (at && p->name[at - 1] != '/')
		at--;
	return p->name_len - at >= strlen(prefix) && !memcmp(p->name + at, prefix, strlen(prefix));
}

static bool is_path(const struct exposure_point *p, const char *path)
{
	return strlen(path) == p->name_len && !memcmp(p->name, path, p->name_len);
}

static bool maps_file(const struct exposure_service *s, const struct exposure_point *p)
{
	for (uint32_t i = 0; i < s->n_files; i++)
		if (p->ino && s->files[i].ino ? p->ino == s->files[i].ino && p->dev == s->files[i].dev : is_path(p, s->files[i].path))
			return true;
	return false;
}

/* Without a process to ask: by the library's name, or the executable's. */
static bool names_file(const struct exposure_api *a, const struct exposure_point *p)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(a->endpoint, "process", &n);

	if ((a->ways & EXPOSURE_OPENSSL && (named(p, "libssl") || named(p, "libcrypto"))) ||
	    (a->ways & EXPOSURE_GNUTLS && named(p, "libgnutls")) || named(p, "libc.so") || named(p, "libc-") || named(p, "libpthread"))
		return true;
	for (uint32_t i = 0; i < n; i++)
		if (is_path(p, f[i].name))
			return true;
	return false;
}

static bool in_cgroup(const struct exposure_service *s, uint64_t id)
{
	for (uint32_t i = 0; i < s->n_cgroups; i++)
		if (s->cgroups[i] == id)
			return true;
	return !s->n_cgroups; /* not known: it may be */
}

static bool through_interface(const struct exposure_world *w, const struct exposure_api *a, const struct exposure_point *p)
{
	bool loopback = p->name_len == 2 && !memcmp(p->name, "lo", 2);
	/* By index alone, as the guard knows it: 1 is lo. */
	bool index = p->name_len && p->name[0] >= '0' && p->name[0] <= '9';

	if (index)
		loopback = p->name_len == 1 && p->name[0] == '1';
	if (!(a->ways & (loopback ? EXPOSURE_LOOPBACK : EXPOSURE_REMOTE)))
		return false;
	/* What another namespace sends passes the host's bridges and cards as well; not the other way round. */
	if (!p->netns && !loopback)
		return true;
	for (uint32_t i = 0; i < a->n_services; i++) {
		const struct exposure_service *s = &w->services[a->services[i]];

		if (!s->netns || !p->netns || s->netns == p->netns)
			return true;
	}
	return a->absent;
}

static bool passes(const struct exposure_world *w, const struct exposure_api *a, const struct exposure_point *p)
{
	switch (p->place) {
	case EXPOSURE_AT_FILE:
		for (uint32_t i = 0; i < a->n_services; i++)
			if (maps_file(&w->services[a->services[i]], p))
				return true;
		return a->absent && names_file(a, p);
	case EXPOSURE_AT_INTERFACE:
		return through_interface(w, a, p);
	case EXPOSURE_AT_CGROUP:
		for (uint32_t i = 0; i < a->n_services; i++)
			if (!p->cgroup || in_cgroup(&w->services[a->services[i]], p->cgroup))
				return true;
		return a->absent;
	case EXPOSURE_AT_NETNS:
		for (uint32_t i = 0; i < a->n_services; i++) {
			const struct exposure_service *s = &w->services[a->services[i]];

			if (p->any_netns || !p->netns || !s->netns || s->netns == p->netns)
				return true;
		}
		return a->absent;
	case EXPOSURE_AT_KERNEL:
	case EXPOSURE_AT_SOCKETS:
		return true;
	default:
		return false;
	}
}

enum exposure_level exposure_judge(const struct exposure_world *w, const struct exposure_api *a, const struct exposure_point *p, uint32_t reads)
{
	const uint32_t content = EXPOSURE_READS_MEMORY | EXPOSURE_READS_CALLS | EXPOSURE_READS_PACKETS;
	bool process = p->place == EXPOSURE_AT_FILE || p->place == EXPOSURE_AT_KERNEL;
	uint32_t clear = a->ways & EXPOSURE_CLEAR ? content : process ? EXPOSURE_READS_MEMORY : 0;

	if (!passes(w, a, p))
		return EXPOSURE_NONE;
	/* Inside the process everything is there in clear text; outside only what it does not encrypt. */
	if (p->place == EXPOSURE_AT_FILE)
		clear = content;
	if (reads & clear)
		return EXPOSURE_TAKES;
	if (reads & EXPOSURE_READS_UNKNOWN)
		/* Programs of the network see nothing but packets, whatever they do with them. */
		return process || a->ways & EXPOSURE_CLEAR ? EXPOSURE_MAY : EXPOSURE_CIPHERTEXT;
	if (reads & content)
		return EXPOSURE_CIPHERTEXT;
	return reads & EXPOSURE_READS_KERNEL ? EXPOSURE_MAY : EXPOSURE_PLACED;
}
