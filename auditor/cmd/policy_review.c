// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden policy review: what each entry permits, the riskiest first; which entries have no effect, and which rules never
 * decide anything. With the guard's history also how often each was used.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "auditor/cmd/policy_common.h"
#include "auditor/commands.h"
#include "auditor/simulate.h"
#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/event_store.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"

enum risk { RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_CRITICAL };
static const char *const risk_names[] = { "low", "medium", "high", "critical" };

/* What a helper lets its caller do to the host; what is not listed only reads or computes. */
static const struct {
	uint32_t helper;
	enum risk risk;
	const char *can;
} powers[] = {
	{ BPF_FUNC_probe_write_user, RISK_CRITICAL, "change the memory of processes" },
	{ BPF_FUNC_override_return, RISK_CRITICAL, "make kernel functions report what did not happen" },
	{ BPF_FUNC_sys_bpf, RISK_CRITICAL, "make bpf() calls of its own" },
	{ BPF_FUNC_send_signal, RISK_HIGH, "kill processes" },
	{ BPF_FUNC_send_signal_thread, RISK_HIGH, "kill processes" },
	{ BPF_FUNC_probe_read_user, RISK_HIGH, "read the memory of processes" },
	{ BPF_FUNC_probe_read_user_str, RISK_HIGH, "read the memory of processes" },
	{ BPF_FUNC_copy_from_user, RISK_HIGH, "read the memory of processes" },
	{ BPF_FUNC_copy_from_user_task, RISK_HIGH, "read the memory of processes" },
	{ BPF_FUNC_probe_read, RISK_MEDIUM, "read the memory of processes and of the kernel" },
	{ BPF_FUNC_probe_read_str, RISK_MEDIUM, "read the memory of processes and of the kernel" },
	{ BPF_FUNC_probe_read_kernel, RISK_MEDIUM, "read the kernel's memory" },
	{ BPF_FUNC_probe_read_kernel_str, RISK_MEDIUM, "read the kernel's memory" },
	{ BPF_FUNC_skb_store_bytes, RISK_MEDIUM, "rewrite packets" },
	{ BPF_FUNC_xdp_adjust_head, RISK_MEDIUM, "rewrite packets" },
	{ BPF_FUNC_redirect, RISK_MEDIUM, "send packets elsewhere" },
	{ BPF_FUNC_redirect_map, RISK_MEDIUM, "send packets elsewhere" },
	{ BPF_FUNC_clone_redirect, RISK_MEDIUM, "send copies of packets elsewhere" },
	{ BPF_FUNC_msg_redirect_map, RISK_MEDIUM, "send what a socket sends elsewhere" },
	{ BPF_FUNC_msg_redirect_hash, RISK_MEDIUM, "send what a socket sends elsewhere" },
};

struct item {
	const struct bw_policy_program *p;
	uint32_t index;
	enum risk risk;
	struct bw_buf can; /* "kill processes; read the kernel's memory" */
	struct bw_buf why; /* what makes it wider than it might be */
	const char *dead;  /* why it has no effect here; NULL: it has */
	uint64_t loads;	   /* in the history */
};

struct review {
	struct bw_policy *policy;
	struct item *items;
	struct bw_policy_warnings dead; /* of rules, and about the whole */
	bool history;
	uint64_t loads, denied;
	unsigned int useless;
};

static void review_release(struct review *r)
{
	for (uint32_t i = 0; r->items && i < r->policy->n_programs; i++) {
		bw_buf_free(&r->items[i].can);
		bw_buf_free(&r->items[i].why);
	}
	free(r->items);
	bw_policy_warnings_free(&r->dead);
	bw_policy_free(r->policy);
}

static void add_text(struct bw_buf *b, const char *text)
{
	if (b->len && strstr(bw_buf_cstr(b), text))
		return;
	if (b->len)
		bw_buf_str(b, "; ");
	bw_buf_str(b, text);
}

static void raise_to(struct item *i, enum risk risk)
{
	if (i->risk < risk)
		i->risk = risk;
}

