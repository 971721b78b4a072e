// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/cmd/block_common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auditor/client.h"
#include "auditor/commands.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"

#define MAX_STATE (8u << 20)
#define ANSWER_S 5

void block_target_text(const struct block *b, char text[BLOCK_TARGET_TEXT])
{
	char prefix[BLOCK_PREFIX_TEXT];

	switch (b->kind) {
	case BLOCK_ADDRESS:
		block_prefix_text(&b->address, prefix);
		snprintf(text, BLOCK_TARGET_TEXT, "%s", prefix);
		break;
	case BLOCK_HEADER:
		snprintf(text, BLOCK_TARGET_TEXT, "header %s", b->name);
		break;
	case BLOCK_LOGIN:
		snprintf(text, BLOCK_TARGET_TEXT, "a login");
		break;
	default:
		if (b->pid)
			snprintf(text, BLOCK_TARGET_TEXT, "process %u in %s", b->pid, b->cgroup);
		else
			snprintf(text, BLOCK_TARGET_TEXT, "%s", b->cgroup);
	}
}

/* ---- events --------------------------------------------------------------------------------------------------------------------------- */

static bool accepted(struct client *c, const char *line)
{
	const char *answer;
	size_t len;

	return client_send(c, line) == 0 && client_receive(c, ANSWER_S, &answer, &len) > 0 && !strncmp(answer, "{\"ok\":true", 10);
}

/* Those that wait, in their order; true when none waits any more. */
static bool deliver_pending(struct block_run *run, struct client *c)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], *line, *end;
	size_t len;
	int r;

	snprintf(path, sizeof(path), "%s/%s", run->dir, BLOCK_PENDING_FILE);
	r = bw_file_read(path, 2 * BLOCK_MAX_PENDING, &text, &len);
	if (r == -ENOENT)
		return true;
	if (r < 0)
		return false;
	for (line = text; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break; /* of a write that did not end */
		*end = 0;
		if (accepted(c, line))
			continue;
		*end = '\n';
		bw_file_write_atomic(path, line, strlen(line), 0600);
		return false;
	}
	unlink(path);
	return true;
}

static void keep_pending(struct block_run *run, const char *line)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", run->dir, BLOCK_PENDING_FILE);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size >= (off_t)BLOCK_MAX_PENDING || dprintf(fd, "%s\n", line) < 0)
		bw_warn("%s: an event is lost: %s", path, fd < 0 ? strerror(errno) : "it is full, and no guard has taken what is in it");
}

void block_tell(struct block_run *run, const char *event, const struct block *b, const char *message)
{
	_cleanup_client_ struct client *c = NULL;
	_cleanup_buf_ struct bw_buf line = { 0 };
	struct bw_json j = { .buf = &line };
	char buf[PATH_MAX], target[BLOCK_TARGET_TEXT];

	block_target_text(b, target);
	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "cmd", "report");
	bw_json_str(&j, "event", event);
	bw_json_str(&j, "message", message);
	bw_json_u64(&j, "block_id", b->id);
	bw_json_str(&j, "block_kind", block_kind_name(b->kind));
	bw_json_str(&j, "block_target", target);
	bw_json_str(&j, "block_owner", b->owner);
	bw_json_str(&j, "block_reason", b->reason);
	bw_json_i64(&j, "block_expires_s", b->expires_s);
	bw_json_i64(&j, "block_time_s", run->now_s);
	bw_json_close(&j, '}');
	if (bw_buf_error(&line)) {
		bw_warn("an event is lost: %s", strerror(-bw_buf_error(&line)));
		return;
	}
	if (client_open(client_socket_path(run->socket, run->state_dir, buf, sizeof(buf)), &c) < 0 || !deliver_pending(run, c) ||
	    !accepted(c, bw_buf_cstr(&line)))
		keep_pending(run, bw_buf_cstr(&line));
}

/* ---- state -------------------------------------------------------------------------------------------------------------------------------- */

static void on_expired(void *arg, const struct block *b)
{
	struct block_run *run = arg;
	char target[BLOCK_TARGET_TEXT], message[BLOCK_TARGET_TEXT + 64];

	block_target_text(b, target);
	snprintf(message, sizeof(message), "block %u of %s is over", b->id, target);
	block_undo(run, b);
	block_tell(run, "block_expired", b, message);
	run->changed = true;
}

static int read_state(struct block_run *run, const char *path)
{
	_cleanup_free_ char *text = NULL;
	char why[200] = "";
	size_t len;
	int r = bw_file_read(path, MAX_STATE, &text, &len);

	if (r == -ENOENT) {
		run->list.next_id = 1;
		return 0;
	}
	if (!r)
		r = block_state_read(text, len, &run->list, why, sizeof(why));
	if (r < 0)
		bw_err("%s: %s", path, *why ? why : strerror(-r));
	return r;
}

