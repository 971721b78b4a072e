// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The policy document: text -> syntax check -> cJSON tree -> struct bw_policy, whose strings and arrays are copied into
 * memory of its own, so that the tree (several times larger) can go.
 */
#include "common/policy.h"

#include <string.h>
#include <time.h>

#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/json_check.h"
#include "common/limits.h"
#include "common/policy_protect.h"
#include "common/policy_value.h"
#include "common/policy_watch.h"

/* ---- the document ------------------------------------------------------------------------------------------------- */

/* The node of a member found by policy_get_members(). */
#define MEMBER(up_, keys, members, i) (&(struct policy_node){ .up = (up_), .key = (keys)[i], .value = (members)[i] })

static int parse_digests(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_program *prog)
{
	uint8_t(*list)[BW_DIGEST_LEN];
	struct policy_node at = { .up = n };
	uint32_t count;
	int r;

	r = policy_get_list(ps, n, 1, BW_MAX_POLICY_LIST, &count);
	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, count, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	cJSON_ArrayForEach(at.value, n->value) {
		static const uint8_t zeros[BW_DIGEST_LEN - BW_TAG_LEN];

		r = policy_get_hex(ps, &at, list[at.index], BW_DIGEST_LEN);
		if (r < 0)
			return r;
		/* In the kernel's map a tag is a digest that ends in zeros: it must not come in without its length. */
		if (!memcmp(list[at.index] + BW_TAG_LEN, zeros, sizeof(zeros)))
			return policy_fail(ps, &at, "is no digest (a tag belongs into \"tags\")");
		for (uint32_t i = 0; i < at.index; i++)
			if (!memcmp(list[i], list[at.index], BW_DIGEST_LEN))
				return policy_fail(ps, &at, "is in the list already");
		at.index++;
	}
	prog->digests = (const uint8_t(*)[BW_DIGEST_LEN])list;
	prog->n_digests = count;
	return 0;
}

static int parse_tags(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_program *prog)
{
	static const char *const keys[] = { "tag", "instructions" };
	struct policy_node at = { .up = n };
	struct bw_policy_tag *list;
	const cJSON *m[ARRAY_SIZE(keys)];
	uint32_t count;
	uint64_t v;
	int r;

	r = policy_get_list(ps, n, 1, BW_MAX_POLICY_LIST, &count);
	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, count, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	cJSON_ArrayForEach(at.value, n->value) {
		struct bw_policy_tag *tag = &list[at.index];

		r = policy_get_members(ps, &at, keys, ARRAY_SIZE(keys), m);
		if (r < 0)
			return r;
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (!m[i])
				return policy_fail(ps, &at, "\"%s\" is missing", keys[i]);
		r = policy_get_hex(ps, MEMBER(&at, keys, m, 0), tag->tag, BW_TAG_LEN);
		if (r < 0)
			return r;
		r = policy_get_uint(ps, MEMBER(&at, keys, m, 1), 1, BW_MAX_INSNS, &v);
		if (r < 0)
			return r;
		tag->instructions = (uint32_t)v;
		for (uint32_t i = 0; i < at.index; i++)
			if (!memcmp(&list[i], tag, sizeof(*tag)))
				return policy_fail(ps, &at, "is in the list already");
		at.index++;
	}
	prog->tags = list;
	prog->n_tags = count;
	return 0;
}

static int parse_canonical_maps(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_canonical *c)
{
	static const char *const keys[] = { "name", "definition" };
	struct policy_node at = { .up = n };
	struct bw_policy_map *list;
	const cJSON *m[ARRAY_SIZE(keys)];
	int r;

	r = policy_get_list(ps, n, 0, BW_MAX_POLICY_MAPS, &c->n_maps);
	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, c->n_maps, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	cJSON_ArrayForEach(at.value, n->value) {
		r = policy_get_members(ps, &at, keys, ARRAY_SIZE(keys), m);
		if (r < 0)
			return r;
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (!m[i])
				return policy_fail(ps, &at, "\"%s\" is missing", keys[i]);
		r = policy_get_text(ps, MEMBER(&at, keys, m, 0), 256, &list[at.index].name);
		if (!r)
			r = policy_get_hex(ps, MEMBER(&at, keys, m, 1), list[at.index].definition, BW_POLICY_CANONICAL_LEN);
		if (r < 0)
			return r;
		at.index++;
	}
	c->maps = list;
	return 0;
}

