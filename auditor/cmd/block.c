// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden block add|list|remove|apply: cuts addresses, header values, logins and services off, for a time. */
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auditor/cmd/block_common.h"
#include "auditor/commands.h"
#include "common/cgroup2.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "common/term.h"

static void time_text(int64_t s, char text[32])
{
	time_t t = (time_t)s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(text, 32, "-");
}

/* ---- add --------------------------------------------------------------------------------------------------------------------------------- */

struct add {
	struct block_run run;
	const char *owner, *reason, *duration;
	struct bw_strlist allow;
	bool dry_run, keep;
};

/* The cgroup of a unit: the folder of that name. */
static int find_unit(const char *root, const char *unit, char *cgroup, size_t size)
{
	char *const paths[] = { (char *)(uintptr_t)root, NULL };
	char name[NAME_MAX + 1];
	FTS *t = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	int r = -ENOENT;
	FTSENT *e;

	if (!t)
		return -errno;
	snprintf(name, sizeof(name), "%s%s", unit, strchr(unit, '.') ? "" : ".service");
	while (r == -ENOENT && (e = fts_read(t)))
		if (e->fts_info == FTS_D && !strcmp(e->fts_name, name))
			r = snprintf(cgroup, size, "%s", e->fts_path + strlen(root)) < (int)size ? 0 : -E2BIG;
	fts_close(t);
	return r;
}

/* Is this process, and so the session it is run from, inside? */
static bool holds_us(const char *cgroup)
{
	char own[PATH_MAX];
	size_t n = strlen(cgroup);

	return !strcmp(cgroup, "/") || (!cgroup2_of((unsigned int)getpid(), own, sizeof(own)) && !strncmp(own, cgroup, n) && (!own[n] || own[n] == '/'));
}

static bool is_ancestor(unsigned int pid)
{
	unsigned int p = (unsigned int)getpid();

	for (int i = 0; i < 64 && p > 1; i++) {
		_cleanup_fclose_ FILE *f = NULL;
		char path[64], line[1024], *end;

		if (p == pid)
			return true;
		snprintf(path, sizeof(path), "/proc/%u/stat", p);
		f = fopen(path, "re");
		end = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
		if (!end || sscanf(end + 1, " %*c %u", &p) != 1)
			break;
	}
	return pid <= 1;
}

/* A number is a process, a path a cgroup, anything else a unit. */
static int read_service(const struct add *a, const char *text, struct block *b)
{
	char root[PATH_MAX], path[2 * PATH_MAX], why[400];
	size_t n = strlen(text);

	if (cgroup2_mount(root, sizeof(root)) < 0) {
		bw_err("there are no cgroups of version 2 here");
		return BW_EXIT_INPUT;
	}
	if (n && n < 8 && strspn(text, "0123456789") == n) {
		b->pid = (uint32_t)strtoul(text, NULL, 10);
		if (is_ancestor(b->pid)) {
			bw_err("process %u is init, or an ancestor of this one: that would cut this session off", b->pid);
			return BW_EXIT_INPUT;
		}
		if (a->dry_run)
			return cgroup2_of(b->pid, b->cgroup, sizeof(b->cgroup)) < 0 ? BW_EXIT_INPUT : 0;
		if (block_process_move(b->pid, b->id, b->cgroup, sizeof(b->cgroup), why, sizeof(why)) < 0) {
			bw_err("%s", why);
			return BW_EXIT_INPUT;
		}
		return 0;
	}
	if (text[0] != '/') {
		if (!n || strchr(text, '/') || find_unit(root, text, b->cgroup, sizeof(b->cgroup)) < 0) {
			bw_err("%s: no unit of that name has a cgroup", text);
			return BW_EXIT_INPUT;
		}
	} else if (strstr(text, "/..") || snprintf(b->cgroup, sizeof(b->cgroup), "%s", text) >= (int)sizeof(b->cgroup)) {
		bw_err("%s: not a cgroup", text);
		return BW_EXIT_INPUT;
	}
	while (strlen(b->cgroup) > 1 && b->cgroup[strlen(b->cgroup) - 1] == '/')
		b->cgroup[strlen(b->cgroup) - 1] = 0;
	snprintf(path, sizeof(path), "%s%s", root, b->cgroup);
	if (access(path, F_OK) < 0) {
		bw_err("%s: %s", path, strerror(errno));
		return BW_EXIT_INPUT;
	}
	if (holds_us(b->cgroup)) {
		bw_err("%s: this session is in there, and would be cut off", b->cgroup);
		return BW_EXIT_INPUT;
	}
	return 0;
}

