// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden ledger: what is attached where, by whom, by which way, and what became of it; and who uses which map. Put
 * together from the guard's events: what happened before the guard was there is not in it (bpfwarden inventory shows that).
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "auditor/commands.h"
#include "common/buf.h"
#include "common/event_store.h"
#include "common/json.h"
#include "common/opts.h"
#include "common/term.h"

/* Entries kept; beyond it the oldest that is over goes first, and the output says how many. */
#define MAX_ENTRIES 65536u

enum state { STATE_ATTACHED, STATE_UNKNOWN, STATE_DETACHED, STATE_FAILED, STATE_REFUSED, STATE_DONE, STATE_GONE, STATE_COUNT };
static const char *const state_names[STATE_COUNT] = { "attached", "unknown", "detached", "failed", "refused", "done", "gone" };

struct entry {
	enum state state;
	uint64_t seq;
	uint32_t prog_id, old_prog_id, link_id;
	char *time, *ended, *way, *operation, *kind, *target, *prog, *exe, *rule, *technique;
	uint64_t tgid;
	char *ended_by;
};

struct ledger {
	int all; /* of BW_OPT_FLAG */
	char boot_id[40];
	struct entry *entries;
	size_t n, cap;
	uint64_t events, dropped;
	int error;
};

static const char *str(const cJSON *e, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e, key));

	return s ? s : "";
}

static uint64_t num(const cJSON *e, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(e, key);

	return cJSON_IsNumber(v) && v->valuedouble > 0 ? (uint64_t)v->valuedouble : 0;
}

static void entry_free(struct entry *e)
{
	char **const texts[] = { &e->time, &e->ended, &e->way, &e->operation, &e->kind, &e->target, &e->prog, &e->exe, &e->rule,
				 &e->technique, &e->ended_by };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*texts[i]);
}

static void ledger_free(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		entry_free(&l->entries[i]);
	free(l->entries);
}

/* Room for one more: at the maximum the oldest that is over has to go, else the oldest. */
static struct entry *entry_new(struct ledger *l)
{
	if (l->n == MAX_ENTRIES) {
		size_t victim = 0;

		while (victim < l->n && (l->entries[victim].state == STATE_ATTACHED || l->entries[victim].state == STATE_UNKNOWN))
			victim++;
		victim = victim == l->n ? 0 : victim;
		entry_free(&l->entries[victim]);
		memmove(&l->entries[victim], &l->entries[victim + 1], (l->n - victim - 1) * sizeof(*l->entries));
		l->n--;
		l->dropped++;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 256;
		struct entry *more = reallocarray(l->entries, cap, sizeof(*more));

		if (!more)
			return NULL;
		l->entries = more;
		l->cap = cap;
	}
	memset(&l->entries[l->n], 0, sizeof(*l->entries));
	return &l->entries[l->n++];
}

static bool failed(const cJSON *e)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(e, "error");

	return cJSON_IsNumber(v) && v->valuedouble < 0;
}

/* Marks what @e takes away. */
static void end_entries(struct ledger *l, const cJSON *e)
{
	uint64_t link = num(e, "link_id"), prog = num(e, "prog_id"), ifindex = num(e, "ifindex");
	const char *way = str(e, "way"), *request = str(e, "request");

	for (size_t i = 0; i < l->n; i++) {
		struct entry *x = &l->entries[i];
		char interface[24];
		bool hit;

		if (x->state != STATE_ATTACHED && x->state != STATE_UNKNOWN)
			continue;
		snprintf(interface, sizeof(interface), "%llu", (unsigned long long)ifindex);
		if (!strcmp(way, "link"))
			hit = link && x->link_id == link;
		else if (!strcmp(way, "prog_attach"))
			hit = !strcmp(x->way, way) && ((prog && x->prog_id == prog) || (!prog && !strcmp(x->target, str(e, "target"))));
		else if (!strncmp(way, "netlink_", 8))
			hit = !strcmp(x->way, way) && ifindex && !strcmp(x->target, interface);
		else
			hit = false; /* a socket's filter: which of a process's sockets is not known */
		if (!hit)
			continue;
		if (!strcmp(request, "link_update") || !strcmp(str(e, "operation"), "update")) {
			x->old_prog_id = x->prog_id;
			x->prog_id = (uint32_t)prog;
			free(x->prog);
			x->prog = strdup(str(e, "prog_name"));
			continue;
		}
		x->state = STATE_DETACHED;
		x->ended = strdup(str(e, "time"));
		x->ended_by = strdup(str(e, "loader_exe"));
	}
}