static int parse_canonicals(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_program *prog)
{
	enum { IDENTITY, SOURCE, CODE, RODATA, DATA, MAPS, N_KEYS };
	static const char *const keys[] = { "identity", "source", "code", "rodata", "data", "maps" };
	struct policy_node at = { .up = n };
	struct bw_policy_canonical *list;
	const cJSON *m[N_KEYS];
	uint32_t count;
	int r;

	_Static_assert(ARRAY_SIZE(keys) == N_KEYS, "keys of a canonical identity");
	r = policy_get_list(ps, n, 1, BW_MAX_POLICY_LIST, &count);
	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, count, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	cJSON_ArrayForEach(at.value, n->value) {
		struct bw_policy_canonical *c = &list[at.index];

		r = policy_get_members(ps, &at, keys, N_KEYS, m);
		if (!r && !m[IDENTITY])
			return policy_fail(ps, &at, "\"identity\" is missing");
		if (!r)
			r = policy_get_hex(ps, MEMBER(&at, keys, m, IDENTITY), c->identity, BW_POLICY_CANONICAL_LEN);
		if (!r && m[SOURCE])
			r = policy_get_text(ps, MEMBER(&at, keys, m, SOURCE), 256, &c->source);
		c->has_code = m[CODE];
		c->has_rodata = m[RODATA];
		c->has_data = m[DATA];
		if (!r && m[CODE])
			r = policy_get_hex(ps, MEMBER(&at, keys, m, CODE), c->code, BW_POLICY_CANONICAL_LEN);
		if (!r && m[RODATA])
			r = policy_get_hex(ps, MEMBER(&at, keys, m, RODATA), c->rodata, BW_POLICY_CANONICAL_LEN);
		if (!r && m[DATA])
			r = policy_get_hex(ps, MEMBER(&at, keys, m, DATA), c->data, BW_POLICY_CANONICAL_LEN);
		if (!r && m[MAPS])
			r = parse_canonical_maps(ps, MEMBER(&at, keys, m, MAPS), c);
		if (r < 0)
			return r;
		for (uint32_t i = 0; i < at.index; i++)
			if (!memcmp(list[i].identity, c->identity, BW_POLICY_CANONICAL_LEN))
				return policy_fail(ps, &at, "is in the list already");
		at.index++;
	}
	prog->canonicals = list;
	prog->n_canonicals = count;
	return 0;
}

static int parse_hashes(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_loader *l)
{
	struct policy_node at = { .up = n };
	uint8_t(*list)[32];
	uint32_t count;
	int r = policy_get_list(ps, n, 1, BW_MAX_LOADER_HASHES, &count);

	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, count, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	cJSON_ArrayForEach(at.value, n->value) {
		r = policy_get_hex(ps, &at, list[at.index], sizeof(*list));
		if (r < 0)
			return r;
		at.index++;
	}
	l->sha256 = (const uint8_t(*)[32])list;
	l->n_sha256 = count;
	return 0;
}

static int parse_uids(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_loader *l)
{
	struct policy_node at = { .up = n };
	uint32_t count;
	uint64_t uid;
	int r = policy_get_list(ps, n, 1, BW_MAX_CONDITION_UIDS, &count);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(at.value, n->value) {
		r = policy_get_uint(ps, &at, 0, UINT32_MAX - 1, &uid);
		if (r < 0)
			return r;
		l->uids[at.index++] = (uint32_t)uid;
	}
	l->n_uids = count;
	return 0;
}

