// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/policy_fetch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "common/policy_sign.h"

#define SECOND 1000000000ULL

struct policy_fetch {
	struct fetch_conf conf;
	const struct fetch_ops *ops;
	struct privsep_profile profile;
	struct privsep_job job;
	struct privsep_worker process;
	uint64_t restart_ns, deadline_ns; /* CLOCK_MONOTONIC; deadline 0: nothing is asked */
	bool renew, wanted;
	char etag[FETCH_MAX_ETAG + 1];
};

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

int policy_fetch_open(const struct fetch_conf *conf, const struct fetch_ops *ops, struct policy_fetch **ret)
{
	static const struct bw_lock_path readable[] = { { "/etc", false }, { "/usr", false }, { "/lib", false }, { "/run", false } };
	struct policy_fetch *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->conf = *conf;
	f->ops = ops;
	f->process = (struct privsep_worker)PRIVSEP_WORKER_NONE;
	f->profile = (struct privsep_profile){
		.name = "fetch",
		.calls = BW_CALLS_FILES | BW_CALLS_EVENTS | BW_CALLS_NETWORK | BW_CALLS_THREADS | BW_CALLS_MEMFD,
		.paths = readable,
		.n_paths = ARRAY_SIZE(readable),
	};
	f->job = (struct privsep_job){ .profile = &f->profile, .root = -1, .prepare = fetch_prepare, .run = fetch_run, .arg = &f->conf };
	privsep_user(&f->job.uid, &f->job.gid);
	*ret = f;
	return 0;
}

void policy_fetch_close(struct policy_fetch *f)
{
	char why[128];

	if (!f)
		return;
	privsep_reap(&f->process, true, 0, why, sizeof(why));
	free(f);
}

static void end_process(struct policy_fetch *f)
{
	char why[128];

	privsep_reap(&f->process, true, monotonic_ns(), why, sizeof(why));
	f->process.failures = 0;
}

static void failed(struct policy_fetch *f, const char *why)
{
	f->deadline_ns = 0;
	f->ops->failed(f->ops->arg, why);
}

/* The process is not to be asked again before it has been started anew, which takes ever longer when it keeps ending. */
static void lost(struct policy_fetch *f, const char *what)
{
	char text[300];

	f->restart_ns = monotonic_ns() + privsep_backoff_ns(&f->process);
	snprintf(text, sizeof(text), "the process that fetches policies %s", what);
	failed(f, text);
}

static void ask(struct policy_fetch *f)
{
	uint64_t now = monotonic_ns();
	int r = 0;

	if (f->renew && f->process.pid)
		end_process(f);
	f->renew = false;
	if (!f->process.pid) {
		if (now < f->restart_ns)
			return; /* later */
		r = privsep_spawn(&f->job, &f->process);
	}
	f->wanted = false;
	if (!r)
		r = privsep_send(f->process.ch.notes, FETCH_NOTE_GO, f->etag, strlen(f->etag), -1, false);
	if (r < 0) {
		lost(f, strerror(-r));
		return;
	}
	/* Two transfers, each with its own limit of time; then it hangs. */
	f->deadline_ns = now + 3 * f->conf.timeout_ms * 1000000 + 10 * SECOND;
}

void policy_fetch_go(struct policy_fetch *f, const char *etag)
{
	if (f->deadline_ns)
		return;
	snprintf(f->etag, sizeof(f->etag), "%s", etag);
	f->wanted = true;
	ask(f);
}

void policy_fetch_renew(struct policy_fetch *f)
{
	f->renew = true;
}

/* ---- answers: bytes ------------------------------------------------------------------------------------------------ */

static char *copy_of(int fd, uint64_t at, uint64_t len)
{
	char *copy = malloc(len + 1);

	for (uint64_t have = 0; copy && have < len;) {
		ssize_t n = pread(fd, copy + have, len - have, (off_t)(at + have));

		if (n <= 0) {
			free(copy);
			return NULL;
		}
		have += (uint64_t)n;
	}
	if (copy)
		copy[len] = 0;
	return copy;
}

static bool printable(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || (unsigned char)s[i] > 0x7e)
			return false;
	return true;
}

static void take_got(struct policy_fetch *f, const struct privsep_message *m)
{
	_cleanup_free_ char *text = NULL, *signature = NULL;
	size_t etag_len = m->len - sizeof(struct fetch_got);
	char etag[FETCH_MAX_ETAG + 1];
	struct fetch_got g;
	struct stat st;

	memcpy(&g, m->data, sizeof(g));
	if (g.len > f->conf.max_bytes || g.signature_len > BW_MAX_SIGNATURE_SIZE || fstat(m->fd, &st) < 0 ||
	    (uint64_t)st.st_size != g.len + g.signature_len || !printable(m->data + sizeof(g), etag_len)) {
		end_process(f);
		lost(f, "answers nonsense and was ended");
		return;
	}
	text = copy_of(m->fd, 0, g.len);
	signature = copy_of(m->fd, g.len, g.signature_len);
	if (!text || !signature) {
		failed(f, "no memory for what was fetched");
		return;
	}
	snprintf(etag, sizeof(etag), "%.*s", (int)etag_len, m->data + sizeof(g));
	f->deadline_ns = 0;
	f->process.failures = 0;
	f->ops->got(f->ops->arg, TAKE_PTR(text), g.len, TAKE_PTR(signature), g.signature_len, etag);
}

static void take_answer(struct policy_fetch *f, const struct privsep_message *m)
{
	char why[FETCH_MAX_WHY + 1];

	switch ((enum fetch_request)m->type) {
	case FETCH_GOT:
		take_got(f, m);
		break;
	case FETCH_SAME:
		f->deadline_ns = 0;
		f->ops->same(f->ops->arg);
		break;
	case FETCH_FAILED:
		snprintf(why, sizeof(why), "%.*s", (int)m->len, m->data);
		for (char *p = why; *p; p++)
			if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
				*p = '?';
		failed(f, why);
		break;
	case FETCH_REQUESTS:
		break;
	}
}

void policy_fetch_tick(struct policy_fetch *f)
{
	static struct privsep_message m; /* 16 KiB; one thread */
	uint64_t now = monotonic_ns();
	char why[128];
	int r = -EAGAIN;

	if (f->process.pid && f->deadline_ns) {
		r = privsep_recv(f->process.ch.requests, fetch_requests, FETCH_REQUESTS, &m, false);
		if (!r) {
			take_answer(f, &m);
			if (m.fd >= 0)
				close(m.fd);
		} else if (r == -EBADMSG) {
			end_process(f);
			lost(f, "answers nonsense and was ended");
		}
	}
	if (privsep_reap(&f->process, false, now, why, sizeof(why))) {
		if (f->deadline_ns)
			lost(f, why);
	} else if (f->deadline_ns && now > f->deadline_ns) {
		end_process(f);
		lost(f, "hangs and was ended");
	}
	if (f->wanted && !f->deadline_ns)
		ask(f);
}