/* A row of the store. */
static int on_row(void *arg, uint64_t seq, const char *json, int len)
{
	struct ledger *l = arg;
	cJSON *e = cJSON_ParseWithLength(json, (size_t)len);
	struct entry *x;
	const char *operation;

	if (!e)
		return 0;
	l->events++;
	operation = str(e, "operation");
	if ((!strcmp(operation, "detach") || !strcmp(operation, "update")) && !failed(e) && strcmp(str(e, "action"), "denied"))
		end_entries(l, e);
	x = entry_new(l);
	if (!x) {
		cJSON_Delete(e);
		return l->error = -ENOMEM;
	}
	x->seq = seq;
	x->prog_id = (uint32_t)num(e, "prog_id");
	x->old_prog_id = (uint32_t)num(e, "old_prog_id");
	x->link_id = (uint32_t)num(e, "link_id");
	x->tgid = num(e, "loader_tgid");
	x->time = strdup(str(e, "time"));
	x->way = strdup(str(e, "way"));
	x->operation = strdup(operation);
	x->kind = strdup(str(e, "target_kind"));
	x->target = strdup(str(e, "target"));
	x->prog = strdup(str(e, "prog_name"));
	x->exe = strdup(str(e, "loader_exe"));
	x->rule = strdup(str(e, "rule"));
	x->technique = strdup(str(e, "technique"));
	if (!strcmp(str(e, "action"), "denied"))
		x->state = STATE_REFUSED;
	else if (failed(e))
		x->state = STATE_FAILED;
	else if (strcmp(operation, "attach"))
		x->state = STATE_DONE;
	else
		x->state = cJSON_HasObjectItem(e, "error") ? STATE_ATTACHED : STATE_UNKNOWN;
	/* What was attached before the last boot is attached no more. */
	if ((x->state == STATE_ATTACHED || x->state == STATE_UNKNOWN) && l->boot_id[0] && str(e, "boot_id")[0] &&
	    strcmp(str(e, "boot_id"), l->boot_id))
		x->state = STATE_GONE;
	cJSON_Delete(e);
	return 0;
}

/* ---- what there is now ------------------------------------------------------------------------------------------------ */

struct ids {
	uint32_t *ids; /* rising */
	size_t n;
	bool known; /* this process may ask */
};

/* Ids of all programs or links. The guard does not report this command, and it opens nothing. */
static void ids_read(int cmd, struct ids *ret)
{
	union bpf_attr attr = { 0 };
	size_t cap = 0;

	while (!syscall(SYS_bpf, cmd, &attr, sizeof(attr))) {
		if (ret->n == cap) {
			uint32_t *more = reallocarray(ret->ids, cap ? cap * 2 : 256, sizeof(*more));

			if (!more)
				return;
			ret->ids = more;
			cap = cap ? cap * 2 : 256;
		}
		ret->ids[ret->n++] = attr.start_id = attr.next_id;
	}
	ret->known = errno == ENOENT;
}