int bw_cgroup_pattern_parse(const char *text, struct bw_cgroup_pattern *ret, const char **ret_why)
{
	struct bw_cgroup_pattern p = { 0 };
	static const char wrong[] = "must be the path of a cgroup, from \"/\", the root of version 2";

	*ret_why = wrong;
	if (text[0] != '/')
		return -EINVAL;
	while (*text) {
		struct bw_cgroup_part *part = &p.parts[p.depth];
		size_t len = strcspn(++text, "/"), head = strcspn(text, "*/");

		*ret_why = wrong;
		if (!len || (len <= 2 && !strncmp(text, "..", len)))
			return -EINVAL;
		*ret_why = "must not have more than 8 folders, of at most 92 bytes each";
		if (p.depth == BW_MAX_CGROUP_DEPTH || len > sizeof(part->text))
			return -EINVAL;
		*ret_why = "must not have more than one \"*\" in the name of a folder";
		if (head < len && memchr(text + head + 1, '*', len - head - 1))
			return -EINVAL;
		part->head = (uint8_t)head;
		part->exact = head == len;
		part->tail = (uint8_t)(part->exact ? 0 : len - head - 1);
		memcpy(part->text, text, head);
		memcpy(part->text + head, text + len - part->tail, part->tail);
		p.depth++;
		text += len;
	}
	*ret = p;
	return 0;
}

static int parse_cgroups(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_loader *l)
{
	struct policy_node at = { .up = n };
	struct bw_cgroup_pattern ignored;
	const char *why;
	uint32_t count;
	int r = policy_get_list(ps, n, 1, BW_MAX_CONDITION_CGROUPS, &count);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(at.value, n->value) {
		r = policy_get_text(ps, &at, 1024, &l->cgroups[at.index]);
		if (r < 0)
			return r;
		if (bw_cgroup_pattern_parse(l->cgroups[at.index], &ignored, &why) < 0)
			return policy_fail(ps, &at, "%s", why);
		at.index++;
	}
	l->n_cgroups = count;
	return 0;
}

static int parse_loader(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_loader *l)
{
	enum { PATH, HASHES, VERITY, UIDS, NAMESPACES, CGROUPS, N_KEYS };
	static const char *const keys[] = { "path", "sha256", "fsverity", "uids", "namespaces", "cgroups" };
	const cJSON *m[N_KEYS];
	int r = policy_get_members(ps, n, keys, N_KEYS, m);

	if (!r && !m[PATH] && (!m[CGROUPS] || m[HASHES] || m[VERITY]))
		return policy_fail(ps, n, "\"path\" is missing");
	if (!r && m[PATH])
		r = policy_get_path(ps, MEMBER(n, keys, m, PATH), &l->path);
	if (!r && m[HASHES])
		r = parse_hashes(ps, MEMBER(n, keys, m, HASHES), l);
	if (!r && m[VERITY]) {
		l->has_verity = true;
		r = policy_get_hex(ps, MEMBER(n, keys, m, VERITY), l->verity, sizeof(l->verity));
	}
	if (!r && m[UIDS])
		r = parse_uids(ps, MEMBER(n, keys, m, UIDS), l);
	if (!r && m[NAMESPACES]) {
		if (!cJSON_IsString(m[NAMESPACES]) || strcmp(m[NAMESPACES]->valuestring, "host"))
			return policy_fail(ps, MEMBER(n, keys, m, NAMESPACES), "must be \"host\"");
		l->host_namespaces = true;
	}
	if (!r && m[CGROUPS])
		r = parse_cgroups(ps, MEMBER(n, keys, m, CGROUPS), l);
	return r;
}

