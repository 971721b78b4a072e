// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Workers without privileges: what they are, what they cannot do, how they end, what a message must look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/cleanup.h"
#include "guard/privsep.h"

static int dir_fd;
static char dir[] = "/tmp/bw-privsep-XXXXXX";

enum { M_NONE, M_PING, M_FD, M_SEND, M_COUNT };
static const struct privsep_form forms[M_COUNT] = {
	[M_PING] = { "ping", 4, 8, false },
	[M_FD] = { "fd", 0, 0, true },
	[M_SEND] = { "text", 1, PRIVSEP_MAX_MESSAGE, false },
};

static const struct privsep_profile core = { .name = "core", .calls = BW_CALLS_FILES | BW_CALLS_EVENTS };
static const struct privsep_profile net = { .name = "net", .calls = BW_CALLS_NETWORK | BW_CALLS_EVENTS };

static int root_only(void **state)
{
	if (geteuid())
		skip();
	return 0;
}

/* Runs @run in a worker and returns how it ended. */
static const char *ended(const struct privsep_profile *p, int root, int (*run)(void *, const struct privsep_channels *), void *arg)
{
	static char why[200];
	struct privsep_worker w = PRIVSEP_WORKER_NONE;
	struct privsep_job job = { .profile = p, .root = root, .run = run, .arg = arg };
	struct timespec pause = { .tv_nsec = 5000000 };

	privsep_user(&job.uid, &job.gid);
	assert_int_equal(privsep_spawn(&job, &w), 0);
	for (int i = 0; i < 2000; i++) {
		if (privsep_reap(&w, false, w.started_ns, why, sizeof(why)))
			return why;
		nanosleep(&pause, NULL);
	}
	privsep_reap(&w, true, w.started_ns, why, sizeof(why));
	return "does not end";
}

/* ---- what a worker is */

static int tell_pid_and_wait(void *arg, const struct privsep_channels *ch)
{
	struct privsep_message m;

	privsep_send(ch->requests, M_PING, "here", 4, -1, true);
	return privsep_recv(ch->notes, forms, M_COUNT, &m, true) == -ENOTCONN ? 0 : -EIO;
}

static void status_line(pid_t pid, const char *key, char *dst, size_t size)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	dst[0] = 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			snprintf(dst, size, "%s", line + strlen(key) + 2);
	dst[strcspn(dst, "\n")] = 0;
	fclose(f);
}

#define assert_status(pid, key, want)                           \
	do {                                                    \
		char _got[200];                                 \
		status_line(pid, key, _got, sizeof(_got));      \
		assert_string_equal(_got, want);                \
	} while (0)

static void is_nobody(void **state)
{
	struct privsep_worker w = PRIVSEP_WORKER_NONE;
	struct privsep_job job = { .profile = &core, .root = dir_fd, .run = tell_pid_and_wait };
	int extra = open("/dev/null", O_RDONLY), kept = open("/dev/zero", O_RDONLY);
	char path[64], link[200], why[200], ids[100];
	struct privsep_message m;

	job.keep = &kept;
	job.n_keep = 1;
	privsep_user(&job.uid, &job.gid);
	assert_int_equal(privsep_spawn(&job, &w), 0);
	assert_int_equal(privsep_recv(w.ch.requests, forms, M_COUNT, &m, true), 0);
	snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", job.uid, job.uid, job.uid, job.uid);
	assert_status(w.pid, "Uid", ids);
	assert_status(w.pid, "Groups", " ");
	assert_status(w.pid, "Name", "bw-core");
	for (const char *const *s = (const char *const[]){ "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", NULL }; *s; s++)
		assert_status(w.pid, *s, "0000000000000000");
	assert_status(w.pid, "NoNewPrivs", "1");
	assert_status(w.pid, "Seccomp", "2");
	snprintf(path, sizeof(path), "/proc/%d/root", w.pid);
	link[readlink(path, link, sizeof(link) - 1)] = 0;
	assert_string_equal(link, dir);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", w.pid, kept);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", w.pid, extra);
	assert_int_equal(access(path, F_OK), -1);
	/* Not dumpable: its files in /proc belong to root. */
	struct stat st;
	snprintf(path, sizeof(path), "/proc/%d/status", w.pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	/* The parent's end closed: it ends by itself. */
	close(w.ch.notes);
	w.ch.notes = -1;
	for (int i = 0; i < 1000 && !privsep_reap(&w, false, w.started_ns, why, sizeof(why)); i++)
		usleep(5000);
	assert_int_equal(w.pid, 0);
	assert_string_equal(why, "ended");
	close(extra);
	close(kept);
}

