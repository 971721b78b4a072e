// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden policy learn: from what the guard saw to entries that a person can review. One entry per program (identity, type,
 * attach type); its loaders and targets are those that were seen; the reason says how often, when, and as whom.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>

#include "auditor/cmd/policy_common.h"
#include "auditor/commands.h"
#include "auditor/simulate.h"
#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/event_store.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"

#define MAX_ENTRIES 20000u
#define MAX_NAMES 64u /* loaders, targets, users, units of one entry that are listed */
#define MAX_TEXT 1000u

/* Distinct texts and how often each came. */
struct names {
	char *text[MAX_NAMES];
	uint64_t count[MAX_NAMES];
	uint32_t n;
	uint64_t more; /* events with others than fit */
};

/* Where an executable that loaded the program ran. */
struct places {
	char *cgroups[BW_MAX_CONDITION_CGROUPS]; /* as policies name them: of units and containers, which come again */
	uint32_t n;
	bool passing; /* it also ran where it will not be again (a session), or where is not known, or in more than fit */
	bool container; /* in containers only: no path on this host leads to it */
};

struct entry {
	uint8_t digest[BW_DIGEST_LEN], tag[BW_TAG_LEN];
	enum bw_identity identity;
	uint32_t prog_type, attach_type, insn_cnt;
	uint64_t helpers[BW_HELPER_WORDS];
	struct names progs, loaders, targets, users, units, kfuncs;
	struct places places[MAX_NAMES]; /* by the index in loaders */
	char *first, *last;
	uint64_t count, without_target;
};

struct learn {
	struct entry **list;
	uint32_t n, cap;
	uint32_t *table, size; /* index + 1, by identity, type, attach type */
	struct bw_policy *known;
	struct bw_sim *sim; /* of .known; NULL: nothing is known */
	uint64_t loads, known_loads, exempt, by_rule, nameless, no_identity, unreadable, full;
};

static void names_release(struct names *n)
{
	for (uint32_t i = 0; i < n->n; i++)
		free(n->text[i]);
}

static void learn_release(struct learn *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct entry *e = l->list[i];

		names_release(&e->progs);
		names_release(&e->loaders);
		names_release(&e->targets);
		names_release(&e->users);
		names_release(&e->units);
		names_release(&e->kfuncs);
		for (uint32_t k = 0; k < MAX_NAMES; k++)
			for (uint32_t c = 0; c < e->places[k].n; c++)
				free(e->places[k].cgroups[c]);
		free(e->first);
		free(e->last);
		free(e);
	}
	free(l->list);
	free(l->table);
	bw_sim_free(l->sim);
	bw_policy_free(l->known);
}

/* ---- collecting ---- */

static uint32_t names_find(const struct names *n, const char *text)
{
	uint32_t i;

	for (i = 0; i < n->n && strcmp(n->text[i], text); i++)
		;
	return i;
}

static int names_add(struct names *n, const char *text)
{
	uint32_t i = names_find(n, text);

	if (i < n->n) {
		n->count[i]++;
		return 0;
	}
	if (n->n == MAX_NAMES) {
		n->more++;
		return 0;
	}
	n->text[n->n] = strndup(text, PATH_MAX - 1);
	if (!n->text[n->n])
		return -ENOMEM;
	n->count[n->n++] = 1;
	return 0;
}

/* The numbers that container runtimes and pods have: 32 digits or more, perhaps in groups. Returns the length at the start of @s. */
static size_t number_len(const char *s)
{
	size_t len = strspn(s, "0123456789abcdef-_"), digits = 0;

	for (size_t i = 0; i < len; i++)
		digits += s[i] != '-' && s[i] != '_';
	return digits >= 32 ? len : 0;
}

/*
 * What in a cgroup's path comes again: "/system.slice/nginx.service" of what ran in it or below, "/system.slice/docker-*.scope" of a
 * container. Returns false for sessions and what else is there once.
 */