static int parse_loaders(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_program *prog)
{
	struct policy_node at = { .up = n };
	struct bw_policy_loader *list;
	uint32_t count;
	int r;

	r = policy_get_list(ps, n, 1, BW_MAX_POLICY_LIST, &count);
	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, count, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	cJSON_ArrayForEach(at.value, n->value) {
		r = parse_loader(ps, &at, &list[at.index]);
		if (r < 0)
			return r;
		for (uint32_t i = 0; i < at.index; i++)
			if (!list[i].path || !list[at.index].path ? list[i].path == list[at.index].path :
								    !strcmp(list[i].path, list[at.index].path))
				return policy_fail(ps, &at, "is in the list already");
		at.index++;
	}
	prog->loaders = list;
	prog->n_loaders = count;
	return 0;
}

static int find_attach_type(const char *name)
{
	/* 0 is "cgroup_inet_ingress" for one program type and "none" for the others. */
	return strcmp(name, "none") ? bw_attach_type_id(name) : 0;
}

static int parse_program(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_program *prog)
{
	enum { ID, NAME, REASON, DIGESTS, TAGS, CANONICAL, TYPE, ATTACH_TYPE, LOADERS, TARGETS, HELPERS, KFUNCS, N_KEYS };
	static const char *const keys[] = { "id",   "name",	   "reason",  "digests", "tags",    "canonical",
					    "type", "attach_type", "loaders", "targets", "helpers", "kfuncs" };
	const cJSON *m[N_KEYS];
	int r;

	_Static_assert(ARRAY_SIZE(keys) == N_KEYS, "keys of a program");
	r = policy_get_members(ps, n, keys, N_KEYS, m);
	if (r < 0)
		return r;
	if (!m[ID])
		return policy_fail(ps, n, "\"id\" is missing");
	if (!m[TYPE])
		return policy_fail(ps, n, "\"type\" is missing");
	if (!m[DIGESTS] && !m[TAGS] && !m[CANONICAL])
		return policy_fail(ps, n, "\"digests\", \"tags\" or \"canonical\" is missing");
	prog->any_attach_type = !m[ATTACH_TYPE];
	r = policy_get_id(ps, MEMBER(n, keys, m, ID), &prog->id);
	if (!r && m[NAME])
		r = policy_get_text(ps, MEMBER(n, keys, m, NAME), 256, &prog->name);
	if (!r && m[REASON])
		r = policy_get_text(ps, MEMBER(n, keys, m, REASON), 1024, &prog->reason);
	if (!r && m[DIGESTS])
		r = parse_digests(ps, MEMBER(n, keys, m, DIGESTS), prog);
	if (!r && m[TAGS])
		r = parse_tags(ps, MEMBER(n, keys, m, TAGS), prog);
	if (!r && m[CANONICAL])
		r = parse_canonicals(ps, MEMBER(n, keys, m, CANONICAL), prog);
	if (!r)
		r = policy_get_prog_type(ps, MEMBER(n, keys, m, TYPE), &prog->type);
	if (!r && m[ATTACH_TYPE])
		r = policy_get_named(ps, MEMBER(n, keys, m, ATTACH_TYPE), "attach type", find_attach_type, 0,
				     BW_MAX_ATTACH_TYPE, &prog->attach_type);
	if (!r && m[LOADERS])
		r = parse_loaders(ps, MEMBER(n, keys, m, LOADERS), prog);
	if (!r && m[TARGETS])
		r = policy_get_symbols(ps, MEMBER(n, keys, m, TARGETS), 1, NULL, &prog->targets, &prog->n_targets);
	if (!r && m[HELPERS])
		r = policy_get_helpers(ps, MEMBER(n, keys, m, HELPERS), 0, prog->helpers);
	if (!r && m[KFUNCS])
		r = policy_get_symbols(ps, MEMBER(n, keys, m, KFUNCS), 0, NULL, &prog->kfuncs, &prog->n_kfuncs);
	return r;
}