/* ---- what hostile code in one cannot do: the call is named by arg */

struct attempt {
	const char *name;
	long (*call)(void);
};

static long try_bpf(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static long try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_exec(void)
{
	char *const none[] = { NULL };

	return execve("/bin/true", none, none);
}

static long try_fork(void)
{
	return fork();
}

static long try_ptrace(void)
{
	return syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, getppid(), 0, 0);
}

static long try_kill(void)
{
	return kill(getppid(), SIGKILL);
}

static long try_mount(void)
{
	return syscall(SYS_umount2, "/", 2);
}

static long try_perf(void)
{
	return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static long try_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long try_chroot(void)
{
	return chroot(".");
}

static long try_setuid(void)
{
	return syscall(SYS_setresuid, 0, 0, 0);
}

static int attempt_run(void *arg, const struct privsep_channels *ch)
{
	const struct attempt *a = arg;

	a->call();
	return 0; /* reached when nothing stopped it */
}

static const struct attempt attempts[] = {
	{ "bpf", try_bpf },	  { "socket", try_socket }, { "exec", try_exec }, { "fork", try_fork },	  { "ptrace", try_ptrace }, { "kill", try_kill },
	{ "mount", try_mount },	  { "perf", try_perf },	    { "uring", try_uring }, { "chroot", try_chroot }, { "setuid", try_setuid },
};

static void hostile_calls_end_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		const char *why = ended(&core, dir_fd, attempt_run, (void *)&attempts[i]);

		if (!strstr(why, "signal 31 "))
			fail_msg("%s: %s", attempts[i].name, why);
	}
}

/* ---- and the guard itself, once it is armed: no worker, so a plain child with its filter */

static const unsigned int parent_profile = BW_CALLS_MEMFD | BW_CALLS_FILES | BW_CALLS_EVENTS | BW_CALLS_NETWORK | BW_CALLS_THREADS | BW_CALLS_PARENT;

static long try_module(void)
{
	return syscall(SYS_init_module, "", 0UL, "");
}

static long try_new_mount(void)
{
	return syscall(SYS_mount, "none", "/", "tmpfs", 0UL, NULL);
}

static long try_unshare(void)
{
	return syscall(SYS_unshare, 0x00020000 /* CLONE_NEWNS */);
}

static long try_kexec(void)
{
	return syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0UL);
}

static long try_write_memory(void)
{
	return syscall(SYS_process_vm_writev, getppid(), NULL, 0UL, NULL, 0UL, 0UL);
}

static const struct attempt parent_attempts[] = {
	{ "exec", try_exec },	{ "ptrace", try_ptrace },   { "umount", try_mount },   { "mount", try_new_mount },     { "module", try_module },
	{ "uring", try_uring }, { "unshare", try_unshare }, { "kexec", try_kexec }, { "memory", try_write_memory },
};

