// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-cflags: -static
// tool-pkgs: libbpf
/*
 * Tries one thing against a guard. Says what came of it: "done", or the error's text; exit 0 and 1.
 *	bwtamper ids prog|map|link			the ids there are, one a line
 *	bwtamper fd prog|map|link ID			a descriptor by id
 *	bwtamper get PATH				a descriptor of a pin
 *	bwtamper read PATH				the same for reading only
 *	bwtamper pin PATH				put a map of one's own there
 *	bwtamper detach|update PIN			a link's, by its pin
 *	bwtamper claim PIN				become the guard
 *	bwtamper mem|maps|ptrace|vmread|steal PID	/proc/PID/mem for writing, PTRACE_SEIZE, process_vm_readv(), pidfd_getfd()
 *	bwtamper prlimit PID
 *	bwtamper move FROM TO				move_mount()
 *	bwtamper write PATH				open it for writing
 *	bwtamper module PATH|- 				finit_module() of it; -: init_module()
 *	bwtamper kexec PATH|-				kexec_file_load() of it; -: kexec_load() of nothing
 *	bwtamper clock -				set the clock to what it says
 *	bwtamper load TYPE NAME				a program that is approved nowhere: kprobe, raw_tracepoint
 *	bwtamper race N					four processes load N of them each; how many got one
 *	bwtamper netlink N				N malformed route netlink messages
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/netlink.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int kind_of(const char *name)
{
	static const char *const kinds[] = { "prog", "map", "link" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(name, kinds[i]))
			return i;
	fprintf(stderr, "bwtamper: no kind \"%s\"\n", name);
	exit(2);
}

static int list(int kind)
{
	static int (*const next[])(__u32, __u32 *) = { bpf_prog_get_next_id, bpf_map_get_next_id, bpf_link_get_next_id };
	__u32 id = 0;

	while (!next[kind](id, &id))
		printf("%u\n", id);
	return 0;
}

static int by_id(int kind, __u32 id)
{
	static int (*const get[])(__u32) = { bpf_prog_get_fd_by_id, bpf_map_get_fd_by_id, bpf_link_get_fd_by_id };

	return get[kind](id);
}

static int claim(const char *pin)
{
	__u64 ctx[12] = { ~0u, ~0u, ~0u, ~0u, ~0u, ~0u };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = sizeof(ctx));
	int fd = bpf_obj_get(pin);

	if (fd < 0 || bpf_prog_test_run_opts(fd, &opts) < 0)
		return -1;
	errno = EPERM;
	return opts.retval ? -1 : 0;
}

static int read_memory(pid_t pid)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)0x1000, 1 };
	long r = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	/* Nothing is there, which only who may look is told. */
	return r < 0 && errno == EFAULT ? 0 : (int)r;
}

static int steal(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, fd, 0, 0);
}

static int limit(pid_t pid)
{
	return prlimit(pid, RLIMIT_NOFILE, &(struct rlimit){ 3, 3 }, NULL);
}

