// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/sandbox_lock.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "common/caps.h"
#include "common/cleanup.h"

int bw_lock_limit(int resource, rlim_t value)
{
	struct rlimit lim;

	if (getrlimit(resource, &lim) < 0)
		return -errno;
	if (lim.rlim_max == RLIM_INFINITY || lim.rlim_max > value)
		lim.rlim_max = value;
	lim.rlim_cur = lim.rlim_max;
	return setrlimit(resource, &lim) < 0 ? -errno : 0;
}

static void close_from_to(unsigned int first, unsigned int last)
{
	if (first > last || !syscall(SYS_close_range, first, last, 0))
		return;
	/* close_range(2) is of Linux 5.9 */
	for (long fd = sysconf(_SC_OPEN_MAX) - 1; fd >= (long)first; fd--)
		if (fd <= (long)last)
			close((int)fd);
}

int bw_lock_descriptors(const int *keep, size_t n)
{
	unsigned int next = 3;

	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0 || (i && keep[i] < keep[i - 1]))
			return -EINVAL;
		if ((unsigned int)keep[i] < next)
			continue;
		if (keep[i] > 3)
			close_from_to(next, (unsigned int)keep[i] - 1);
		next = (unsigned int)keep[i] + 1;
	}
	close_from_to(next, ~0u);
	return 0;
}

int bw_lock_privileges(uid_t uid, gid_t gid, bool strict)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* While CAP_SETPCAP is still there: the change of user takes the rest away, not the bounding set. */
	r = bw_caps_limit(BW_CAP(CAP_SETUID) | BW_CAP(CAP_SETGID), BW_CAP(CAP_SETUID) | BW_CAP(CAP_SETGID));
	if (r < 0)
		return r;
	if (strict && geteuid())
		return -EPERM;
	if (!geteuid() && (!setgroups(0, NULL) || strict) && (!setresgid(gid, gid, gid) || strict) &&
	    setresuid(uid, uid, uid) < 0)
		return -errno;
	r = bw_caps_limit(0, 0);
	if (!r && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = -errno;
	if (!r && strict && (getuid() != uid || geteuid() != uid || getgid() != gid || getegid() != gid))
		r = -EPERM;
	return r;
}

/* ---- Landlock ---------------------------------------------------------------------------------------------------- */

/* The kernel's struct landlock_ruleset_attr, whose later members older headers do not have. */
struct ruleset_attr {
	uint64_t fs;	 /* ABI 1 */
	uint64_t net;	 /* ABI 4 */
	uint64_t scoped; /* ABI 6 */
};

#define ACCESS_FS_REFER (1ULL << 13)	 /* ABI 2 */
#define ACCESS_FS_TRUNCATE (1ULL << 14)	 /* ABI 3 */
#define ACCESS_FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define ACCESS_NET_TCP 3ULL		 /* bind, connect */
#define SCOPE_ALL 3ULL			 /* abstract UNIX sockets, signals */