static int parse_deny(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_rule *rule)
{
	static const char *const keys[] = { "helpers", "kfuncs", "types" };
	const cJSON *m[ARRAY_SIZE(keys)];
	int r;

	r = policy_get_members(ps, n, keys, ARRAY_SIZE(keys), m);
	if (r < 0)
		return r;
	if (!m[0] && !m[1] && !m[2])
		return policy_fail(ps, n, "\"helpers\", \"kfuncs\" or \"types\" is missing");
	if (m[0])
		r = policy_get_helpers(ps, MEMBER(n, keys, m, 0), 1, rule->helpers);
	if (!r && m[1])
		r = policy_get_symbols(ps, MEMBER(n, keys, m, 1), 1, &rule->any_kfunc, &rule->kfuncs, &rule->n_kfuncs);
	if (!r && m[2]) {
		const struct policy_node *types = MEMBER(n, keys, m, 2);
		struct policy_node at = { .up = types };
		uint32_t count, type;

		r = policy_get_list(ps, types, 1, BW_MAX_POLICY_LIST, &count);
		if (r < 0)
			return r;
		cJSON_ArrayForEach(at.value, types->value) {
			r = policy_get_prog_type(ps, &at, &type);
			if (r < 0)
				return r;
			rule->types |= 1ULL << type;
			at.index++;
		}
	}
	return r;
}

/* "T1014", "T1562.001" */
static bool is_technique(const char *s)
{
	size_t len = strlen(s);

	return s[0] == 'T' && (len == 5 || (len == 9 && s[5] == '.')) && strspn(s + 1, "0123456789") == 4 &&
	       (len == 5 || strspn(s + 6, "0123456789") == 3);
}

static int parse_attack(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_rule *rule)
{
	struct policy_node at = { .up = n };
	const char **list;
	uint32_t count;
	int r;

	r = policy_get_list(ps, n, 1, BW_MAX_POLICY_ATTACK, &count);
	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, count, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	cJSON_ArrayForEach(at.value, n->value) {
		r = policy_get_text(ps, &at, 16, &list[at.index]);
		if (r < 0)
			return r;
		if (!is_technique(list[at.index]))
			return policy_fail(ps, &at, "must be an ATT&CK technique like \"T1014\" or \"T1562.001\"");
		for (uint32_t i = 0; i < at.index; i++)
			if (!strcmp(list[i], list[at.index]))
				return policy_fail(ps, &at, "is in the list already");
		at.index++;
	}
	rule->attack = list;
	rule->n_attack = count;
	return 0;
}

static int parse_rule(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_rule *rule)
{
	static const char *const keys[] = { "id", "deny", "reason", "attack" };
	const cJSON *m[ARRAY_SIZE(keys)];
	int r;

	r = policy_get_members(ps, n, keys, ARRAY_SIZE(keys), m);
	if (r < 0)
		return r;
	for (size_t i = 0; i < 2; i++)
		if (!m[i])
			return policy_fail(ps, n, "\"%s\" is missing", keys[i]);
	r = policy_get_id(ps, MEMBER(n, keys, m, 0), &rule->id);
	if (!r)
		r = parse_deny(ps, MEMBER(n, keys, m, 1), rule);
	if (!r && m[2])
		r = policy_get_text(ps, MEMBER(n, keys, m, 2), 1024, &rule->reason);
	if (!r && m[3])
		r = parse_attack(ps, MEMBER(n, keys, m, 3), rule);
	return r;
}

static int parse_exempt(struct policy_parser *ps, const struct policy_node *n)
{
	static const char *const keys[] = { "init", "inert" };
	static const char *const inert_keys[] = { "enabled", "max_instructions" };
	const cJSON *m[ARRAY_SIZE(keys)], *im[ARRAY_SIZE(inert_keys)];
	int r;

	r = policy_get_members(ps, n, keys, ARRAY_SIZE(keys), m);
	if (!r && m[0])
		r = policy_get_bool(ps, MEMBER(n, keys, m, 0), &ps->policy->allow_init);
	if (!r && m[1]) {
		const struct policy_node *inert = MEMBER(n, keys, m, 1);
		uint64_t v = ps->policy->inert_max_instructions;

		r = policy_get_members(ps, inert, inert_keys, ARRAY_SIZE(inert_keys), im);
		if (!r && im[0])
			r = policy_get_bool(ps, MEMBER(inert, inert_keys, im, 0), &ps->policy->allow_inert);
		if (!r && im[1])
			r = policy_get_uint(ps, MEMBER(inert, inert_keys, im, 1), 1, BW_MAX_INSNS, &v);
		if (!r)
			ps->policy->inert_max_instructions = (uint32_t)v;
	}
	return r;
}