static bool place_of(struct bw_buf *b, const char *path, bool *ret_container)
{
	bool number = false;

	*ret_container = false;
	for (const char *p = path; *p;) {
		size_t len = number ? 0 : number_len(p);

		if (len) {
			bw_buf_char(b, '*');
			*ret_container = number = true;
			p += len;
			continue;
		}
		if (*p == '*' || (unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
		number = number && *p != '/';
		bw_buf_char(b, *p++);
		if ((!*p || *p == '/') && !strncmp(path, "/system.slice/", 14) && b->len > 8 &&
		    !strncmp(b->data + b->len - 8, ".service", 8))
			return !*ret_container;
	}
	return *ret_container;
}

static int places_add(struct places *at, const char *cgroup)
{
	_cleanup_buf_ struct bw_buf b = { .max = PATH_MAX };
	struct bw_cgroup_pattern ignored;
	bool container, first = !at->n && !at->passing;
	const char *why;

	if (!place_of(&b, cgroup, &container) || bw_buf_error(&b) || bw_cgroup_pattern_parse(bw_buf_cstr(&b), &ignored, &why) < 0) {
		at->passing = true;
		at->container = false;
		return bw_buf_error(&b) == -ENOMEM ? -ENOMEM : 0;
	}
	at->container = container && (first || at->container);
	for (uint32_t i = 0; i < at->n; i++)
		if (!strcmp(at->cgroups[i], bw_buf_cstr(&b)))
			return 0;
	if (at->n == BW_MAX_CONDITION_CGROUPS) {
		at->passing = true;
		return 0;
	}
	at->cgroups[at->n] = strdup(bw_buf_cstr(&b));
	return at->cgroups[at->n] ? at->n++, 0 : -ENOMEM;
}

static uint32_t key_hash(const struct bw_sim_load *l)
{
	uint32_t h = l->prog_type * 31 + l->attach_type;

	for (size_t i = 0; i < sizeof(l->digest); i++)
		h = (h ^ l->digest[i]) * 16777619u;
	return h ^ l->insn_cnt;
}

static bool same(const struct entry *e, const struct bw_sim_load *l)
{
	return e->prog_type == l->prog_type && e->attach_type == l->attach_type && e->insn_cnt == l->insn_cnt &&
	       (e->identity == BW_IDENTITY_TAG) == (l->identity == BW_IDENTITY_TAG) &&
	       !memcmp(e->digest, l->digest, sizeof(e->digest));
}

static int table_grow(struct learn *l)
{
	uint32_t size = l->size ? 2 * l->size : 256, *table;

	if (2 * l->n < l->size)
		return 0;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->n; i++) {
		struct bw_sim_load k = { .prog_type = l->list[i]->prog_type, .attach_type = l->list[i]->attach_type,
					 .insn_cnt = l->list[i]->insn_cnt };
		uint32_t at;

		memcpy(k.digest, l->list[i]->digest, sizeof(k.digest));
		for (at = key_hash(&k); table[at & (size - 1)]; at++)
			;
		table[at & (size - 1)] = i + 1;
	}
	free(l->table);
	l->table = table;
	l->size = size;
	return 0;
}

/* The entry of a load; NULL with 0 when there are too many. */
static int entry_of(struct learn *l, const struct bw_sim_load *load, struct entry **ret)
{
	struct entry *e;
	uint32_t at;
	int r = table_grow(l);

	if (r < 0)
		return r;
	for (at = key_hash(load); l->table[at & (l->size - 1)]; at++) {
		e = l->list[l->table[at & (l->size - 1)] - 1];
		if (same(e, load)) {
			*ret = e;
			return 0;
		}
	}
	*ret = NULL;
	if (l->n == MAX_ENTRIES) {
		l->full++;
		return 0;
	}
	if (l->n == l->cap) {
		uint32_t cap = l->cap ? 2 * l->cap : 64;
		struct entry **list = realloc(l->list, cap * sizeof(struct entry *));

		if (!list)
			return -ENOMEM;
		l->list = list;
		l->cap = cap;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	memcpy(e->digest, load->digest, sizeof(e->digest));
	/* Before 6.9 the tag is what the kernel side looks for, and the digest is asked for beside it. */
	memcpy(e->tag, load->identity == BW_IDENTITY_TAG ? load->digest : load->tag, sizeof(e->tag));
	e->identity = load->identity;
	e->prog_type = load->prog_type;
	e->attach_type = load->attach_type;
	e->insn_cnt = load->insn_cnt;
	l->list[l->n++] = e;
	l->table[at & (l->size - 1)] = l->n;
	*ret = e;
	return 0;
}

static const char *text_of(const cJSON *e, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e, key));

	return s ? s : "";
}

