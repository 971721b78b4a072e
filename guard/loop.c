// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/cleanup.h"

#define LOOP_BATCH 32
#define NSEC_PER_SEC 1000000000ULL

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL };

struct loop_source {
	struct loop *loop;
	struct loop_source *next, *prev;
	enum source_kind kind;
	int fd;
	bool dead; /* removed while events were being dispatched: freed when that is over */
	union {
		loop_fd_fn on_fd;
		loop_timer_fn on_timer;
		loop_signal_fn on_signal;
	};
	void *arg;
};

struct loop {
	int epfd;
	struct loop_source *sources;
	struct loop_source *dead;
	bool dispatching, quit;
	int code;
};

int loop_open(struct loop **ret)
{
	_cleanup_free_ struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epfd < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	*ret = TAKE_PTR(l);
	return 0;
}

static void source_free_list(struct loop_source *s)
{
	while (s) {
		struct loop_source *next = s->next;

		free(s);
		s = next;
	}
}

void loop_close(struct loop *l)
{
	if (!l)
		return;
	while (l->sources)
		loop_remove(l->sources);
	source_free_list(l->dead);
	close(l->epfd);
	free(l);
}

static int source_add(struct loop *l, enum source_kind kind, int fd, uint32_t events, void *arg, struct loop_source **ret)
{
	_cleanup_free_ struct loop_source *s = calloc(1, sizeof(*s));
	struct epoll_event ev = { .events = events };

	if (!s)
		return -ENOMEM;
	ev.data.ptr = s;
	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	s->loop = l;
	s->kind = kind;
	s->fd = fd;
	s->arg = arg;
	s->next = l->sources;
	if (s->next)
		s->next->prev = s;
	l->sources = s;
	*ret = TAKE_PTR(s);
	return 0;
}

int loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn fn, void *arg, struct loop_source **ret_source)
{
	struct loop_source *s;
	int r = source_add(l, SOURCE_FD, fd, events, arg, &s);

	if (r < 0)
		return r;
	s->on_fd = fn;
	if (ret_source)
		*ret_source = s;
	return 0;
}

int loop_modify(struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl(s->loop->epfd, EPOLL_CTL_MOD, s->fd, &ev) < 0 ? -errno : 0;
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NSEC_PER_SEC), .tv_nsec = (long)(ns % NSEC_PER_SEC) };
}

static int timer_set(int fd, uint64_t first_ns, uint64_t interval_ns)
{
	struct itimerspec its = { .it_value = to_timespec(first_ns), .it_interval = to_timespec(interval_ns) };

	return timerfd_settime(fd, 0, &its, NULL) < 0 ? -errno : 0;
}

int loop_add_timer(struct loop *l, uint64_t first_ns, uint64_t interval_ns, loop_timer_fn fn, void *arg,
		   struct loop_source **ret_source)
{
	_cleanup_close_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct loop_source *s;
	int r;

	if (fd < 0)
		return -errno;
	r = timer_set(fd, first_ns, interval_ns);
	if (r < 0)
		return r;
	r = source_add(l, SOURCE_TIMER, fd, EPOLLIN, arg, &s);
	if (r < 0)
		return r;
	TAKE_FD(fd);
	s->on_timer = fn;
	if (ret_source)
		*ret_source = s;
	return 0;
}

int loop_set_timer(struct loop_source *s, uint64_t first_ns, uint64_t interval_ns)
{
	return timer_set(s->fd, first_ns, interval_ns);
}

int loop_add_signals(struct loop *l, const sigset_t *set, loop_signal_fn fn, void *arg, struct loop_source **ret_source)
{
	_cleanup_close_ int fd = -1;
	struct loop_source *s;
	int r;

	if (sigprocmask(SIG_BLOCK, set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = source_add(l, SOURCE_SIGNAL, fd, EPOLLIN, arg, &s);
	if (r < 0)
		return r;
	TAKE_FD(fd);
	s->on_signal = fn;
	if (ret_source)
		*ret_source = s;
	return 0;
}

void loop_remove(struct loop_source *s)
{
	struct loop *l;

	if (!s || s->dead)
		return;
	l = s->loop;
	epoll_ctl(l->epfd, EPOLL_CTL_DEL, s->fd, NULL);
	if (s->kind != SOURCE_FD)
		close(s->fd);
	if (s->prev)
		s->prev->next = s->next;
	else
		l->sources = s->next;
	if (s->next)
		s->next->prev = s->prev;
	s->dead = true;
	s->prev = NULL;
	if (l->dispatching) {
		s->next = l->dead;
		l->dead = s;
	} else {
		free(s);
	}
}

static int dispatch_timer(struct loop_source *s)
{
	uint64_t n;

	if (read(s->fd, &n, sizeof(n)) != sizeof(n))
		return 0; /* was set anew meanwhile */
	return s->on_timer(s->arg, n);
}

static int dispatch_signal(struct loop_source *s)
{
	struct signalfd_siginfo si;
	int r = 0;

	while (!s->dead && r >= 0 && read(s->fd, &si, sizeof(si)) == sizeof(si))
		r = s->on_signal(s->arg, &si);
	return r;
}

int loop_step(struct loop *l, int timeout_ms)
{
	struct epoll_event ev[LOOP_BATCH];
	int n, r = 0;

	n = epoll_wait(l->epfd, ev, LOOP_BATCH, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	l->dispatching = true;
	for (int i = 0; i < n && r >= 0; i++) {
		struct loop_source *s = ev[i].data.ptr;

		if (s->dead)
			continue;
		if (s->kind == SOURCE_FD)
			r = s->on_fd(s->arg, s->fd, ev[i].events);
		else if (s->kind == SOURCE_TIMER)
			r = dispatch_timer(s);
		else
			r = dispatch_signal(s);
	}
	l->dispatching = false;
	source_free_list(l->dead);
	l->dead = NULL;
	return r < 0 ? r : 0;
}

int loop_run(struct loop *l)
{
	l->quit = false;
	while (!l->quit) {
		int r = loop_step(l, -1);

		if (r < 0)
			return r;
	}
	return l->code;
}

void loop_quit(struct loop *l, int code)
{
	l->quit = true;
	l->code = code;
}