/* Copies @text, whose length is checked later, but for what would not fit at all. */
static bool set(char *dst, size_t size, const char *text)
{
	return snprintf(dst, size, "%s", text) < (int)size;
}

static int read_block(struct add *a, int argc, char **argv, struct block *b)
{
	uint32_t seconds = 0;
	int kind = argc ? block_kind_id(argv[0]) : -1, want = kind == BLOCK_HEADER ? 3 : 2, r;

	if (kind < 0 || argc != want) {
		fputs("bpfwarden block add: what? address ADDRESS[/LENGTH], header NAME VALUE, login NAME, or service UNIT|CGROUP|PID\n", stderr);
		return BW_EXIT_INPUT;
	}
	if (!a->reason || !a->duration) {
		fputs("bpfwarden block add: --reason and --for are needed\n", stderr);
		return BW_EXIT_INPUT;
	}
	r = block_duration_read(a->duration, &seconds);
	if (r < 0) {
		bw_err("--for %s: %s", a->duration, r == -ERANGE ? "1 second to 90 days" : "a number with s, m, h or d");
		return BW_EXIT_INPUT;
	}
	b->kind = (enum block_kind)kind;
	b->id = a->run.list.next_id;
	b->created_s = a->run.now_s;
	b->expires_s = a->run.now_s + seconds;
	if (!a->owner)
		a->owner = getenv("SUDO_USER") ? getenv("SUDO_USER") : getenv("USER") ? getenv("USER") : "root";
	if (!set(b->owner, sizeof(b->owner), a->owner) || !set(b->reason, sizeof(b->reason), a->reason) ||
	    (kind == BLOCK_HEADER && (!set(b->name, sizeof(b->name), argv[1]) || !set(b->value, sizeof(b->value), argv[2]))) ||
	    (kind == BLOCK_LOGIN && !set(b->value, sizeof(b->value), argv[1]))) {
		bw_err("too long: owner and reason have at most 200 bytes, names of headers 63, values and logins 256");
		return BW_EXIT_INPUT;
	}
	if (kind == BLOCK_ADDRESS && block_prefix_read(argv[1], &b->address) < 0) {
		bw_err("%s: not an address, or the bits behind its length are not zero", argv[1]);
		return BW_EXIT_INPUT;
	}
	for (unsigned int i = 0; i < a->allow.n; i++)
		if (b->n_allow == BLOCK_MAX_ALLOW || block_prefix_read(a->allow.items[i], &b->allow[b->n_allow++]) < 0) {
			bw_err("--allow %s: not an address, or more than %u", a->allow.items[i], BLOCK_MAX_ALLOW);
			return BW_EXIT_INPUT;
		}
	if (b->n_allow && kind != BLOCK_SERVICE) {
		bw_err("--allow is for services");
		return BW_EXIT_INPUT;
	}
	if ((kind == BLOCK_HEADER || kind == BLOCK_LOGIN) && !a->run.config.n_servers) {
		bw_err("no server is named in %s: nothing would be blocked", a->run.config_path ? a->run.config_path : BLOCK_CONFIG);
		return BW_EXIT_INPUT;
	}
	return 0;
}

