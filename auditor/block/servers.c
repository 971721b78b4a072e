// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rule files: written, tested by the server itself, put back when it does not like them, reloaded. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auditor/block/host.h"
#include "common/cleanup.h"

#define COMMAND_MS 30000
#define MAX_RULES (4u << 20)

/* Runs @argv without a shell; what it says last, in one line, is in @out. */
static int run(char *const *argv, char *out, size_t size)
{
	int pipes[2], status = 0, wait_ms = COMMAND_MS;
	size_t n = 0;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int r = -errno;

		close(pipes[0]);
		close(pipes[1]);
		return r;
	}
	if (!pid) {
		int null = open("/dev/null", O_RDONLY);

		dup2(null, 0);
		dup2(pipes[1], 1);
		dup2(pipes[1], 2);
		execvp(argv[0], argv);
		dprintf(2, "%s: %s", argv[0], strerror(errno));
		_exit(127);
	}
	close(pipes[1]);
	for (;;) {
		struct pollfd p = { .fd = pipes[0], .events = POLLIN };
		char chunk[512];
		ssize_t got = poll(&p, 1, wait_ms) > 0 ? read(pipes[0], chunk, sizeof(chunk)) : -1;

		if (got < 0) { /* it takes too long */
			kill(pid, SIGKILL);
			break;
		}
		if (!got)
			break;
		/* The end counts. */
		if ((size_t)got >= size)
			continue;
		if (n + (size_t)got >= size) {
			memmove(out, out + n + (size_t)got - (size - 1), size - 1 - (size_t)got);
			n = size - 1 - (size_t)got;
		}
		memcpy(out + n, chunk, (size_t)got);
		n += (size_t)got;
	}
	close(pipes[0]);
	out[n] = 0;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)out[i] < 0x20)
			out[i] = i + 1 < n ? ' ' : 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

/* 1: @path has this content. */
static int has(const char *path, const struct bw_buf *content, char **ret_old, size_t *ret_len)
{
	int r = bw_file_read(path, MAX_RULES, ret_old, ret_len);

	if (r == -ENOENT)
		return 0;
	return r ? r : *ret_len == content->len && !memcmp(*ret_old, bw_buf_cstr(content), content->len);
}

static void put_back(const char *path, const char *old, size_t len)
{
	if (old)
		bw_file_write_atomic(path, old, len, 0640);
	else
		unlink(path);
}

int block_server_apply(const struct block_server *s, const struct block_list *l, bool *ret_changed, char *why, size_t size)
{
	_cleanup_buf_ struct bw_buf text = { 0 }, server = { 0 };
	_cleanup_free_ char *old = NULL, *old_server = NULL;
	size_t old_len = 0, old_server_len = 0;
	char said[400] = "";
	bool two = s->kind == BLOCK_NGINX;
	int same, same_server = 1, r = 0;

	*ret_changed = false;
	block_text_server(s->kind, l, *s->login_header ? s->login_header : NULL, &text);
	block_text_nginx_server(&server);
	if (bw_buf_error(&text) || bw_buf_error(&server))
		return -ENOMEM;
	same = has(s->file, &text, &old, &old_len);
	if (two)
		same_server = has(s->server_file, &server, &old_server, &old_server_len);
	if (same < 0 || same_server < 0) {
		snprintf(why, size, "%s: %s", same < 0 ? s->file : s->server_file, strerror(same < 0 ? -same : -same_server));
		return same < 0 ? same : same_server;
	}
	if (same && same_server)
		return 0;
	/* Values of headers and logins may be personal: not for everybody to read. */
	r = bw_file_write_atomic(s->file, bw_buf_cstr(&text), text.len, 0640);
	if (!r && two)
		r = bw_file_write_atomic(s->server_file, bw_buf_cstr(&server), server.len, 0644);
	if (r) {
		snprintf(why, size, "%s: %s", s->file, strerror(-r));
	} else if (s->test) {
		r = run(s->test, said, sizeof(said));
		if (r)
			snprintf(why, size, "%s does not take the rules: %s", s->test[0], said);
	}
	if (!r && s->reload) {
		r = run(s->reload, said, sizeof(said));
		if (r)
			snprintf(why, size, "%s does not reload: %s", s->reload[0], said);
	}
	if (r) {
		put_back(s->file, old, old_len);
		if (two)
			put_back(s->server_file, old_server, old_server_len);
		return r;
	}
	*ret_changed = true;
	return 0;
}