/* Status of a child that has the filter and makes the call: exit 0 it succeeded, 1 EPERM, 2 another failure. */
static int as_parent(long (*call)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || bw_lock_calls(parent_profile, BW_OTHER_KILL) < 0)
			_exit(99);
		_exit(!call() ? 0 : errno == EPERM ? 1 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* What a worker is made of, and what keeps BPF going. */
static long try_what_it_needs(void)
{
	struct privsep_worker w = PRIVSEP_WORKER_NONE;
	struct privsep_job job = { .profile = &core, .root = dir_fd, .run = tell_pid_and_wait };
	struct privsep_message m;
	char why[200];

	if (try_bpf() < 0)
		return -1;
	privsep_user(&job.uid, &job.gid);
	if (privsep_spawn(&job, &w) < 0 || privsep_recv(w.ch.requests, forms, M_COUNT, &m, true) < 0)
		return -1;
	return privsep_reap(&w, true, w.started_ns, why, sizeof(why)) ? 0 : -1;
}

static long try_neither(void)
{
	return syscall(SYS_symlinkat, "/", AT_FDCWD, "/l");
}

static void the_guard_has_a_filter_too(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(parent_attempts); i++) {
		int status = as_parent(parent_attempts[i].call);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %x", parent_attempts[i].name, (unsigned int)status);
	}
	assert_int_equal(as_parent(try_neither), 1 << 8);
	assert_int_equal(as_parent(try_what_it_needs), 0);
}

static int no_files_run(void *arg, const struct privsep_channels *ch)
{
	int fd;

	if (open("/etc/passwd", O_RDONLY) >= 0 || open("/proc/self/status", O_RDONLY) >= 0 || open("../etc/passwd", O_RDONLY) >= 0)
		return -EIO;
	fd = open("/own", O_RDWR | O_CREAT, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) < 0 || rename("/own", "/renamed") < 0 || unlink("/renamed") < 0)
		return -EIO;
	/* Neither hostile nor allowed. */
	if (mkdir("/d", 0700) == 0 || errno != EPERM || symlink("/", "/l") == 0 || errno != EPERM)
		return -EIO;
	return 0;
}

static void has_its_directory_only(void **state)
{
	assert_string_equal(ended(&core, dir_fd, no_files_run, NULL), "ended");
}

static int network_run(void *arg, const struct privsep_channels *ch)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = *(uint16_t *)arg, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return open("/etc/passwd", O_RDONLY) < 0 ? 0 : -EIO; /* this profile has no files */
}

static void net_may_connect(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	assert_string_equal(ended(&net, -1, network_run, &at.sin_port), "ended");
}

/* ---- ends */

static int crash_run(void *arg, const struct privsep_channels *ch)
{
	raise(SIGSEGV); /* tgkill is not allowed: goes on to the trap */
	__builtin_trap();
}

static int error_run(void *arg, const struct privsep_channels *ch)
{
	return -EIO;
}

static void ends_are_told(void **state)
{
	_cleanup_close_ int null = open("/dev/null", O_RDONLY);

	assert_string_equal(ended(&core, dir_fd, crash_run, NULL), "was killed by signal 4 (Illegal instruction)");
	assert_string_equal(ended(&core, dir_fd, error_run, NULL), "ended with status 1");
	assert_string_equal(ended(&core, null, error_run, NULL), "could not be set up: changing its root directory");
}

static void backoff_grows_to_a_bound(void **state)
{
	struct privsep_worker w = PRIVSEP_WORKER_NONE;
	static const uint64_t want[] = { 0, 0, 500000000, 1000000000, 2000000000 };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		w.failures = (unsigned int)i;
		assert_int_equal(privsep_backoff_ns(&w), want[i]);
	}
	w.failures = 1000;
	assert_int_equal(privsep_backoff_ns(&w), PRIVSEP_MAX_BACKOFF_NS);
}

static int wait_run(void *arg, const struct privsep_channels *ch)
{
	struct pollfd p = { .fd = -1 };

	poll(&p, 1, 60000);
	return 0;
}