static int note(struct entry *e, const cJSON *ev, const struct bw_sim_load *load)
{
	const cJSON *uid = cJSON_GetObjectItemCaseSensitive(ev, "loader_uid");
	char user[24];
	char *time = strndup(text_of(ev, "time"), 40);
	uint32_t at;
	int r;

	if (!time)
		return -ENOMEM;
	free(e->last);
	e->last = time;
	if (!e->first)
		e->first = strdup(time);
	if (!e->first)
		return -ENOMEM;
	e->count++;
	for (size_t i = 0; i < BW_HELPER_WORDS; i++)
		e->helpers[i] |= load->helpers[i];
	r = names_add(&e->progs, text_of(ev, "prog_name"));
	if (!r)
		r = names_add(&e->loaders, load->loader);
	at = names_find(&e->loaders, load->loader);
	if (!r && at < e->loaders.n)
		r = places_add(&e->places[at], text_of(ev, "loader_cgroup"));
	if (!r && cJSON_IsNumber(uid)) {
		snprintf(user, sizeof(user), "%.0f", uid->valuedouble);
		r = names_add(&e->users, user);
	}
	if (!r && *text_of(ev, "loader_cgroup"))
		r = names_add(&e->units, text_of(ev, "loader_cgroup"));
	if (!load->target)
		e->without_target++;
	else if (!r)
		r = names_add(&e->targets, load->target);
	for (uint32_t i = 0; i < load->n_kfuncs && !r; i++)
		r = names_add(&e->kfuncs, load->kfuncs[i]);
	return r;
}

static int on_load(struct learn *l, const cJSON *ev, const struct bw_sim_load *load)
{
	const char *reason = text_of(ev, "reason");
	struct bw_sim_answer a;
	struct entry *e;
	int r;

	l->loads++;
	if (!strcmp(reason, "init") || !strcmp(reason, "inert") || load->inert == BW_JUDGE_INERT_YES ||
	    !strncmp(text_of(ev, "policy_entry"), "builtin:", 8)) {
		l->exempt++;
		return 0;
	}
	if (!strcmp(reason, "rule")) {
		l->by_rule++;
		return 0;
	}
	if (load->identity == BW_IDENTITY_NONE) {
		l->no_identity++;
		return 0;
	}
	/* An entry for a loader whose path is not known would be one for any. */
	if (!load->loader || load->loader[0] != '/' ||
	    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(ev, "loader_exe_truncated"))) {
		l->nameless++;
		return 0;
	}
	if (l->sim) {
		r = bw_sim_judge(l->sim, load, &a);
		if (r < 0)
			return r;
		if (a.reason == BW_REASON_APPROVED) {
			l->known_loads++;
			return 0;
		}
	}
	r = entry_of(l, load, &e);
	return r || !e ? r : note(e, ev, load);
}

static int on_event(void *arg, uint64_t seq, const char *json, int len)
{
	struct learn *l = arg;
	cJSON *ev = cJSON_ParseWithLength(json, (size_t)len);
	struct bw_sim_load load;
	int r = cJSON_IsObject(ev) ? bw_sim_from_event(ev, &load) : -EBADMSG;

	if (r == -EBADMSG)
		l->unreadable++;
	r = r == -EBADMSG || r == -ENOENT ? 0 : on_load(l, ev, &load);
	cJSON_Delete(ev);
	return r;
}

/* ---- writing ---- */

static void put_named(struct bw_json *j, const char *key, const char *name, uint32_t number)
{
	if (name)
		bw_json_str(j, key, name);
	else
		bw_json_u64(j, key, number);
}

