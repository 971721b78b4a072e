// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden policy diff: what a change of the policy changes. First what is written, then what it would have done: every load
 * in the guard's history is judged under both, by the code that the kernel runs.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "auditor/cmd/policy_common.h"
#include "auditor/commands.h"
#include "auditor/simulate.h"
#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/event_store.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/term.h"

#define MAX_GROUPS 2000u
#define MAX_TEXT 512u

/* Loads that come out differently, by program, loader and the two answers. */
struct group {
	char *key; /* "name\ndigest\nloader\nold reason\nnew reason" */
	char *name, *id, *loader, *first, *last;
	struct bw_sim_answer before, after;
	uint64_t count;
};

struct diff {
	struct bw_policy *old, *new;
	struct bw_sim *old_sim, *new_sim;
	struct group *groups;
	uint32_t n_groups;
	uint64_t loads, blocked, allowed, unsure, unlike_record, unreadable, dropped;
	unsigned int changes; /* of the text */
	struct bw_buf text;
	struct bw_json *json; /* NULL: text is wanted */
};

static void diff_release(struct diff *d)
{
	for (uint32_t i = 0; i < d->n_groups; i++) {
		free(d->groups[i].key);
		free(d->groups[i].name);
		free(d->groups[i].id);
		free(d->groups[i].loader);
		free(d->groups[i].first);
		free(d->groups[i].last);
	}
	free(d->groups);
	bw_sim_free(d->old_sim);
	bw_sim_free(d->new_sim);
	bw_policy_free(d->old);
	bw_policy_free(d->new);
	bw_buf_free(&d->text);
}

/* ---- what is written ---- */

static void change(struct diff *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void change(struct diff *d, const char *fmt, ...)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	bw_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	d->changes++;
	if (d->json) {
		bw_json_str(d->json, NULL, bw_buf_cstr(&b));
	} else {
		bw_buf_str(&d->text, bw_buf_cstr(&b));
		bw_buf_char(&d->text, '\n');
	}
}

static int by_id(const void *a, const void *b)
{
	const struct bw_policy_program *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static const struct bw_policy_program **sorted(const struct bw_policy *p)
{
	const struct bw_policy_program **list = calloc(p->n_programs + 1, sizeof(*list));

	for (uint32_t i = 0; list && i < p->n_programs; i++)
		list[i] = &p->programs[i];
	if (list && p->n_programs)
		qsort(list, p->n_programs, sizeof(*list), by_id);
	return list;
}

static bool has_digest(const struct bw_policy_program *p, const uint8_t *digest)
{
	for (uint32_t i = 0; i < p->n_digests; i++)
		if (!memcmp(p->digests[i], digest, BW_DIGEST_LEN))
			return true;
	return false;
}

static bool has_tag(const struct bw_policy_program *p, const struct bw_policy_tag *tag)
{
	for (uint32_t i = 0; i < p->n_tags; i++)
		if (!memcmp(&p->tags[i], tag, sizeof(*tag)))
			return true;
	return false;
}

static bool has_loader(const struct bw_policy_program *p, const struct bw_policy_loader *l)
{
	for (uint32_t i = 0; i < p->n_loaders; i++)
		if (policy_same_loader(&p->loaders[i], l))
			return true;
	return false;
}

static bool has_target(const struct bw_policy_program *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_targets; i++)
		if (!strcmp(p->targets[i], name))
			return true;
	return false;
}

static void hex(const void *data, size_t len, char *dst)
{
	for (size_t i = 0; i < len; i++)
		snprintf(dst + 2 * i, 3, "%02x", ((const uint8_t *)data)[i]);
}

/* What @b has that @a does not, with @sign before it. */
static void compare_lists(struct diff *d, char sign, const struct bw_policy_program *a, const struct bw_policy_program *b)
{
	char text[2 * BW_DIGEST_LEN + 1];

	for (uint32_t i = 0; i < b->n_digests; i++)
		if (!has_digest(a, b->digests[i])) {
			hex(b->digests[i], BW_DIGEST_LEN, text);
			change(d, "%c %s: digest %s", sign, b->id, text);
		}
	for (uint32_t i = 0; i < b->n_tags; i++)
		if (!has_tag(a, &b->tags[i])) {
			hex(b->tags[i].tag, BW_TAG_LEN, text);
			change(d, "%c %s: tag %s of %u instructions", sign, b->id, text, b->tags[i].instructions);
		}
	for (uint32_t i = 0; i < b->n_loaders; i++)
		if (!has_loader(a, &b->loaders[i]))
			change(d, "%c %s: loader %s%s", sign, b->id,
			       b->loaders[i].path ? b->loaders[i].path : "of any path",
			       policy_loader_open(&b->loaders[i]) ? "" : ", under conditions");
	for (uint32_t i = 0; i < b->n_targets; i++)
		if (!has_target(a, b->targets[i]))
			change(d, "%c %s: target %s", sign, b->id, b->targets[i]);
}