/* kill -9 of the parent: the worker is gone with it. */
static void dies_with_its_parent(void **state)
{
	int fds[2], status;
	pid_t parent, worker = 0;

	assert_int_equal(pipe(fds), 0);
	parent = fork();
	if (!parent) {
		struct privsep_worker w = PRIVSEP_WORKER_NONE;
		struct privsep_job job = { .profile = &core, .root = dir_fd, .run = wait_run };

		privsep_user(&job.uid, &job.gid);
		if (privsep_spawn(&job, &w) < 0 || write(fds[1], &w.pid, sizeof(w.pid)) != sizeof(w.pid))
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &worker, sizeof(worker)), sizeof(worker));
	usleep(200000);
	assert_int_equal(kill(worker, 0), 0);
	kill(parent, SIGKILL);
	waitpid(parent, &status, 0);
	/* Whoever is the new parent has to reap it: gone or a zombie. */
	for (int i = 0; i < 400; i++) {
		char state_line[100] = "";

		if (kill(worker, 0) < 0)
			break;
		status_line(worker, "State", state_line, sizeof(state_line));
		if (state_line[0] == 'Z')
			break;
		usleep(5000);
		assert_true(i < 399);
	}
	close(fds[0]);
	close(fds[1]);
}

/* ---- messages */

static void raw_send(int fd, uint32_t type, uint32_t len, const void *data, size_t n)
{
	char packet[64];

	memcpy(packet, &type, 4);
	memcpy(packet + 4, &len, 4);
	memcpy(packet + 8, data, n);
	assert_int_equal(send(fd, packet, 8 + n, 0), 8 + n);
}

static void messages_are_checked(void **state)
{
	static struct privsep_message m;
	int s[2], null = open("/dev/null", O_RDONLY);

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, false), -EAGAIN);
	assert_int_equal(privsep_send(s[0], M_PING, "12345", 5, -1, false), 0);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), 0);
	assert_int_equal(m.type, M_PING);
	assert_int_equal(m.len, 5);
	assert_memory_equal(m.data, "12345", 5);
	assert_int_equal(m.fd, -1);
	/* too short, too long, no such type, a length that lies, a descriptor too many, one too few, not even a head */
	raw_send(s[0], M_PING, 3, "123", 3);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), -EBADMSG);
	raw_send(s[0], M_PING, 9, "123456789", 9);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), -EBADMSG);
	raw_send(s[0], M_NONE, 4, "1234", 4);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), -EBADMSG);
	raw_send(s[0], 1u << 31, 4, "1234", 4);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), -EBADMSG);
	raw_send(s[0], M_PING, 8, "1234", 4);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), -EBADMSG);
	assert_int_equal(privsep_send(s[0], M_PING, "1234", 4, null, false), 0);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), -EBADMSG);
	assert_int_equal(m.fd, -1);
	raw_send(s[0], M_FD, 0, "", 0);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), -EBADMSG);
	assert_int_equal(send(s[0], "123", 3, 0), 3);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), -EBADMSG);
	assert_int_equal(privsep_send(s[0], M_FD, NULL, 0, null, false), 0);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), 0);
	assert_true(m.fd >= 0);
	close(m.fd);
	assert_int_equal(privsep_send(s[0], M_SEND, m.data, PRIVSEP_MAX_MESSAGE, -1, false), 0);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), 0);
	assert_int_equal(privsep_send(s[0], M_SEND, m.data, PRIVSEP_MAX_MESSAGE + 1, -1, false), -EMSGSIZE);
	close(s[0]);
	assert_int_equal(privsep_recv(s[1], forms, M_COUNT, &m, true), -ENOTCONN);
	close(s[1]);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_checked),
		cmocka_unit_test(backoff_grows_to_a_bound),
		cmocka_unit_test_setup(is_nobody, root_only),
		cmocka_unit_test_setup(hostile_calls_end_it, root_only),
		cmocka_unit_test_setup(the_guard_has_a_filter_too, root_only),
		cmocka_unit_test_setup(has_its_directory_only, root_only),
		cmocka_unit_test_setup(net_may_connect, root_only),
		cmocka_unit_test_setup(ends_are_told, root_only),
		cmocka_unit_test_setup(dies_with_its_parent, root_only),
	};
	uid_t uid;
	gid_t gid;
	int r;

	privsep_user(&uid, &gid);
	if (!mkdtemp(dir) || (!geteuid() && chown(dir, uid, gid) < 0))
		return 1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return r;
}