static void judge_powers(struct item *i)
{
	const struct bw_policy_program *p = i->p;
	bool known = false;

	for (size_t k = 0; k < BW_HELPER_WORDS; k++)
		known |= p->helpers[k] != 0;
	for (size_t k = 0; k < ARRAY_SIZE(powers); k++)
		if (p->helpers[powers[k].helper / 64] >> (powers[k].helper % 64) & 1) {
			raise_to(i, powers[k].risk);
			add_text(&i->can, powers[k].can);
		}
	switch (p->type) {
	case BPF_PROG_TYPE_LSM:
		raise_to(i, RISK_HIGH);
		add_text(&i->can, "decide for the kernel what is permitted");
		break;
	case BPF_PROG_TYPE_EXT:
		raise_to(i, RISK_HIGH);
		add_text(&i->can, "replace functions of other programs");
		break;
	case BPF_PROG_TYPE_STRUCT_OPS:
		raise_to(i, RISK_HIGH);
		add_text(&i->can, "replace parts of the kernel");
		break;
	case BPF_PROG_TYPE_SYSCALL:
		raise_to(i, RISK_MEDIUM);
		break;
	default:
		break;
	}
	if (p->type == BPF_PROG_TYPE_TRACING && !p->any_attach_type && p->attach_type == BPF_MODIFY_RETURN) {
		raise_to(i, RISK_CRITICAL);
		add_text(&i->can, "change what kernel functions return");
	}
	if (p->n_kfuncs) {
		raise_to(i, RISK_MEDIUM);
		add_text(&i->can, "call kernel functions");
	}
	if (!known && !p->n_kfuncs)
		add_text(&i->why, "what it calls is not stated");
}

static void judge_width(struct item *i)
{
	const struct bw_policy_program *p = i->p;
	bool by_btf = p->type == BPF_PROG_TYPE_LSM || p->type == BPF_PROG_TYPE_TRACING;

	if (!p->n_loaders) {
		raise_to(i, RISK_MEDIUM);
		add_text(&i->why, "any executable may load it");
	}
	for (uint32_t k = 0; k < p->n_loaders; k++)
		if (!p->loaders[k].path)
			add_text(&i->why, "any executable in the cgroups that are named may load it");
	if (by_btf && !p->n_targets) {
		raise_to(i, RISK_MEDIUM);
		add_text(&i->why, "it may be attached to anything");
	}
	if (p->any_attach_type)
		add_text(&i->why, "any attach type");
	if (p->n_tags && !p->n_digests)
		add_text(&i->why, "recognised by the kernel's tag alone, which does not see offsets into map values");
	if (p->n_digests > 8)
		add_text(&i->why, "many digests: do all of them still occur?");
	if (!p->reason)
		add_text(&i->why, "no reason given");
}

/* ---- no effect ---- */

static bool covers_list(const char *const *a, uint32_t n_a, const char *const *b, uint32_t n_b)
{
	for (uint32_t i = 0; i < n_b; i++) {
		bool found = false;

		for (uint32_t k = 0; k < n_a && !found; k++)
			found = !strcmp(a[k], b[i]);
		if (!found)
			return false;
	}
	return n_a == 0 || n_b != 0;
}

/* @a lets through whatever @b does: it is the same file, and what @a asks besides, if anything, @b asks as well. */
static bool loader_covers(const struct bw_policy_loader *a, const struct bw_policy_loader *b)
{
	return policy_same_text(a->path, b->path) && (policy_loader_open(a) || policy_same_loader(a, b));
}

/* Everything that @b approves, @a approves as well. */
static bool entry_covers(const struct bw_policy_program *a, const struct bw_policy_program *b)
{
	if (a->type != b->type || (!a->any_attach_type && (b->any_attach_type || a->attach_type != b->attach_type)) ||
	    !covers_list(a->targets, a->n_targets, b->targets, b->n_targets) || !(b->n_digests || b->n_tags))
		return false;
	for (uint32_t i = 0; i < b->n_digests; i++) {
		bool found = false;

		for (uint32_t k = 0; k < a->n_digests && !found; k++)
			found = !memcmp(a->digests[k], b->digests[i], BW_DIGEST_LEN);
		if (!found)
			return false;
	}
	for (uint32_t i = 0; i < b->n_tags; i++) {
		bool found = false;

		for (uint32_t k = 0; k < a->n_tags && !found; k++)
			found = !memcmp(&a->tags[k], &b->tags[i], sizeof(a->tags[k]));
		if (!found)
			return false;
	}
	if (a->n_loaders && !b->n_loaders)
		return false;
	for (uint32_t i = 0; a->n_loaders && i < b->n_loaders; i++) {
		bool found = false;

		for (uint32_t k = 0; k < a->n_loaders && !found; k++)
			found = loader_covers(&a->loaders[k], &b->loaders[i]);
		if (!found)
			return false;
	}
	return true;
}

