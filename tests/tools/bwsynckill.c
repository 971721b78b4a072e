// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-alone: -static
/*
 * bwsynckill N FILE CMD...: runs CMD and kills it and everything it has started, with SIGKILL, as soon as the N-th fsync() or fdatasync() of them
 * all has returned. Appends to FILE "PID COMM CALL PATH" of each of them, and "killed" behind the last. Ends as CMD does when that is earlier.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int log_fd = -1;

/* Stops at these two calls only: what else the processes do is not slowed down. */
static int filter_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fsync, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fdatasync, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

static void read_file(pid_t pid, const char *name, char *out, size_t len)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, len - 1);
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static void note(pid_t pid, const struct __ptrace_syscall_info *info)
{
	char link[64], target[4096], comm[64], line[4300];
	ssize_t n;
	int len;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, (int)info->seccomp.args[0]);
	n = readlink(link, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	read_file(pid, "comm", comm, sizeof(comm));
	len = snprintf(line, sizeof(line), "%d %s %s %s\n", (int)pid, comm, info->seccomp.nr == __NR_fsync ? "fsync" : "fdatasync", target);
	if (write(log_fd, line, (size_t)len) != len)
		exit(3);
}

int main(int argc, char **argv)
{
	unsigned long want = argc > 3 ? strtoul(argv[1], NULL, 10) : 0, seen = 0;
	int status, result = 3;
	pid_t child, last = 0;

	if (!want) {
		fputs("usage: bwsynckill N FILE CMD...\n", stderr);
		return 2;
	}
	log_fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	child = log_fd < 0 ? -1 : fork();
	if (child < 0) {
		perror(argv[2]);
		return 3;
	}
	if (!child) {
		raise(SIGSTOP);
		if (filter_calls() < 0)
			_exit(126);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	if (waitpid(child, &status, WUNTRACED) != child ||
	    ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD |
		   PTRACE_O_EXITKILL) < 0) {
		perror("bwsynckill: ptrace");
		kill(child, SIGKILL);
		return 3;
	}
	kill(child, SIGCONT);
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		int sig = 0, how = PTRACE_CONT;

		if (pid < 0)
			return result;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == child)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		if (status >> 16 == PTRACE_EVENT_SECCOMP) {
			struct __ptrace_syscall_info info = { 0 };

			if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0 && info.op == PTRACE_SYSCALL_INFO_SECCOMP)
				note(pid, &info);
			if (++seen == want) {
				last = pid;
				how = PTRACE_SYSCALL; /* stops again when it returns */
			}
		} else if (WSTOPSIG(status) == (SIGTRAP | 0x80) && pid == last) {
			if (write(log_fd, "killed\n", 7) != 7)
				return 3;
			return 137; /* PTRACE_O_EXITKILL: all of them, at once */
		} else if (status >> 16 == PTRACE_EVENT_STOP) {
			/* The beginning of a traced child, or a stop by a signal. */
			how = WSTOPSIG(status) == SIGTRAP ? PTRACE_CONT : PTRACE_LISTEN;
		} else if (!(status >> 16)) {
			sig = WSTOPSIG(status);
		}
		ptrace((enum __ptrace_request)how, pid, 0, (void *)(intptr_t)sig);
	}
}
