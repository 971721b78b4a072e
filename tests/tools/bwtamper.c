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
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
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
	__u64 ctx[8] = { ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0, 0 };
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

static int try(int argc, char **argv)
{
	const char *what = argv[1], *arg = argv[2];
	char path[64];
	int fd;

	if (!strcmp(what, "fd") && argc == 4)
		return by_id(kind_of(arg), (__u32)strtoul(argv[3], NULL, 10));
	if (!strcmp(what, "move") && argc == 4)
		return move(arg, argv[3]);
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