/* What it would come to. */
static int dry_run(struct add *a, const struct block *b)
{
	_cleanup_buf_ struct bw_buf text = { 0 };
	char why[500] = "", target[BLOCK_TARGET_TEXT], prefix[BLOCK_PREFIX_TEXT];
	int r = block_append(&a->run.list, b);

	if (r)
		return BW_EXIT_INTERNAL;
	block_target_text(b, target);
	printf("would block %s until it is over in %" PRId64 " s\n", target, b->expires_s - b->created_s);
	if (b->kind == BLOCK_ADDRESS) {
		block_text_nft(&a->run.list, a->run.table, a->run.now_s, &text);
		r = bw_buf_error(&text) ? bw_buf_error(&text) : block_nft_run(bw_buf_cstr(&text), true, why, sizeof(why));
		fputs(bw_buf_cstr(&text), stdout);
	} else if (b->kind == BLOCK_SERVICE) {
		for (uint32_t i = 0; i < b->n_allow; i++) {
			block_prefix_text(&b->allow[i], prefix);
			printf("it would still reach %s\n", prefix);
		}
	} else {
		for (uint32_t i = 0; i < a->run.config.n_servers; i++) {
			const struct block_server *s = &a->run.config.servers[i];

			bw_buf_printf(&text, "# %s\n", s->file);
			block_text_server(s->kind, &a->run.list, *s->login_header ? s->login_header : NULL, &text);
		}
		fputs(bw_buf_cstr(&text), stdout);
	}
	block_drop(&a->run.list, b->id);
	if (r) {
		bw_err("%s", why);
		return BW_EXIT_INPUT;
	}
	return BW_EXIT_OK;
}

static void say_nginx(const struct block_run *run)
{
	for (uint32_t i = 0; i < run->config.n_servers; i++)
		if (run->config.servers[i].kind == BLOCK_NGINX)
			printf("nginx: holds in each server {} that has \"include %s;\"\n", run->config.servers[i].server_file);
}

/* Kept before it is done: what was begun is known should this end in between. */
static int carry_out(struct add *a, const struct block *b)
{
	char why[PATH_MAX + 400] = "", target[BLOCK_TARGET_TEXT], message[BLOCK_TARGET_TEXT + PATH_MAX], until[32];
	uint32_t killed = 0;
	int r = block_append(&a->run.list, b);

	if (!r)
		r = block_save(&a->run);
	if (!r)
		r = block_make_so(&a->run, why, sizeof(why));
	block_target_text(b, target);
	time_text(b->expires_s, until);
	if (r) {
		char again[PATH_MAX + 400];

		bw_err("%s is not blocked: %s", target, *why ? why : strerror(-r));
		snprintf(message, sizeof(message), "%s could not be blocked: %s", target, *why ? why : strerror(-r));
		block_undo(&a->run, b);
		block_drop(&a->run.list, b->id);
		block_save(&a->run);
		block_make_so(&a->run, again, sizeof(again));
		block_tell(&a->run, "block_failed", b, message);
		return BW_EXIT_INTERNAL;
	}
	if (b->kind == BLOCK_ADDRESS && !a->keep) {
		r = block_kill_connections(&b->address, &killed);
		if (r < 0)
			bw_warn("connections that there are cannot be ended (%s): they get no packets any more", strerror(-r));
	}
	snprintf(message, sizeof(message), "block %u: %s until %s", b->id, target, until);
	block_tell(&a->run, "block_added", b, message);
	term_str(stdout, message);
	if (b->kind == BLOCK_ADDRESS && !a->keep && !r)
		printf("; %u connections ended", killed);
	putchar('\n');
	if (b->kind == BLOCK_HEADER || b->kind == BLOCK_LOGIN)
		say_nginx(&a->run);
	return BW_EXIT_OK;
}

