// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "common/sandbox.h"
#include "common/sandbox_lock.h"

/* The child's exit status: 0, the errno of the function, or from here on the step of the set-up that failed. */
#define EXIT_SETUP 200

enum setup_step { SETUP_DESCRIPTORS, SETUP_LIMITS, SETUP_PRIVILEGES, SETUP_PARENT, SETUP_HANDLER, SETUP_SECCOMP };

static const char *const setup_names[] = {
	[SETUP_DESCRIPTORS] = "closing descriptors", [SETUP_LIMITS] = "resource limits",
	[SETUP_PRIVILEGES] = "dropping privileges",  [SETUP_PARENT] = "the parent is gone",
	[SETUP_HANDLER] = "signal handler",	     [SETUP_SECCOMP] = "system call filter (seccomp)",
};

#define OUT_FD 3

/* ---- in the child ------------------------------------------------------------------------------------------------ */

static bw_sandbox_trap_fn trap_fn;
static void *trap_ctx;

/* A call outside the allowlist: seccomp(2), SECCOMP_RET_TRAP. The result goes where the system call's would. */
static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	int saved = errno;

#if defined(__x86_64__)
	greg_t *r = uc->uc_mcontext.gregs;
	const unsigned long args[6] = {
		(unsigned long)r[REG_RDI], (unsigned long)r[REG_RSI], (unsigned long)r[REG_RDX],
		(unsigned long)r[REG_R10], (unsigned long)r[REG_R8],  (unsigned long)r[REG_R9]
	};

	r[REG_RAX] = trap_fn(trap_ctx, info->si_syscall, args);
#elif defined(__aarch64__)
	unsigned long args[6];

	for (int i = 0; i < 6; i++)
		args[i] = uc->uc_mcontext.regs[i];
	uc->uc_mcontext.regs[0] = (unsigned long)trap_fn(trap_ctx, info->si_syscall, args);
#else
#error "where this architecture keeps the arguments and the result of a system call has to be said here"
#endif
	errno = saved;
}

/* Bytes of address space in use: the first number of /proc/self/statm, in pages. */
static unsigned long long mapped_now(void)
{
	_cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[64] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 256ull << 20;
	return strtoull(text, NULL, 10) * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static int limit_resources(const struct bw_sandbox *conf, unsigned int wall_ms)
{
	unsigned long long memory = conf->memory ? conf->memory : BW_SANDBOX_DEFAULT_MEMORY;
	int r;

	if (!BW_SANITIZED) {
		r = bw_lock_limit(RLIMIT_AS, mapped_now() + memory);
		if (r < 0)
			return r;
	}
	r = bw_lock_limit(RLIMIT_CPU, wall_ms / 1000 + 2);
	if (r >= 0)
		r = bw_lock_limit(RLIMIT_FSIZE, memory);
	if (r >= 0)
		r = bw_lock_limit(RLIMIT_NPROC, 0);
	if (r >= 0)
		r = bw_lock_limit(RLIMIT_CORE, 0);
	return r;
}

static int take_descriptors(int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (out != OUT_FD && dup2(out, OUT_FD) < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++) {
		if (BW_SANITIZED && fd == 2)
			continue;
		/* Without /dev/null they stay closed: nothing may be written there anyway. */
		if (null < 0)
			close(fd);
		else if (dup2(null, fd) < 0)
			return -errno;
	}
	return bw_lock_descriptors((int[]){ OUT_FD }, 1);
}

__attribute__((noreturn)) static void child(const struct bw_sandbox *conf, unsigned int wall_ms, int pipe_fd,
					    pid_t parent, int (*fn)(void *arg, struct bw_sandbox_out *out), void *arg)
{
	struct sigaction act = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct bw_sandbox_out out = { .fd = OUT_FD };
	sigset_t none;
	int r;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	clearenv();

	if (take_descriptors(pipe_fd) < 0)
		_exit(EXIT_SETUP + SETUP_DESCRIPTORS);
	if (limit_resources(conf, wall_ms) < 0)
		_exit(EXIT_SETUP + SETUP_LIMITS);
	if (bw_lock_privileges(BW_NOBODY, BW_NOBODY, false) < 0)
		_exit(EXIT_SETUP + SETUP_PRIVILEGES);
	/* After the change of user, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(EXIT_SETUP + SETUP_PARENT);
	trap_fn = conf->trap;
	trap_ctx = conf->trap_ctx;
	if (conf->trap && sigaction(SIGSYS, &act, NULL) < 0)
		_exit(EXIT_SETUP + SETUP_HANDLER);
	if (bw_lock_calls(conf->memfd ? BW_CALLS_MEMFD : 0, conf->trap ? BW_OTHER_TRAP : BW_OTHER_EPERM) < 0)
		_exit(EXIT_SETUP + SETUP_SECCOMP);

	r = fn(arg, &out);
	if (!r)
		r = out.error;
	_exit(r < 0 && -r < EXIT_SETUP ? -r : r ? EIO : 0);
}

int bw_sandbox_write(struct bw_sandbox_out *out, const void *data, size_t len)
{
	const char *p = data;

	while (len && !out->error) {
		ssize_t n = write(out->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			out->error = n < 0 ? -errno : -EIO;
			break;
		}
		p += n;
		len -= (size_t)n;
	}
	return out->error;
}

/* ---- in the parent ----------------------------------------------------------------------------------------------- */

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int bw_sandbox_left_ms(const struct bw_sandbox_process *p)
{
	long long left = p->deadline - now_ms();

	return left > 0 ? (int)left : 0;
}

int bw_sandbox_read(struct bw_sandbox_process *p, struct bw_buf *out)
{
	for (;;) {
		struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
		int left = bw_sandbox_left_ms(p);
		char piece[65536];
		ssize_t n;

		if (!left)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, left) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!pfd.revents)
			return -ETIMEDOUT;
		n = read(p->fd, piece, sizeof(piece));
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!n)
			return 0;
		if ((unsigned long long)n > p->max - p->got)
			return -EFBIG;
		p->got += (unsigned long long)n;
		bw_buf_append(out, piece, (size_t)n);
		return bw_buf_error(out) ? bw_buf_error(out) : 1;
	}
}

