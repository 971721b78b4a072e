// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PID 1 of a test VM, started by guest/init once the file systems are mounted: runs the tests of /bw/list one after the
 * other, each with a time limit and fresh /tmp, /run and /var, looks for what a test left behind and for kernel
 * complaints, and reports on the second serial port. It is C because PID 1 inherits every orphan and may kill
 * everything but itself, because a hung test must not hang its own time limit, and because one test more must not cost
 * a dozen shell forks under emulation.
 *
 * /bw/list: one test a line, "INDEX<TAB>TIMEOUT_S<TAB>NAME<TAB>PATH".
 *
 * The report, read by tests/vm/run. The first byte of a line tells what it is; a test cannot forge a frame, because its
 * output is always prefixed, and kernel messages go to the other port:
 *	"@NONCE ready UPTIME_MS"
 *	"@NONCE begin INDEX"
 *	" TEXT"				output of the test; control characters as \xHH
 *	"!TEXT"				remarks of the harness
 *	"~TEXT"				kernel messages logged while a failed test ran
 *	"@NONCE left INDEX TEXT"	the test left this behind; cleaned
 *	"@NONCE oops INDEX TEXT"	the kernel complained (WARN, BUG, oops)
 *	"@NONCE end INDEX STATUS MS REASON"	STATUS: pass, fail or skip
 *	"@NONCE dirty INDEX TEXT"	could not be cleaned: the tests that remain need a fresh boot
 *	"@NONCE bye"
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/bpf.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PORT_PATH	"/dev/ttyS1"
#define LIST_PATH	"/bw/list"

enum {
	TEST_LINE_MAX	= 512,		/* longest output line kept in one piece */
	OUTPUT_MAX	= 4 << 20,	/* bytes of output per test that are forwarded */
	KMSG_KEEP_MAX	= 256 << 10,	/* bytes of kernel messages kept per test */
	BASELINE_MAX	= 64,		/* interfaces and mounts present before the first test */
	EXIT_SKIP	= 77,
	GRACE_MS	= 300,		/* for children that are about to exit by themselves */
	SETTLE_MS	= 5000,		/* for the kernel to let go of what was killed or unpinned */
	PF_KTHREAD	= 0x200000,	/* linux/sched.h, field 9 of /proc/PID/stat */
};

struct test {
	int index;
	long timeout_s;
	char name[128];
	char path[256];
};

struct baseline {
	char net[BASELINE_MAX][32];
	size_t n_net;
	char mount[BASELINE_MAX][256];
	size_t n_mount;
	__u32 prog_id;
};

static int port = -1;
static int kmsg = -1;
static const char *nonce = "-";
static struct baseline base;

static char kmsg_text[KMSG_KEEP_MAX];
static size_t kmsg_len;
static char kmsg_oops[256];

static char last_line[TEST_LINE_MAX + 1];
static char dirty[512];
static const struct test *current;

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000L;
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

static void port_write(const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(port, buf, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
}

/* One line with its prefix in one write; what could upset a terminal or forge a line is escaped. */
static void port_line(char prefix, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char buf[4 * TEST_LINE_MAX + 2];
	size_t n = 0;

	buf[n++] = prefix;
	for (size_t i = 0; i < len && i < TEST_LINE_MAX; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			buf[n++] = '\\';
			buf[n++] = 'x';
			buf[n++] = hex[c >> 4];
			buf[n++] = hex[c & 15];
		} else {
			buf[n++] = (char)c;
		}
	}
	buf[n++] = '\n';
	port_write(buf, n);
}