/* Whatever @b denies, @a, which comes first, has denied. */
static bool rule_covers(const struct bw_policy_rule *a, const struct bw_policy_rule *b)
{
	bool a_helpers = false, b_helpers = false;

	for (size_t k = 0; k < BW_HELPER_WORDS; k++) {
		a_helpers |= a->helpers[k] != 0;
		b_helpers |= b->helpers[k] != 0;
	}
	for (size_t k = 0; a_helpers && k < BW_HELPER_WORDS; k++)
		if (!b_helpers || b->helpers[k] & ~a->helpers[k])
			return false;
	if (a->types && (!b->types || b->types & ~a->types))
		return false;
	if (a->any_kfunc)
		return b->any_kfunc || b->n_kfuncs;
	if (a->n_kfuncs)
		return !b->any_kfunc && b->n_kfuncs && covers_list(a->kfuncs, a->n_kfuncs, b->kfuncs, b->n_kfuncs);
	return true;
}

static int by_first_identity(const void *a, const void *b)
{
	const struct bw_policy_program *const *x = a, *const *y = b;
	const struct bw_policy_program *p = *x, *q = *y;
	int r = memcmp(p->n_digests ? p->digests[0] : p->tags[0].tag, q->n_digests ? q->digests[0] : q->tags[0].tag, BW_TAG_LEN);

	return r ? r : p < q ? -1 : p > q;
}

/* Compares entries that start with the same identity: a policy with 100,000 entries must not take their square. */
static int find_shadowed(struct review *r)
{
	_cleanup_free_ const struct bw_policy_program **list = calloc(r->policy->n_programs + 1, sizeof(*list));
	uint32_t n = 0;

	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->policy->n_programs; i++)
		if (r->policy->programs[i].n_digests || r->policy->programs[i].n_tags)
			list[n++] = &r->policy->programs[i];
	if (n)
		qsort(list, n, sizeof(*list), by_first_identity);
	/* Neighbours: at most 64 further on. */
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = i + 1; k < n && k - i <= 64; k++) {
			const struct bw_policy_program *a = list[i], *b = list[k];

			/* Of two that say the same, the later one. */
			if (entry_covers(a, b))
				r->items[b - r->policy->programs].dead = "another entry approves all that it does";
			else if (entry_covers(b, a))
				r->items[a - r->policy->programs].dead = "another entry approves all that it does";
		}
	return 0;
}

static bool has_no_loader_here(const struct bw_policy_program *p)
{
	for (uint32_t i = 0; i < p->n_loaders; i++)
		if (!p->loaders[i].path || !access(p->loaders[i].path, F_OK))
			return false;
	return p->n_loaders;
}

static int find_dead(struct review *r)
{
	const struct bw_policy *p = r->policy;
	int e = find_shadowed(r);

	for (uint32_t i = 0; i < p->n_programs; i++) {
		struct item *it = &r->items[i];

		for (uint32_t k = 0; k < p->n_rules; k++) {
			/* rules on helpers that the entry states */
			bool any = false;

			for (size_t w = 0; w < BW_HELPER_WORDS; w++)
				any |= (p->rules[k].helpers[w] & it->p->helpers[w]) != 0;
			if (any && !p->rules[k].n_kfuncs && !p->rules[k].any_kfunc &&
			    (!p->rules[k].types || p->rules[k].types >> it->p->type & 1))
				it->dead = "a rule denies it";
		}
		if (!it->p->n_digests && !it->p->n_tags)
			it->dead = "a canonical identity alone: \"policy compile\" derives digests";
		else if (has_no_loader_here(it->p))
			it->dead = "none of its loaders exists on this host";
		r->useless += it->dead != NULL;
	}
	for (uint32_t k = 1; k < p->n_rules && !e; k++)
		for (uint32_t i = 0; i < k && !e; i++)
			if (rule_covers(&p->rules[i], &p->rules[k])) {
				e = bw_policy_warn(&r->dead, "rule \"%s\" never decides: \"%s\" denies all of it before", p->rules[k].id,
						   p->rules[i].id);
				r->useless++;
				break;
			}
	return e;
}

/* ---- history ---- */

struct usage {
	struct review *r;
	struct bw_sim *sim;
};