static int parse_defaults(struct policy_parser *ps, const struct policy_node *n)
{
	const char *keys[BW_CLASS_COUNT];
	const cJSON *m[BW_CLASS_COUNT];
	int r;

	for (unsigned int i = 0; i < BW_CLASS_COUNT; i++)
		keys[i] = bw_policy_class_name(i);
	r = policy_get_members(ps, n, keys, BW_CLASS_COUNT, m);
	for (unsigned int i = 0; !r && i < BW_CLASS_COUNT; i++) {
		if (!m[i])
			continue;
		if (cJSON_IsString(m[i]) && !strcmp(m[i]->valuestring, "allow"))
			ps->policy->defaults[i] = BW_VERDICT_ALLOW;
		else if (cJSON_IsString(m[i]) && !strcmp(m[i]->valuestring, "deny"))
			ps->policy->defaults[i] = BW_VERDICT_DENY;
		else
			r = policy_fail(ps, MEMBER(n, keys, m, i), "must be \"allow\" or \"deny\"");
	}
	return r;
}

/* Ids are unique within their list: one open-addressing table per list. */
struct id_set {
	const char **ids;
	uint32_t *index;
	size_t mask;
};

static void id_set_free(struct id_set *s)
{
	free(s->ids);
	free(s->index);
}

static bool id_set_init(struct id_set *s, uint32_t n)
{
	size_t size = 16;

	while (size < 2 * (size_t)n)
		size *= 2;
	s->mask = size - 1;
	s->ids = calloc(size, sizeof(*s->ids));
	s->index = calloc(size, sizeof(*s->index));
	return s->ids && s->index;
}

/* Adds @id; returns false and the index of the earlier one when it is there already. */
static bool id_set_add(struct id_set *s, const char *id, uint32_t index, uint32_t *ret_earlier)
{
	uint64_t h = 0xcbf29ce484222325ULL; /* FNV-1a */
	size_t at;

	for (const char *p = id; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3ULL;
	for (at = (h ^ h >> 32) & s->mask; s->ids[at]; at = (at + 1) & s->mask)
		if (!strcmp(s->ids[at], id)) {
			*ret_earlier = s->index[at];
			return false;
		}
	s->ids[at] = id;
	s->index[at] = index;
	return true;
}

static int duplicate_id(struct policy_parser *ps, const struct policy_node *at, const char *list, const char *id,
			uint32_t earlier)
{
	struct policy_node field = { .up = at, .key = "id" };

	return policy_fail(ps, &field, "duplicate id \"%s\", already used by %s[%u]", id, list, earlier);
}

static int parse_programs(struct policy_parser *ps, const struct policy_node *n)
{
	BW_CLEANUP(id_set_free) struct id_set ids = {};
	struct bw_policy_program *list;
	struct policy_node at = { .up = n };
	uint32_t earlier;
	int r;

	r = policy_get_list(ps, n, 0, BW_MAX_POLICY_PROGRAMS, &ps->policy->n_programs);
	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, ps->policy->n_programs, sizeof(*list));
	if (!list || !id_set_init(&ids, ps->policy->n_programs))
		return policy_no_memory(ps);
	ps->policy->programs = list;
	cJSON_ArrayForEach(at.value, n->value) {
		r = parse_program(ps, &at, &list[at.index]);
		if (r < 0)
			return r;
		if (!id_set_add(&ids, list[at.index].id, at.index, &earlier))
			return duplicate_id(ps, &at, "programs", list[at.index].id, earlier);
		at.index++;
	}
	return 0;
}