static bool ids_have(const struct ids *ids, uint32_t id)
{
	for (size_t lo = 0, hi = ids->n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (ids->ids[mid] == id)
			return true;
		if (ids->ids[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* A link ends with its last descriptor and a program with its last user: no event tells of that. */
static void mark_gone(struct ledger *l)
{
	struct ids progs = { 0 }, links = { 0 };

	ids_read(BPF_PROG_GET_NEXT_ID, &progs);
	ids_read(BPF_LINK_GET_NEXT_ID, &links);
	for (size_t i = 0; i < l->n; i++) {
		struct entry *x = &l->entries[i];

		if (x->state != STATE_ATTACHED && x->state != STATE_UNKNOWN)
			continue;
		if ((x->link_id && links.known && !ids_have(&links, x->link_id)) ||
		    (x->prog_id && progs.known && !ids_have(&progs, x->prog_id)))
			x->state = STATE_GONE;
	}
	free(progs.ids);
	free(links.ids);
}

/* ---- printing ------------------------------------------------------------------------------------------------------- */

static void print_json(const struct ledger *l)
{
	_cleanup_buf_ struct bw_buf buf = { 0 };
	struct bw_json j = { .buf = &buf };

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "events", l->events);
	bw_json_u64(&j, "dropped", l->dropped);
	bw_json_open(&j, "entries", '[');
	for (size_t i = 0; i < l->n; i++) {
		const struct entry *x = &l->entries[i];

		if (!l->all && x->state != STATE_ATTACHED && x->state != STATE_UNKNOWN)
			continue;
		bw_json_open(&j, NULL, '{');
		bw_json_u64(&j, "seq", x->seq);
		bw_json_str(&j, "state", state_names[x->state]);
		bw_json_str(&j, "since", x->time);
		if (x->ended) {
			bw_json_str(&j, "until", x->ended);
			bw_json_str(&j, "ended_by", x->ended_by);
		}
		bw_json_str(&j, "way", x->way);
		bw_json_str(&j, "operation", x->operation);
		bw_json_str(&j, "target_kind", x->kind);
		bw_json_str(&j, "target", x->target);
		bw_json_u64(&j, "prog_id", x->prog_id);
		bw_json_str(&j, "prog_name", x->prog);
		if (x->old_prog_id)
			bw_json_u64(&j, "old_prog_id", x->old_prog_id);
		if (x->link_id)
			bw_json_u64(&j, "link_id", x->link_id);
		bw_json_u64(&j, "by_tgid", x->tgid);
		bw_json_str(&j, "by_exe", x->exe);
		bw_json_str(&j, "rule", x->rule);
		if (x->technique[0])
			bw_json_str(&j, "technique", x->technique);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	puts(bw_buf_cstr(&buf));
}

static void print_table(const struct ledger *l)
{
	size_t shown = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct entry *x = &l->entries[i];
		char prog[48], target[400];

		if (!l->all && x->state != STATE_ATTACHED && x->state != STATE_UNKNOWN)
			continue;
		if (!shown++)
			printf("%-30s %-8s %-14s %-22s %-34s %s\n", "SINCE", "STATE", "WAY", "PROGRAM", "TARGET", "BY");
		snprintf(prog, sizeof(prog), x->prog_id ? "%u %s" : "-", x->prog_id, x->prog);
		snprintf(target, sizeof(target), "%s%s%s", x->kind, x->kind[0] ? " " : "", x->target);
		term_cell(stdout, x->time, 30);
		term_cell(stdout, state_names[x->state], 8);
		term_cell(stdout, x->way, 14);
		term_cell(stdout, prog, 22);
		term_cell(stdout, target, 34);
		term_cell(stdout, x->exe, 1);
		if (x->technique[0])
			term_cell(stdout, x->technique, 1);
		if (x->old_prog_id)
			printf("before: %u ", x->old_prog_id);
		if (x->ended) {
			fputs("until ", stdout);
			term_cell(stdout, x->ended, 1);
			fputs("by ", stdout);
			term_cell(stdout, x->ended_by, 1);
		}
		putchar('\n');
	}
	if (!shown)
		puts("nothing is attached, as far as the guard has seen");
	if (l->dropped)
		printf("%llu older entries are left out\n", (unsigned long long)l->dropped);
}

static void read_boot_id(char *dst, size_t len)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || !fgets(dst, (int)len, f))
		dst[0] = '\0';
	dst[strcspn(dst, "\n")] = '\0';
}

int cmd_ledger(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden ledger", "", "Shows what is attached where, by whom, by which way, and since when.",
		"Put together from the guard's history of events. What was attached before the guard was there, and what the guard\n"
		"cannot see in its tier (docs/coverage.md), is not in it; bpfwarden inventory lists what the kernel has. State \"unknown\":\n"
		"attempted, and what came of it is not told by that way; root also sees what has gone without a word (\"gone\").\n"
		"Exit status 2 when there is no history.",
	};
	BW_CLEANUP(ledger_free) struct ledger l = { 0 };
	const char *state_dir = EVENT_STORE_DEFAULT_DIR, *format = "table";
	const struct bw_opt opts[] = {
		{ BW_OPT_FLAG, 'a', "all", &l.all, NULL, "also what is over, failed or was refused, and what only handed something on" },
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json", "how to print it (default table)" },
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the guard's state directory" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	struct event_store_query q = { .kind = "attach" };
	struct sqlite3 *db __attribute__((cleanup(event_store_close))) = NULL;
	char path[PATH_MAX];
	int r, nargs;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r > 0 ? BW_EXIT_OK : BW_EXIT_INPUT;
	if (nargs) {
		fprintf(stderr, "bpfwarden ledger: no operands are taken\n");
		return BW_EXIT_INPUT;
	}
	read_boot_id(l.boot_id, sizeof(l.boot_id));
	snprintf(path, sizeof(path), "%s/%s", state_dir, EVENT_STORE_FILE);
	r = event_store_open(path, &db);
	if (!r)
		r = event_store_query(db, &q, on_row, &l);
	if (r < 0) {
		fprintf(stderr, "bpfwarden ledger: %s: %s\n", path,
			r == -EPROTO ? "not an event store of this version" : r == -EUCLEAN ? "is corrupt" : strerror(-r));
		return BW_EXIT_INPUT;
	}
	mark_gone(&l);
	if (!strcmp(format, "json"))
		print_json(&l);
	else
		print_table(&l);
	return BW_EXIT_OK;
}