int block_begin(struct block_run *run, bool write)
{
	char path[PATH_MAX], why[PATH_MAX + 200] = "";
	struct stat st;
	int r;

	run->lock_fd = -1;
	run->dir = run->dir ? run->dir : BLOCK_DIR;
	run->pins = run->pins ? run->pins : BLOCK_PINS;
	run->table = run->table ? run->table : BLOCK_TABLE;
	run->means = run->means ? run->means : "auto";
	run->now_s = (int64_t)time(NULL);
	if (!*run->table || strspn(run->table, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != strlen(run->table)) {
		bw_err("a table's name is letters, digits and \"_\"");
		return BW_EXIT_INPUT;
	}
	r = block_config_read(run->config_path ? run->config_path : BLOCK_CONFIG, run->config_path != NULL, &run->config, why, sizeof(why));
	if (!r)
		r = block_never_host(&run->config);
	if (r < 0) {
		bw_err("%s", *why ? why : strerror(-r));
		return BW_EXIT_INPUT;
	}
	if (write && mkdir(run->dir, 0700) < 0 && errno != EEXIST) {
		bw_err("%s: %s", run->dir, strerror(errno));
		return BW_EXIT_INPUT;
	}
	/* Whoever can write here decides what is cut off. */
	if (!stat(run->dir, &st) && ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))) {
		bw_err("%s: others can write there", run->dir);
		return BW_EXIT_INPUT;
	}
	snprintf(path, sizeof(path), "%s/lock", run->dir);
	run->lock_fd = open(path, write ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0600);
	if (run->lock_fd < 0 && (write || errno != ENOENT)) {
		bw_err("%s: %s", path, strerror(errno));
		return BW_EXIT_INPUT;
	}
	if (run->lock_fd >= 0 && flock(run->lock_fd, write ? LOCK_EX : LOCK_SH) < 0) {
		bw_err("%s: %s", path, strerror(errno));
		return BW_EXIT_INTERNAL;
	}
	snprintf(path, sizeof(path), "%s/%s", run->dir, BLOCK_STATE_FILE);
	if (read_state(run, path) < 0)
		return BW_EXIT_INPUT;
	if (write)
		block_expire(&run->list, run->now_s, on_expired, run);
	return 0;
}

int block_save(struct block_run *run)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", run->dir, BLOCK_STATE_FILE);
	block_state_write(&run->list, &out);
	r = bw_buf_error(&out);
	if (!r)
		r = bw_file_write_atomic(path, bw_buf_cstr(&out), out.len, 0600);
	if (r)
		bw_err("%s: %s", path, strerror(-r));
	else
		run->changed = false;
	return r;
}

int block_end(struct block_run *run)
{
	int r = run->changed ? block_save(run) : 0;

	if (run->lock_fd >= 0)
		close(run->lock_fd);
	block_config_free(&run->config);
	free(run->list.v);
	return r ? BW_EXIT_INTERNAL : 0;
}

/* ---- making it so --------------------------------------------------------------------------------------------------------------------------- */

static bool has_addresses(const struct block_list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].kind == BLOCK_ADDRESS)
			return true;
	return false;
}

static int addresses(struct block_run *run, char *why, size_t size)
{
	const struct block_list none = { 0 };
	bool only_cgroup = !strcmp(run->means, "cgroup");
	_cleanup_buf_ struct bw_buf text = { 0 };
	char other[400] = "";
	int r;

	block_text_nft(only_cgroup ? &none : &run->list, run->table, run->now_s, &text);
	if (bw_buf_error(&text))
		return bw_buf_error(&text);
	r = block_nft_run(bw_buf_cstr(&text), false, why, size);
	if (only_cgroup)
		return block_cgroup_addresses(run->pins, &run->list, run->now_s, why, size);
	if (!r)
		return block_cgroup_addresses(run->pins, &none, run->now_s, why, size);
	if (strcmp(run->means, "auto") || !has_addresses(&run->list))
		return has_addresses(&run->list) ? r : 0;
	/* No nftables here. */
	r = block_cgroup_addresses(run->pins, &run->list, run->now_s, other, sizeof(other));
	if (r) {
		size_t n = strlen(why);

		snprintf(why + n, size - n, "; %s", other);
	} else {
		bw_warn("%s: blocked by cgroup programs instead, which forwarded packets do not pass", why);
	}
	return r;
}

int block_make_so(struct block_run *run, char *why, size_t size)
{
	int r = addresses(run, why, size);

	for (uint32_t i = 0; i < run->list.n; i++) {
		char text[400];
		int s = run->list.v[i].kind == BLOCK_SERVICE ? block_cgroup_isolate(run->pins, &run->list.v[i], run->now_s, text, sizeof(text)) : 0;

		if (s && !r) {
			snprintf(why, size, "block %u: %s", run->list.v[i].id, text);
			r = s;
		}
	}
	block_cgroup_tidy(run->pins, &run->list);
	for (uint32_t i = 0; i < run->config.n_servers; i++) {
		char text[PATH_MAX];
		bool changed;
		int s = block_server_apply(&run->config.servers[i], &run->list, &changed, text, sizeof(text));

		if (s && !r) {
			snprintf(why, size, "%s", text);
			r = s;
		}
	}
	return r;
}

void block_undo(const struct block_run *run, const struct block *b)
{
	if (b->kind != BLOCK_SERVICE)
		return;
	block_cgroup_release(run->pins, b->id);
	if (b->pid)
		block_process_restore(b->cgroup);
}
