// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/privsep.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/cleanup.h"

/* Exit status of a worker: 0, EXIT_RUN after an error in run(), or from EXIT_SETUP on the step of the set-up that failed. */
enum {
	EXIT_RUN = 1,
	EXIT_SETUP = 200,
};

enum setup_step { SETUP_DESCRIPTORS, SETUP_PREPARE, SETUP_LIMITS, SETUP_ROOT, SETUP_PRIVILEGES, SETUP_PARENT, SETUP_FILES, SETUP_CALLS };

static const char *const setup_names[] = {
	[SETUP_DESCRIPTORS] = "passing descriptors", [SETUP_PREPARE] = "its preparation",
	[SETUP_LIMITS] = "resource limits",	     [SETUP_ROOT] = "changing its root directory",
	[SETUP_PRIVILEGES] = "dropping privileges",  [SETUP_PARENT] = "the parent is gone",
	[SETUP_FILES] = "Landlock",		     [SETUP_CALLS] = "the system call filter (seccomp)",
};

void privsep_user(uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *pw = getpwnam(PRIVSEP_USER);

	/* A user of that name that is root would be none. */
	*ret_uid = pw && pw->pw_uid ? pw->pw_uid : BW_NOBODY;
	*ret_gid = pw && pw->pw_uid ? pw->pw_gid : BW_NOBODY;
}

/* ---- in the child ------------------------------------------------------------------------------------------------ */

static int compare_int(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int take_descriptors(const struct privsep_job *job, const struct privsep_channels *ch)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), keep[PRIVSEP_MAX_KEEP + 3];
	size_t n = 0;

	/* Standard error stays: the log. */
	for (int fd = 0; fd < 2; fd++) {
		if (null < 0)
			close(fd);
		else if (dup2(null, fd) < 0)
			return -errno;
	}
	if (job->n_keep > PRIVSEP_MAX_KEEP)
		return -E2BIG;
	for (size_t i = 0; i < job->n_keep; i++)
		if (job->keep[i] >= 0)
			keep[n++] = job->keep[i];
	keep[n++] = ch->requests;
	keep[n++] = ch->notes;
	if (job->root >= 0)
		keep[n++] = job->root;
	qsort(keep, n, sizeof(*keep), compare_int);
	return bw_lock_descriptors(keep, n);
}

/* Signals that the terminal or the service manager sends to all are the parent's business: it tells the worker to end. */
static void reset_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int lock_files(const struct privsep_profile *p)
{
	static const struct bw_lock_path all = { "/", true };
	int r = bw_lock_files(p->n_paths ? p->paths : &all, p->n_paths ? p->n_paths : 1, p->calls & BW_CALLS_NETWORK);

	return r == -ENOSYS || r == -EOPNOTSUPP ? 0 : r;
}

/* The step that failed, or -1. */
static int lock_down(const struct privsep_job *job, pid_t parent)
{
	if (bw_lock_limit(RLIMIT_CORE, 0) < 0 || (!(job->profile->calls & BW_CALLS_THREADS) && bw_lock_limit(RLIMIT_NPROC, 0) < 0))
		return SETUP_LIMITS;
	if (job->root >= 0 && (fchdir(job->root) < 0 || chroot(".") < 0 || chdir("/") < 0 || close(job->root) < 0))
		return SETUP_ROOT;
	if (bw_lock_privileges(job->uid, job->gid, true) < 0)
		return SETUP_PRIVILEGES;
	/* After the change of user, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		return SETUP_PARENT;
	if (lock_files(job->profile) < 0)
		return SETUP_FILES;
	if (bw_lock_calls(job->profile->calls, BW_OTHER_KILL) < 0)
		return SETUP_CALLS;
	return -1;
}

/* Never returns to the parent's code: _exit(), so that nothing of what the parent would do at its end happens twice. */
__attribute__((noreturn)) static void child(const struct privsep_job *job, const struct privsep_channels *ch, pid_t parent)
{
	char name[16];
	int step;

	snprintf(name, sizeof(name), "bw-%s", job->profile->name);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	reset_signals();
	umask(077);
	if (take_descriptors(job, ch) < 0)
		_exit(EXIT_SETUP + SETUP_DESCRIPTORS);
	if (job->prepare && job->prepare(job->arg) < 0)
		_exit(EXIT_SETUP + SETUP_PREPARE);
	step = lock_down(job, parent);
	if (step >= 0)
		_exit(EXIT_SETUP + step);
	_exit(job->run(job->arg, ch) < 0 ? EXIT_RUN : 0);
}

/* ---- in the parent ----------------------------------------------------------------------------------------------- */

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void close_channels(struct privsep_channels *ch)
{
	if (ch->requests >= 0)
		close(ch->requests);
	if (ch->notes >= 0)
		close(ch->notes);
	*ch = (struct privsep_channels){ .requests = -1, .notes = -1 };
}

static int make_channels(struct privsep_channels *ret_parent, struct privsep_channels *ret_child)
{
	int a[2], b[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, a) < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, b) < 0) {
		int r = -errno;

		close(a[0]);
		close(a[1]);
		return r;
	}
	*ret_parent = (struct privsep_channels){ .requests = a[0], .notes = b[0] };
	*ret_child = (struct privsep_channels){ .requests = a[1], .notes = b[1] };
	return 0;
}