/* Texts that were chosen by whoever was watched: nothing that a policy's text must not have. */
static void put_clean(struct bw_buf *b, const char *s, size_t max)
{
	for (; *s && max; s++, max--)
		bw_buf_char(b, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
}

static void put_list(struct bw_buf *b, const char *label, const struct names *n)
{
	if (!n->n)
		return;
	bw_buf_str(b, label);
	for (uint32_t i = 0; i < n->n && i < 3; i++) {
		if (i)
			bw_buf_str(b, ", ");
		put_clean(b, n->text[i], 100);
		if (n->n > 1)
			bw_buf_printf(b, " (%" PRIu64 ")", n->count[i]);
	}
	if (n->n > 3 || n->more)
		bw_buf_printf(b, " and %" PRIu32 "%s more", n->n > 3 ? n->n - 3 : 0, n->more ? " or" : "");
}

/* An id from the loader's and the program's name; unique by a number after it. */
static void put_id(struct bw_buf *b, const struct entry *e, uint32_t index)
{
	const char *slash = strrchr(e->loaders.text[0], '/');
	size_t start;

	bw_buf_str(b, "learned/");
	start = b->len;
	put_clean(b, slash ? slash + 1 : "", 48);
	bw_buf_char(b, '/');
	put_clean(b, e->progs.n && e->progs.text[0][0] ? e->progs.text[0] : "program", 48);
	for (size_t i = start; i < b->len; i++) {
		char c = b->data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._/@+-", c))))
			b->data[i] = '-';
	}
	bw_buf_printf(b, ":%" PRIu32, index + 1);
}

static void put_reason(struct bw_buf *b, const struct entry *e)
{
	bw_buf_printf(b, "learned: %" PRIu64 " load%s, %.19sZ", e->count, e->count == 1 ? "" : "s", e->first);
	if (strncmp(e->first, e->last, 19))
		bw_buf_printf(b, " to %.19sZ", e->last);
	put_list(b, "; by ", &e->loaders);
	put_list(b, "; uid ", &e->users);
	put_list(b, "; in ", &e->units);
	put_list(b, "; at ", &e->targets);
	if (e->without_target && e->targets.n)
		bw_buf_printf(b, "; %" PRIu64 " loads named no target", e->without_target);
	if (e->loaders.more || e->targets.more)
		bw_buf_str(b, "; more loaders or targets than are listed: those are left out");
	put_list(b, "; also called ", e->progs.n > 1 ? &e->progs : &(struct names){ 0 });
}

static bool is_symbol(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-") == strlen(s) &&
	       (*s < '0' || *s > '9');
}

static void put_cgroup(struct bw_json *j, const char **list, uint32_t *n, const char *cgroup)
{
	for (uint32_t i = 0; i < *n; i++)
		if (!strcmp(list[i], cgroup))
			return;
	if (*n == BW_MAX_CONDITION_CGROUPS)
		return;
	list[(*n)++] = cgroup;
	bw_json_str(j, NULL, cgroup);
}

/* In a container there is another file behind the path, or none: what was loaded from containers only is bound to those. */
static void put_loaders(struct bw_json *j, const struct entry *e)
{
	const char *list[BW_MAX_CONDITION_CGROUPS];
	uint32_t n = 0;

	bw_json_open(j, "loaders", '[');
	for (uint32_t i = 0; i < e->loaders.n; i++) {
		const struct places *at = &e->places[i];

		if (at->container && !at->passing)
			continue;
		bw_json_open(j, NULL, '{');
		bw_json_str(j, "path", e->loaders.text[i]);
		if (!at->passing) {
			bw_json_open(j, "cgroups", '[');
			for (uint32_t k = 0; k < at->n; k++)
				bw_json_str(j, NULL, at->cgroups[k]);
			bw_json_close(j, ']');
		}
		bw_json_close(j, '}');
	}
	for (uint32_t i = 0; i < e->loaders.n; i++) {
		const struct places *at = &e->places[i];

		if (!at->container || at->passing)
			continue;
		if (!n) {
			bw_json_open(j, NULL, '{');
			bw_json_open(j, "cgroups", '[');
		}
		for (uint32_t k = 0; k < at->n; k++)
			put_cgroup(j, list, &n, at->cgroups[k]);
	}
	if (n) {
		bw_json_close(j, ']');
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
}

static void put_entry(struct bw_json *j, const struct entry *e, uint32_t index)
{
	_cleanup_buf_ struct bw_buf id = { 0 }, reason = { 0 }, name = { 0 };
	bool targets = e->targets.n && !e->without_target && !e->targets.more;

	put_id(&id, e, index);
	put_reason(&reason, e);
	put_clean(&name, e->progs.n ? e->progs.text[0] : "", 60);
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "id", bw_buf_cstr(&id));
	if (name.len)
		bw_json_str(j, "name", bw_buf_cstr(&name));
	bw_json_strn(j, "reason", bw_buf_cstr(&reason), reason.len < MAX_TEXT ? reason.len : MAX_TEXT);
	put_named(j, "type", bw_prog_type_name(e->prog_type), e->prog_type);
	put_named(j, "attach_type", policy_attach_type_name(e->prog_type, e->attach_type), e->attach_type);
	if (e->identity == BW_IDENTITY_TAG || e->identity == BW_IDENTITY_TAG_DIGEST) {
		bw_json_open(j, "tags", '[');
		bw_json_open(j, NULL, '{');
		bw_json_hex(j, "tag", e->tag, BW_TAG_LEN);
		bw_json_u64(j, "instructions", e->insn_cnt);
		bw_json_close(j, '}');
		bw_json_close(j, ']');
	}
	if (e->identity != BW_IDENTITY_TAG) {
		bw_json_open(j, "digests", '[');
		bw_json_hex(j, NULL, e->digest, BW_DIGEST_LEN);
		bw_json_close(j, ']');
	}
	put_loaders(j, e);
	if (targets) {
		bw_json_open(j, "targets", '[');
		for (uint32_t i = 0; i < e->targets.n; i++)
			bw_json_str(j, NULL, e->targets.text[i]);
		bw_json_close(j, ']');
	}
	bw_json_open(j, "helpers", '[');
	for (uint32_t h = 1; h < 64 * BW_HELPER_WORDS; h++)
		if (e->helpers[h / 64] >> (h % 64) & 1)
			put_named(j, NULL, bw_helper_name(h), h);
	bw_json_close(j, ']');
	if (e->kfuncs.n) {
		bw_json_open(j, "kfuncs", '[');
		for (uint32_t i = 0; i < e->kfuncs.n; i++)
			if (is_symbol(e->kfuncs.text[i]))
				bw_json_str(j, NULL, e->kfuncs.text[i]);
		bw_json_close(j, ']');
	}
	bw_json_close(j, '}');
}

/* A path with control characters cannot be written into a policy; nor should it be approved. */
static bool is_writable(const struct entry *e)
{
	for (uint32_t i = 0; i < e->loaders.n; i++)
		for (const char *p = e->loaders.text[i]; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				return false;
	return true;
}

static int by_loader(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;
	int r = strcmp((*x)->loaders.text[0], (*y)->loaders.text[0]);

	if (!r)
		r = strcmp((*x)->progs.text[0], (*y)->progs.text[0]);
	return r ? r : memcmp((*x)->digest, (*y)->digest, BW_DIGEST_LEN);
}

static int put_policy(struct learn *l, struct bw_buf *out)
{
	struct bw_json j = { .buf = out, .indent = 2 };

	if (l->n)
		qsort(l->list, l->n, sizeof(struct entry *), by_loader);
	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", BW_POLICY_VERSION);
	bw_json_str(&j, "name", "learned");
	bw_json_u64(&j, "serial", 1);
	bw_json_open(&j, "programs", '[');
	for (uint32_t i = 0; i < l->n; i++)
		if (is_writable(l->list[i]))
			put_entry(&j, l->list[i], i);
		else
			l->nameless += l->list[i]->count;
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(out, '\n');
	return bw_buf_error(out);
}

/* ---- the command ---- */

/* "7d", "12h", "30m" ago, or "2026-01-31", or "2026-01-31T12:00:00Z". */
static int parse_since(const char *text, time_t now, int64_t *ret_ns)
{
	struct tm tm = { 0 };
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	const char *rest = strptime(text, strlen(text) > 10 ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d", &tm);
	int64_t s;

	if (end != text && end[0] && !end[1] && strchr("smhd", end[0]) && n < 100000) {
		s = now - (int64_t)n * (end[0] == 's' ? 1 : end[0] == 'm' ? 60 : end[0] == 'h' ? 3600 : 86400);
	} else if (rest && !*rest) {
		s = timegm(&tm);
	} else {
		return -EINVAL;
	}
	*ret_ns = s > 0 ? s * 1000000000 : 0;
	return 0;
}

static int read_history(struct learn *l, const char *path, const struct event_store_query *q)
{
	struct sqlite3 *db = NULL;
	int r = event_store_open(path, &db);

	if (!r)
		r = event_store_query(db, q, on_event, l);
	event_store_close(&db);
	if (r < 0)
		bw_err("%s: %s", path, r == -EPROTO ? "no event database of this version" : strerror(-r));
	return r;
}

static void say_left_out(const struct learn *l)
{
	const struct {
		uint64_t n;
		const char *what;
	} left[] = {
		{ l->known_loads, "approved already" },
		{ l->exempt, "let through by an exemption (process 1, programs that can do nothing)" },
		{ l->by_rule, "that a deny rule of the running policy matches: no approval would help" },
		{ l->nameless, "by an executable whose path is not known in full" },
		{ l->no_identity, "without an identity" },
		{ l->full, "beyond the first 20000 programs" },
		{ l->unreadable, "that could not be read" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		if (left[i].n)
			fprintf(stderr, "left out: %" PRIu64 " loads %s\n", left[i].n, left[i].what);
}

int cmd_policy_learn(int argc, char **argv)
{
	BW_CLEANUP(learn_release) struct learn l = { 0 };
	const char *state_dir = EVENT_STORE_DEFAULT_DIR, *store = NULL, *since = NULL, *output = NULL, *known = NULL;
	struct event_store_query q = { .kind = "load" };
	_cleanup_buf_ struct bw_buf out = { 0 };
	char path[PATH_MAX];
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "of the guard; default " EVENT_STORE_DEFAULT_DIR },
		{ BW_OPT_STRING, 0, "store", &store, "DB", "this event database instead" },
		{ BW_OPT_STRING, 0, "since", &since, "TIME", "only what happened since: 7d, 12h, 2026-01-31 or 2026-01-31T12:00:00Z" },
		{ BW_OPT_STRING, 0, "policy", &known, "FILE", "leave out what this policy approves" },
		{ BW_OPT_STRING, 'o', "output", &output, "FILE", "write the policy there; default: print it" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = {
		"bpfwarden policy learn", "", "Turns what the guard saw into a policy to review.",
		"One entry per program, bound to the loaders and targets that were seen; the reason says how often, when and as\n"
		"whom. What it approves is what happened: review it (\"policy review\") before it is used. What was left out, and\n"
		"why, is said on standard error. Exit status 1 when nothing was learned."
	};
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (n) {
		bw_err("policy learn takes no operands");
		return BW_EXIT_INPUT;
	}
	if (since && parse_since(since, time(NULL), &q.since_ns) < 0) {
		bw_err("--since takes a time like 7d, 12h, 2026-01-31 or 2026-01-31T12:00:00Z, not \"%s\"", since);
		return BW_EXIT_INPUT;
	}
	if (!store) {
		snprintf(path, sizeof(path), "%s/" EVENT_STORE_FILE, state_dir);
		store = path;
	}
	if (known) {
		if (policy_load(known, &l.known) < 0)
			return BW_EXIT_INPUT;
		if (bw_sim_new(l.known, &l.sim) < 0)
			return BW_EXIT_INTERNAL;
	}
	if (read_history(&l, store, &q) < 0)
		return BW_EXIT_INPUT;
	if (put_policy(&l, &out) < 0)
		return BW_EXIT_INTERNAL;
	say_left_out(&l);
	if (output) {
		r = bw_file_write_atomic(output, out.data, out.len, 0644);
		if (r < 0) {
			bw_err("%s: %s", output, strerror(-r));
			return BW_EXIT_INPUT;
		}
		printf("%s: %" PRIu32 " programs from %" PRIu64 " loads\n", output, l.n, l.loads);
	} else if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout)) {
		return BW_EXIT_INTERNAL;
	}
	return l.n ? BW_EXIT_OK : BW_EXIT_FINDINGS;
}
