// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-cflags: -static
// tool-pkgs: libbpf
/*
 * posture_probe [-u] WHAT...: tries what a setting of the host allows or forbids, and says what the kernel did: "ok"
 * (exit 0) or "errno N" (exit 1). With -u as user 65534 without capabilities. So that a check of `bpfwarden posture` is
 * compared with behaviour, not with the file it reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NOBODY 65534

static long prog_load(uint32_t type, const struct bpf_insn *insns, uint32_t n)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	return syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* r0 = constants, many of them: what constant blinding makes longer. */
static long load_filter(void)
{
	struct bpf_insn insns[34];

	for (int i = 0; i < 33; i++)
		insns[i] =
			(struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0x11223344 + i };
	insns[33] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	return prog_load(BPF_PROG_TYPE_SOCKET_FILTER, insns, 34);
}

static long try_bpf(char **argv)
{
	return load_filter();
}

/* The length of the machine code of the filter above, as the kernel tells it. */
static long try_jited(char **argv)
{
	struct bpf_prog_info info;
	union bpf_attr attr;
	long fd = load_filter();

	if (fd < 0)
		return fd;
	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	if (syscall(__NR_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) < 0)
		return -1;
	printf("%u\n", info.jited_prog_len);
	exit(0);
}

/* Is our program among the symbols while it is loaded? */
static long try_symbol(char **argv)
{
	long fd = load_filter();
	char line[512];
	FILE *f;

	if (fd < 0)
		return fd;
	f = fopen("/proc/kallsyms", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "\tbpf_prog_") || strstr(line, " bpf_prog_")) {
			if (strstr(line, "[bpf]"))
				return 0;
		}
	errno = ENOENT;
	return -1;
}

static long try_write_user(char **argv)
{
	/* bpf_probe_write_user(NULL, fp - 8, 1) */
	const struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 1 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_write_user },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, 8);
}

static long try_perf(char **argv)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK };

	return syscall(__NR_perf_event_open, &attr, 0, -1, -1, 0);
}

/* The kernel's log, which dmesg(1) reads. */
static long try_log(char **argv)
{
	char buf[256];

	return syscall(__NR_syslog, 3, buf, sizeof(buf));
}

static long try_address(char **argv)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (strtoull(line, NULL, 16))
			return 0;
	errno = EPERM;
	return -1;
}

static long try_userfaultfd(char **argv)
{
	return syscall(__NR_userfaultfd, 0);
}

static long try_io_uring(char **argv)
{
	struct io_uring_params p;

	memset(&p, 0, sizeof(p));
	return syscall(__NR_io_uring_setup, 4, &p);
}

static long try_userns(char **argv)
{
	return unshare(CLONE_NEWUSER);
}

/* Attaches to a process of the same user that is no child of ours: a child's other child. */
static long try_ptrace(char **argv)
{
	pid_t target = fork();
	int status;

	if (!target) {
		prctl(PR_SET_DUMPABLE, 1);
		pause();
	}
	usleep(100000);
	if (!fork()) {
		long r = ptrace(PTRACE_ATTACH, target, 0, 0);

		_exit(r < 0 ? errno : 0);
	}
	for (pid_t pid; (pid = wait(&status)) == target;)
		;
	kill(target, SIGKILL);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static long try_kexec(char **argv)
{
	return syscall(__NR_kexec_load, 0, 0, NULL, 0);
}

/*
 * No module at all. ENOEXEC: it was looked at; EPERM: none is accepted, or lockdown wants a signature; EKEYREJECTED:
 * module.sig_enforce does.
 */
static long try_module(char **argv)
{
	char none[256] = "not a module";

	return syscall(__NR_init_module, none, sizeof(none), "");
}

static long try_list(char **argv)
{
	int fd = open(argv[0], O_RDONLY | O_DIRECTORY);
	char buf[4096];

	return fd < 0 ? -1 : syscall(__NR_getdents64, fd, buf, sizeof(buf));
}

static long try_mkdir(char **argv)
{
	long r = mkdir(argv[0], 0700);

	if (!r)
		rmdir(argv[0]);
	return r;
}

static long try_read(char **argv)
{
	int fd = open(argv[0], O_RDONLY);
	char c[4096];

	return fd < 0 ? -1 : read(fd, c, sizeof(c));
}

/* setcap cap_bpf+ep FILE; struct vfs_cap_data of linux/capability.h. */
static long try_setcap(char **argv)
{
	struct vfs_cap_data d = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE };

	d.data[1].permitted = 1u << (CAP_BPF - 32);
	return setxattr(argv[0], "security.capability", &d, sizeof(d), 0);
}

/* Becomes another program (with -u: as an ordinary user). */
static long try_exec(char **argv)
{
	return execl(argv[0], argv[0], argv[1], NULL);
}

/* As user 65534 with CAP_BPF only, until killed. */
static long try_hold(char **argv)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	memset(d, 0, sizeof(d));
	prctl(PR_SET_KEEPCAPS, 1);
	if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		return -1;
	d[1].permitted = d[1].effective = 1u << (CAP_BPF - 32);
	if (syscall(SYS_capset, &h, d) < 0)
		return -1;
	pause();
	return 0;
}

static const struct {
	const char *name;
	long (*run)(char **argv);
	int operands;
} probes[] = {
	{ "bpf", try_bpf },	      { "jited", try_jited },
	{ "symbol", try_symbol },     { "write-user", try_write_user },
	{ "perf", try_perf },	      { "log", try_log },
	{ "address", try_address },   { "userfaultfd", try_userfaultfd },
	{ "io_uring", try_io_uring }, { "userns", try_userns },
	{ "ptrace", try_ptrace },     { "kexec", try_kexec },
	{ "module", try_module },     { "list", try_list, 1 },
	{ "mkdir", try_mkdir, 1 },    { "read", try_read, 1 },
	{ "setcap", try_setcap, 1 },  { "hold-cap-bpf", try_hold },
	{ "exec", try_exec, 2 },
};

int main(int argc, char **argv)
{
	int at = 1;

	if (argc > at && !strcmp(argv[at], "-u")) {
		at++;
		if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
			return 2;
		/* a change of user forbids dumps, and with that ptrace by the same user */
		prctl(PR_SET_DUMPABLE, 1);
	}
	for (size_t i = 0; argc > at && i < sizeof(probes) / sizeof(probes[0]); i++) {
		long r;

		if (strcmp(argv[at], probes[i].name) || argc - at - 1 != probes[i].operands)
			continue;
		r = probes[i].run(argv + at + 1);
		if (r < 0) {
			printf("errno %d\n", errno);
			return 1;
		}
		puts("ok");
		return 0;
	}
	fputs("usage: posture_probe [-u] WHAT [OPERAND]\n", stderr);
	return 2;
}