int privsep_spawn(const struct privsep_job *job, struct privsep_worker *w)
{
	struct privsep_channels ours, theirs;
	pid_t self = getpid(), pid;
	int r = make_channels(&ours, &theirs);

	if (r < 0)
		return r;
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close_channels(&ours);
		close_channels(&theirs);
		return r;
	}
	if (!pid) {
		/* Its own ends only: else it would never see the parent's closed. */
		close_channels(&ours);
		child(job, &theirs, self);
	}
	close_channels(&theirs);
	w->name = job->profile->name;
	w->pid = pid;
	w->ch = ours;
	w->started_ns = monotonic_ns();
	return 0;
}

static void describe_end(int status, char *why, size_t why_len)
{
	int code = WEXITSTATUS(status);

	if (WIFSIGNALED(status))
		snprintf(why, why_len, "was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (code >= EXIT_SETUP && (size_t)(code - EXIT_SETUP) < ARRAY_SIZE(setup_names))
		snprintf(why, why_len, "could not be set up: %s", setup_names[code - EXIT_SETUP]);
	else if (code)
		snprintf(why, why_len, "ended with status %d", code);
	else
		snprintf(why, why_len, "ended");
}

bool privsep_reap(struct privsep_worker *w, bool kill_it, uint64_t now_ns, char *why, size_t why_len)
{
	int status = 0;
	pid_t r;

	if (!w->pid)
		return false;
	if (kill_it)
		kill(w->pid, SIGKILL);
	do
		r = waitpid(w->pid, &status, kill_it ? 0 : WNOHANG);
	while (r < 0 && errno == EINTR);
	if (r != w->pid)
		return false;
	describe_end(status, why, why_len);
	w->failures = now_ns - w->started_ns < PRIVSEP_SETTLED_NS ? w->failures + 1 : 1;
	w->pid = 0;
	close_channels(&w->ch);
	return true;
}

uint64_t privsep_backoff_ns(const struct privsep_worker *w)
{
	uint64_t ns = 500000000ULL;

	if (w->failures < 2)
		return 0;
	for (unsigned int i = 2; i < w->failures && ns < PRIVSEP_MAX_BACKOFF_NS; i++)
		ns *= 2;
	return ns < PRIVSEP_MAX_BACKOFF_NS ? ns : PRIVSEP_MAX_BACKOFF_NS;
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

union control {
	struct cmsghdr hdr;
	char room[CMSG_SPACE(sizeof(int))];
};

int privsep_send(int channel, uint32_t type, const void *data, size_t len, int fd, bool wait)
{
	struct { uint32_t type, len; } head = { type, (uint32_t)len };
	struct iovec iov[2] = { { &head, sizeof(head) }, { (void *)data, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = len ? 2 : 1 };
	union control control = { 0 };
	ssize_t n;

	if (len > PRIVSEP_MAX_MESSAGE)
		return -EMSGSIZE;
	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(channel, &msg, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The descriptor that came with a message; a sender that passes more of them sees all closed. */
static int take_fd(struct msghdr *msg)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int one;

			memcpy(&one, CMSG_DATA(c) + i * sizeof(int), sizeof(one));
			if (fd < 0 && n == 1)
				fd = one;
			else
				close(one);
		}
	}
	return fd;
}

static bool form_fits(const struct privsep_form *forms, size_t n, const struct privsep_message *m, size_t got)
{
	const struct privsep_form *f = m->type < n ? &forms[m->type] : NULL;

	return f && f->name && m->len == got && got >= f->min && got <= f->max && f->fd == (m->fd >= 0);
}

int privsep_recv(int channel, const struct privsep_form *forms, size_t n, struct privsep_message *ret, bool wait)
{
	struct { uint32_t type, len; } head;
	struct iovec iov[2] = { { &head, sizeof(head) }, { ret->data, sizeof(ret->data) } };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof(control.room) };
	ssize_t got;

	do
		got = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET ? -ENOTCONN : -errno;
	ret->fd = take_fd(&msg);
	if (!got)
		return -ENOTCONN;
	ret->type = head.type;
	ret->len = head.len;
	if ((size_t)got < sizeof(head) || msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    !form_fits(forms, n, ret, (size_t)got - sizeof(head))) {
		if (ret->fd >= 0)
			close(TAKE_FD(ret->fd));
		return -EBADMSG;
	}
	return 0;
}

int privsep_ask(int channel, const struct privsep_form *answers, size_t n, uint32_t type, const void *data, size_t len,
		struct privsep_message *ret)
{
	int r = privsep_send(channel, type, data, len, -1, true);

	if (!r)
		r = privsep_recv(channel, answers, n, ret, true);
	if (!r && ret->type != type) {
		if (ret->fd >= 0)
			close(TAKE_FD(ret->fd));
		r = -EBADMSG;
	}
	return r;
}