int cmd_block_add(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden block add", "address ADDRESS[/LENGTH] | header NAME VALUE | login NAME | service UNIT|CGROUP|PID",
		"Cuts off an address, callers by a header or login, or a service from everything but named addresses, for a time.",
		"Addresses go into a set of nftables, or a cgroup program where there is none, and their connections are ended. Headers and\n"
		"logins go into rule files of the servers that the settings name. A service is a unit, a cgroup, or one process. Needs root.\n"
		"What a block cannot do, and the settings: docs/remediation.md.",
	};
	struct add a = { 0 };
	struct block *b = NULL;
	char why[400];
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "for", &a.duration, "TIME", "how long: 90s, 10m, 2h, 7d; at most 90 days" },
		{ BW_OPT_STRING, 0, "reason", &a.reason, "TEXT", "why" },
		{ BW_OPT_STRING, 0, "owner", &a.owner, "NAME", "who answers for it (default: who runs this)" },
		{ BW_OPT_LIST, 0, "allow", &a.allow, "ADDRESS", "service: what it may still talk to; may be given several times" },
		{ BW_OPT_FLAG, 'n', "dry-run", &a.dry_run, NULL, "print what would be done, and do nothing" },
		{ BW_OPT_FLAG, 0, "keep-connections", &a.keep, NULL, "address: do not end the connections that there are" },
		BLOCK_ROWS(a.run),
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	int nargs, r, status;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	status = block_begin(&a.run, true);
	b = calloc(1, sizeof(*b));
	if (!status && !b)
		status = BW_EXIT_INTERNAL;
	if (!status)
		status = read_block(&a, nargs, argv + 1, b);
	/* Before a process is moved anywhere. */
	if (!status && block_admit(&a.run.list, b, a.run.config.never, a.run.config.n_never, a.run.config.limit, why, sizeof(why)) < 0) {
		bw_err("%s", why);
		status = BW_EXIT_INPUT;
	}
	if (!status && b->kind == BLOCK_SERVICE)
		status = read_service(&a, argv[2], b);
	if (!status && b->kind == BLOCK_SERVICE &&
	    block_admit(&a.run.list, b, a.run.config.never, a.run.config.n_never, a.run.config.limit, why, sizeof(why)) < 0) {
		bw_err("%s", why);
		status = BW_EXIT_INPUT;
	}
	if (!status)
		status = a.dry_run ? dry_run(&a, b) : carry_out(&a, b);
	free(b);
	bw_strlist_free(&a.allow);
	r = block_end(&a.run);
	return status ? status : r;
}

/* ---- list ----------------------------------------------------------------------------------------------------------------------------------- */

