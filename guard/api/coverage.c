// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/coverage.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"

#define MAX_LISTEN 32u	/* addresses of one process that are named */
#define MAX_STACKS 8u
#define TCP_LISTEN 10
#define UNIX_CONNECTED 3

/* A stream socket, by its inode number. */
struct sock {
	uint64_t ino;
	bool listens;
	uint16_t port;
	char address[INET6_ADDRSTRLEN];
};

struct socks {
	struct sock *list;
	size_t n, cap;
	bool full;
};

/* ---- /proc/PID/net ------------------------------------------------------------------------------------------------- */

static int sock_add(struct socks *s, const struct sock *one)
{
	if (s->n == API_COVERAGE_MAX_SOCKETS) {
		s->full = true;
		return -E2BIG;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 256;
		struct sock *list = realloc(s->list, cap * sizeof(*list));

		if (!list)
			return -ENOMEM;
		s->list = list;
		s->cap = cap;
	}
	s->list[s->n++] = *one;
	return 0;
}

/* "  0: 0100007F:1F90 00000000:0000 0A ... inode": addresses as words in host byte order. */
static bool tcp_line(const char *line, bool v6, struct sock *ret)
{
	unsigned int port, state, words[4] = { 0 };
	unsigned long ino;
	char address[33];

	if (sscanf(line, " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*d %lu", address, &port, &state, &ino) != 4)
		return false;
	for (int i = 0; i < (v6 ? 4 : 1); i++)
		if (sscanf(address + 8 * i, "%8x", &words[i]) != 1)
			return false;
	*ret = (struct sock){ .ino = ino, .listens = state == TCP_LISTEN, .port = (uint16_t)port };
	inet_ntop(v6 ? AF_INET6 : AF_INET, words, ret->address, sizeof(ret->address));
	return true;
}

/* "ffff...: 00000002 00000000 00010000 0001 01 12345 /path": type 1 is a stream; flag 10000 listens. */
static bool unix_line(const char *line, struct sock *ret)
{
	unsigned int flags, type, state;
	unsigned long ino;

	if (sscanf(line, "%*[0-9a-f]: %*x %*x %x %x %x %lu", &flags, &type, &state, &ino) != 4 || type != 1 ||
	    (!(flags & 0x10000) && state != UNIX_CONNECTED))
		return false;
	*ret = (struct sock){ .ino = ino, .listens = flags & 0x10000 };
	return true;
}

static int read_table(const char *pid, const char *name, struct socks *s)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	struct sock one;
	char path[300];
	size_t cap = 0;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%s/net/%s", pid, name);
	f = fopen(path, "re");
	while (f && !r && getline(&line, &cap, f) > 0)
		if (!strcmp(name, "unix") ? unix_line(line, &one) : tcp_line(line, !strcmp(name, "tcp6"), &one))
			r = sock_add(s, &one);
	return r;
}

static int compare_sock(const void *a, const void *b)
{
	const struct sock *x = a, *y = b;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

/* The sockets of every network namespace that a process is in. */
static int read_sockets(struct socks *s)
{
	struct { uint64_t ino[1024]; size_t n; } seen = { .n = 0 };
	DIR *d = opendir("/proc");
	struct dirent *e;
	int r = 0;

	if (!d)
		return -errno;
	while (!r && (e = readdir(d))) {
		struct stat st;
		char path[280];
		size_t i;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/ns/net", e->d_name);
		if (stat(path, &st) < 0)
			continue;
		for (i = 0; i < seen.n && seen.ino[i] != st.st_ino; i++)
			;
		if (i < seen.n || seen.n == ARRAY_SIZE(seen.ino))
			continue;
		seen.ino[seen.n++] = st.st_ino;
		r = read_table(e->d_name, "tcp", s);
		if (!r)
			r = read_table(e->d_name, "tcp6", s);
		if (!r)
			r = read_table(e->d_name, "unix", s);
	}
	closedir(d);
	qsort(s->list, s->n, sizeof(*s->list), compare_sock);
	return r;
}

/* ---- one process --------------------------------------------------------------------------------------------------- */

struct process {
	const struct sock *listens[MAX_LISTEN];
	unsigned int n_listens;
	unsigned int connections; /* TCP and Unix */
	bool io_uring, bits32, unreadable;
	const struct api_target *stacks[MAX_STACKS];
	bool in_exe[MAX_STACKS];
	unsigned int n_stacks;
	char comm[64], exe[512];
	uid_t uid;
};

static void look_at_descriptors(const char *pid, const struct socks *s, struct process *p)
{
	char path[600], to[128];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d))) {
		struct sock key = { 0 };
		const struct sock *found;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, e->d_name);
		n = readlink(path, to, sizeof(to) - 1);
		if (n < 0)
			continue;
		to[n] = 0;
		p->io_uring |= !strcmp(to, "anon_inode:[io_uring]");
		if (sscanf(to, "socket:[%" SCNu64 "]", &key.ino) != 1)
			continue;
		found = bsearch(&key, s->list, s->n, sizeof(*s->list), compare_sock);
		if (found && found->listens && p->n_listens < MAX_LISTEN)
			p->listens[p->n_listens++] = found;
		else if (found && !found->listens)
			p->connections++;
	}
	closedir(d);
}

