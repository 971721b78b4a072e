/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SANDBOX_H
#define BW_SANDBOX_H
/*
 * Runs a function over untrusted bytes in a child process that can do nothing but compute: no privileges, no files, no
 * network, no new processes, bounded memory and time. Input is what the parent has in memory at the call (the child is
 * a fork); output is bytes over a pipe, which the parent must treat as untrusted.
 *
 * The child: descriptors 0 to 2 on /dev/null, one pipe, nothing else open; empty environment; user and group 65534 when
 * it was root; no capabilities, no_new_privs; rlimits; a seccomp allowlist of memory management and of input and output
 * on what is already open. Where any of that cannot be set up the function does not run (-EPERM).
 *
 * The caller must not have SIGCHLD ignored and must not reap children it does not know.
 */
#include <stdbool.h>
#include <stddef.h>
#include "common/buf.h"

#define BW_SANDBOX_DEFAULT_MS	  10000u
#define BW_SANDBOX_DEFAULT_MEMORY (1024ull << 20)
#define BW_SANDBOX_DEFAULT_OUTPUT (64ull << 20)

/*
 * Answers a system call that the allowlist does not have, inside the child, on the stack of the caller (from a SIGSYS
 * handler). Returns what the system call returns: a value or -errno. -ENOSYS for what it does not know.
 */
typedef long (*bw_sandbox_trap_fn)(void *ctx, long nr, const unsigned long args[6]);

struct bw_sandbox {
	unsigned int wall_ms;	       /* 0: the default */
	unsigned long long memory;     /* address space beyond what is mapped at the call, in bytes; 0: the default */
	unsigned long long max_output; /* 0: the default */
	bool memfd;		       /* allow memfd_create, ftruncate and duplicating descriptors */
	bw_sandbox_trap_fn trap;       /* NULL: the calls fail with EPERM */
	void *trap_ctx;
};

struct bw_sandbox_out {
	int fd;
	int error; /* sticks */
};

/* For the function in the child: hands @len bytes to the parent. Returns 0 or -errno. */
int bw_sandbox_write(struct bw_sandbox_out *out, const void *data, size_t len);

/*
 * Runs @fn(@arg) in the child. Appends what it wrote to @ret_out (also on failure: untrusted either way), and says in
 * @ret_reason (@reason_len bytes, "" on success) why it failed. Returns
 *   0            @fn returned 0
 *   -errno       @fn returned it
 *   -ETIMEDOUT   time is up
 *   -EFBIG       more than max_output bytes
 *   -ECHILD      it crashed, or was killed for breaking a limit
 *   -EPERM       the sandbox could not be set up
 * or -errno of pipe(2) and fork(2).
 */
int bw_sandbox_run(const struct bw_sandbox *conf, int (*fn)(void *arg, struct bw_sandbox_out *out), void *arg,
		   struct bw_buf *ret_out, char *ret_reason, size_t reason_len);

/*
 * The same in pieces, for a caller that runs several at once: start, poll fd for input until the deadline and read,
 * until there is no more, then end. One thread does it all: a fork() of a process with threads gives a child in which
 * any lock may be held by a thread that is not there.
 */
struct bw_sandbox_process {
	int pid, fd; /* the child, and where its output comes from */
	unsigned int wall_ms;
	long long deadline;	     /* CLOCK_MONOTONIC, ms */
	unsigned long long max, got; /* bytes of output */
};

/* Returns 0 or -errno of pipe(2) and fork(2), with the reason. What was started must be ended. */
int bw_sandbox_start(const struct bw_sandbox *conf, int (*fn)(void *arg, struct bw_sandbox_out *out), void *arg,
		     struct bw_sandbox_process *ret, char *ret_reason, size_t reason_len);

/* Milliseconds until the deadline, 0 when it has passed. */
int bw_sandbox_left_ms(const struct bw_sandbox_process *p);

/*
 * Waits for output and appends a piece of it. Returns 1 when there was some, 0 at the end of the output, -ETIMEDOUT, -EFBIG
 * or -errno. Anything but 1 goes to bw_sandbox_end().
 */
int bw_sandbox_read(struct bw_sandbox_process *p, struct bw_buf *out);

/* Ends the process, killing it unless @result, what the last bw_sandbox_read() returned, is 0. Returns as bw_sandbox_run(). */
int bw_sandbox_end(struct bw_sandbox_process *p, int result, char *ret_reason, size_t reason_len);

#endif
