// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "guard/notify.h"

/* A service manager: a datagram socket with an abstract name. */
static int manager(char *name, size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(name, size, "@bw-test-notify-%d", getpid());
	memcpy(a.sun_path + 1, name + 1, strlen(name) - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
	return fd;
}

static void test_send(void **state)
{
	char name[64], got[64] = "";
	int fd = manager(name, sizeof(name));
	struct notify n;

	assert_int_equal(notify_open(name, NULL, NULL, &n), 0);
	assert_int_equal(n.watchdog_ns, 0);
	assert_int_equal(notify_send(&n, "READY=1\nSTATUS=watching"), 0);
	assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 23);
	assert_string_equal(got, "READY=1\nSTATUS=watching");
	notify_close(&n);
	close(fd);
	/* The manager is gone: said to the caller, and nothing else happens. */
	assert_int_equal(notify_open(name, NULL, NULL, &n), -ECONNREFUSED);
	assert_int_equal(n.fd, -1);
	assert_int_equal(notify_send(&n, "READY=1"), 0);
}

static void test_nobody(void **state)
{
	struct notify n;

	assert_int_equal(notify_open(NULL, "1000", NULL, &n), 0);
	assert_int_equal(n.fd, -1);
	assert_int_equal(n.watchdog_ns, 0);
	assert_int_equal(notify_open("", NULL, NULL, &n), 0);
	assert_int_equal(notify_open("relative/path", NULL, NULL, &n), -EINVAL);
	assert_false(notify_due(&n, 0, UINT64_MAX));
}

static void test_watchdog(void **state)
{
	char name[64], pid[32];
	int fd = manager(name, sizeof(name));
	struct notify n;

	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(notify_open(name, "2000000", pid, &n), 0);
	assert_int_equal(n.watchdog_ns, 2000000000);
	assert_false(notify_due(&n, 100, 100 + 999999999));
	assert_true(notify_due(&n, 100, 100 + 1000000000));
	notify_close(&n);
	/* For another process, not a number, overflowing. */
	assert_int_equal(notify_open(name, "2000000", "1", &n), 0);
	assert_int_equal(n.watchdog_ns, 0);
	notify_close(&n);
	assert_int_equal(notify_open(name, "soon", pid, &n), 0);
	assert_int_equal(n.watchdog_ns, 0);
	notify_close(&n);
	assert_int_equal(notify_open(name, "18446744073709551615", pid, &n), 0);
	assert_int_equal(n.watchdog_ns, 0);
	notify_close(&n);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