static int move(const char *from, const char *to)
{
	return (int)syscall(SYS_move_mount, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* Reads its context and calls a helper, so that it is not what loaders probe with. */
static int load(const char *type, const char *name)
{
	static const struct {
		const char *name;
		enum bpf_prog_type type;
	} types[] = { { "kprobe", BPF_PROG_TYPE_KPROBE }, { "raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT } };
	const struct bpf_insn insns[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 6, .src_reg = 1 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_task },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, type))
			return bpf_prog_load(types[i].type, name, "GPL", insns, sizeof(insns) / sizeof(insns[0]), NULL);
	fprintf(stderr, "bwtamper: no type \"%s\"\n", type);
	exit(2);
}

static int race(long n)
{
	int got = 0;

	for (int i = 0; i < 4; i++)
		if (!fork()) {
			for (long k = 0; k < n; k++) {
				int fd = load(k & 1 ? "kprobe" : "raw_tracepoint", "race");

				got += fd >= 0;
				close(fd);
			}
			_exit(got > 100 ? 100 : got);
		}
	for (int i = 0, status; i < 4; i++)
		if (wait(&status) > 0)
			got += WEXITSTATUS(status);
	errno = EPERM;
	return got ? 0 : -1;
}

/* Lengths and types that contradict each other; what the kernel says to them does not matter. */
static int netlink(long n)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	unsigned char bytes[512];
	uint32_t x = 1;

	if (fd < 0)
		return -1;
	for (long i = 0; i < n; i++) {
		struct nlmsghdr *h = (struct nlmsghdr *)bytes;
		size_t len;

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
		len = sizeof(*h) + x % (sizeof(bytes) - sizeof(*h));
		h->nlmsg_type = (uint16_t)(16 + x % 100); /* RTM_NEWLINK and on */
		if (x & 0x100)
			h->nlmsg_len = (uint32_t)len;
		h->nlmsg_flags |= NLM_F_REQUEST;
		send(fd, bytes, len, MSG_DONTWAIT);
	}
	close(fd);
	return 0;
}

static int module(const char *path)
{
	static const char none[256] = "no module"; /* shorter than the header of an ELF file nobody is asked */
	int fd = open(path, O_RDONLY);

	return (int)(fd < 0 ? syscall(SYS_init_module, none, sizeof(none), "") : syscall(SYS_finit_module, fd, "", 0));
}

static int other_kernel(const char *path)
{
	int fd = open(path, O_RDONLY);

	return (int)(fd < 0 ? syscall(SYS_kexec_load, 0, 0, NULL, 0) : syscall(SYS_kexec_file_load, fd, -1, 1, "", 4 /* KEXEC_FILE_NO_INITRAMFS */));
}

static int set_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return clock_settime(CLOCK_REALTIME, &now);
}

static int try(int argc, char **argv)
{
	const char *what = argv[1], *arg = argv[2];
	char path[64];
	int fd;

	if (!strcmp(what, "fd") && argc == 4)
		return by_id(kind_of(arg), (__u32)strtoul(argv[3], NULL, 10));
	if (!strcmp(what, "move") && argc == 4)
		return move(arg, argv[3]);
	if (!strcmp(what, "load") && argc == 4)
		return load(arg, argv[3]);
	if (!strcmp(what, "race"))
		return race(strtol(arg, NULL, 10));
	if (!strcmp(what, "netlink"))
		return netlink(strtol(arg, NULL, 10));
	if (!strcmp(what, "write"))
		return open(arg, O_WRONLY);
	if (!strcmp(what, "module"))
		return module(arg);
	if (!strcmp(what, "kexec"))
		return other_kernel(arg);
	if (!strcmp(what, "clock"))
		return set_clock();
	if (!strcmp(what, "get"))
		return bpf_obj_get(arg);
	if (!strcmp(what, "read"))
		return bpf_obj_get_opts(arg, &(struct bpf_obj_get_opts){ .sz = sizeof(struct bpf_obj_get_opts), .file_flags = BPF_F_RDONLY });
	if (!strcmp(what, "pin")) {
		fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "mine", 4, 4, 1, NULL);
		return fd < 0 ? -1 : bpf_obj_pin(fd, arg);
	}
	if (!strcmp(what, "claim"))
		return claim(arg);
	if (!strcmp(what, "detach") || !strcmp(what, "update")) {
		fd = bpf_obj_get(arg);
		if (fd < 0)
			return -1;
		return what[0] == 'd' ? bpf_link_detach(fd) : bpf_link_update(fd, fd, NULL);
	}
	if (!strcmp(what, "mem") || !strcmp(what, "maps")) {
		snprintf(path, sizeof(path), "/proc/%s/%s", arg, what);
		return open(path, !strcmp(what, "mem") ? O_RDWR : O_RDONLY);
	}
	if (!strcmp(what, "ptrace"))
		return (int)ptrace(PTRACE_SEIZE, (pid_t)strtol(arg, NULL, 10), 0, 0);
	if (!strcmp(what, "vmread"))
		return read_memory((pid_t)strtol(arg, NULL, 10));
	if (!strcmp(what, "steal"))
		return steal((pid_t)strtol(arg, NULL, 10));
	if (!strcmp(what, "prlimit"))
		return limit((pid_t)strtol(arg, NULL, 10));
	fprintf(stderr, "bwtamper: no \"%s\"\n", what);
	exit(2);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "ids"))
		return list(kind_of(argv[2]));
	if (argc < 3) {
		fprintf(stderr, "bwtamper: see the source\n");
		return 2;
	}
	if (try(argc, argv) < 0) {
		printf("%s\n", strerror(errno));
		return 1;
	}
	printf("done\n");
	return 0;
}
