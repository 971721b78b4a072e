// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/supervisor.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "common/cleanup.h"

#define SECOND 1000000000ULL
#define READY_NS (30 * SECOND) /* what a worker may take to start */
#define STOP_NS (20 * SECOND)  /* and to end */
#define NOTE_MS 10000	       /* and not to read what it is told */

struct supervisor {
	struct loop *loop;
	const struct privsep_job *job;
	const struct supervisor_ops *ops;
	struct privsep_worker worker;
	struct loop_source *requests, *respawn;
	bool ready;
	struct told_policy now, before;
	struct bw_buf pending[SUPERVISOR_MAX_PENDING]; /* NOTE_SAY */
	unsigned int n_pending;
	uint64_t pending_lost;
	struct privsep_message message; /* large: not on the stack */
};

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/* ---- talking to it -------------------------------------------------------------------------------------------------- */

static void worker_ended(struct supervisor *s, bool kill_it, const char *reason);

static void answer_status(struct supervisor *s)
{
	struct answer_status a = { 0 };

	s->ops->status(s->ops->arg, &a);
	privsep_send(s->worker.ch.requests, REQUEST_STATUS, &a, sizeof(a), -1, false);
}

static void answer_api(struct supervisor *s)
{
	struct bw_buf b = { .max = PRIVSEP_MAX_MESSAGE };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	s->ops->api(s->ops->arg, &j);
	bw_json_close(&j, '}');
	privsep_send(s->worker.ch.requests, REQUEST_API, bw_buf_error(&b) ? "{}" : b.data, bw_buf_error(&b) ? 2 : b.len, -1, false);
	bw_buf_free(&b);
}

static void answer_cgroup(struct supervisor *s, const char *data)
{
	char path[ANSWER_CGROUP_MAX] = "";
	uint64_t id;

	memcpy(&id, data, sizeof(id));
	if (s->ops->cgroup(s->ops->arg, id, path, sizeof(path)) < 0)
		path[0] = 0;
	privsep_send(s->worker.ch.requests, REQUEST_CGROUP, path, strlen(path), -1, false);
}

/* Answers all that is asked at the moment. The answers change nothing, so this may be done at any time. */
static void serve_requests(struct supervisor *s)
{
	struct privsep_message *m = &s->message;
	int r = 0;

	while (s->worker.pid && (r = privsep_recv(s->worker.ch.requests, request_forms, REQUEST_COUNT, m, false)) == 0) {
		switch ((enum request)m->type) {
		case REQUEST_READY:
			s->ready = true;
			break;
		case REQUEST_STATUS:
			answer_status(s);
			break;
		case REQUEST_API:
			answer_api(s);
			break;
		case REQUEST_CGROUP:
			answer_cgroup(s, m->data);
			break;
		case REQUEST_COUNT:
			break;
		}
	}
	if (r == -EBADMSG) {
		worker_ended(s, true, "asked for what there is not");
	} else if (r == -ENOTCONN) {
		/* SIGCHLD is on its way. */
		loop_remove(s->requests);
		s->requests = NULL;
	}
}

static int on_requests(void *arg, int fd, uint32_t events)
{
	serve_requests(arg);
	return 0;
}

/* While the worker does not read, what it asks is answered: it may be waiting for just that. */
void supervisor_note(struct supervisor *s, enum note type, const void *data, size_t len, int fd)
{
	while (s->worker.pid) {
		struct pollfd p[2] = { { .fd = s->worker.ch.notes, .events = POLLOUT }, { .fd = s->worker.ch.requests, .events = POLLIN } };
		int r = privsep_send(s->worker.ch.notes, type, data, len, fd, false);

		if (r != -EAGAIN)
			return; /* told; or it is gone, and SIGCHLD on its way */
		r = poll(p, 2, NOTE_MS);
		if (!r)
			worker_ended(s, true, "does not read what it is told");
		else if (r > 0 && p[1].revents)
			serve_requests(s);
		if (r > 0 && p[0].revents & (POLLERR | POLLHUP) && !(p[0].revents & POLLOUT))
			return;
	}
}

void supervisor_say(struct supervisor *s, const struct say *say, const struct alert_kv *kv)
{
	struct bw_buf b = { .max = PRIVSEP_MAX_MESSAGE };

	say_pack(say, kv, &b);
	if (bw_buf_error(&b)) {
		s->pending_lost++;
	} else if (s->worker.pid) {
		supervisor_note(s, NOTE_SAY, b.data, b.len, -1);
	} else if (s->n_pending < SUPERVISOR_MAX_PENDING) {
		s->pending[s->n_pending++] = b;
		return;
	} else {
		s->pending_lost++;
	}
	bw_buf_free(&b);
}

/* ---- policies ------------------------------------------------------------------------------------------------------- */

int told_policy_make(struct told_policy *ret, const char *path, const struct policy_names *names)
{
	_cleanup_buf_ struct bw_buf b = { .max = POLICY_PACK_MAX };
	_cleanup_close_ int fd = memfd_create("bw-policy-names", MFD_CLOEXEC);

	policy_names_pack(names, &b);
	if (bw_buf_error(&b))
		return bw_buf_error(&b);
	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < b.len;) {
		ssize_t n = write(fd, b.data + at, b.len - at);

		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	ret->path = strdup(path);
	if (!ret->path)
		return -ENOMEM;
	ret->n_programs = names->n_programs;
	ret->n_rules = names->n_rules;
	ret->names = TAKE_FD(fd);
	return 0;
}