static void compare_entry(struct diff *d, const struct bw_policy_program *a, const struct bw_policy_program *b)
{
	if (a->type != b->type)
		change(d, "! %s: program type %u, was %u", b->id, b->type, a->type);
	if (a->any_attach_type != b->any_attach_type)
		change(d, "! %s: %s attach type", b->id, b->any_attach_type ? "any" : "one");
	else if (!a->any_attach_type && a->attach_type != b->attach_type)
		change(d, "! %s: attach type %u, was %u", b->id, b->attach_type, a->attach_type);
	if (a->n_loaders && !b->n_loaders)
		change(d, "! %s: any loader", b->id);
	if (!a->n_loaders && b->n_loaders)
		change(d, "! %s: only the loaders named", b->id);
	if (a->n_targets && !b->n_targets)
		change(d, "! %s: any target", b->id);
	if (!a->n_targets && b->n_targets)
		change(d, "! %s: only the targets named", b->id);
	compare_lists(d, '-', b, a);
	compare_lists(d, '+', a, b);
}

static void compare_rules(struct diff *d)
{
	for (unsigned int side = 0; side < 2; side++) {
		const struct bw_policy *a = side ? d->old : d->new, *b = side ? d->new : d->old;

		for (uint32_t i = 0; i < b->n_rules; i++) {
			const struct bw_policy_rule *r = &b->rules[i], *other = NULL;
			bool same;

			for (uint32_t k = 0; k < a->n_rules && !other; k++)
				other = strcmp(a->rules[k].id, r->id) ? NULL : &a->rules[k];
			if (!other) {
				change(d, "%c rule %s", side ? '+' : '-', r->id);
				continue;
			}
			same = !memcmp(r->helpers, other->helpers, sizeof(r->helpers)) && r->types == other->types &&
			       r->any_kfunc == other->any_kfunc && r->n_kfuncs == other->n_kfuncs;
			for (uint32_t k = 0; same && k < r->n_kfuncs; k++)
				same = !strcmp(r->kfuncs[k], other->kfuncs[k]);
			if (!same && side)
				change(d, "! rule %s: other conditions", r->id);
		}
	}
}

static int compare_text(struct diff *d)
{
	_cleanup_free_ const struct bw_policy_program **a = sorted(d->old), **b = sorted(d->new);
	uint32_t i = 0, k = 0;

	if (!a || !b)
		return -ENOMEM;
	if (d->new->serial < d->old->serial)
		change(d, "! serial %" PRIu64 ", was %" PRIu64 ": a signed policy with a lower one is refused",
		       d->new->serial, d->old->serial);
	if (d->old->allow_init != d->new->allow_init)
		change(d, "! process 1 may %sload anything", d->new->allow_init ? "" : "no longer ");
	if (d->old->allow_inert != d->new->allow_inert)
		change(d, "! programs that can do nothing are %s", d->new->allow_inert ? "let through" : "no longer let through");
	else if (d->old->inert_max_instructions != d->new->inert_max_instructions)
		change(d, "! programs that can do nothing may have %u instructions, before %u", d->new->inert_max_instructions,
		       d->old->inert_max_instructions);
	for (unsigned int c = 0; c < BW_CLASS_COUNT; c++)
		if (d->old->defaults[c] != d->new->defaults[c])
			change(d, "! %s: %s by default", bw_policy_class_name(c),
			       d->new->defaults[c] == BW_VERDICT_ALLOW ? "allowed" : "denied");
	compare_rules(d);
	while (i < d->old->n_programs || k < d->new->n_programs) {
		int c = i == d->old->n_programs ? 1 : k == d->new->n_programs ? -1 : strcmp(a[i]->id, b[k]->id);

		if (c < 0)
			change(d, "- %s", a[i++]->id);
		else if (c > 0)
			change(d, "+ %s", b[k++]->id);
		else
			compare_entry(d, a[i++], b[k++]);
	}
	return bw_buf_error(&d->text);
}

/* ---- what it would have done ---- */

static const char *text_of(const cJSON *e, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e, key));

	return s ? s : "";
}

static int set(char **dst, const char *value)
{
	char *copy = strndup(value, MAX_TEXT);

	if (!copy)
		return -ENOMEM;
	free(*dst);
	*dst = copy;
	return 0;
}

