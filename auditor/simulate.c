// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/simulate.h"

#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "common/bpf_names.h"
#include "common/limits.h"

/* A name that the policy mentions, and the number that stands for it: index + 1. */
struct bw_sim {
	const struct bw_policy *policy;
	struct bw_policy_image image;
	char **names; /* "L/usr/sbin/x", "Tbpf_lsm_file_open", "Kbpf_iter_num_new" */
	uint32_t n, cap;
	uint32_t *table, size; /* index + 1; 0 is free */
};

#define UNKNOWN_NAME 0xfffffff0u /* no name of the policy has such a number */

static uint32_t hash(char kind, const char *name)
{
	uint32_t h = 2166136261u ^ (unsigned char)kind;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h;
}

static uint32_t *slot(uint32_t *table, uint32_t size, char *const *names, char kind, const char *name)
{
	uint32_t at = hash(kind, name);

	for (;; at++) {
		uint32_t *s = &table[at & (size - 1)];

		if (!*s || (names[*s - 1][0] == kind && !strcmp(names[*s - 1] + 1, name)))
			return s;
	}
}

/* The number of a name; 0 when the policy does not mention it. */
static uint32_t find(const struct bw_sim *s, char kind, const char *name)
{
	return s->size ? *slot(s->table, s->size, s->names, kind, name) : 0;
}

static int grow(struct bw_sim *s)
{
	uint32_t size = s->size ? s->size * 2 : 256, *table;
	char **names;

	if (s->n * 2 >= s->size) {
		table = calloc(size, sizeof(*table));
		if (!table)
			return -ENOMEM;
		for (uint32_t i = 0; i < s->n; i++)
			*slot(table, size, s->names, s->names[i][0], s->names[i] + 1) = i + 1;
		free(s->table);
		s->table = table;
		s->size = size;
	}
	if (s->n == s->cap) {
		names = realloc(s->names, (s->cap ? s->cap * 2 : 64) * sizeof(*names));
		if (!names)
			return -ENOMEM;
		s->names = names;
		s->cap = s->cap ? s->cap * 2 : 64;
	}
	return 0;
}

static int intern(struct bw_sim *s, char kind, const char *name, uint32_t *ret)
{
	uint32_t *at;
	int r = grow(s);

	if (r < 0)
		return r;
	at = slot(s->table, s->size, s->names, kind, name);
	if (!*at) {
		if (asprintf(&s->names[s->n], "%c%s", kind, name) < 0)
			return -ENOMEM;
		*at = ++s->n;
	}
	*ret = *at;
	return 0;
}

/*
 * The name that the kernel's BTF has for what a policy or a program calls @name: as in the guard's lookup, LSM hooks and typed
 * tracepoints may be named without their prefix.
 */
static const char *target_name(const char *name, uint32_t prog_type, uint32_t attach_type, char *buf, size_t size)
{
	const char *prefix = NULL;

	if (prog_type == BPF_PROG_TYPE_LSM)
		prefix = "bpf_lsm_";
	else if (prog_type == BPF_PROG_TYPE_TRACING && attach_type == BPF_TRACE_RAW_TP)
		prefix = "btf_trace_";
	if (!prefix || strchr(name, ':') || !strncmp(name, prefix, strlen(prefix)))
		return name;
	snprintf(buf, size, "%s%s", prefix, name);
	return buf;
}

/* The guard binds to the file behind the path; so does whoever runs a test on the host that has it. */
static int env_loader(void *ctx, const char *path, uint32_t *ret_dev, uint64_t *ret_ino)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	uint32_t id;
	int r = intern(ctx, 'L', real ? real : path, &id);

	if (r < 0)
		return r;
	*ret_dev = 1;
	*ret_ino = id;
	return 0;
}

static int env_target(void *ctx, const char *name, uint32_t prog_type, uint32_t attach_type, uint32_t *ret)
{
	char buf[PATH_MAX];

	return intern(ctx, 'T', target_name(name, prog_type, attach_type, buf, sizeof(buf)), ret);
}

static int env_kfunc(void *ctx, const char *name, uint32_t *ret)
{
	return intern(ctx, 'K', name, ret);
}

