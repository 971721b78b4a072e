// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a command loaded, as a policy that approves exactly that: by load digest, type and loader. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "auditor/broker/broker.h"
#include "auditor/identity.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"
#include "common/json.h"

#define MAX_ENTRIES 65536u

struct entry {
	char name[17], loader[256];
	uint8_t digest[32];
	uint32_t prog_type, attach_type, n_loads;
	uint64_t helpers[4];
};

struct broker_record {
	struct entry *v;
	uint32_t n, cap;
};

int broker_record_open(struct broker_record **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void broker_record_free(struct broker_record *r)
{
	if (r)
		free(r->v);
	free(r);
}

int broker_record_add(struct broker_record *r, const struct broker_target *t, const struct broker_load *l)
{
	struct bw_identity_summary s;
	struct entry *e;

	for (uint32_t i = 0; i < r->n; i++)
		if (!memcmp(r->v[i].digest, l->digest, sizeof(l->digest)) && r->v[i].prog_type == l->prog_type &&
		    r->v[i].attach_type == l->attach_type && !strcmp(r->v[i].loader, t->exe)) {
			r->v[i].n_loads++;
			return 0;
		}
	if (r->n == MAX_ENTRIES)
		return -E2BIG;
	if (r->n == r->cap) {
		uint32_t cap = r->cap ? 2 * r->cap : 16;

		e = realloc(r->v, cap * sizeof(*e));
		if (!e)
			return -ENOMEM;
		r->v = e;
		r->cap = cap;
	}
	e = &r->v[r->n++];
	*e = (struct entry){ .prog_type = l->prog_type, .attach_type = l->attach_type, .n_loads = 1 };
	memcpy(e->name, l->name, sizeof(e->name));
	memcpy(e->loader, t->exe, sizeof(e->loader));
	memcpy(e->digest, l->digest, sizeof(e->digest));
	identity_summary(l->insns, l->n_insns, &s);
	memcpy(e->helpers, s.helpers, sizeof(e->helpers));
	return 0;
}

static void put_name(struct bw_json *j, const char *key, const char *name, uint32_t number)
{
	if (name)
		bw_json_str(j, key, name);
	else
		bw_json_u64(j, key, number);
}

int broker_record_write(const struct broker_record *r, const char *path)
{
	static const char *const classes[] = { "tracing", "networking", "cgroup", "lsm", "socket_filter", "other" };
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b, .indent = 2 };
	char text[96];

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", 1);
	bw_json_open(&j, "exempt", '{');
	bw_json_bool(&j, "init", true);
	bw_json_open(&j, "inert", '{');
	bw_json_bool(&j, "enabled", true);
	bw_json_close(&j, '}');
	bw_json_close(&j, '}');
	bw_json_open(&j, "defaults", '{');
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		bw_json_str(&j, classes[i], "deny");
	bw_json_close(&j, '}');
	bw_json_open(&j, "programs", '[');
	for (uint32_t i = 0; i < r->n; i++) {
		const struct entry *e = &r->v[i];

		bw_json_open(&j, NULL, '{');
		snprintf(text, sizeof(text), "recorded-%u", i + 1);
		bw_json_str(&j, "id", text);
		if (e->name[0])
			bw_json_str(&j, "name", e->name);
		snprintf(text, sizeof(text), "recorded by bpfwarden run: %u load%s", e->n_loads, e->n_loads == 1 ? "" : "s");
		bw_json_str(&j, "reason", text);
		put_name(&j, "type", bw_prog_type_name(e->prog_type), e->prog_type);
		/* Of struct_ops it is the index of a member, and 0 is no attach type where it is not used. */
		if (e->prog_type == BPF_PROG_TYPE_STRUCT_OPS || !bw_attach_type_name(e->attach_type))
			bw_json_u64(&j, "attach_type", e->attach_type);
		else
			bw_json_str(&j, "attach_type", e->attach_type || e->prog_type == BPF_PROG_TYPE_CGROUP_SKB ?
							       bw_attach_type_name(e->attach_type) : "none");
		bw_json_open(&j, "digests", '[');
		bw_json_hex(&j, NULL, e->digest, sizeof(e->digest));
		bw_json_close(&j, ']');
		if (e->loader[0] == '/') {
			bw_json_open(&j, "loaders", '[');
			bw_json_open(&j, NULL, '{');
			bw_json_str(&j, "path", e->loader);
			bw_json_close(&j, '}');
			bw_json_close(&j, ']');
		}
		bw_json_open(&j, "helpers", '[');
		for (uint32_t h = 1; h < 256; h++)
			if (e->helpers[h / 64] >> (h % 64) & 1)
				put_name(&j, NULL, bw_helper_name(h), h);
		bw_json_close(&j, ']');
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(&b, '\n');
	return bw_buf_error(&b) ? bw_buf_error(&b) : bw_file_write_atomic(path, b.data, b.len, 0600);
}