void told_policy_free(struct told_policy *p)
{
	if (p->names >= 0)
		close(p->names);
	free(p->path);
	*p = (struct told_policy){ .names = -1 };
}

static void tell_policy(struct supervisor *s, const struct told_policy *p)
{
	struct bw_buf b = { .max = PRIVSEP_MAX_MESSAGE };
	const struct note_policy n = { .generation = p->generation, .mode = p->mode, .release = p->release };

	if (!p->generation)
		return;
	bw_buf_append(&b, &n, sizeof(n));
	bw_buf_str(&b, p->path);
	if (!bw_buf_error(&b))
		supervisor_note(s, NOTE_POLICY, b.data, b.len, p->names);
	bw_buf_free(&b);
}

void supervisor_tell_policy(struct supervisor *s, struct told_policy *p)
{
	told_policy_free(&s->before);
	s->before = s->now;
	s->now = *p;
	*p = (struct told_policy)TOLD_POLICY_NONE;
	tell_policy(s, &s->now);
}

const struct told_policy *supervisor_policy(const struct supervisor *s)
{
	return &s->now;
}

/* ---- its life ------------------------------------------------------------------------------------------------------- */

static int spawn(struct supervisor *s)
{
	int r;

	s->ready = false;
	r = privsep_spawn(s->job, &s->worker);
	if (!r)
		r = loop_add_fd(s->loop, s->worker.ch.requests, EPOLLIN, on_requests, s, &s->requests);
	return r;
}

static int on_respawn(void *arg, uint64_t expirations)
{
	struct supervisor *s = arg;
	const struct note_resume n = { 0 };
	uint64_t lost = s->pending_lost;
	int r;

	loop_remove(s->respawn);
	s->respawn = NULL;
	r = spawn(s);
	if (r < 0)
		return r;
	tell_policy(s, &s->before);
	tell_policy(s, &s->now);
	for (unsigned int i = 0; i < s->n_pending; i++) {
		supervisor_note(s, NOTE_SAY, s->pending[i].data, s->pending[i].len, -1);
		bw_buf_free(&s->pending[i]);
	}
	s->n_pending = 0;
	s->pending_lost = 0;
	supervisor_note(s, NOTE_RESUME, &n, sizeof(n), -1);
	s->ops->restarted(s->ops->arg, lost);
	supervisor_note(s, NOTE_GO, NULL, 0, -1);
	return 0;
}

/* It has ended, or is to be. */
static void worker_ended(struct supervisor *s, bool kill_it, const char *reason)
{
	uint64_t wait;
	char how[200];

	if (!privsep_reap(&s->worker, kill_it, monotonic_ns(), how, sizeof(how)))
		return;
	loop_remove(s->requests);
	s->requests = NULL;
	wait = privsep_backoff_ns(&s->worker);
	s->ops->died(s->ops->arg, reason ? reason : how, wait);
	/* Without memory for a timer the guard goes on without a worker, as it does while it waits. */
	loop_add_timer(s->loop, wait ? wait : 1, 0, on_respawn, s, &s->respawn);
}

void supervisor_reap(struct supervisor *s)
{
	worker_ended(s, false, NULL);
}

/* Serves until @done or until the worker has ended; false when @ns were not enough. */
static bool wait_for(struct supervisor *s, const bool *done, uint64_t ns, char *how, size_t how_len)
{
	uint64_t end = monotonic_ns() + ns;

	snprintf(how, how_len, "is not there");
	while (!*done && s->worker.pid && !privsep_reap(&s->worker, false, monotonic_ns(), how, how_len)) {
		struct pollfd p = { .fd = s->worker.ch.requests, .events = POLLIN };

		if (monotonic_ns() >= end)
			return false;
		/* Bounded, for a worker that closes its end and lives on. */
		if (poll(&p, 1, 50) > 0) {
			if (p.revents & POLLIN)
				serve_requests(s);
			else
				poll(NULL, 0, 5);
		}
	}
	return true;
}

int supervisor_start(struct supervisor *s, char *why, size_t why_len)
{
	char how[200];
	int r = spawn(s);

	if (r < 0) {
		snprintf(why, why_len, "starting the worker: %s", strerror(-r));
		return r;
	}
	if (!wait_for(s, &s->ready, READY_NS, how, sizeof(how))) {
		snprintf(why, why_len, "the worker does not answer");
		return -ETIMEDOUT;
	}
	if (!s->ready) {
		snprintf(why, why_len, "the worker %s", how);
		return -EIO;
	}
	return 0;
}

bool supervisor_stop(struct supervisor *s, char *how, size_t how_len)
{
	const bool never = false;

	if (wait_for(s, &never, STOP_NS, how, how_len))
		return !strcmp(how, "ended");
	snprintf(how, how_len, "does not end, and is killed");
	return false;
}

int supervisor_open(struct loop *l, const struct privsep_job *job, const struct supervisor_ops *ops, struct supervisor **ret)
{
	struct supervisor *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->loop = l;
	s->job = job;
	s->ops = ops;
	s->worker = (struct privsep_worker)PRIVSEP_WORKER_NONE;
	s->now.names = s->before.names = -1;
	*ret = s;
	return 0;
}

void supervisor_free(struct supervisor *s)
{
	char how[200];

	if (!s)
		return;
	loop_remove(s->requests);
	loop_remove(s->respawn);
	privsep_reap(&s->worker, true, 0, how, sizeof(how));
	told_policy_free(&s->now);
	told_policy_free(&s->before);
	for (unsigned int i = 0; i < s->n_pending; i++)
		bw_buf_free(&s->pending[i]);
	free(s);
}