int bw_sim_new(const struct bw_policy *p, struct bw_sim **ret)
{
	BW_CLEANUP(bw_policy_warnings_free) struct bw_policy_warnings w = { 0 };
	_cleanup_sim_ struct bw_sim *s = calloc(1, sizeof(*s));
	struct bw_policy_env env = { .ctx = s, .loader = env_loader, .target = env_target, .kfunc = env_kfunc, .any_host = true };
	int r;

	if (!s)
		return -ENOMEM;
	s->policy = p;
	r = bw_policy_compile(p, &env, &s->image, &w);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void bw_sim_free(struct bw_sim *s)
{
	if (!s)
		return;
	bw_policy_image_free(&s->image);
	for (uint32_t i = 0; i < s->n; i++)
		free(s->names[i]);
	free(s->names);
	free(s->table);
	free(s);
}

const struct bw_policy_image *bw_sim_image(const struct bw_sim *s)
{
	return &s->image;
}

int bw_sim_judge(struct bw_sim *s, const struct bw_sim_load *l, struct bw_sim_answer *ret)
{
	struct bw_event_load load = {
		.prog_type = l->prog_type,
		.expected_attach_type = l->attach_type,
		.identity = (uint8_t)l->identity,
		.insn_cnt = l->insn_cnt,
		.load_flags = l->load_flags,
		.kfunc_count = l->kfunc_count,
		.actor.tgid = l->tgid,
		.actor.uid = l->uid,
	};
	char buf[PATH_MAX];
	uint32_t id;
	int maybe;

	memcpy(load.digest, l->digest, sizeof(load.digest));
	memcpy(load.tag, l->tag, sizeof(load.tag));
	memcpy(load.helpers, l->helpers, sizeof(load.helpers));
	id = l->loader ? find(s, 'L', l->loader) : 0;
	load.actor.exe_dev = 1;
	load.actor.exe_ino = id ? id : UNKNOWN_NAME;
	if (l->target) {
		id = find(s, 'T', target_name(l->target, l->prog_type, l->attach_type, buf, sizeof(buf)));
		/* An entry that leaves the attach type open names its targets as they are. */
		if (!id)
			id = find(s, 'T', l->target);
		load.attach_btf_id = id ? id : UNKNOWN_NAME;
	}
	for (uint32_t i = 0; i < l->n_kfuncs && i < BW_MAX_KFUNC_IDS; i++) {
		id = find(s, 'K', l->kfuncs[i]);
		load.kfunc_ids[i] = id ? id : UNKNOWN_NAME + i;
	}
	bw_judge_load(&s->image, l->inert, &load, l->cgroup, &maybe);
	*ret = (struct bw_sim_answer){ .verdict = load.verdict, .reason = load.reason, .maybe = maybe, .index = load.entry };
	if (load.entry != ~0u)
		bw_policy_entry_id(s->policy, &s->image, load.entry, ret->entry, sizeof(ret->entry));
	if (load.rule < s->policy->n_rules)
		ret->rule = s->policy->rules[load.rule].id;
	return 0;
}

/* ---- words of the event format (docs/events.md) ---- */

static const char *const reason_names[] = {
	[BW_REASON_NONE] = "none",
	[BW_REASON_APPROVED] = "approved",
	[BW_REASON_GUARD] = "guard",
	[BW_REASON_INIT] = "init",
	[BW_REASON_INERT] = "inert",
	[BW_REASON_BASELINE] = "baseline",
	[BW_REASON_DEFAULT] = "default",
	[BW_REASON_RULE] = "rule",
	[BW_REASON_LOADER_MISMATCH] = "loader_mismatch",
	[BW_REASON_TARGET_MISMATCH] = "target_mismatch",
	[BW_REASON_LENGTH_MISMATCH] = "length_mismatch",
	[BW_REASON_NO_IDENTITY] = "no_identity",
	[BW_REASON_NO_POLICY] = "no_policy",
	[BW_REASON_NOT_ADMITTED] = "not_admitted",
	[BW_REASON_ANALYSED] = "analysed",
	[BW_REASON_UNANSWERED] = "unanswered",
};

static const char *const identity_names[] = {
	[BW_IDENTITY_NONE] = "none",
	[BW_IDENTITY_DIGEST] = "digest",
	[BW_IDENTITY_TAG] = "tag",
	[BW_IDENTITY_DIGEST_USER] = "digest-user-memory",
	[BW_IDENTITY_TAG_DIGEST] = "tag-and-digest",
};

static const char *const flag_names[] = {
	"kernel",	   "compat",		   "helpers_unknown",  "inert",	      "subprograms", "maps",
	"insns_truncated", "helpers_from_xlated", "kfuncs_truncated", "foreign_map", "target_elsewhere",
};

const char *bw_sim_reason_name(enum bw_reason r)
{
	return (unsigned int)r < ARRAY_SIZE(reason_names) && reason_names[r] ? reason_names[r] : "?";
}

int bw_sim_reason_id(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(reason_names); i++)
		if (reason_names[i] && !strcmp(reason_names[i], name))
			return (int)i;
	return -ENOENT;
}