static void list_json(const struct block_run *run, bool values, struct bw_buf *out)
{
	struct bw_json j = { .buf = out, .indent = 1 };
	char text[BLOCK_TARGET_TEXT];

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", 1);
	bw_json_open(&j, "blocks", '[');
	for (uint32_t i = 0; i < run->list.n; i++) {
		const struct block *b = &run->list.v[i];
		uint64_t refused;

		bw_json_open(&j, NULL, '{');
		bw_json_u64(&j, "id", b->id);
		bw_json_str(&j, "kind", block_kind_name(b->kind));
		block_target_text(b, text);
		bw_json_str(&j, "target", text);
		if (values && (b->kind == BLOCK_HEADER || b->kind == BLOCK_LOGIN))
			bw_json_str(&j, "value", b->value);
		bw_json_str(&j, "owner", b->owner);
		bw_json_str(&j, "reason", b->reason);
		time_text(b->created_s, text);
		bw_json_str(&j, "created", text);
		time_text(b->expires_s, text);
		bw_json_str(&j, "expires", text);
		bw_json_bool(&j, "over", b->expires_s <= run->now_s);
		if (b->kind == BLOCK_SERVICE && !block_cgroup_refused(run->pins, b->id, &refused))
			bw_json_u64(&j, "refused", refused);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(out, '\n');
}

static void list_table(const struct block_run *run, bool values, struct bw_buf *out)
{
	char target[BLOCK_TARGET_TEXT], until[32];

	bw_buf_printf(out, "%5s %-8s %-40s %-21s %-12s %s\n", "ID", "KIND", "TARGET", "UNTIL", "OWNER", "REASON");
	for (uint32_t i = 0; i < run->list.n; i++) {
		const struct block *b = &run->list.v[i];

		block_target_text(b, target);
		time_text(b->expires_s, until);
		bw_buf_printf(out, "%5u %-8s %-40s %-21s %-12s %s%s%s\n", b->id, block_kind_name(b->kind), target,
			      b->expires_s <= run->now_s ? "over" : until, b->owner, b->reason, values && *b->value ? "  value: " : "", values ? b->value : "");
	}
}

int cmd_block_list(int argc, char **argv)
{
	static const struct bw_command cmd = { "bpfwarden block list", "", "Lists what is blocked, by whom, why and until when.", NULL };
	struct block_run run = { 0 };
	const char *format = "table";
	bool values = false;
	const struct bw_opt opts[] = {
		{ BW_OPT_CHOICE, 'f', "format", &format, "table|json", "how to print it (default table)" },
		{ BW_OPT_FLAG, 0, "values", &values, NULL, "with the values of headers and the logins: they may be personal data" },
		BLOCK_ROWS(run),
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	_cleanup_buf_ struct bw_buf out = { 0 };
	bool json;
	int nargs, r, status;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r || nargs)
		return r > 0 ? BW_EXIT_OK : BW_EXIT_INPUT;
	status = block_begin(&run, false);
	json = !strcmp(format, "json");
	if (!status && json)
		list_json(&run, values, &out);
	else if (!status)
		list_table(&run, values, &out);
	if (bw_buf_error(&out))
		status = BW_EXIT_INTERNAL;
	for (const char *line = bw_buf_cstr(&out), *end; !status && *line; line = end + (*end != '\0')) {
		end = line + strcspn(line, "\n");
		if (json)
			term_json(stdout, line, (size_t)(end - line));
		else
			term_strn(stdout, line, (size_t)(end - line));
		putchar('\n');
	}
	r = block_end(&run);
	return status ? status : r;
}

/* ---- remove, apply -------------------------------------------------------------------------------------------------------------------------------- */

static int remove_one(struct block_run *run, const char *text)
{
	char target[BLOCK_TARGET_TEXT], message[BLOCK_TARGET_TEXT + 64], *end;
	unsigned long id = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
	struct block *b = id && !*end && id <= UINT32_MAX ? block_find(&run->list, (uint32_t)id) : NULL, copy;

	if (!b) {
		bw_err("%s: there is no such block", text);
		return BW_EXIT_INPUT;
	}
	copy = *b;
	block_target_text(&copy, target);
	snprintf(message, sizeof(message), "block %u of %s was taken back", copy.id, target);
	block_undo(run, &copy);
	block_drop(&run->list, copy.id);
	run->changed = true;
	if (block_save(run) < 0)
		return BW_EXIT_INTERNAL;
	block_tell(run, "block_removed", &copy, message);
	term_str(stdout, message);
	putchar('\n');
	return 0;
}

static int make_so(struct block_run *run)
{
	char why[PATH_MAX + 400] = "";
	int r = run->changed ? block_save(run) : 0;

	if (!r)
		r = block_make_so(run, why, sizeof(why));
	if (r)
		bw_err("%s", *why ? why : strerror(-r));
	return r ? BW_EXIT_INTERNAL : BW_EXIT_OK;
}

int cmd_block_remove(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden block remove", "ID...", "Takes blocks back.", "The numbers are those of bpfwarden block list. Needs root.",
	};
	struct block_run run = { 0 };
	const struct bw_opt opts[] = { BLOCK_ROWS(run), BW_OPTS_HELP_ROW, { BW_OPT_END } };
	int nargs, r, status, made;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (!nargs) {
		fputs("bpfwarden block remove: which?\n", stderr);
		return BW_EXIT_INPUT;
	}
	status = block_begin(&run, true);
	for (int i = 1; i <= nargs && !status; i++)
		status = remove_one(&run, argv[i]);
	made = run.lock_fd >= 0 ? make_so(&run) : 0;
	status = status ? status : made;
	r = block_end(&run);
	return status ? status : r;
}

int cmd_block_apply(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden block apply", "", "Makes the host as the list of blocks says, and ends those that are over.",
		"For the start of the host, and once a minute (bpfwarden-block.timer): rules of nginx and Envoy do not end by themselves. Needs root.",
	};
	struct block_run run = { 0 };
	const struct bw_opt opts[] = { BLOCK_ROWS(run), BW_OPTS_HELP_ROW, { BW_OPT_END } };
	int nargs, r, status;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r || nargs)
		return r > 0 ? BW_EXIT_OK : BW_EXIT_INPUT;
	status = block_begin(&run, true);
	if (!status)
		status = make_so(&run);
	r = block_end(&run);
	return status ? status : r;
}