static int ruleset_add(int ruleset, const struct bw_lock_path *p, uint64_t handled)
{
	const uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	const uint64_t write = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |
			       ACCESS_FS_TRUNCATE;
	struct landlock_path_beneath_attr rule = { .allowed_access = (read | (p->write ? write : 0)) & handled };
	_cleanup_close_ int fd = open(p->path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	rule.parent_fd = fd;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

int bw_lock_files(const struct bw_lock_path *paths, size_t n, bool network)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset_attr attr = { .fs = LANDLOCK_ACCESS_FS_MAKE_SYM | (LANDLOCK_ACCESS_FS_MAKE_SYM - 1) };
	_cleanup_close_ int ruleset = -1;
	size_t size = sizeof(attr.fs);

	if (abi < 0)
		return -errno;
	if (abi >= 2)
		attr.fs |= ACCESS_FS_REFER;
	if (abi >= 3)
		attr.fs |= ACCESS_FS_TRUNCATE;
	if (abi >= 4) {
		attr.net = network ? 0 : ACCESS_NET_TCP;
		size += sizeof(attr.net);
	}
	if (abi >= 5)
		attr.fs |= ACCESS_FS_IOCTL_DEV;
	if (abi >= 6) {
		attr.scoped = SCOPE_ALL;
		size += sizeof(attr.scoped);
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		int r = ruleset_add(ruleset, &paths[i], attr.fs);

		if (r < 0)
			return r;
	}
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

/* ---- seccomp ----------------------------------------------------------------------------------------------------- */

/* A name that this architecture does not have (dup2 on arm64) is skipped by libseccomp itself. */
static const int compute_calls[] = {
	SCMP_SYS(read),	      SCMP_SYS(write),		SCMP_SYS(writev),	 SCMP_SYS(pread64),
	SCMP_SYS(lseek),      SCMP_SYS(close),		SCMP_SYS(fstat),	 SCMP_SYS(munmap),
	SCMP_SYS(mremap),     SCMP_SYS(madvise),	SCMP_SYS(brk),		 SCMP_SYS(futex),
	SCMP_SYS(exit),	      SCMP_SYS(exit_group),	SCMP_SYS(rt_sigreturn),	 SCMP_SYS(getpid),
	SCMP_SYS(gettid),     SCMP_SYS(rt_sigprocmask), SCMP_SYS(clock_gettime), SCMP_SYS(getrandom),
	SCMP_SYS(sched_yield), SCMP_SYS(sigaltstack), /* the latter for sanitizers */
};
static const int memfd_calls[] = {
	SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
};
/* What SQLite and append-only files need. */
static const int file_calls[] = {
	SCMP_SYS(openat),   SCMP_SYS(open),	 SCMP_SYS(stat),      SCMP_SYS(lstat),	   SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(access),   SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(pwrite64), SCMP_SYS(preadv),	 SCMP_SYS(pwritev),
	SCMP_SYS(fsync),    SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fchmod),	 SCMP_SYS(unlink),
	SCMP_SYS(unlinkat), SCMP_SYS(rename),	 SCMP_SYS(renameat),  SCMP_SYS(renameat2), SCMP_SYS(getdents64), SCMP_SYS(getcwd),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(fstatfs),  SCMP_SYS(fcntl),	   SCMP_SYS(flock),	 SCMP_SYS(getuid),
	SCMP_SYS(geteuid),  SCMP_SYS(getgid),	 SCMP_SYS(getegid),   SCMP_SYS(msync),	   SCMP_SYS(fadvise64),	 SCMP_SYS(utimensat),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
};
static const int event_calls[] = {
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),	  SCMP_SYS(epoll_wait),	     SCMP_SYS(epoll_pwait),	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll),		 SCMP_SYS(ppoll),	  SCMP_SYS(timerfd_create),  SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime),
	SCMP_SYS(accept4),	 SCMP_SYS(sendto),	  SCMP_SYS(sendmsg),	     SCMP_SYS(recvfrom),	SCMP_SYS(recvmsg),
	SCMP_SYS(getsockopt),	 SCMP_SYS(shutdown),	  SCMP_SYS(eventfd2),	     SCMP_SYS(geteuid),		SCMP_SYS(getuid),
	SCMP_SYS(nanosleep),	 SCMP_SYS(clock_nanosleep), SCMP_SYS(restart_syscall), SCMP_SYS(getsockname),
};
static const int network_calls[] = {
	SCMP_SYS(socket),      SCMP_SYS(connect),  SCMP_SYS(bind),     SCMP_SYS(setsockopt), SCMP_SYS(getpeername),
	SCMP_SYS(socketpair),  SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(pipe2),	     SCMP_SYS(ioctl),
	SCMP_SYS(uname),       SCMP_SYS(sysinfo),  SCMP_SYS(fcntl),    SCMP_SYS(select),     SCMP_SYS(pselect6),
};
static const int thread_calls[] = {
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(tgkill), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rt_sigaction),	   SCMP_SYS(prctl), SCMP_SYS(membarrier),
};
/*
 * What the guard itself calls once it is armed, beyond what its workers do (docs/privileges.md has the reason for each): BPF; making and
 * ending workers, which take their own privileges away; finding libraries and names of cgroups.
 */
static const int parent_calls[] = {
	SCMP_SYS(bpf),		   SCMP_SYS(perf_event_open),	SCMP_SYS(clone),	     SCMP_SYS(wait4),	     SCMP_SYS(waitid),
	SCMP_SYS(kill),		   SCMP_SYS(chroot),		SCMP_SYS(chdir),	     SCMP_SYS(fchdir),	     SCMP_SYS(umask),
	SCMP_SYS(setgroups),	   SCMP_SYS(setresuid),		SCMP_SYS(setresgid),	     SCMP_SYS(capget),	     SCMP_SYS(capset),
	SCMP_SYS(seccomp),	   SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule), SCMP_SYS(landlock_restrict_self), SCMP_SYS(close_range),
	SCMP_SYS(getppid),	   SCMP_SYS(prlimit64),		SCMP_SYS(getrlimit),	     SCMP_SYS(setrlimit),    SCMP_SYS(getpriority),
	SCMP_SYS(setpriority),	   SCMP_SYS(signalfd4),		SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at), SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),	   SCMP_SYS(rmdir),		SCMP_SYS(fchown),	     SCMP_SYS(readv),	     SCMP_SYS(statfs),
	SCMP_SYS(mmap),		   SCMP_SYS(mprotect), /* executable too: workers that begin again load modules of libraries */
	SCMP_SYS(set_tid_address), SCMP_SYS(listen),		SCMP_SYS(inotify_init1),     SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch),
};
/* No code of ours ever gets to these, on any way: who does is not ours any more. */
static const int hostile_calls[] = {
	SCMP_SYS(execve),	    SCMP_SYS(execveat),	       SCMP_SYS(vfork),		  SCMP_SYS(ptrace),	      SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd),    SCMP_SYS(kcmp),		  SCMP_SYS(mount),	      SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),	    SCMP_SYS(unshare),	       SCMP_SYS(setns),		  SCMP_SYS(open_tree),	      SCMP_SYS(move_mount),
	SCMP_SYS(fsopen),	    SCMP_SYS(fsmount),	       SCMP_SYS(init_module),	  SCMP_SYS(finit_module),     SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),	    SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),	  SCMP_SYS(userfaultfd),      SCMP_SYS(keyctl),
	SCMP_SYS(add_key),	    SCMP_SYS(request_key),     SCMP_SYS(io_uring_setup),  SCMP_SYS(io_uring_enter),   SCMP_SYS(io_uring_register),
	SCMP_SYS(mknod),	    SCMP_SYS(mknodat),	       SCMP_SYS(iopl),		  SCMP_SYS(ioperm),	      SCMP_SYS(modify_ldt),
	SCMP_SYS(settimeofday),	    SCMP_SYS(clock_settime),   SCMP_SYS(sethostname),	  SCMP_SYS(swapon),	      SCMP_SYS(acct),
};
/* And no code of a worker to these. */
static const int hostile_in_worker[] = {
	SCMP_SYS(bpf),	  SCMP_SYS(perf_event_open), SCMP_SYS(fork),   SCMP_SYS(pidfd_open), SCMP_SYS(chroot), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(capset), SCMP_SYS(setuid),	     SCMP_SYS(setresuid), SCMP_SYS(kill),
};
static const int hostile_without_network[] = { SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen) };
static const int hostile_without_threads[] = { SCMP_SYS(clone), SCMP_SYS(clone3) };

