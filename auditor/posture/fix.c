// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * posture --fix and --undo: sysctls that can be set at run time and taken back. What was there before is written down
 * first, so that an interruption at any moment can be undone.
 */
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "auditor/posture/posture.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/json_check.h"

#define MAX_STATE (1u << 20)

static int join(char *full, size_t size, const char *root, const char *path)
{
	return snprintf(full, size, "%s%s", root, path) >= (int)size ? -ENAMETOOLONG : 0;
}

static int read_state(const char *root, const char *path, char **ret, size_t *ret_len)
{
	char full[PATH_MAX];
	int r = join(full, sizeof(full), root, path);

	return r ? r : bw_file_read(full, MAX_STATE, ret, ret_len);
}

/* Makes the folders on the way; they are the system's own and stay. */
static int write_state(const char *root, const char *path, const void *data, size_t len, unsigned int mode)
{
	char full[PATH_MAX];
	int r = join(full, sizeof(full), root, path);

	if (r)
		return r;
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		if (mkdir(full, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return bw_file_write_atomic(full, data, len, mode);
}

static int remove_state(const char *root, const char *path)
{
	char full[PATH_MAX];
	int r = join(full, sizeof(full), root, path);

	return r ? r : unlink(full) < 0 && errno != ENOENT ? -errno : 0;
}

static int sysctl_set(const char *root, int id, long value)
{
	_cleanup_close_ int fd = -1;
	char full[PATH_MAX], text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", value);

	if (snprintf(full, sizeof(full), "%s/proc/sys/%s", root, posture_sysctl_path((unsigned int)id)) >=
	    (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, text, (size_t)n) == n ? 0 : -errno;
}

static bool sysctl_get(const char *root, int id, long *ret)
{
	struct bw_arena a = { 0 };
	char path[128], *end;
	struct posture_text t;
	bool ok;

	snprintf(path, sizeof(path), "/proc/sys/%s", posture_sysctl_path((unsigned int)id));
	t = posture_read(&a, root, path);
	*ret = strtol(t.text, &end, 10);
	ok = t.state == POSTURE_VALUE && end != t.text && !*end;
	bw_arena_free(&a);
	return ok;
}

/* ---- the plan -------------------------------------------------------------------------------------------------------
 */

static bool names_key(const char *line, const char *key)
{
	size_t n = strlen(key);

	line += strspn(line, " \t-");
	return !strncmp(line, key, n) && (line[n] == '=' || line[n] == ' ' || line[n] == '\t');
}

/* The old lines without those that are set anew, and the new ones. */
static int compose(struct posture_plan *p)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	const char *line = p->old_file;

	if (!line)
		bw_buf_str(&b, "# Written by bpfwarden posture --fix; bpfwarden posture --undo takes it back.\n");
	while (line && *line) {
		size_t n = strcspn(line, "\n");
		bool drop = false;

		for (size_t i = 0; i < p->n_changes; i++)
			drop |= names_key(line, posture_sysctl_name((unsigned int)p->changes[i].sysctl));
		if (!drop) {
			bw_buf_append(&b, line, n);
			bw_buf_char(&b, '\n');
		}
		line += n + (line[n] == '\n');
	}
	for (size_t i = 0; i < p->n_changes; i++)
		bw_buf_printf(&b, "%s = %ld\n", posture_sysctl_name((unsigned int)p->changes[i].sysctl),
			      p->changes[i].to);
	p->new_file = bw_arena_strn(&p->arena, bw_buf_cstr(&b), b.len);
	return bw_buf_error(&b) || !p->new_file ? -ENOMEM : 0;
}

int posture_plan_make(const struct posture_report *r, const char *root, struct posture_plan *ret)
{
	_cleanup_free_ char *old = NULL;
	struct posture_plan p = { 0 };
	size_t len;
	int e = read_state(root, POSTURE_SYSCTL_FILE, &old, &len);

	if (e < 0 && e != -ENOENT)
		return e;
	p.changes = bw_arena_alloc(&p.arena, POSTURE_SYSCTL_COUNT, sizeof(*p.changes));
	p.old_file = old ? bw_arena_strn(&p.arena, old, len) : NULL;
	if (!p.changes || (old && !p.old_file))
		goto no_memory;
	for (size_t i = 0; i < r->n_results; i++) {
		const struct posture_check *k = r->results[i].check;
		struct posture_change c = { .sysctl = k->sysctl - 1 };

		if (r->results[i].verdict != POSTURE_FAIL || !k->sysctl || !k->settable)
			continue;
		if (posture_sysctl(r->host, (unsigned int)c.sysctl, &c.from) != POSTURE_VALUE)
			continue;
		/* 1 would do as well, but could not be taken back */
		c.to = c.sysctl == POSTURE_SYSCTL_UNPRIV_BPF ? 2 : posture_want(k, r->profile);
		p.changes[p.n_changes++] = c;
	}
	if (p.n_changes && compose(&p) < 0)
		goto no_memory;
	*ret = p;
	return 0;
no_memory:
	bw_arena_free(&p.arena);
	return -ENOMEM;
}

void posture_plan_diff(const struct posture_plan *p, struct bw_buf *out)
{
	bw_buf_printf(out, "--- %s\n+++ %s\n", p->old_file ? POSTURE_SYSCTL_FILE : "/dev/null", POSTURE_SYSCTL_FILE);
	for (int side = 0; side < 2; side++) {
		const char *mine = side ? p->new_file : p->old_file, *other = side ? p->old_file : p->new_file;

		for (const char *s = mine; s && *s;) {
			size_t n = strcspn(s, "\n");
			bool same = false;

			for (const char *t = other; t && *t;) {
				size_t m = strcspn(t, "\n");

				same |= m == n && !memcmp(s, t, n);
				t += m + (t[m] == '\n');
			}
			if (!same)
				bw_buf_printf(out, "%c%.*s\n", side ? '+' : '-', (int)n, s);
			s += n + (s[n] == '\n');
		}
	}
	for (size_t i = 0; i < p->n_changes; i++)
		bw_buf_printf(out, "now: %s %ld -> %ld\n", posture_sysctl_name((unsigned int)p->changes[i].sysctl),
			      p->changes[i].from, p->changes[i].to);
}

/* ---- what was there
 * --------------------------------------------------------------------------------------------------- */

struct record {
	bool had_file;
	char *old_file, *new_file; /* owned */
	struct posture_change changes[POSTURE_SYSCTL_COUNT];
	size_t n;
};

static void record_free(struct record *r)
{
	free(r->old_file);
	free(r->new_file);
}

static int sysctl_id(const char *name)
{
	for (unsigned int i = 0; i < POSTURE_SYSCTL_COUNT; i++)
		if (!strcmp(posture_sysctl_name(i), name))
			return (int)i;
	return -1;
}

static int record_parse(const cJSON *doc, struct record *ret)
{
	const cJSON *had = cJSON_GetObjectItemCaseSensitive(doc, "had_file"),
		    *old = cJSON_GetObjectItemCaseSensitive(doc, "old_file");
	const cJSON *new = cJSON_GetObjectItemCaseSensitive(doc, "new_file"),
		    *list = cJSON_GetObjectItemCaseSensitive(doc, "changes"), *e;

	if (!cJSON_IsBool(had) || !cJSON_IsString(old) || !cJSON_IsString(new) || !cJSON_IsArray(list))
		return -EBADMSG;
	cJSON_ArrayForEach(e, list)
	{
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(e, "sysctl"),
			    *from = cJSON_GetObjectItemCaseSensitive(e, "from");
		const cJSON *to = cJSON_GetObjectItemCaseSensitive(e, "to");
		int id = cJSON_IsString(name) ? sysctl_id(name->valuestring) : -1;

		if (id < 0 || !cJSON_IsNumber(from) || !cJSON_IsNumber(to) || ret->n == POSTURE_SYSCTL_COUNT)
			return -EBADMSG;
		ret->changes[ret->n++] = (struct posture_change){ id, (long)from->valuedouble, (long)to->valuedouble };
	}
	ret->had_file = cJSON_IsTrue(had);
	ret->old_file = strdup(old->valuestring);
	ret->new_file = strdup(new->valuestring);
	return ret->old_file && ret->new_file ? 0 : -ENOMEM;
}

static int record_read(const char *root, struct record *ret)
{
	_cleanup_free_ char *text = NULL;
	const char *reason;
	size_t len, at;
	cJSON *doc;
	int r = read_state(root, POSTURE_UNDO_FILE, &text, &len);

	if (r < 0)
		return r;
	if (bw_json_check(text, len, 4096, &at, &reason) < 0)
		return -EBADMSG;
	doc = cJSON_ParseWithLength(text, len);
	r = doc ? record_parse(doc, ret) : -ENOMEM;
	cJSON_Delete(doc);
	return r;
}

static int record_write(const char *root, const struct record *rec)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json writer = { .buf = &b, .indent = 1 }, *j = &writer;

	bw_json_open(j, NULL, '{');
	bw_json_u64(j, "version", 1);
	bw_json_bool(j, "had_file", rec->had_file);
	bw_json_str(j, "old_file", rec->old_file);
	bw_json_str(j, "new_file", rec->new_file);
	bw_json_open(j, "changes", '[');
	for (size_t i = 0; i < rec->n; i++) {
		bw_json_open(j, NULL, '{');
		bw_json_str(j, "sysctl", posture_sysctl_name((unsigned int)rec->changes[i].sysctl));
		bw_json_i64(j, "from", rec->changes[i].from);
		bw_json_i64(j, "to", rec->changes[i].to);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_buf_char(&b, '\n');
	return bw_buf_error(&b) ? bw_buf_error(&b) : write_state(root, POSTURE_UNDO_FILE, bw_buf_cstr(&b), b.len, 0600);
}

/* A second --fix keeps what was there before the first. */
static int record_merge(const struct posture_plan *p, struct record *rec)
{
	char *new_file = strdup(p->new_file);

	if (!rec->old_file) {
		rec->had_file = p->old_file != NULL;
		rec->old_file = strdup(p->old_file ? p->old_file : "");
	}
	if (!new_file || !rec->old_file) {
		free(new_file);
		return -ENOMEM;
	}
	free(rec->new_file);
	rec->new_file = new_file;
	for (size_t i = 0; i < p->n_changes; i++) {
		size_t k = 0;

		while (k < rec->n && rec->changes[k].sysctl != p->changes[i].sysctl)
			k++;
		if (k == rec->n)
			rec->changes[rec->n++] = p->changes[i];
		else
			rec->changes[k].to = p->changes[i].to;
	}
	return 0;
}

int posture_plan_apply(const struct posture_plan *p, const char *root, const char **ret_what)
{
	BW_CLEANUP(record_free) struct record rec = { 0 };
	_cleanup_free_ char *before = NULL;
	size_t before_len = 0, done = 0;
	int r;

	*ret_what = POSTURE_UNDO_FILE;
	r = read_state(root, POSTURE_UNDO_FILE, &before, &before_len);
	if (r < 0 && r != -ENOENT)
		return r;
	/* one that cannot be understood is not overwritten: it is the only record of what was there */
	r = before ? record_read(root, &rec) : 0;
	if (!r)
		r = record_merge(p, &rec);
	if (!r)
		r = record_write(root, &rec);
	if (r < 0)
		return r;
	*ret_what = POSTURE_SYSCTL_FILE;
	r = write_state(root, POSTURE_SYSCTL_FILE, p->new_file, strlen(p->new_file), 0644);
	for (; !r && done < p->n_changes; done++) {
		*ret_what = posture_sysctl_name((unsigned int)p->changes[done].sysctl);
		r = sysctl_set(root, p->changes[done].sysctl, p->changes[done].to);
		if (r)
			break;
	}
	if (!r)
		return 0;
	while (done--)
		sysctl_set(root, p->changes[done].sysctl, p->changes[done].from);
	if (p->old_file)
		write_state(root, POSTURE_SYSCTL_FILE, p->old_file, strlen(p->old_file), 0644);
	else
		remove_state(root, POSTURE_SYSCTL_FILE);
	if (before)
		write_state(root, POSTURE_UNDO_FILE, before, before_len, 0600);
	else
		remove_state(root, POSTURE_UNDO_FILE);
	return r;
}

int posture_undo(const char *root, struct bw_buf *said)
{
	BW_CLEANUP(record_free) struct record rec = { 0 };
	_cleanup_free_ char *now = NULL;
	bool left = false;
	size_t len;
	int r = record_read(root, &rec);

	if (r < 0)
		return r;
	r = read_state(root, POSTURE_SYSCTL_FILE, &now, &len);
	if (r < 0 && r != -ENOENT)
		return r;
	if (now && !strcmp(now, rec.new_file)) {
		r = rec.had_file ? write_state(root, POSTURE_SYSCTL_FILE, rec.old_file, strlen(rec.old_file), 0644)
				 : remove_state(root, POSTURE_SYSCTL_FILE);
		if (r < 0)
			return r;
		bw_buf_printf(said, "%s: %s\n", POSTURE_SYSCTL_FILE, rec.had_file ? "as it was" : "removed");
	} else if (now && (!rec.had_file || strcmp(now, rec.old_file))) {
		bw_buf_printf(said, "%s: changed since, left alone\n", POSTURE_SYSCTL_FILE);
		left = true;
	}
	for (size_t i = 0; i < rec.n; i++) {
		const struct posture_change *c = &rec.changes[i];
		const char *name = posture_sysctl_name((unsigned int)c->sysctl);
		long v;

		if (!sysctl_get(root, c->sysctl, &v)) {
			bw_buf_printf(said, "%s: cannot be read, left alone\n", name);
			left = true;
		} else if (v == c->from) {
			continue;
		} else if (v != c->to) {
			bw_buf_printf(said, "%s: is %ld, was set to %ld: changed since, left alone\n", name, v, c->to);
			left = true;
		} else {
			r = sysctl_set(root, c->sysctl, c->from);
			bw_buf_printf(said, "%s: %ld -> %ld%s%s\n", name, c->to, c->from, r ? ": " : "",
				      r ? strerror(-r) : "");
			left |= r < 0;
		}
	}
	if (left)
		return -EEXIST;
	return remove_state(root, POSTURE_UNDO_FILE);
}

void posture_plan_free(struct posture_plan *p)
{
	bw_arena_free(&p->arena);
	memset(p, 0, sizeof(*p));
}
