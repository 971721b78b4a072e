// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The control socket and the loop: server and clients in one process, the loop stepped by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "guard/control.h"

static char dir[64], path[100];
static struct loop *loop;
static struct control *control;

/* A store in memory: events 1..n_stored. */
static unsigned int n_stored, n_queries;
static size_t pad;
static int query_error;

static void make_alert(uint64_t seq, struct alert *a, char *line, size_t size)
{
	*a = (struct alert){ .seq = seq, .kind = seq % 2 ? "load" : "map", .severity = seq % 10 ? ALERT_INFO : ALERT_HIGH };
	snprintf(a->rule, sizeof(a->rule), "%s.r", a->kind);
	a->line_len = (size_t)snprintf(line, size, "{\"v\":1,\"seq\":%llu,\"pad\":\"%*s\"}", (unsigned long long)seq, (int)pad, "");
	a->line = line;
}

static int fake_query(void *arg, const struct event_store_query *q, event_store_row_fn fn, void *fn_arg)
{
	uint64_t begin = q->since_seq ? q->since_seq : 1, matching = 0;
	static char line[70000];
	struct alert a;

	n_queries++;
	if (query_error)
		return query_error;
	for (int pass = q->limit && !q->forward ? 0 : 1; pass < 2; pass++) {
		uint64_t seen = 0;

		for (uint64_t seq = begin; seq <= n_stored; seq++) {
			int r;

			make_alert(seq, &a, line, sizeof(line));
			if ((q->kind && strcmp(q->kind, a.kind)) || (q->rule && strcmp(q->rule, a.rule)) ||
			    (int)a.severity < q->min_severity)
				continue;
			if (!pass) {
				matching++;
				continue;
			}
			if (q->limit && !q->forward && seen++ + q->limit < matching)
				continue;
			if (q->limit && q->forward && seen++ == q->limit)
				return 0;
			r = fn(fn_arg, seq, line, (int)a.line_len);
			if (r)
				return r;
		}
	}
	return 0;
}

static int fake_status(void *arg, struct bw_buf *out)
{
	bw_buf_str(out, "{\"tier\":\"watch\"}");
	return 0;
}

static const struct control_ops ops = { .status = fake_status, .query = fake_query };

static struct control_socket listening;

static int open_at(const char *at, struct control_socket *cs, struct control **ret)
{
	int r = control_listen(at, cs);

	return r < 0 ? r : control_open(loop, cs->fd, &ops, ret);
}

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/bw-control-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	n_stored = n_queries = 0;
	pad = 0;
	query_error = 0;
	return loop_open(&loop) < 0 || open_at(path, &listening, &control) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char lock[128];

	control_close(control);
	control_unlisten(&listening);
	control = NULL;
	loop_close(loop);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	unlink(lock);
	return rmdir(dir); /* fails when the socket file stayed */
}

static void pump(void)
{
	for (int i = 0; i < 50; i++)
		assert_int_equal(loop_step(loop, 0), 0);
}

static void publish(uint64_t seq)
{
	static char line[70000];
	struct alert a;

	make_alert(seq, &a, line, sizeof(line));
	control_publish(control, &a);
}

static struct control_stats stats(void)
{
	struct control_stats st;

	control_stats(control, &st);
	return st;
}

/* ---- a client ------------------------------------------------------------------------------------------------------ */

struct peer {
	int fd;
	char *buf;
	size_t len, cap;
	bool eof;
};