static int on_event(void *arg, uint64_t seq, const char *json, int len)
{
	struct usage *u = arg;
	const struct bw_policy_image *image = bw_sim_image(u->sim);
	cJSON *e = cJSON_ParseWithLength(json, (size_t)len);
	struct bw_sim_answer a;
	struct bw_sim_load load;
	int r = cJSON_IsObject(e) ? bw_sim_from_event(e, &load) : -ENOENT;

	if (!r)
		r = bw_sim_judge(u->sim, &load, &a);
	if (!r) {
		u->r->loads++;
		u->r->denied += a.verdict == BW_VERDICT_DENY;
		if (a.reason == BW_REASON_APPROVED && a.index < image->n_origins)
			for (uint32_t i = 0; i < image->origins[a.index].n; i++)
				u->r->items[image->origin_programs[image->origins[a.index].first + i]].loads++;
	}
	cJSON_Delete(e);
	return r == -ENOMEM ? r : 0;
}

static int count_usage(struct review *r, const char *path)
{
	const struct event_store_query q = { .kind = "load" };
	struct usage u = { .r = r };
	struct sqlite3 *db = NULL;
	int e = bw_sim_new(r->policy, &u.sim);

	if (!e)
		e = event_store_open(path, &db);
	if (!e)
		e = event_store_query(db, &q, on_event, &u);
	event_store_close(&db);
	bw_sim_free(u.sim);
	if (e < 0)
		bw_err("%s: %s", path, e == -EPROTO ? "no event database of this version" : strerror(-e));
	r->history = !e;
	return e;
}

/* ---- printing ---- */

/* "/usr/sbin/falco (these contents; uid 0; in /system.slice/falco.service)" */
static void put_loader(struct bw_buf *b, const struct bw_policy_loader *l, uint32_t index)
{
	const char *sep = " (";

	bw_buf_printf(b, "%s%s", index ? ", " : "", l->path ? l->path : "whatever executable");
	if (l->n_sha256 || l->has_verity) {
		bw_buf_printf(b, "%s%s", sep, l->has_verity ? "by fs-verity" : "of approved contents");
		sep = "; ";
	}
	if (l->host_namespaces) {
		bw_buf_printf(b, "%sin the host's namespaces", sep);
		sep = "; ";
	}
	for (uint32_t i = 0; i < l->n_uids; i++, sep = "; ")
		bw_buf_printf(b, "%s%" PRIu32, i ? ", " : strcmp(sep, " (") ? "; uid " : " (uid ", l->uids[i]);
	for (uint32_t i = 0; i < l->n_cgroups; i++, sep = "; ")
		bw_buf_printf(b, "%s%s", i ? " or " : strcmp(sep, " (") ? "; in " : " (in ", l->cgroups[i]);
	if (strcmp(sep, " ("))
		bw_buf_char(b, ')');
}

static void put_names(struct bw_buf *b, const struct bw_policy_program *p)
{
	const char *attach = p->any_attach_type ? "any attach type" : policy_attach_type_name(p->type, p->attach_type);

	if (bw_prog_type_name(p->type))
		bw_buf_str(b, bw_prog_type_name(p->type));
	else
		bw_buf_printf(b, "type %" PRIu32, p->type);
	if (attach && strcmp(attach, "none"))
		bw_buf_printf(b, ", %s", attach);
	bw_buf_str(b, "; by ");
	for (uint32_t i = 0; i < p->n_loaders && i < 4; i++)
		put_loader(b, &p->loaders[i], i);
	if (!p->n_loaders)
		bw_buf_str(b, "anybody");
	else if (p->n_loaders > 4)
		bw_buf_printf(b, " and %" PRIu32 " more", p->n_loaders - 4);
	for (uint32_t i = 0; i < p->n_targets && i < 4; i++)
		bw_buf_printf(b, "%s%s", i ? ", " : "; at ", p->targets[i]);
	if (p->n_targets > 4)
		bw_buf_printf(b, " and %" PRIu32 " more", p->n_targets - 4);
}

static int by_risk(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->risk != y->risk)
		return x->risk > y->risk ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

static void put_text(const struct review *r, struct bw_buf *b)
{
	for (uint32_t i = 0; i < r->policy->n_programs; i++) {
		const struct item *it = &r->items[i];

		bw_buf_printf(b, "%-8s %s: ", risk_names[it->risk], it->p->id);
		put_names(b, it->p);
		if (r->history)
			bw_buf_printf(b, "; %" PRIu64 " load%s in the history", it->loads, it->loads == 1 ? "" : "s");
		bw_buf_char(b, '\n');
		if (it->can.len)
			bw_buf_printf(b, "         can %s\n", bw_buf_cstr(&it->can));
		if (it->why.len)
			bw_buf_printf(b, "         %s\n", bw_buf_cstr(&it->why));
		if (it->dead)
			bw_buf_printf(b, "         without effect: %s\n", it->dead);
		else if (r->history && !it->loads)
			bw_buf_str(b, "         not used in the history: does it still belong here?\n");
	}
	for (uint32_t i = 0; i < r->dead.n; i++)
		bw_buf_printf(b, "%s\n", r->dead.lines[i]);
	bw_buf_printf(b, "%" PRIu32 " entries, %" PRIu32 " rules; %u without effect", r->policy->n_programs, r->policy->n_rules,
		      r->useless);
	if (r->history)
		bw_buf_printf(b, "; of %" PRIu64 " recorded loads it would deny %" PRIu64, r->loads, r->denied);
	bw_buf_char(b, '\n');
}

