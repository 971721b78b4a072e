/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SANDBOX_LOCK_H
#define BW_SANDBOX_LOCK_H
/*
 * The parts that a process without privileges is made of: for bw_sandbox_run() and for the guard's workers (guard/privsep.h).
 * Each takes something away from the calling process for good. Every function returns 0 or a negative errno.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#define BW_NOBODY 65534 /* user and group of nobody, everywhere */

/* The sanitizers map terabytes of shadow memory, which no address space limit survives, and report on descriptor 2. */
#if defined(__SANITIZE_ADDRESS__)
#define BW_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BW_SANITIZED 1
#endif
#endif
#ifndef BW_SANITIZED
#define BW_SANITIZED 0
#endif

/* Lowers a resource limit, both values; never raises one. */
int bw_lock_limit(int resource, rlim_t value);

/* Closes every descriptor but 0, 1, 2 and @keep, which is sorted. */
int bw_lock_descriptors(const int *keep, size_t n);

/*
 * no_new_privs; user and group, no further groups; no capabilities; not dumpable, so not to be traced by others of that user. Where
 * this process is not root, or where a user namespace does not have that user, it stays who it is: -EPERM if @strict.
 */
int bw_lock_privileges(uid_t uid, gid_t gid, bool strict);

struct bw_lock_path {
	const char *path;
	bool write; /* and create, rename, remove; else only read */
};

/*
 * Landlock: of the file system only what is below @paths, no path that does not exist at this moment. Without @network no TCP
 * either; abstract sockets and signals to other processes go in any case. As far as the kernel has these (5.13, 6.7, 6.12): -ENOSYS or
 * -EOPNOTSUPP where there is no Landlock. After no_new_privs.
 */
int bw_lock_files(const struct bw_lock_path *paths, size_t n, bool network);

/* System calls beyond computing, memory, and reading and writing what is open. */
enum bw_lock_calls {
	BW_CALLS_MEMFD = 1u << 0,   /* memfd_create, ftruncate, duplicating descriptors */
	BW_CALLS_FILES = 1u << 1,   /* open, lock, sync, rename, remove files */
	BW_CALLS_EVENTS = 1u << 2,  /* epoll, timers; accepting, sending and receiving on sockets that are open already */
	BW_CALLS_NETWORK = 1u << 3, /* making and connecting sockets of their own; not listening */
	BW_CALLS_THREADS = 1u << 4, /* threads; not processes */
	BW_CALLS_PARENT = 1u << 5,  /* the guard itself, with all of the above: BPF, making workers; not execve, mounts, modules, ... */
};

/* What happens to all others. */
enum bw_lock_other {
	BW_OTHER_EPERM,
	BW_OTHER_TRAP, /* SIGSYS, whose handler answers */
	/* What only an attacker calls (bpf, execve, ptrace, mount, sockets of its own, ...) ends the process by SIGSYS; the rest is
	 * EPERM. */
	BW_OTHER_KILL,
};

/* seccomp, for this architecture's native calls; those by another entry (int80, x32) end the process. After no_new_privs. */
int bw_lock_calls(unsigned int calls, enum bw_lock_other other);

#endif