static struct peer peer_open(int rcvbuf)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct peer p = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };

	assert_true(p.fd >= 0);
	if (rcvbuf)
		setsockopt(p.fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(connect(p.fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return p;
}

static void peer_close(struct peer *p)
{
	close(p->fd);
	free(p->buf);
	*p = (struct peer){ .fd = -1 };
}

/* Reads all there is; returns the text so far. */
static const char *peer_read(struct peer *p)
{
	for (int i = 0; i < 400; i++) {
		ssize_t n;

		loop_step(loop, 0);
		if (p->cap - p->len < 65537) {
			p->cap += 1 << 20;
			p->buf = realloc(p->buf, p->cap);
			assert_non_null(p->buf);
		}
		n = recv(p->fd, p->buf + p->len, 65536, 0);
		if (n == 0)
			p->eof = true;
		if (n > 0)
			p->len += (size_t)n;
		if (n > 0)
			i = 0;
		else if (i > 5)
			break;
	}
	p->buf[p->len] = '\0';
	return p->buf;
}

static const char *ask(struct peer *p, const char *request)
{
	p->len = 0;
	assert_int_equal(send(p->fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return peer_read(p);
}

struct seen {
	unsigned int n;
	uint64_t first, last;
	bool contiguous;
	bool end;
};

/* What events a text has; @step is the distance of their numbers. */
static struct seen seen(const char *text, uint64_t step)
{
	struct seen s = { .contiguous = true };

	for (const char *p = text; *p; p = strchr(p, '\n') + 1) {
		unsigned long long seq;

		assert_non_null(strchr(p, '\n'));
		if (sscanf(p, "{\"v\":1,\"seq\":%llu,", &seq) == 1) {
			if (!s.n)
				s.first = seq;
			else if (seq != s.last + step)
				s.contiguous = false;
			s.last = seq;
			s.n++;
		} else {
			assert_memory_equal(p, "{\"ok\":", 6);
			if (strstr(p, "\"end\":true"))
				s.end = true;
		}
	}
	return s;
}

/* ---- tests ----------------------------------------------------------------------------------------------------------- */

static void status_and_mistakes(void **state)
{
	struct peer p = peer_open(0);
	char big[CONTROL_MAX_REQUEST + 10];
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(ask(&p, "{\"cmd\":\"status\"}\n"), "{\"ok\":true,\"status\":{\"tier\":\"watch\"}}\n");
	/* In pieces, and two at once. */
	assert_string_equal(ask(&p, "{\"cmd\":"), "");
	assert_string_equal(ask(&p, "\"status\"}\n\n{\"cmd\":\"status\"}\n"),
			    "{\"ok\":true,\"status\":{\"tier\":\"watch\"}}\n{\"ok\":true,\"status\":{\"tier\":\"watch\"}}\n");
	assert_non_null(strstr(ask(&p, "what\n"), "\"ok\":false"));
	assert_non_null(strstr(ask(&p, "{\"cmd\":7}\n"), "\"ok\":false"));
	assert_non_null(strstr(ask(&p, "{\"cmd\":\"reboot\"}\n"), "unknown cmd"));
	assert_non_null(strstr(ask(&p, "{\"cmd\":\"events\",\"x\":1}\n"), "\\\"x\\\""));
	assert_non_null(strstr(ask(&p, "{\"cmd\":\"events\",\"since_seq\":-1}\n"), "since_seq"));
	assert_non_null(strstr(ask(&p, "{\"cmd\":\"events\",\"since_seq\":1e300}\n"), "since_seq"));
	assert_non_null(strstr(ask(&p, "{\"cmd\":\"events\",\"severity\":\"bad\"}\n"), "severity"));
	assert_non_null(strstr(ask(&p, "{\"cmd\":\"events\",\"kind\":\"0123456789abcdef\"}\n"), "kind"));
	assert_int_equal(stats().bad, 8);
	assert_int_equal(stats().clients, 1);
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	assert_non_null(strstr(ask(&p, big), "too long"));
	peer_read(&p);
	assert_true(p.eof);
	assert_int_equal(stats().clients, 0);
	peer_close(&p);
}

static void history(void **state)
{
	struct peer p = peer_open(0);
	struct seen s;

	n_stored = 1000;
	s = seen(ask(&p, "{\"cmd\":\"events\"}\n"), 1);
	assert_int_equal(s.n, 1000);
	assert_true(s.contiguous && s.end);
	assert_true(n_queries >= 1000 / 64); /* in parts */
	s = seen(ask(&p, "{\"cmd\":\"events\",\"limit\":10}\n"), 1);
	assert_int_equal(s.n, 10);
	assert_int_equal(s.first, 991);
	assert_true(s.end);
	s = seen(ask(&p, "{\"cmd\":\"events\",\"since_seq\":100,\"limit\":64}\n"), 1);
	assert_int_equal(s.first, 100);
	assert_int_equal(s.n, 64);
	assert_true(s.end);
	s = seen(ask(&p, "{\"cmd\":\"events\",\"kind\":\"load\",\"limit\":100}\n"), 2);
	assert_int_equal(s.n, 100);
	assert_true(s.contiguous);
	assert_int_equal(s.last, 999);
	s = seen(ask(&p, "{\"cmd\":\"events\",\"severity\":\"high\",\"rule\":\"map.r\",\"since_seq\":500}\n"), 10);
	assert_int_equal(s.n, 51);
	assert_true(s.contiguous && s.end);
	s = seen(ask(&p, "{\"cmd\":\"events\",\"since_seq\":5000}\n"), 1);
	assert_int_equal(s.n, 0);
	assert_true(s.end);
	query_error = -EIO;
	assert_non_null(strstr(ask(&p, "{\"cmd\":\"events\"}\n"), "cannot be read"));
	query_error = 0;
	/* More than the output may hold: it comes in parts, as fast as it is read. */
	pad = 60000;
	n_stored = 100;
	s = seen(ask(&p, "{\"cmd\":\"events\"}\n"), 1);
	assert_int_equal(s.n, 100);
	assert_true(s.contiguous && s.end);
	/* A client that has said all: answered, then closed. */
	shutdown(p.fd, SHUT_WR);
	peer_read(&p);
	assert_true(p.eof);
	peer_close(&p);
	p = peer_open(0);
	assert_int_equal(send(p.fd, "{\"cmd\":\"status\"}\n", 17, 0), 17);
	shutdown(p.fd, SHUT_WR);
	assert_non_null(strstr(peer_read(&p), "watch"));
	assert_true(p.eof);
	peer_close(&p);
}

static void followers(void **state)
{
	struct peer all = peer_open(0), some = peer_open(0);
	struct seen s;

	n_stored = 200;
	assert_int_equal(seen(ask(&all, "{\"cmd\":\"events\",\"follow\":true,\"since_seq\":150}\n"), 1).n, 51);
	assert_int_equal(seen(ask(&some, "{\"cmd\":\"events\",\"follow\":true,\"severity\":\"high\",\"limit\":2}\n"), 10).n, 2);
	assert_int_equal(stats().followers, 2);
	for (n_stored = 201; n_stored <= 300; n_stored++)
		publish(n_stored);
	s = seen(peer_read(&all), 1);
	assert_int_equal(s.first, 150);
	assert_int_equal(s.last, 300);
	assert_true(s.contiguous);
	s = seen(peer_read(&some), 10);
	assert_int_equal(s.first, 190);
	assert_int_equal(s.last, 300);
	assert_true(s.contiguous);
	peer_close(&all);
	peer_close(&some);
	pump();
	assert_int_equal(stats().clients, 0);
	/* One that asks for the future gets no present. */
	all = peer_open(0);
	ask(&all, "{\"cmd\":\"events\",\"follow\":true,\"since_seq\":400}\n");
	for (n_stored = 301; n_stored <= 410; n_stored++)
		publish(n_stored);
	s = seen(peer_read(&all), 1);
	assert_int_equal(s.first, 400);
	assert_int_equal(s.n, 11);
	peer_close(&all);
	pump();
	publish(301);
}

/* Events happen while the history is still being sent: none twice, none missing. */
static void replay_meets_live(void **state)
{
	struct peer p = peer_open(4096);
	struct seen s;

	pad = 5000;
	n_stored = 500;
	assert_true(send(p.fd, "{\"cmd\":\"events\",\"follow\":true,\"since_seq\":1}\n", 46, 0) == 46);
	pump();
	for (int i = 0; i < 100; i++) {
		n_stored++;
		publish(n_stored);
		loop_step(loop, 0);
	}
	s = seen(peer_read(&p), 1);
	assert_int_equal(s.first, 1);
	assert_int_equal(s.last, 600);
	assert_int_equal(s.n, 600);
	assert_true(s.contiguous);
	publish(601);
	s = seen(peer_read(&p), 1);
	assert_int_equal(s.last, 601);
	assert_int_equal(stats().dropped, 0);
	peer_close(&p);
}

static void slow_follower_is_dropped(void **state)
{
	struct peer slow = peer_open(4096), good = peer_open(0);
	unsigned long long lost_from = 0;
	const char *text, *at;
	struct seen s;

	pad = 1000;
	ask(&slow, "{\"cmd\":\"events\",\"follow\":true}\n");
	ask(&good, "{\"cmd\":\"events\",\"follow\":true}\n");
	for (uint64_t seq = 1; seq <= 5000; seq++) {
		publish(seq);
		if (seq % 100 == 0)
			peer_read(&good);
	}
	assert_int_equal(stats().dropped, 1);
	text = peer_read(&slow);
	at = strstr(text, "lost_from_seq\":");
	assert_non_null(at);
	sscanf(at, "lost_from_seq\":%llu", &lost_from);
	s = seen(text, 1);
	assert_true(s.contiguous);
	assert_int_equal(s.first, 1);
	assert_int_equal(s.last + 1, lost_from);
	assert_true(s.n > 900); /* at least what the bound holds */
	assert_int_equal(stats().lost, 5000 - s.last);
	assert_true(slow.eof);
	s = seen(peer_read(&good), 1);
	assert_int_equal(s.n, 5000);
	assert_true(s.contiguous);
	peer_close(&slow);
	peer_close(&good);
}

static void clients_are_limited(void **state)
{
	struct peer p[CONTROL_MAX_CLIENTS], more;

	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = peer_open(0);
		pump();
	}
	more = peer_open(0);
	assert_non_null(strstr(peer_read(&more), "too many"));
	assert_true(more.eof);
	assert_int_equal(stats().refused, 1);
	peer_close(&more);
	peer_close(&p[3]);
	pump();
	more = peer_open(0);
	assert_non_null(strstr(ask(&more, "{\"cmd\":\"status\"}\n"), "watch"));
	peer_close(&more);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		if (i != 3)
			peer_close(&p[i]);
	/* One that sends without reading the answers cannot make them pile up. */
	more = peer_open(4096);
	for (int i = 0; i < 20000; i++)
		if (send(more.fd, "{\"cmd\":\"status\"}\n", 17, MSG_NOSIGNAL) != 17)
			break;
	pump();
	assert_true(stats().clients <= 1);
	peer_close(&more);
}

static void others_are_refused(void **state)
{
	int status;
	pid_t pid;

	if (geteuid()) {
		skip();
		return;
	}
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	pid = fork();
	if (!pid) {
		struct sockaddr_un addr = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		char buf[128] = "";

		snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
		if (setresuid(65534, 65534, 65534) < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
			_exit(2);
		(void)!recv(fd, buf, sizeof(buf) - 1, 0);
		_exit(strstr(buf, "not allowed") ? 0 : 1);
	}
	for (int i = 0; i < 100 && !stats().refused; i++)
		loop_step(loop, 50);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(stats().refused, 1);
	assert_int_equal(stats().clients, 0);
}

static void one_guard_per_socket(void **state)
{
	struct control_socket another;
	struct control *second = NULL;
	struct stat st;
	char other[128];
	int fd;

	assert_int_equal(open_at(path, &another, &second), -EADDRINUSE);
	assert_null(second);
	/* Also one that does not hold our lock. */
	snprintf(other, sizeof(other), "%s.lock", path);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(open_at(path, &another, &second), -EADDRINUSE);
	assert_int_equal(stat(path, &st), 0);
	control_close(control);
	control_unlisten(&listening);
	control = NULL;
	assert_int_equal(stat(path, &st), -1);

	/* Died without a word: a file that nobody listens at. */
	if (!fork()) {
		if (open_at(path, &another, &second) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	wait(NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(open_at(path, &listening, &control), 0);

	/* Not ours to remove. */
	snprintf(other, sizeof(other), "%s/file", dir);
	fd = open(other, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(open_at(other, &another, &second), -ENOTSOCK);
	assert_int_equal(unlink(other), 0);
	snprintf(other, sizeof(other), "%s/file.lock", dir);
	unlink(other);
	memset(other, 'x', sizeof(other));
	other[sizeof(other) - 1] = '\0';
	assert_int_equal(open_at(other, &another, &second), -ENAMETOOLONG);
}

/* ---- the loop -------------------------------------------------------------------------------------------------------- */

static struct loop_source *sources[2];
static unsigned int calls;

static int remove_both(void *arg, int fd, uint32_t events)
{
	calls++;
	loop_remove(sources[0]);
	loop_remove(sources[1]);
	return 0;
}

static int on_timer(void *arg, uint64_t n)
{
	if (++calls == 3)
		loop_quit(loop, 42);
	return 0;
}

static int on_signal(void *arg, const struct signalfd_siginfo *si)
{
	return si->ssi_signo == SIGUSR1 ? -ECANCELED : 0;
}

static void loop_works(void **state)
{
	int a[2], b[2];
	sigset_t set;

	/* Two ready at once; the first called removes both. */
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	assert_int_equal(loop_add_fd(loop, a[0], EPOLLIN, remove_both, NULL, &sources[0]), 0);
	assert_int_equal(loop_add_fd(loop, b[0], EPOLLIN, remove_both, NULL, &sources[1]), 0);
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(write(b[1], "x", 1), 1);
	calls = 0;
	pump();
	assert_int_equal(calls, 1);
	assert_int_equal(loop_add_timer(loop, 1000000, 1000000, on_timer, NULL, &sources[0]), 0);
	calls = 0;
	assert_int_equal(loop_run(loop), 42);
	assert_int_equal(calls, 3);
	loop_remove(sources[0]);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(loop_add_signals(loop, &set, on_signal, NULL, &sources[0]), 0);
	raise(SIGUSR1);
	assert_int_equal(loop_run(loop), -ECANCELED);
	loop_remove(sources[0]);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(status_and_mistakes), T(history),	       T(followers),	      T(replay_meets_live),
		T(slow_follower_is_dropped), T(clients_are_limited), T(others_are_refused), T(one_guard_per_socket),
		T(loop_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