static int parse_rules(struct policy_parser *ps, const struct policy_node *n)
{
	struct bw_policy_rule *list;
	struct policy_node at = { .up = n };
	int r;

	r = policy_get_list(ps, n, 0, BW_MAX_RULES, &ps->policy->n_rules);
	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, ps->policy->n_rules, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	ps->policy->rules = list;
	cJSON_ArrayForEach(at.value, n->value) {
		r = parse_rule(ps, &at, &list[at.index]);
		if (r < 0)
			return r;
		for (uint32_t i = 0; i < at.index; i++)
			if (!strcmp(list[i].id, list[at.index].id))
				return duplicate_id(ps, &at, "rules", list[i].id, i);
		at.index++;
	}
	return 0;
}

/* "2027-01-31" (the end of that day) or "2027-01-31T12:00:00Z". */
static int parse_time(struct policy_parser *ps, const struct policy_node *n, int64_t *ret)
{
	struct tm tm = { 0 };
	const char *text, *end;
	time_t t;
	int r = policy_get_text(ps, n, 32, &text);

	if (r < 0)
		return r;
	end = strlen(text) == 10 ? strptime(text, "%Y-%m-%d", &tm) : NULL;
	if (end && !*end) {
		tm.tm_hour = 23;
		tm.tm_min = tm.tm_sec = 59;
	} else {
		end = strlen(text) == 20 ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
	}
	t = end && !*end ? timegm(&tm) : -1;
	if (t <= 0)
		return policy_fail(ps, n, "must be a date or a time in UTC like 2027-01-31T12:00:00Z");
	*ret = t;
	return 0;
}

static int parse_document(struct policy_parser *ps, const cJSON *root)
{
	enum { VERSION, NAME, SERIAL, EXPIRES, EXEMPT, DEFAULTS, PROTECT, PROGRAMS, RULES, ATTACH, EXFILTRATION, SCHEMA, N_KEYS };
	static const char *const keys[] = { "version",	"name",	   "serial",   "expires", "exempt", "defaults",
					    "protect", "programs", "rules", "attach", "exfiltration", "$schema" };
	const struct policy_node top = { .value = root };
	const char *ignored;
	const cJSON *m[N_KEYS];
	uint64_t v;
	int r;

	_Static_assert(ARRAY_SIZE(keys) == N_KEYS, "keys of a policy");
	if (!cJSON_IsObject(root))
		return policy_get_members(ps, &top, keys, N_KEYS, m);
	/* First of all: another version may have other keys. */
	m[VERSION] = cJSON_GetObjectItemCaseSensitive(root, keys[VERSION]);
	if (!m[VERSION])
		return policy_fail(ps, &top, "\"version\" is missing");
	r = policy_get_uint(ps, MEMBER(&top, keys, m, VERSION), 0, BW_MAX_POLICY_INT, &v);
	if (r < 0)
		return r;
	if (v != BW_POLICY_VERSION)
		return policy_fail(ps, MEMBER(&top, keys, m, VERSION), "version %llu is not supported, only %u",
				   (unsigned long long)v, BW_POLICY_VERSION);
	r = policy_get_members(ps, &top, keys, N_KEYS, m);
	if (!r && m[SCHEMA]) /* editors want it */
		r = policy_get_text(ps, MEMBER(&top, keys, m, SCHEMA), 1024, &ignored);
	if (!r && m[NAME])
		r = policy_get_text(ps, MEMBER(&top, keys, m, NAME), 256, &ps->policy->name);
	if (!r && m[SERIAL])
		r = policy_get_uint(ps, MEMBER(&top, keys, m, SERIAL), 0, BW_MAX_POLICY_INT, &ps->policy->serial);
	if (!r && m[EXPIRES])
		r = parse_time(ps, MEMBER(&top, keys, m, EXPIRES), &ps->policy->expires);
	if (!r && m[EXEMPT])
		r = parse_exempt(ps, MEMBER(&top, keys, m, EXEMPT));
	if (!r && m[DEFAULTS])
		r = parse_defaults(ps, MEMBER(&top, keys, m, DEFAULTS));
	if (!r && m[PROTECT])
		r = policy_parse_protect(ps, MEMBER(&top, keys, m, PROTECT), &ps->policy->protect);
	if (!r && m[PROGRAMS])
		r = parse_programs(ps, MEMBER(&top, keys, m, PROGRAMS));
	if (!r && m[RULES])
		r = parse_rules(ps, MEMBER(&top, keys, m, RULES));
	if (!r && m[ATTACH])
		r = policy_parse_attach(ps, MEMBER(&top, keys, m, ATTACH));
	if (!r && m[EXFILTRATION])
		r = policy_parse_exfiltration(ps, MEMBER(&top, keys, m, EXFILTRATION));
	return r;
}