/* ---- events ---- */

static const char *get_str(const cJSON *e, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e, key));
}

static uint32_t get_u32(const cJSON *e, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(e, key);

	return cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble <= UINT32_MAX ? (uint32_t)v->valuedouble : 0;
}

/* A name, or the number itself as text. */
static int number_of(const char *text, int (*by_name)(const char *), uint32_t *ret)
{
	char *end;
	unsigned long v;
	int id = by_name(text);

	if (id < 0) {
		errno = 0;
		v = strtoul(text, &end, 10);
		if (end == text || *end || errno || v > UINT32_MAX)
			return -EBADMSG;
		*ret = (uint32_t)v;
		return 0;
	}
	*ret = (uint32_t)id;
	return 0;
}

static bool hex(const char *text, uint8_t *dst, size_t len)
{
	if (!text || strlen(text) != 2 * len || strspn(text, "0123456789abcdef") != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char pair[3] = { text[2 * i], text[2 * i + 1], 0 };

		dst[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static int identity_from(const cJSON *e, struct bw_sim_load *l)
{
	const char *name = get_str(e, "identity");

	for (size_t i = 0; name && i < ARRAY_SIZE(identity_names); i++)
		if (!strcmp(name, identity_names[i]))
			l->identity = (enum bw_identity)i;
	if (l->identity == BW_IDENTITY_NONE)
		return name ? 0 : -EBADMSG;
	/* As in the kernel's record: with the tag alone, that is in the digest's place. */
	if (l->identity == BW_IDENTITY_TAG) {
		if (!hex(get_str(e, "tag"), l->digest, BW_TAG_LEN))
			return -EBADMSG;
	} else if (!hex(get_str(e, "digest"), l->digest, BW_DIGEST_LEN)) {
		return -EBADMSG;
	}
	if (get_str(e, "tag") && !hex(get_str(e, "tag"), l->tag, BW_TAG_LEN))
		return -EBADMSG;
	return 0;
}

static void lists_from(const cJSON *e, struct bw_sim_load *l)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(e, "load_flags"))
		for (size_t i = 0; cJSON_IsString(v) && i < ARRAY_SIZE(flag_names); i++)
			if (!strcmp(v->valuestring, flag_names[i]))
				l->load_flags |= 1u << i;
	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(e, "helpers")) {
		uint32_t id;

		if (cJSON_IsString(v) && !number_of(v->valuestring, bw_helper_id, &id) && id < 64 * BW_HELPER_WORDS)
			l->helpers[id / 64] |= 1ULL << (id % 64);
	}
	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(e, "kfuncs"))
		if (cJSON_IsString(v) && l->n_kfuncs < BW_MAX_KFUNC_IDS)
			l->kfuncs[l->n_kfuncs++] = v->valuestring;
}

int bw_sim_from_event(const cJSON *e, struct bw_sim_load *ret)
{
	const char *kind = get_str(e, "kind"), *type = get_str(e, "prog_type"), *attach = get_str(e, "attach_type");
	const char *reason = get_str(e, "reason");
	struct bw_sim_load l = { 0 };
	int r;

	if (!kind)
		return -EBADMSG;
	if (strcmp(kind, "load") || cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(e, "canary")) ||
	    cJSON_GetObjectItemCaseSensitive(e, "repeat_of") || (reason && !strcmp(reason, "guard")))
		return -ENOENT;
	if (!type || number_of(type, bw_prog_type_id, &l.prog_type))
		return -EBADMSG;
	if (attach && number_of(attach, bw_attach_type_id, &l.attach_type))
		return -EBADMSG;
	r = identity_from(e, &l);
	if (r < 0)
		return r;
	l.insn_cnt = get_u32(e, "insn_cnt");
	l.kfunc_count = get_u32(e, "kfunc_count");
	l.tgid = get_u32(e, "loader_tgid");
	l.uid = get_u32(e, "loader_uid");
	l.loader = get_str(e, "loader_exe");
	l.cgroup = get_str(e, "loader_cgroup");
	l.target = get_str(e, "attach_target");
	lists_from(e, &l);
	/* Whether it is inert was found out only where nothing else had decided before. */
	l.inert = BW_JUDGE_INERT_UNKNOWN;
	if (l.load_flags & BW_LOAD_INERT)
		l.inert = BW_JUDGE_INERT_YES;
	else if (reason && (!strcmp(reason, "default") || strstr(reason, "_mismatch") || !strcmp(reason, "no_identity")))
		l.inert = BW_JUDGE_INERT_NO;
	*ret = l;
	return 0;
}