/* The child has closed its pipe, so it is ending; unless it lingers on purpose. */
static int reap(pid_t pid, long long deadline, int *ret_status)
{
	for (;;) {
		pid_t got = waitpid(pid, ret_status, WNOHANG);
		struct timespec pause = { .tv_nsec = 200000 };

		if (got == pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (now_ms() >= deadline)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

static int judge(int status, char *reason, size_t reason_len)
{
	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);

		snprintf(reason, reason_len, "the sandboxed process %s (signal %d, %s)",
			 sig == SIGXCPU || sig == SIGXFSZ || sig == SIGKILL ? "broke a limit" : "crashed", sig,
			 strsignal(sig));
		return -ECHILD;
	}
	status = WEXITSTATUS(status);
	if (status >= EXIT_SETUP) {
		size_t step = (size_t)status - EXIT_SETUP;

		snprintf(reason, reason_len, "the sandbox could not be set up: %s",
			 step < ARRAY_SIZE(setup_names) ? setup_names[step] : "unknown step");
		return -EPERM;
	}
	if (status)
		snprintf(reason, reason_len, "%s", strerror(status));
	return -status;
}

int bw_sandbox_start(const struct bw_sandbox *conf, int (*fn)(void *arg, struct bw_sandbox_out *out), void *arg,
		     struct bw_sandbox_process *ret, char *ret_reason, size_t reason_len)
{
	unsigned int wall_ms = conf->wall_ms ? conf->wall_ms : BW_SANDBOX_DEFAULT_MS;
	pid_t self = getpid(), pid;
	int fds[2], r;

	if (reason_len)
		ret_reason[0] = 0;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		r = -errno;
		snprintf(ret_reason, reason_len, "pipe: %s", strerror(-r));
		return r;
	}
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(fds[0]);
		close(fds[1]);
		snprintf(ret_reason, reason_len, "fork: %s", strerror(-r));
		return r;
	}
	if (!pid)
		child(conf, wall_ms, fds[1], self, fn, arg);
	close(fds[1]);
	*ret = (struct bw_sandbox_process){
		.pid = pid,
		.fd = fds[0],
		.wall_ms = wall_ms,
		.deadline = now_ms() + wall_ms,
		.max = conf->max_output ? conf->max_output : BW_SANDBOX_DEFAULT_OUTPUT,
	};
	return 0;
}

int bw_sandbox_end(struct bw_sandbox_process *p, int result, char *ret_reason, size_t reason_len)
{
	int r = result, status = 0, w;

	if (r < 0)
		kill(p->pid, SIGKILL);
	w = reap(p->pid, r < 0 ? now_ms() + 10000 : p->deadline, &status);
	if (w == -ETIMEDOUT) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &status, 0);
	}
	close(p->fd);
	if (!r)
		r = w;
	if (r == -ETIMEDOUT)
		snprintf(ret_reason, reason_len, "took longer than %u ms", p->wall_ms);
	else if (r == -EFBIG)
		snprintf(ret_reason, reason_len, "more than %llu bytes of results", p->max);
	else if (r < 0)
		snprintf(ret_reason, reason_len, "%s", strerror(-r));
	else
		r = judge(status, ret_reason, reason_len);
	return r;
}

int bw_sandbox_run(const struct bw_sandbox *conf, int (*fn)(void *arg, struct bw_sandbox_out *out), void *arg,
		   struct bw_buf *ret_out, char *ret_reason, size_t reason_len)
{
	struct bw_sandbox_process p;
	int r = bw_sandbox_start(conf, fn, arg, &p, ret_reason, reason_len);

	if (r < 0)
		return r;
	do
		r = bw_sandbox_read(&p, ret_out);
	while (r > 0);
	return bw_sandbox_end(&p, r, ret_reason, reason_len);
}