__attribute__((format(printf, 2, 3))) static void port_printf(char prefix, const char *fmt, ...)
{
	char buf[TEST_LINE_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n > 0)
		port_line(prefix, buf, (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

static void report_left(const char *what, const char *name)
{
	port_printf('@', "%s left %d %s %s", nonce, current->index, what, name);
}

static void set_dirty(const char *what, const char *name)
{
	if (!dirty[0])
		snprintf(dirty, sizeof(dirty), "%s %s", what, name);
}

/* Kernel messages. */

static void kmsg_note(const char *text)
{
	static bool cut;

	/* WARN() and BUG() print the cut line first; what went wrong is in the next one. */
	if (strstr(text, "[ cut here ]")) {
		cut = true;
		return;
	}
	/* die() numbers every oops; lockups, bad pages and the like say "BUG:"; all end with a trace. */
	if (!cut && strncmp(text, "BUG: ", 5) && !strstr(text, " [#") && strncmp(text, "---[ end trace", 14))
		return;
	cut = false;
	if (!kmsg_oops[0])
		snprintf(kmsg_oops, sizeof(kmsg_oops), "%s", text);
}

/* A record of /dev/kmsg: "prefix,...;text\n KEY=value\n" (Documentation/ABI/testing/dev-kmsg). */
static void kmsg_drain(bool keep)
{
	char buf[8192];

	for (;;) {
		ssize_t n = read(kmsg, buf, sizeof(buf) - 1);
		char *text, *end;
		size_t len;

		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return;
		buf[n] = '\0';
		text = strchr(buf, ';');
		if (!keep || !text)
			continue;
		text++;
		end = strchr(text, '\n');
		len = end ? (size_t)(end - text) : strlen(text);
		text[len] = '\0';
		/* The prefix starts with the facility times 8; only the kernel writes as facility 0. */
		if (strtoul(buf, NULL, 10) < 8)
			kmsg_note(text);
		if (len < KMSG_KEEP_MAX - kmsg_len) {
			memcpy(kmsg_text + kmsg_len, text, len);
			kmsg_len += len;
			kmsg_text[kmsg_len++] = '\n';
		}
	}
}

static void kmsg_print(void)
{
	for (size_t off = 0; off < kmsg_len;) {
		char *end = memchr(kmsg_text + off, '\n', kmsg_len - off);
		size_t len = end ? (size_t)(end - kmsg_text) - off : kmsg_len - off;

		port_line('~', kmsg_text + off, len);
		off += len + 1;
	}
}

/* Processes. */

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void dump_file(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, buf, sizeof(buf));
	close(fd);
	for (ssize_t off = 0; off < n;) {
		char *end = memchr(buf + off, '\n', (size_t)(n - off));
		size_t len = end ? (size_t)(end - buf - off) : (size_t)(n - off);

		port_line('!', buf + off, len);
		off += (ssize_t)len + 1;
	}
}

/*
 * Counts living processes other than PID 1 and kernel threads. Reports them as left behind, or shows where they hang.
 * The format of /proc/PID/stat is in proc(5); comm may contain anything, so fields are counted from the last ')'.
 */
static int processes(bool left, bool stacks)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		char path[400], buf[1024], comm[64], *open_paren, *close_paren, state;
		unsigned int flags;
		ssize_t n;
		int fd;

		if (!isdigit((unsigned char)entry->d_name[0]) || !strcmp(entry->d_name, "1"))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, buf, sizeof(buf) - 1);
		close(fd);
		if (n <= 0)
			continue;
		buf[n] = '\0';
		open_paren = strchr(buf, '(');
		close_paren = strrchr(buf, ')');
		if (!open_paren || !close_paren || close_paren < open_paren ||
		    sscanf(close_paren + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
			continue;
		if (state == 'Z' || state == 'X' || (flags & PF_KTHREAD))
			continue;
		count++;
		snprintf(comm, sizeof(comm), "%.*s", (int)(close_paren - open_paren + 1), open_paren);
		if (left) {
			snprintf(path, sizeof(path), "%s %s", entry->d_name, comm);
			report_left("process", path);
		}
		if (stacks) {
			port_printf('!', "process %s %s state %c, kernel stack:", entry->d_name, comm, state);
			snprintf(path, sizeof(path), "/proc/%s/stack", entry->d_name);
			dump_file(path);
		}
	}
	closedir(dir);
	return count;
}

static void kill_all(void)
{
	long deadline = now_ms() + SETTLE_MS;

	while (processes(false, false) > 0) {
		if (now_ms() > deadline) {
			processes(false, true);
			set_dirty("process", "that SIGKILL does not end");
			return;
		}
		kill(-1, SIGKILL);
		sleep_ms(20);
		reap();
	}
}

/* What a test may leave in the kernel. */

static int remove_pin(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	if (ftw->level == 0)
		return 0;
	if (type != FTW_DP)
		report_left("pin", path);
	if (remove(path))
		set_dirty("pin", path);
	return 0;
}

static int remove_cgroup(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	if (ftw->level == 0 || type != FTW_DP)
		return 0;
	report_left("cgroup", path);
	if (rmdir(path))
		set_dirty("cgroup", path);
	return 0;
}

static void clean_probes(const char *path)
{
	char line[200] = "";
	FILE *file = fopen(path, "r");

	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		report_left("probe", line);
	}
	fclose(file);
	if (line[0]) {
		int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

		if (fd < 0)
			set_dirty("probe", line);
		else
			close(fd);
	}
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_quiet(const char *const argv[])
{
	pid_t pid = fork();

	if (pid == 0) {
		unblock_signals();
		int fd = open("/dev/null", O_RDWR);

		if (fd >= 0) {
			dup2(fd, 0);
			dup2(fd, 1);
			dup2(fd, 2);
		}
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void interfaces(bool record)
{
	DIR *dir = opendir("/sys/class/net");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		char path[300];
		size_t i;

		if (name[0] == '.')
			continue;
		if (record) {
			if (base.n_net < BASELINE_MAX)
				snprintf(base.net[base.n_net++], sizeof(base.net[0]), "%.31s", name);
			continue;
		}
		for (i = 0; i < base.n_net && strcmp(base.net[i], name); i++)
			;
		snprintf(path, sizeof(path), "/sys/class/net/%s", name);
		if (i < base.n_net || access(path, F_OK))
			continue;
		report_left("interface", name);
		run_quiet((const char *const[]){ "/bin/busybox", "ip", "link", "del", name, NULL });
		if (!access(path, F_OK))
			set_dirty("interface", name);
	}
	if (dir)
		closedir(dir);
}

static void mounts(bool record)
{
	char line[1024], seen[BASELINE_MAX][256];
	FILE *file = fopen("/proc/self/mounts", "re");
	size_t n_seen = 0, i;

	while (file && fgets(line, sizeof(line), file)) {
		char point[256];

		if (sscanf(line, "%*s %255s", point) != 1)
			continue;
		if (record && base.n_mount < BASELINE_MAX) {
			snprintf(base.mount[base.n_mount++], sizeof(base.mount[0]), "%s", point);
			continue;
		}
		for (i = 0; i < base.n_mount && strcmp(base.mount[i], point); i++)
			;
		if (i == base.n_mount && n_seen < BASELINE_MAX)
			snprintf(seen[n_seen++], sizeof(seen[0]), "%s", point);
	}
	if (file)
		fclose(file);
	while (n_seen-- > 0) {
		report_left("mount", seen[n_seen]);
		if (umount2(seen[n_seen], MNT_DETACH))
			set_dirty("mount", seen[n_seen]);
	}
}

static long bpf_call(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* 1 and the next program's id, 0 at the end, -errno (a test may leave something that refuses bpf() to everybody). */
static int program_next(__u32 id, __u32 *ret_id)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.start_id = id;
	if (bpf_call(BPF_PROG_GET_NEXT_ID, &attr))
		return errno == ENOENT ? 0 : -errno;
	*ret_id = attr.next_id;
	return 1;
}

static void program_name(__u32 id, char name[BPF_OBJ_NAME_LEN + 1])
{
	struct bpf_prog_info info;
	union bpf_attr attr;
	int fd;

	name[0] = '\0';
	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	fd = (int)bpf_call(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return;
	memset(&attr, 0, sizeof(attr));
	memset(&info, 0, sizeof(info));
	attr.info.bpf_fd = (__u32)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (__u64)(unsigned long)&info;
	if (!bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr))
		snprintf(name, BPF_OBJ_NAME_LEN + 1, "%s", info.name);
	close(fd);
}

/* Programs still loaded when every process is dead and every pin is gone hang on an interface, a cgroup or the like. */
static void programs(void)
{
	long deadline = now_ms() + SETTLE_MS;
	__u32 id = 0;
	int r;

	for (;;) {
		id = 0;
		r = program_next(base.prog_id, &id);
		if (r == 0)
			return;
		if (now_ms() > deadline)
			break;
		sleep_ms(20);
	}
	if (r < 0) {
		report_left("refusal", "of bpf() itself");
		set_dirty("refusal", "of bpf() itself");
	}
	for (; r > 0; r = program_next(id, &id)) {
		char name[BPF_OBJ_NAME_LEN + 1], what[64];

		program_name(id, name);
		snprintf(what, sizeof(what), "%u \"%s\"", id, name);
		report_left("program", what);
		set_dirty("program", what);
	}
}

static void fresh_mount(const char *point)
{
	if (mount("tmpfs", point, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"))
		set_dirty("mount of a fresh", point);
}

static void drop_mount(const char *point)
{
	if (umount2(point, MNT_DETACH))
		set_dirty("mount", point);
}

static void cleanup(void)
{
	long deadline = now_ms() + GRACE_MS;

	/* What the test itself has killed or asked to stop is given a moment. */
	for (;;) {
		reap();
		if (processes(false, false) <= 0)
			break;
		if (now_ms() > deadline) {
			processes(true, false);
			break;
		}
		sleep_ms(10);
	}
	kill_all();
	if (chdir("/"))
		set_dirty("directory", "/");
	nftw("/sys/fs/bpf", remove_pin, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	clean_probes("/sys/kernel/tracing/kprobe_events");
	clean_probes("/sys/kernel/tracing/uprobe_events");
	nftw("/sys/fs/cgroup", remove_cgroup, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	interfaces(false);
	drop_mount("/tmp");
	drop_mount("/run");
	drop_mount("/var");
	mounts(false);
	programs();
}

/* One test. */

static pid_t start(const struct test *test, int out)
{
	pid_t pid = fork();
	char dir[64], magic[4] = "";
	int fd;

	if (pid != 0)
		return pid;

	unblock_signals();
	setsid();
	fd = open("/dev/null", O_RDONLY);
	dup2(fd, 0);
	dup2(out, 1);
	dup2(out, 2);
	snprintf(dir, sizeof(dir), "/tmp/test.%d", test->index);
	if (mkdir(dir, 0755) || chdir(dir))
		_exit(126);
	setenv("BW_TEST", test->name, 1);
	fd = open(test->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, magic, sizeof(magic)) < 2) {
		dprintf(2, "%s: cannot be read\n", test->path);
		_exit(126);
	}
	/* Every script is run by busybox: there is no other shell to rely on. */
	if (memcmp(magic, "\177ELF", 4))
		execl("/bin/busybox", "sh", test->path, (char *)NULL);
	else
		execl(test->path, test->path, (char *)NULL);
	dprintf(2, "%s: %s\n", test->path, strerror(errno));
	_exit(126);
}

struct output {
	char line[TEST_LINE_MAX];
	size_t len;
	size_t total;
};

static void output_flush(struct output *out)
{
	port_line(' ', out->line, out->len);
	if (out->len > 0) {
		memcpy(last_line, out->line, out->len);
		last_line[out->len] = '\0';
	}
	out->len = 0;
}

/* Forwards what is there. Returns false at the end of the output. */
static bool output_pump(struct output *out, int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	for (ssize_t i = 0; i < n; i++) {
		if (out->total > OUTPUT_MAX)
			return true;
		if (++out->total > OUTPUT_MAX) {
			port_printf('!', "output cut at %d bytes", OUTPUT_MAX);
			return true;
		}
		if (buf[i] == '\n' || out->len == sizeof(out->line))
			output_flush(out);
		if (buf[i] != '\n')
			out->line[out->len++] = buf[i];
	}
	return true;
}

static void on_child(int sig)
{
	(void)sig;
}

static void run_test(const struct test *test)
{
	struct output out = { .len = 0 };
	const char *verdict = "fail", *colon;
	char reason[TEST_LINE_MAX + 64] = "";
	bool open_pipe = true, timed_out = false;
	long begin, deadline, took;
	int fds[2], status = 0;
	pid_t pid, done = 0;

	current = test;
	last_line[0] = '\0';
	kmsg_len = 0;
	kmsg_oops[0] = '\0';
	kmsg_drain(false);
	fresh_mount("/tmp");
	fresh_mount("/run");
	fresh_mount("/var");
	mkdir("/var/tmp", 01777);
	mkdir("/var/lib", 0755);
	mkdir("/var/log", 0755);
	chmod("/tmp", 01777);
	port_printf('@', "%s begin %d", nonce, test->index);

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
		port_printf('@', "%s end %d fail 0 no pipe: %s", nonce, test->index, strerror(errno));
		return;
	}
	begin = now_ms();
	deadline = begin + test->timeout_s * 1000;
	/* The write end must block in the test. */
	fcntl(fds[1], F_SETFL, 0);
	pid = start(test, fds[1]);
	close(fds[1]);

	while (pid > 0 && !done) {
		struct pollfd pfd = { .fd = open_pipe ? fds[0] : -1, .events = POLLIN };
		struct timespec wait = { 0, 50000000L };
		sigset_t none;

		/* SIGCHLD is blocked except here, so that the end of the test is seen at once. */
		sigemptyset(&none);
		if (ppoll(&pfd, 1, &wait, &none) > 0)
			open_pipe = output_pump(&out, fds[0]);
		for (pid_t p; (p = waitpid(-1, &status, WNOHANG)) > 0;) {
			if (p == pid) {
				done = p;
				break;
			}
		}
		if (!done && now_ms() >= deadline) {
			timed_out = true;
			break;
		}
	}
	took = now_ms() - begin;
	if (timed_out) {
		processes(false, true);
		kill(-1, SIGKILL);
	}
	/* The pipe may be held open by what the test started: take what is in it, no more. */
	for (int i = 0; open_pipe && i < 4096; i++) {
		struct pollfd pfd = { .fd = fds[0], .events = POLLIN };

		if (poll(&pfd, 1, 0) <= 0)
			break;
		open_pipe = output_pump(&out, fds[0]);
	}
	if (out.len > 0)
		output_flush(&out);
	close(fds[0]);

	colon = last_line[0] ? ": " : "";
	if (pid < 0)
		snprintf(reason, sizeof(reason), "cannot fork");
	else if (timed_out)
		snprintf(reason, sizeof(reason), "timed out after %ld s%s%s", test->timeout_s, colon, last_line);
	else if (WIFSIGNALED(status))
		snprintf(reason, sizeof(reason), "signal %d%s%s", WTERMSIG(status), colon, last_line);
	else if (WEXITSTATUS(status) == 0)
		verdict = "pass";
	else if (WEXITSTATUS(status) == EXIT_SKIP)
		verdict = "skip";
	else
		snprintf(reason, sizeof(reason), "exit %d%s%s", WEXITSTATUS(status), colon, last_line);
	if (!strcmp(verdict, "skip"))
		snprintf(reason, sizeof(reason), "%s", last_line[0] ? last_line : "no reason given");

	cleanup();
	kmsg_drain(true);
	if (kmsg_oops[0]) {
		port_printf('@', "%s oops %d %s", nonce, test->index, kmsg_oops);
		set_dirty("kernel", "that has complained");
	}
	if (!strcmp(verdict, "fail") || kmsg_oops[0])
		kmsg_print();
	port_printf('@', "%s end %d %s %ld %s", nonce, test->index, verdict, took, reason);
}

static int port_open(void)
{
	struct termios tio;

	port = open(PORT_PATH, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port < 0)
		return -errno;
	if (tcgetattr(port, &tio))
		return -errno;
	cfmakeraw(&tio);
	cfsetspeed(&tio, B115200);
	tio.c_cflag |= CLOCAL;
	return tcsetattr(port, TCSANOW, &tio) ? -errno : 0;
}

/* Parses one line of the list; false if it is not one. */
static bool test_parse(char *line, struct test *ret_test)
{
	struct test test;

	if (sscanf(line, "%d\t%ld\t%127[^\t]\t%255[^\n]", &test.index, &test.timeout_s, test.name, test.path) != 4)
		return false;
	*ret_test = test;
	return true;
}

int main(int argc, char **argv)
{
	struct sigaction on_chld = { .sa_handler = on_child };
	char line[1024];
	sigset_t chld;
	FILE *list;
	int r;

	if (getpid() != 1) {
		fprintf(stderr, "runner: this is PID 1 of a test VM, not a command\n");
		return 2;
	}
	if (argc > 1)
		nonce = argv[1];
	sigaction(SIGCHLD, &on_chld, NULL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	setsid();

	r = port_open();
	if (r < 0)
		fprintf(stderr, "runner: %s: %s\n", PORT_PATH, strerror(-r));
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	list = fopen(LIST_PATH, "re");
	interfaces(true);
	mounts(true);
	for (__u32 id = 0; program_next(id, &id) > 0;)
		base.prog_id = id;
	port_printf('@', "%s ready %ld", nonce, now_ms());
	if (!list)
		port_printf('!', "%s: %s", LIST_PATH, strerror(errno));

	while (list && !dirty[0] && fgets(line, sizeof(line), list)) {
		struct test test;

		if (!test_parse(line, &test)) {
			port_printf('!', "%s: bad line", LIST_PATH);
			continue;
		}
		run_test(&test);
		if (dirty[0])
			port_printf('@', "%s dirty %d %s", nonce, test.index, dirty);
	}
	port_printf('@', "%s bye", nonce);
	tcdrain(port);
	reboot(RB_POWER_OFF);
	return 1;
}
