/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_PRIVSEP_H
#define BW_GUARD_PRIVSEP_H
/*
 * Processes without privileges, for everything that reads what others wrote (docs/privileges.md). The parent keeps the
 * programs in the kernel and the few capabilities that takes; a worker is a fork of it that has, before its first foreign
 * byte: the user "bpfwarden" (or 65534), no capability, no_new_privs, nothing open but what it was given, one directory
 * as its whole file system or none, Landlock where the kernel has it, a seccomp filter, no core dump; it dies with its
 * parent. Whatever runs in it can ask the parent for what guard/requests.h lists, and for nothing else.
 *
 * Two SOCK_SEQPACKET channels, so that neither side ever waits for the other in a circle: on "requests" the worker asks
 * and the parent answers; on "notes" the parent tells and nobody answers.
 *
 *	static int api_run(void *arg, const struct privsep_channels *ch)    // in the worker; ends when ch->notes ends
 *	...
 *	static const struct privsep_profile api = {
 *		.name = "api", .calls = BW_CALLS_FILES | BW_CALLS_EVENTS,
 *	};
 *	struct privsep_job job = {
 *		.profile = &api, .root = state_dir_fd, .keep = (int[]){ ring_fd }, .n_keep = 1,
 *		.prepare = api_map_rings,   // while still privileged: ring_buffer__new() needs CAP_BPF before 5.19
 *		.run = api_run, .arg = api,
 *	};
 *	r = privsep_spawn(&job, &worker);
 *	loop_add_fd(loop, worker.ch.requests, EPOLLIN, ...);	// privsep_recv(), privsep_check(), answer
 *	... on SIGCHLD: privsep_reap(&worker, why, sizeof(why)), then spawn again after privsep_backoff_ns()
 *
 * A worker that delivers to the network has .calls = BW_CALLS_NETWORK | BW_CALLS_EVENTS | BW_CALLS_THREADS | BW_CALLS_FILES, -1 as
 * root, and .paths: "/etc/resolv.conf", "/etc/ssl", ... to read, the spool's directory to write. What it loads at run
 * time (NSS modules, OpenSSL providers) it has to load in .prepare: a filter lets no memory become executable.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/sandbox_lock.h"

#define PRIVSEP_USER "bpfwarden"
#define PRIVSEP_MAX_MESSAGE 16384u /* bytes, without the descriptor that may go with it */
#define PRIVSEP_MAX_KEEP 16u

struct privsep_profile {
	const char *name;	      /* at most 12 bytes: the process calls itself "bw-NAME" */
	unsigned int calls;	      /* enum bw_lock_calls */
	const struct bw_lock_path *paths; /* Landlock, below the root; none: all of the root, to read and write */
	size_t n_paths;
};

struct privsep_channels {
	int requests, notes; /* each side has its own end of both */
};

struct privsep_job {
	const struct privsep_profile *profile;
	int root;		/* directory that becomes "/" of the worker; -1: it keeps the host's */
	const int *keep;	/* descriptors that stay open, with their numbers */
	size_t n_keep;
	uid_t uid;		/* of privsep_user() */
	gid_t gid;
	/* Both in the child. A negative errno ends it. @prepare still has the parent's privileges and reads nothing foreign. */
	int (*prepare)(void *arg);
	int (*run)(void *arg, const struct privsep_channels *ch);
	void *arg;
};

struct privsep_worker {
	const char *name;
	pid_t pid; /* 0: none is running */
	struct privsep_channels ch;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	unsigned int failures; /* in a row: ends within PRIVSEP_SETTLED_NS after the start */
};

#define PRIVSEP_WORKER_NONE { .ch = { .requests = -1, .notes = -1 } }
#define PRIVSEP_SETTLED_NS 60000000000ULL
#define PRIVSEP_MAX_BACKOFF_NS 30000000000ULL

/* The user and group of workers: PRIVSEP_USER if there is one, else BW_NOBODY. */
void privsep_user(uid_t *ret_uid, gid_t *ret_gid);

/*
 * Starts a worker. Keeps worker->failures; everything else is set. Returns 0 or a negative errno of socketpair(2) and fork(2); a set-up that
 * fails is an end of the worker like others, privsep_reap() says why.
 */
int privsep_spawn(const struct privsep_job *job, struct privsep_worker *w);

/*
 * After SIGCHLD, or with @kill_it to be rid of it: if the worker has ended, closes its channels, says why in @why ("was killed by
 * signal 31 (Bad system call)") and returns true. In order (status 0) it is "ended".
 */
bool privsep_reap(struct privsep_worker *w, bool kill_it, uint64_t now_ns, char *why, size_t why_len);

/* How long to wait with the next start: 0 for the first failure, then 0.5 s, doubled each time. */
uint64_t privsep_backoff_ns(const struct privsep_worker *w);

/* ---- messages: one packet each ---------------------------------------------------------------------------------- */

struct privsep_message {
	uint32_t type;
	uint32_t len; /* of the payload */
	int fd;	      /* that came with it, -1: none; the receiver's */
	_Alignas(8) char data[PRIVSEP_MAX_MESSAGE];
};

/* What a message of a type looks like. A table of them is indexed by type. */
struct privsep_form {
	const char *name; /* NULL: no such message */
	uint32_t min, max; /* bytes of payload */
	bool fd; /* comes with a descriptor */
};

/*
 * Sends @len bytes and, if it is not -1, a descriptor (which stays the caller's). Returns 0, -EAGAIN with @wait false when the channel is full,
 * -EPIPE or -ECONNRESET when the other side has gone.
 */
int privsep_send(int channel, uint32_t type, const void *data, size_t len, int fd, bool wait);

/*
 * Receives one. Returns 0, -EAGAIN (nothing there, @wait false), -ENOTCONN when the other side has gone, -EBADMSG for what
 * no @forms row describes (@n rows): a receiver in the parent then kills the worker, one in a worker ends.
 */
int privsep_recv(int channel, const struct privsep_form *forms, size_t n, struct privsep_message *ret, bool wait);

/* For a worker: asks and waits for the answer, which is of the same type. As privsep_send() and privsep_recv(). */
int privsep_ask(int channel, const struct privsep_form *answers, size_t n, uint32_t type, const void *data, size_t len,
		struct privsep_message *ret);

#endif