static void put_json(const struct review *r, struct bw_buf *b)
{
	struct bw_json j = { .buf = b, .indent = 2 };

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", 1);
	bw_json_open(&j, "entries", '[');
	for (uint32_t i = 0; i < r->policy->n_programs; i++) {
		const struct item *it = &r->items[i];
		_cleanup_buf_ struct bw_buf names = { 0 };

		put_names(&names, it->p);
		bw_json_open(&j, NULL, '{');
		bw_json_str(&j, "id", it->p->id);
		bw_json_str(&j, "risk", risk_names[it->risk]);
		bw_json_str(&j, "permits", bw_buf_cstr(&names));
		bw_json_str(&j, "can", it->can.len ? bw_buf_cstr(&it->can) : NULL);
		bw_json_str(&j, "remarks", it->why.len ? bw_buf_cstr(&it->why) : NULL);
		bw_json_str(&j, "without_effect", it->dead);
		if (r->history)
			bw_json_u64(&j, "loads", it->loads);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_open(&j, "remarks", '[');
	for (uint32_t i = 0; i < r->dead.n; i++)
		bw_json_str(&j, NULL, r->dead.lines[i]);
	bw_json_close(&j, ']');
	if (r->history) {
		bw_json_u64(&j, "loads", r->loads);
		bw_json_u64(&j, "denied", r->denied);
	}
	bw_json_close(&j, '}');
	bw_buf_char(b, '\n');
}

static int prepare(struct review *r)
{
	r->items = calloc(r->policy->n_programs + 1, sizeof(*r->items));
	if (!r->items)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->policy->n_programs; i++) {
		r->items[i] = (struct item){ .p = &r->policy->programs[i], .index = i };
		judge_powers(&r->items[i]);
		judge_width(&r->items[i]);
	}
	return find_dead(r);
}

int cmd_policy_review(int argc, char **argv)
{
	BW_CLEANUP(review_release) struct review r = { 0 };
	const char *store = NULL, *state_dir = NULL, *format = "text";
	_cleanup_buf_ struct bw_buf out = { 0 };
	bool strict = false;
	char path[PATH_MAX];
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "store", &store, "DB", "say how often each entry was used, by this event database" },
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the same, of the guard with this state directory" },
		{ BW_OPT_FLAG, 0, "strict", &strict, NULL, "exit with 1 when an entry or rule has no effect" },
		{ BW_OPT_CHOICE, 0, "format", &format, "text|json", "how to print; default text" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = {
		"bpfwarden policy review", "FILE", "Says what each entry of a policy permits, the riskiest first.",
		"Risk follows what the program can do to the host and how widely it is approved. Entries without effect here, and\n"
		"rules that an earlier one makes idle, are marked."
	};
	int n, e;

	e = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (e)
		return e < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (n != 1) {
		bw_err("policy review needs one policy file");
		return BW_EXIT_INPUT;
	}
	if (policy_load(argv[1], &r.policy) < 0)
		return BW_EXIT_INPUT;
	if (state_dir && !store) {
		snprintf(path, sizeof(path), "%s/" EVENT_STORE_FILE, state_dir);
		store = path;
	}
	if (prepare(&r) < 0)
		return BW_EXIT_INTERNAL;
	if (store && count_usage(&r, store) < 0)
		return BW_EXIT_INPUT;
	if (r.policy->n_programs)
		qsort(r.items, r.policy->n_programs, sizeof(*r.items), by_risk);
	if (!strcmp(format, "json"))
		put_json(&r, &out);
	else
		put_text(&r, &out);
	if (bw_buf_error(&out) || fwrite(bw_buf_cstr(&out), 1, out.len, stdout) != out.len || fflush(stdout))
		return BW_EXIT_INTERNAL;
	return strict && r.useless ? BW_EXIT_FINDINGS : BW_EXIT_OK;
}