static void cjson_freep(cJSON **p)
{
	cJSON_Delete(*p);
}

int bw_policy_parse(const char *text, size_t len, struct bw_policy **ret, struct bw_policy_error *ret_error)
{
	_cleanup_policy_ struct bw_policy *policy = NULL;
	BW_CLEANUP(cjson_freep) cJSON *root = NULL;
	struct policy_parser ps = { .text = text, .len = len, .error = ret_error };
	const char *reason;
	size_t offset;
	int r;

	*ret_error = (struct bw_policy_error){};
	if (len > BW_MAX_POLICY_SIZE) {
		snprintf(ret_error->reason, sizeof(ret_error->reason), "larger than %u MiB", BW_MAX_POLICY_SIZE >> 20);
		return -E2BIG;
	}
	r = bw_json_check(text, len, BW_MAX_POLICY_VALUES, &offset, &reason);
	if (r < 0) {
		bw_json_position(text, offset, &ret_error->line, &ret_error->column);
		snprintf(ret_error->reason, sizeof(ret_error->reason), "%s", len ? reason : "the file is empty");
		return r;
	}
	policy = calloc(1, sizeof(*policy));
	if (!policy)
		return policy_no_memory(&ps);
	root = cJSON_ParseWithLength(text, len);
	if (!root) /* the syntax is known to be right */
		return policy_no_memory(&ps);
	policy->allow_init = true;
	policy->allow_inert = true;
	policy->inert_max_instructions = 64;
	memset(policy->defaults, BW_VERDICT_DENY, sizeof(policy->defaults));
	policy_protect_defaults(&policy->protect);
	ps.policy = policy;
	r = parse_document(&ps, root);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(policy);
	return 0;
}

int bw_policy_text(const char *path, char **ret_text, size_t *ret_len, struct bw_policy_error *ret_error)
{
	int r = bw_file_read(path, BW_MAX_POLICY_SIZE, ret_text, ret_len);

	if (!r)
		return 0;
	*ret_error = (struct bw_policy_error){};
	if (r == -EFBIG)
		snprintf(ret_error->reason, sizeof(ret_error->reason), "larger than %u MiB", BW_MAX_POLICY_SIZE >> 20);
	else if (r == -EISDIR)
		snprintf(ret_error->reason, sizeof(ret_error->reason), "is a directory, not a policy file");
	else if (r == -EINVAL)
		snprintf(ret_error->reason, sizeof(ret_error->reason), "is not a regular file");
	else
		snprintf(ret_error->reason, sizeof(ret_error->reason), "cannot be read: %s", strerror(-r));
	return r;
}

int bw_policy_read(const char *path, struct bw_policy **ret, struct bw_policy_error *ret_error)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = bw_policy_text(path, &text, &len, ret_error);

	return r < 0 ? r : bw_policy_parse(text, len, ret, ret_error);
}