/* Added in turn; the first failure sticks. A call may be in two groups. */
static void add_all(int *r, scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n && *r >= 0; i++) {
		*r = seccomp_rule_add(f, action, calls[i], 0);
		if (*r == -EEXIST)
			*r = 0;
	}
}

#define ADD_ALL(r, f, action, calls) add_all(r, f, action, calls, ARRAY_SIZE(calls))

static int add_memory(scmp_filter_ctx f)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls) && r >= 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return r;
}

static int add_descriptors(scmp_filter_ctx f, unsigned int calls)
{
	static const int cmds[] = { F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cmds) && r >= 0 && !(calls & (BW_CALLS_FILES | BW_CALLS_NETWORK)); i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)cmds[i]));
	/* glibc 2.33 to 2.38 write fstat(fd) so. Hostile code in the child could add a path: metadata of files, no
	 * content. */
	if (r >= 0 && !(calls & BW_CALLS_FILES))
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 2, SCMP_A0(SCMP_CMP_LE, INT32_MAX),
				     SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	return r;
}

/* clone(2) for threads (the parent may make @processes); clone3(2) hides its flags from a filter, and glibc falls back when there is none. */
static int add_threads(scmp_filter_ctx f, bool processes)
{
	const scmp_datum_t thread = 0x00010000 | 0x00000100; /* CLONE_THREAD, CLONE_VM */
	int r = processes ? 0 : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));

	if (r >= 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

int bw_lock_calls(unsigned int calls, enum bw_lock_other other)
{
	scmp_filter_ctx f = seccomp_init(other == BW_OTHER_TRAP ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM));
	int r = f ? 0 : -ENOMEM;

	ADD_ALL(&r, f, SCMP_ACT_ALLOW, compute_calls);
	if (calls & BW_CALLS_MEMFD)
		ADD_ALL(&r, f, SCMP_ACT_ALLOW, memfd_calls);
	if (calls & BW_CALLS_FILES)
		ADD_ALL(&r, f, SCMP_ACT_ALLOW, file_calls);
	if (calls & BW_CALLS_EVENTS)
		ADD_ALL(&r, f, SCMP_ACT_ALLOW, event_calls);
	if (calls & BW_CALLS_NETWORK)
		ADD_ALL(&r, f, SCMP_ACT_ALLOW, network_calls);
	if (calls & BW_CALLS_THREADS) {
		ADD_ALL(&r, f, SCMP_ACT_ALLOW, thread_calls);
		if (r >= 0)
			r = add_threads(f, calls & BW_CALLS_PARENT);
	}
	if (calls & BW_CALLS_PARENT) {
		ADD_ALL(&r, f, SCMP_ACT_ALLOW, parent_calls);
	} else if (r >= 0) {
		r = add_memory(f);
	}
	if (r >= 0)
		r = add_descriptors(f, calls);
	if (other == BW_OTHER_KILL)
		ADD_ALL(&r, f, SCMP_ACT_KILL_PROCESS, hostile_calls);
	if (other == BW_OTHER_KILL && !(calls & BW_CALLS_PARENT)) {
		ADD_ALL(&r, f, SCMP_ACT_KILL_PROCESS, hostile_in_worker);
		if (!(calls & BW_CALLS_NETWORK))
			ADD_ALL(&r, f, SCMP_ACT_KILL_PROCESS, hostile_without_network);
		if (!(calls & BW_CALLS_THREADS))
			ADD_ALL(&r, f, SCMP_ACT_KILL_PROCESS, hostile_without_threads);
	}
	if (r >= 0)
		r = seccomp_load(f);
	seccomp_release(f);
	return r;
}