static int count(struct diff *d, const cJSON *e, const struct bw_sim_answer *before, const struct bw_sim_answer *after)
{
	const char *id = *text_of(e, "digest") ? text_of(e, "digest") : text_of(e, "tag");
	_cleanup_buf_ struct bw_buf key = { 0 };
	struct group *g = NULL;

	bw_buf_printf(&key, "%.*s\n%.80s\n%.*s\n%u %u %u", (int)MAX_TEXT, text_of(e, "prog_name"), id, (int)MAX_TEXT,
		      text_of(e, "loader_exe"), before->reason, after->reason, after->maybe);
	if (bw_buf_error(&key))
		return bw_buf_error(&key);
	for (uint32_t i = 0; i < d->n_groups && !g; i++)
		g = strcmp(d->groups[i].key, bw_buf_cstr(&key)) ? NULL : &d->groups[i];
	if (!g) {
		struct group *bigger;

		if (d->n_groups == MAX_GROUPS) {
			d->dropped++;
			return 0;
		}
		bigger = realloc(d->groups, (d->n_groups + 1) * sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		d->groups = bigger;
		g = &d->groups[d->n_groups++];
		*g = (struct group){ .before = *before, .after = *after, .key = bw_buf_steal(&key) };
		g->after.rule = after->rule;
		if (!g->key || set(&g->name, text_of(e, "prog_name")) || set(&g->id, id) ||
		    set(&g->loader, text_of(e, "loader_exe")) || set(&g->first, text_of(e, "time")))
			return -ENOMEM;
	}
	g->count++;
	return set(&g->last, text_of(e, "time"));
}

static int on_event(void *arg, uint64_t seq, const char *json, int len)
{
	struct diff *d = arg;
	cJSON *e = cJSON_ParseWithLength(json, (size_t)len);
	struct bw_sim_answer before, after;
	struct bw_sim_load load;
	int r = cJSON_IsObject(e) ? bw_sim_from_event(e, &load) : -EBADMSG;

	if (r == -EBADMSG)
		d->unreadable++;
	if (!r)
		r = bw_sim_judge(d->old_sim, &load, &before);
	if (!r)
		r = bw_sim_judge(d->new_sim, &load, &after);
	if (!r) {
		d->loads++;
		if (*text_of(e, "verdict") && strcmp(text_of(e, "verdict"), before.verdict == BW_VERDICT_DENY ? "deny" : "allow") &&
		    !before.maybe)
			d->unlike_record++;
		if (before.verdict != after.verdict) {
			if (after.maybe || before.maybe)
				d->unsure++;
			else if (after.verdict == BW_VERDICT_DENY)
				d->blocked++;
			else
				d->allowed++;
			r = count(d, e, &before, &after);
		}
	}
	cJSON_Delete(e);
	return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

static void print_groups(struct diff *d)
{
	for (uint32_t i = 0; i < d->n_groups; i++) {
		const struct group *g = &d->groups[i];
		const char *what = g->after.maybe || g->before.maybe ? "might change" :
				   g->after.verdict == BW_VERDICT_DENY ? "would be blocked" : "would be allowed";

		if (d->json) {
			struct bw_json *j = d->json;

			bw_json_open(j, NULL, '{');
			bw_json_str(j, "outcome", what);
			bw_json_str(j, "prog_name", g->name);
			bw_json_str(j, "identity", g->id);
			bw_json_str(j, "loader", g->loader);
			bw_json_u64(j, "loads", g->count);
			bw_json_str(j, "first", g->first);
			bw_json_str(j, "last", g->last);
			bw_json_str(j, "reason_before", bw_sim_reason_name(g->before.reason));
			bw_json_str(j, "reason_after", bw_sim_reason_name(g->after.reason));
			bw_json_str(j, "entry_before", g->before.entry[0] ? g->before.entry : NULL);
			bw_json_str(j, "entry_after", g->after.entry[0] ? g->after.entry : NULL);
			bw_json_str(j, "rule_after", g->after.rule);
			bw_json_close(j, '}');
			continue;
		}
		bw_buf_printf(&d->text, "%s: %s (%.16s) by %s, %" PRIu64 " load%s, %s to %s: %s%s%s, was %s%s%s\n", what, g->name,
			      g->id, g->loader, g->count, g->count == 1 ? "" : "s", g->first, g->last,
			      bw_sim_reason_name(g->after.reason), g->after.entry[0] ? " " : "", g->after.entry,
			      bw_sim_reason_name(g->before.reason), g->before.entry[0] ? " " : "", g->before.entry);
	}
}

static int history(struct diff *d, const char *path)
{
	const struct event_store_query q = { .kind = "load" };
	struct sqlite3 *db = NULL;
	int r = event_store_open(path, &db);

	if (r < 0) {
		bw_err("%s: %s", path, r == -EPROTO ? "no event database of this version" : strerror(-r));
		return r;
	}
	r = event_store_query(db, &q, on_event, d);
	event_store_close(&db);
	if (r < 0)
		bw_err("%s: %s", path, strerror(-r));
	return r;
}

static int run(struct diff *d, const char *store)
{
	int r;

	if (d->json)
		bw_json_open(d->json, "changes", '[');
	r = compare_text(d);
	if (d->json)
		bw_json_close(d->json, ']');
	if (r < 0 || !store)
		return r;
	r = bw_sim_new(d->old, &d->old_sim);
	if (!r)
		r = bw_sim_new(d->new, &d->new_sim);
	if (!r)
		r = history(d, store);
	if (r < 0)
		return r;
	if (d->json)
		bw_json_open(d->json, "outcomes", '[');
	print_groups(d);
	if (d->json) {
		bw_json_close(d->json, ']');
		bw_json_u64(d->json, "loads", d->loads);
		bw_json_u64(d->json, "blocked", d->blocked);
		bw_json_u64(d->json, "allowed", d->allowed);
		bw_json_u64(d->json, "unsure", d->unsure);
		bw_json_u64(d->json, "unlike_record", d->unlike_record);
		bw_json_u64(d->json, "unreadable", d->unreadable);
		bw_json_u64(d->json, "not_listed", d->dropped);
		return 0;
	}
	bw_buf_printf(&d->text,
		      "%" PRIu64 " loads recorded: %" PRIu64 " would be blocked that were allowed, %" PRIu64
		      " allowed that were blocked, %" PRIu64 " uncertain (they might be programs that can do nothing)\n",
		      d->loads, d->blocked, d->allowed, d->unsure);
	if (d->unlike_record)
		bw_buf_printf(&d->text,
			      "%" PRIu64 " were recorded with another answer than the first policy gives: another policy, or its "
			      "files and names were others, then\n",
			      d->unlike_record);
	if (d->unreadable || d->dropped)
		bw_buf_printf(&d->text, "%" PRIu64 " events could not be read, %" PRIu64 " loads are not listed\n", d->unreadable,
			      d->dropped);
	return bw_buf_error(&d->text);
}

int cmd_policy_diff(int argc, char **argv)
{
	BW_CLEANUP(diff_release) struct diff d = { 0 };
	const char *store = NULL, *state_dir = NULL, *format = "text";
	char path[PATH_MAX];
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "store", &store, "DB", "also judge the loads in this event database (events.db)" },
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the same, of the guard with this state directory" },
		{ BW_OPT_CHOICE, 0, "format", &format, "text|json", "how to print; default text" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = {
		"bpfwarden policy diff", "OLD NEW", "Shows what a change of the policy changes.",
		"First what is written: \"+\" new, \"-\" gone, \"!\" other. With a history of loads also what would have been blocked\n"
		"or allowed: each load is judged under both policies by the code that the kernel runs. Exit status 1 when a load\n"
		"would be judged differently; without a history, when the policies differ."
	};
	struct bw_json json = { .buf = &d.text, .indent = 2 };
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (n != 2) {
		bw_err("policy diff needs two policy files");
		return BW_EXIT_INPUT;
	}
	if (state_dir && !store) {
		snprintf(path, sizeof(path), "%s/" EVENT_STORE_FILE, state_dir);
		store = path;
	}
	if (policy_load(argv[1], &d.old) < 0 || policy_load(argv[2], &d.new) < 0)
		return BW_EXIT_INPUT;
	if (!strcmp(format, "json")) {
		d.json = &json;
		bw_json_open(&json, NULL, '{');
		bw_json_u64(&json, "version", 1);
	}
	r = run(&d, store);
	if (r < 0)
		return r == -ENOMEM ? BW_EXIT_INTERNAL : BW_EXIT_INPUT;
	if (d.json) {
		bw_json_close(&json, '}');
		bw_buf_char(&d.text, '\n');
		fwrite(bw_buf_cstr(&d.text), 1, d.text.len, stdout);
	} else {
		/* Names from the history were chosen by whoever was watched. */
		for (const char *line = bw_buf_cstr(&d.text), *end; *line; line = end + 1) {
			end = strchr(line, '\n');
			term_strn(stdout, line, (size_t)(end - line));
			putchar('\n');
		}
	}
	if (bw_buf_error(&d.text) || fflush(stdout))
		return BW_EXIT_INTERNAL;
	if (store)
		return d.blocked || d.allowed || d.unsure ? BW_EXIT_FINDINGS : BW_EXIT_OK;
	return d.changes ? BW_EXIT_FINDINGS : BW_EXIT_OK;
}
