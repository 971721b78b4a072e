// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <cmocka.h>

#include "common/sandbox.h"

static char reason[256];

static int run(const struct bw_sandbox *conf, int (*fn)(void *arg, struct bw_sandbox_out *out), void *arg,
	       struct bw_buf *out)
{
	static const struct bw_sandbox plain;

	bw_buf_reset(out);
	return bw_sandbox_run(conf ? conf : &plain, fn, arg, out, reason, sizeof(reason));
}

static int echo(void *arg, struct bw_sandbox_out *out)
{
	return bw_sandbox_write(out, arg, strlen(arg));
}

static int many(void *arg, struct bw_sandbox_out *out)
{
	static char block[1 << 20];

	for (int i = 0; i < *(int *)arg; i++)
		if (bw_sandbox_write(out, block, sizeof(block)))
			break;
	return 0;
}

static int fails(void *arg, struct bw_sandbox_out *out)
{
	return -ENOEXEC;
}

static void output_and_result_come_back(void **state)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	int blocks = 20;

	assert_int_equal(run(NULL, echo, (void *)"hello", &out), 0);
	assert_string_equal(bw_buf_cstr(&out), "hello");
	assert_string_equal(reason, "");
	assert_int_equal(run(NULL, many, &blocks, &out), 0);
	assert_int_equal(out.len, 20 << 20);
	assert_int_equal(run(NULL, fails, NULL, &out), -ENOEXEC);
	assert_string_equal(reason, "Exec format error");
}

static int crash(void *arg, struct bw_sandbox_out *out)
{
	*(volatile int *)arg = 1;
	return 0;
}

static int spin(void *arg, struct bw_sandbox_out *out)
{
	for (volatile int i = 0;; i++)
		;
	return 0;
}

static int closes_and_spins(void *arg, struct bw_sandbox_out *out)
{
	close(out->fd);
	return spin(arg, out);
}

static int hog(void *arg, struct bw_sandbox_out *out)
{
	size_t got = 0;

	while (got < (200u << 20)) {
		char *p = malloc(1 << 20);

		if (!p)
			break;
		memset(p, 1, 1 << 20);
		got += 1 << 20;
	}
	return bw_sandbox_write(out, &got, sizeof(got));
}

static void limits_hold(void **state)
{
	const struct bw_sandbox quick = { .wall_ms = 200 }, small = { .max_output = 4 << 20 },
				lean = { .memory = 64 << 20 };
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct timespec a, b;
	int blocks = 5;

	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(run(&quick, spin, NULL, &out), -ETIMEDOUT);
	assert_string_equal(reason, "took longer than 200 ms");
	assert_int_equal(run(&quick, closes_and_spins, NULL, &out), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(b.tv_sec - a.tv_sec < 3);
	assert_int_equal(run(&small, many, &blocks, &out), -EFBIG);
	assert_true(out.len <= 4 << 20);
#ifndef __SANITIZE_ADDRESS__
	assert_int_equal(run(NULL, crash, NULL, &out), -ECHILD);
	assert_non_null(strstr(reason, "crashed (signal 11"));
	assert_int_equal(run(&lean, hog, NULL, &out), 0);
	assert_int_equal(out.len, sizeof(size_t));
	size_t got;
	memcpy(&got, out.data, sizeof(got));
	assert_in_range(got, 32 << 20, 64 << 20);
#else
	(void)lean;
	(void)crash;
	(void)hog;
#endif
}

struct attempt {
	char name[24];
	int error;
};

/* Every way out that is tried must fail; the list of errors comes back. */
static int escape(void *arg, struct bw_sandbox_out *out)
{
	struct attempt a[12] = { 0 };
	int n = 0, fd;

#define TRY(what, expr)                                                                                                \
	do {                                                                                                           \
		snprintf(a[n].name, sizeof(a[n].name), "%s", what);                                                    \
		errno = 0;                                                                                             \
		a[n++].error = (long)(expr) == -1 ? errno : 0;                                                         \
	} while (0)
	TRY("open", open("/etc/passwd", O_RDONLY));
	TRY("socket", socket(AF_UNIX, SOCK_STREAM, 0));
	TRY("fork", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	TRY("execve", execl("/bin/true", "true", (char *)NULL));
	TRY("kill", kill(*(pid_t *)arg, SIGTERM));
	TRY("bpf", syscall(SYS_bpf, 0, NULL, 0));
	TRY("mmap exec", mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	TRY("memfd", syscall(SYS_memfd_create, "x", 0));
	TRY("unlink", unlink("/nonexistent"));
	TRY("setuid", syscall(SYS_setuid, 0));
	TRY("stat", syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", a, 0));
#undef TRY
	/* Nothing but the pipe and /dev/null is open. */
	for (fd = 4; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return -EMFILE;
	if (getenv("PATH"))
		return -EEXIST;
	return bw_sandbox_write(out, a, (size_t)n * sizeof(a[0]));
}

static void nothing_gets_out(void **state)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	pid_t self = getpid();
	int fd = open("/dev/null", O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(run(NULL, escape, &self, &out), 0);
	close(fd);
	assert_int_equal(out.len, 11 * sizeof(struct attempt));
	for (size_t i = 0; i < out.len / sizeof(struct attempt); i++) {
		const struct attempt *a = (const struct attempt *)(const void *)out.data + i;

		if (a->error != EPERM)
			fail_msg("%s: errno %d", a->name, a->error);
	}
}

static long answer(void *ctx, long nr, const unsigned long args[6])
{
	if (nr == SYS_uname) {
		struct utsname *u = (struct utsname *)args[0];

		memset(u, 0, sizeof(*u));
		snprintf(u->release, sizeof(u->release), "%s", (const char *)ctx);
		return 0;
	}
	if (nr == SYS_bpf)
		return (long)(args[0] + args[2]);
	if (nr == SYS_openat)
		return syscall(SYS_memfd_create, "file", 0);
	return -ENOSYS;
}

static int asks(void *arg, struct bw_sandbox_out *out)
{
	struct utsname u;
	int fd;

	if (uname(&u) < 0)
		return -errno;
	if (syscall(SYS_bpf, 40, &u, 2) != 42)
		return -EBADMSG;
	if (socket(AF_INET, SOCK_STREAM, 0) != -1 || errno != ENOSYS)
		return -EISCONN;
	fd = open("/any/thing", O_RDONLY);
	if (fd < 0 || ftruncate(fd, 100) < 0 || lseek(fd, 0, SEEK_END) != 100)
		return -ENOENT;
	return bw_sandbox_write(out, u.release, strlen(u.release));
}

static void system_calls_can_be_answered(void **state)
{
	const struct bw_sandbox conf = { .trap = answer, .trap_ctx = (void *)"6.66.0", .memfd = true };
	_cleanup_buf_ struct bw_buf out = { 0 };

	assert_int_equal(run(&conf, asks, NULL, &out), 0);
	assert_string_equal(bw_buf_cstr(&out), "6.66.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_result_come_back),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(nothing_gets_out),
		cmocka_unit_test(system_calls_can_be_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