static void on_target(void *arg, const struct api_target *g, bool exe)
{
	struct process *p = arg;

	if ((g->stack == API_STACK_NONE && !g->error) || p->n_stacks == MAX_STACKS)
		return;
	for (unsigned int i = 0; i < p->n_stacks; i++)
		if (p->stacks[i] == g)
			return;
	p->in_exe[p->n_stacks] = exe;
	p->stacks[p->n_stacks++] = g;
}

static void look_at_program(const char *pid, struct process *p)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_close_ int fd = -1;
	unsigned char head[5];
	struct stat st;
	char path[300];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(p->comm, sizeof(p->comm), f))
		p->comm[strcspn(p->comm, "\n")] = 0;
	snprintf(path, sizeof(path), "/proc/%s", pid);
	if (!stat(path, &st))
		p->uid = st.st_uid;
	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	n = readlink(path, p->exe, sizeof(p->exe) - 1);
	p->exe[n < 0 ? 0 : n] = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || read(fd, head, sizeof(head)) != sizeof(head))
		p->unreadable = true;
	else
		p->bits32 = head[EI_CLASS] == ELFCLASS32;
}

/* How one TLS stack is seen: a text, and whether it is. */
static bool stack_verdict(const struct api_target *g, bool exe, char *text, size_t len)
{
	const char *where = exe ? "linked in" : "shared";

	if (g->n_links) {
		snprintf(text, len, "%s %s: %u places probed, %u of them emulated", where, api_stack_name(g->stack), g->sites, g->emulated);
		return true;
	}
	if (g->error)
		snprintf(text, len, "%s %s: blind: %s", where, api_stack_name(g->stack), strerror(-g->error));
	else
		snprintf(text, len, "%s %s: blind", where, api_stack_name(g->stack));
	return false;
}

static void put_process(struct bw_json *j, const char *pid, const struct process *p)
{
	bool tls_seen = p->n_stacks > 0, any_seen = false;
	char text[300];

	bw_json_open(j, NULL, '{');
	bw_json_u64(j, "pid", strtoull(pid, NULL, 10));
	bw_json_str(j, "comm", p->comm);
	bw_json_str(j, "exe", p->exe);
	bw_json_u64(j, "uid", p->uid);
	bw_json_open(j, "listens", '[');
	for (unsigned int i = 0; i < p->n_listens; i++) {
		const struct sock *s = p->listens[i];

		snprintf(text, sizeof(text), strchr(s->address, ':') ? "[%s]:%u" : "%s:%u", s->address, s->port);
		bw_json_str(j, NULL, s->address[0] ? text : "unix");
	}
	bw_json_close(j, ']');
	bw_json_u64(j, "connections", p->connections);
	bw_json_open(j, "tls", '[');
	for (unsigned int i = 0; i < p->n_stacks; i++) {
		bool seen = stack_verdict(p->stacks[i], p->in_exe[i], text, sizeof(text));

		bw_json_open(j, NULL, '{');
		bw_json_str(j, "stack", api_stack_name(p->stacks[i]->stack));
		bw_json_str(j, "file", p->stacks[i]->path);
		bw_json_bool(j, "seen", seen && !p->bits32);
		bw_json_str(j, "how", text);
		bw_json_close(j, '}');
		tls_seen = tls_seen && seen;
		any_seen |= seen;
	}
	bw_json_close(j, ']');
	bw_json_open(j, "blind", '[');
	if (p->bits32)
		bw_json_str(j, NULL, "a 32-bit program: nothing of it is seen");
	if (p->unreadable)
		bw_json_str(j, NULL, "its executable cannot be read: TLS that is linked in would not be noticed");
	if (p->io_uring)
		bw_json_str(j, NULL, "it uses io_uring: what that moves is not seen");
	for (unsigned int i = 0; i < p->n_stacks && !p->bits32; i++)
		if (!stack_verdict(p->stacks[i], p->in_exe[i], text, sizeof(text)))
			bw_json_str(j, NULL, text);
	bw_json_close(j, ']');
	bw_json_str(j, "clear_text", p->bits32 ? "blind" : p->io_uring ? "in part" : "seen");
	bw_json_str(j, "tls_verdict", p->bits32 ? "blind" : !p->n_stacks ? "none found" : tls_seen ? "seen" : any_seen ? "in part" : "blind");
	bw_json_close(j, '}');
}

int api_coverage_write(struct api_targets *t, const char *path, int64_t time_ns)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };
	struct socks socks = { 0 };
	unsigned int n = 0;
	struct dirent *e;
	DIR *d;
	int r;

	r = read_sockets(&socks);
	if (r < 0) {
		free(socks.list);
		return r;
	}
	d = opendir("/proc");
	if (!d) {
		r = -errno;
		free(socks.list);
		return r;
	}
	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", 1);
	bw_json_i64(&j, "time_ns", time_ns);
	bw_json_open(&j, "processes", '[');
	while ((e = readdir(d))) {
		struct process p = { 0 };

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		look_at_descriptors(e->d_name, &socks, &p);
		if (!p.n_listens && !p.connections)
			continue;
		if (++n > API_COVERAGE_MAX_PROCESSES) {
			r = -E2BIG;
			break;
		}
		look_at_program(e->d_name, &p);
		api_targets_of(t, (pid_t)strtol(e->d_name, NULL, 10), on_target, &p);
		put_process(&j, e->d_name, &p);
	}
	closedir(d);
	free(socks.list);
	if (r < 0)
		return r;
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	if (bw_buf_error(&b))
		return bw_buf_error(&b);
	bw_buf_char(&b, '\n');
	return bw_file_write_atomic(path, b.data, b.len, 0600);
}
