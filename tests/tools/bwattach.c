// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-cflags: -static
// tool-pkgs: libbpf
/*
 * bwattach [--abi32] [--dir DIR] [--cgroup DIR] [--ifindex N] [--wait DIR] [CASE...]: does the real thing by each way in which a program
 * or a descriptor gets somewhere, and prints one line for each:
 *
 *   CASE<TAB>ABI<TAB>STATUS<TAB>EXPECTED
 *
 * STATUS is 0, the errno with which the kernel answered, or "skip" for what this kernel does not have; EXPECTED is a JSON
 * object with the members that the guard's event about it must have, taken from what the kernel says about the objects,
 * not from the guard. Programs return 0 and read one word of their context: harmless, and not inert.
 *
 * bwattach --check EXPECTED EVENTS: compares those lines with what the guard wrote. One line for each case: CASE, ABI and
 * "seen", "refused", "answered" (let through, and reported as what the policy does not want), "blind", or "absent" for what
 * the kernel does not have; a line that begins with "wrong" when an event says something else. Exit status 1 for wrong ones.
 *
 * --abi32 makes the call in question through the 32-bit system call entry (int 0x80), with its arguments below 4 GiB.
 */
#include <arpa/inet.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/perf_event.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define SKIP 10000

static bool abi32;
static const char *pin_dir = "/sys/fs/bpf", *cgroup_dir = "/sys/fs/cgroup";
static unsigned int ifindex = 1;
static const char *wait_dir; /* where cases that have prepared something wait for a file "go" */
static char *low;	/* memory below 4 GiB, for both entries alike */
static size_t low_used; /* since the last case */
#define LOW_SIZE (1u << 20)

static char expected[4096];

static void expect(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void expect(const char *fmt, ...)
{
	size_t n = strlen(expected);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(expected + n, sizeof(expected) - n, fmt, ap);
	va_end(ap);
}
#define expect_str(key, value) expect(",\"%s\":\"%s\"", key, value)
#define expect_u64(key, value) expect(",\"%s\":%llu", key, (unsigned long long)(value))

static void *low_alloc(size_t size)
{
	void *p = low + low_used;

	low_used = (low_used + size + 15) & ~(size_t)15;
	if (low_used > LOW_SIZE)
		abort();
	memset(p, 0, size);
	return p;
}

static void *low_copy(const void *data, size_t size)
{
	return memcpy(low_alloc(size), data, size);
}

/* ---- the system calls, by either entry ------------------------------------------------------------------------------ */

static long call32(long nr, long a, long b, long c, long d, long e)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "0"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static long answer(long r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

static int do_bpf(int cmd, union bpf_attr *attr, size_t size)
{
	if (abi32)
		return (int)answer(call32(357, cmd, (long)low_copy(attr, size), (long)size, 0, 0));
	return (int)syscall(SYS_bpf, cmd, attr, size);
}

static int do_ioctl(int fd, unsigned long request, unsigned long arg)
{
	return abi32 ? (int)answer(call32(54, fd, (long)request, (long)arg, 0, 0)) : ioctl(fd, request, arg);
}

static int do_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return abi32 ? (int)answer(call32(366, fd, level, name, (long)value, (long)len)) : setsockopt(fd, level, name, value, len);
}

static long do_send_netlink(int fd, void *message, size_t len)
{
	struct iovec iov = { message, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	uint32_t *iov32, *msg32;

	if (!abi32)
		return sendmsg(fd, &msg, 0);
	iov32 = low_alloc(8);
	iov32[0] = (uint32_t)(uintptr_t)message;
	iov32[1] = (uint32_t)len;
	msg32 = low_alloc(28);
	msg32[2] = (uint32_t)(uintptr_t)iov32;
	msg32[3] = 1;
	return answer(call32(370, fd, (long)msg32, 0, 0, 0));
}

/* ---- what the kernel says about objects --------------------------------------------------------------------------------- */

static int info(int fd, void *dst, uint32_t size)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = size, .info = (uintptr_t)dst } };

	return (int)syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

static uint32_t expect_prog(int fd)
{
	struct bpf_prog_info i = { 0 };

	if (info(fd, &i, sizeof(i)) < 0)
		return 0;
	expect_u64("prog_id", i.id);
	expect_str("prog_name", i.name);
	expect(",\"tag\":\"");
	for (int k = 0; k < 8; k++)
		expect("%02x", i.tag[k]);
	expect("\"");
	return i.id;
}

static void expect_link(int fd, const char *type)
{
	struct bpf_link_info i = { 0 };

	if (info(fd, &i, sizeof(i)) < 0)
		return;
	expect_u64("link_id", i.id);
	expect_str("link_type", type);
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

/* ---- objects -------------------------------------------------------------------------------------------------------------- */

/* r0 = *(u32 *)(r1 + 0); r0 = 0; exit. For types whose context may be read there. */
static const struct bpf_insn read_context[] = {
	{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 0, .src_reg = 1 },
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
	{ .code = BPF_JMP | BPF_EXIT },
};
static const struct bpf_insn return_one[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load_as(uint32_t type, uint32_t attach_type, const char *name, const struct bpf_insn *insns, uint32_t n)
{
	union bpf_attr attr = { 0 };

	attr.prog_type = type;
	attr.expected_attach_type = attach_type;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uintptr_t) "GPL";
	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}
#define load(type, attach, name) load_as(type, attach, name, read_context, 3)
#define load_one(type, attach, name) load_as(type, attach, name, return_one, 2)

static int map_create(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, const char *name)
{
	union bpf_attr attr = { .map_type = type, .key_size = key, .value_size = value, .max_entries = entries };

	snprintf(attr.map_name, sizeof(attr.map_name), "%s", name);
	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int perf_open(uint32_t type, uint64_t config, uint64_t config1, uint64_t config2)
{
	struct perf_event_attr attr = { .type = type, .size = sizeof(attr), .config = config, .config1 = config1, .config2 = config2 };

	attr.sample_period = 1000000000;
	return (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

static int read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	int n = -1;

	if (f && fscanf(f, "%d", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/*
 * What the case needs is there; now comes what it is about. With --wait the policy can be changed in between, so that a way
 * is denied whose preparation takes the same way.
 */
static void prepared(void)
{
	char path[300];
	int fd;

	if (!wait_dir)
		return;
	snprintf(path, sizeof(path), "%s/ready.%d", wait_dir, getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "%s/go", wait_dir);
	for (int i = 0; i < 1200 && access(path, F_OK); i++)
		usleep(100000);
}

/* The cases end with a status: 0, an errno, or SKIP. "Not in this kernel" is a skip, EPERM and EACCES are the answer. */
static int status(int r)
{
	if (r >= 0)
		return 0;
	return errno == EINVAL || errno == EOPNOTSUPP || errno == ENOTSUP || errno == E2BIG || errno == ENOSYS ? SKIP : errno;
}

/* ---- links --------------------------------------------------------------------------------------------------------------- */

static int link_create(int prog, uint32_t target, uint32_t attach_type, const char *type_name, const char *link_type)
{
	union bpf_attr attr = { .link_create = { .prog_fd = (uint32_t)prog, .target_fd = target, .attach_type = attach_type } };
	int fd;

	expect_str("way", "link");
	expect_str("request", "link_create");
	expect_str("operation", "attach");
	expect_str("attach_type", type_name);
	expect_prog(prog);
	fd = do_bpf(BPF_LINK_CREATE, &attr, 64);
	if (fd >= 0)
		expect_link(fd, link_type);
	return fd;
}

static int case_link_cgroup(void)
{
	int cgroup = open(cgroup_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int prog = load_one(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, "bw_cg");
	char ino[24];

	snprintf(ino, sizeof(ino), "%llu", (unsigned long long)inode_of(cgroup));
	expect_str("target_kind", "cgroup");
	expect_str("target", ino);
	return status(link_create(prog, (uint32_t)cgroup, BPF_CGROUP_INET_EGRESS, "cgroup_inet_egress", "cgroup"));
}

static int case_link_xdp(void)
{
	char text[24];

	snprintf(text, sizeof(text), "%u", ifindex);
	expect_str("target_kind", "interface");
	expect_str("target", text);
	expect_u64("ifindex", ifindex);
	return status(link_create(load_one(BPF_PROG_TYPE_XDP, BPF_XDP, "bw_xdp"), ifindex, BPF_XDP, "xdp", "xdp"));
}

static int case_link_tcx(void)
{
	expect_str("target_kind", "interface");
	expect_u64("ifindex", ifindex);
	return status(link_create(load(BPF_PROG_TYPE_SCHED_CLS, 0, "bw_tcx"), ifindex, 46, "tcx_ingress", "tcx"));
}

static int case_link_netns(void)
{
	int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	char ino[24];

	snprintf(ino, sizeof(ino), "%llu", (unsigned long long)inode_of(ns));
	expect_str("target_kind", "network_namespace");
	expect_str("target", ino);
	return status(link_create(load_one(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, "bw_lookup"), (uint32_t)ns, BPF_SK_LOOKUP,
				  "sk_lookup", "netns"));
}

static int case_link_netfilter(void)
{
	union bpf_attr attr = { 0 };
	uint32_t *raw = (uint32_t *)&attr;
	int prog = load_one(32 /* BPF_PROG_TYPE_NETFILTER */, 45, "bw_nf"), fd;

	if (prog < 0)
		return SKIP;
	raw[0] = (uint32_t)prog;
	raw[2] = 45;
	raw[4] = 2;	    /* NFPROTO_IPV4 */
	raw[5] = 1;	    /* NF_INET_LOCAL_IN */
	raw[6] = 100;	    /* priority */
	expect_str("way", "link");
	expect_str("request", "link_create");
	expect_str("target_kind", "netfilter");
	expect_str("target", "pf 2 hook 1");
	expect_prog(prog);
	fd = do_bpf(BPF_LINK_CREATE, &attr, 64);
	if (fd >= 0)
		expect_link(fd, "netfilter");
	return status(fd);
}

static int case_link_perf(void)
{
	int perf = perf_open(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, 0, 0);

	expect_str("target_kind", "perf_event");
	expect_str("target", "type 1 config 0x3");
	return status(link_create(load_one(BPF_PROG_TYPE_PERF_EVENT, 0, "bw_perf"), (uint32_t)perf, BPF_PERF_EVENT, "perf_event",
				  "perf_event"));
}

static int case_link_kprobe_multi(void)
{
	const char **syms = low_alloc(16);
	union bpf_attr attr = { 0 };
	uint32_t *raw = (uint32_t *)&attr;
	int prog, fd;

	prog = load(BPF_PROG_TYPE_KPROBE, 42, "bw_multi");
	if (prog < 0)
		return status(prog);
	syms[0] = low_copy("vfs_rename", 11);
	syms[1] = low_copy("vfs_mkdir", 10);
	raw[0] = (uint32_t)prog;
	raw[2] = 42;
	raw[5] = 2;
	((uint64_t *)&attr)[3] = (uintptr_t)syms;
	expect_str("way", "link");
	expect_str("request", "link_create");
	expect_str("attach_type", "trace_kprobe_multi");
	expect_str("target_kind", "kprobe");
	expect_str("target", "vfs_rename");
	expect_u64("target_count", 2);
	expect_prog(prog);
	fd = do_bpf(BPF_LINK_CREATE, &attr, 64);
	if (fd >= 0)
		expect_link(fd, "kprobe_multi");
	return status(fd);
}

static int case_link_uprobe_multi(void)
{
	union bpf_attr attr = { 0 };
	uint32_t *raw = (uint32_t *)&attr;
	uint64_t *offsets = low_alloc(16), *wide = (uint64_t *)&attr;
	char path[256] = "";
	int prog = load(BPF_PROG_TYPE_KPROBE, 48, "bw_umulti"), fd;

	if (prog < 0)
		return status(prog);
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		return errno;
	offsets[0] = 0x1000;
	raw[0] = (uint32_t)prog;
	raw[2] = 48;
	wide[2] = (uintptr_t)low_copy(path, strlen(path) + 1);
	wide[3] = (uintptr_t)offsets;
	raw[12] = 1;
	expect_str("way", "link");
	expect_str("request", "link_create");
	expect_str("attach_type", "trace_uprobe_multi");
	expect_str("target_kind", "uprobe");
	expect_str("target", path);
	expect_u64("target_count", 1);
	expect_prog(prog);
	fd = do_bpf(BPF_LINK_CREATE, &attr, 64);
	if (fd >= 0)
		expect_link(fd, "uprobe_multi");
	return status(fd);
}

static int cgroup_link(void)
{
	int cgroup = open(cgroup_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union bpf_attr attr = { 0 };

	attr.link_create.prog_fd = (uint32_t)load_one(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, "bw_first");
	attr.link_create.target_fd = (uint32_t)cgroup;
	attr.link_create.attach_type = BPF_CGROUP_INET_INGRESS;
	return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
}

static const struct btf *kernel_btf(void)
{
	static struct btf *btf;

	btf = btf ? btf : btf__load_vmlinux_btf();
	return btf;
}

/* A program that its load binds to a function of the kernel's. */
static int load_bound(uint32_t type, uint32_t attach_type, const char *name, const char *function)
{
	static const struct bpf_insn return_zero[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const struct btf *btf = kernel_btf();
	union bpf_attr attr = { .prog_type = type, .expected_attach_type = attach_type, .insns = (uintptr_t)return_zero, .insn_cnt = 2 };
	int id;

	id = btf ? btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) : -ENOENT;
	if (id < 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	attr.attach_btf_id = (uint32_t)id;
	attr.license = (uintptr_t) "GPL";
	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* fentry and LSM programs go where their load says: the command names nothing. */
static int open_bound(int prog, const char *kind, const char *function)
{
	union bpf_attr attr = { 0 };
	int fd;

	if (prog < 0)
		return -1;
	attr.raw_tracepoint.prog_fd = (uint32_t)prog;
	expect_str("way", "raw_tracepoint");
	expect_str("request", "raw_tracepoint_open");
	expect_str("target_kind", kind);
	expect_str("target", function);
	expect_prog(prog);
	fd = do_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, 16);
	if (fd >= 0)
		expect_link(fd, "tracing");
	return fd;
}

static int case_fentry(void)
{
	return status(open_bound(load_bound(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "bw_fentry", "vfs_rename"), "function", "vfs_rename"));
}

static int case_fexit(void)
{
	return status(open_bound(load_bound(BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, "bw_fexit", "vfs_rename"), "function", "vfs_rename"));
}

static int case_fmod_ret(void)
{
	return status(open_bound(load_bound(BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, "bw_fmod_ret", "security_path_chroot"), "function",
				 "security_path_chroot"));
}

static int case_lsm(void)
{
	return status(open_bound(load_bound(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bw_lsm", "bpf_lsm_path_chroot"), "lsm_hook", "bpf_lsm_path_chroot"));
}

static int case_link_iter(void)
{
	int prog = load_bound(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "bw_iter", "bpf_iter_task");

	if (prog < 0)
		return status(prog);
	expect_str("target_kind", "iterator");
	expect_str("target", "bpf_iter_task");
	return status(link_create(prog, 0, BPF_TRACE_ITER, "trace_iter", "iter"));
}

static int case_iter_create(void)
{
	int prog = load_bound(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "bw_iter", "bpf_iter_task"), link;
	union bpf_attr attr = { .link_create = { .prog_fd = (uint32_t)prog, .attach_type = BPF_TRACE_ITER } };
	struct bpf_link_info i = { 0 };

	link = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (prog < 0 || link < 0)
		return status(-1);
	info(link, &i, sizeof(i));
	attr = (union bpf_attr){ .iter_create = { .link_fd = (uint32_t)link } };
	expect_str("way", "iterator");
	expect_str("request", "iter_create");
	expect_u64("link_id", i.id);
	expect_prog(prog);
	prepared();
	return status(do_bpf(BPF_ITER_CREATE, &attr, 8));
}

static uint32_t link_id(int fd, uint32_t *ret_prog)
{
	struct bpf_link_info i = { 0 };

	if (info(fd, &i, sizeof(i)) < 0)
		return 0;
	*ret_prog = i.prog_id;
	return i.id;
}

static int case_link_update(void)
{
	int link = cgroup_link(), prog = load_one(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, "bw_second");
	union bpf_attr attr = { .link_update = { .link_fd = (uint32_t)link, .new_prog_fd = (uint32_t)prog } };
	uint32_t old = 0, id;

	if (link < 0)
		return status(link);
	id = link_id(link, &old);
	expect_str("way", "link");
	expect_str("request", "link_update");
	expect_str("operation", "update");
	expect_u64("link_id", id);
	expect_u64("old_prog_id", old);
	expect_prog(prog);
	prepared();
	return status(do_bpf(BPF_LINK_UPDATE, &attr, 16));
}

static int case_link_detach(void)
{
	int link = cgroup_link();
	union bpf_attr attr = { .link_detach = { .link_fd = (uint32_t)link } };
	uint32_t old = 0, id;

	if (link < 0)
		return status(link);
	id = link_id(link, &old);
	expect_str("way", "link");
	expect_str("request", "link_detach");
	expect_str("operation", "detach");
	expect_u64("link_id", id);
	expect_u64("old_prog_id", old);
	prepared();
	return status(do_bpf(BPF_LINK_DETACH, &attr, 4));
}

/* ---- the other commands -------------------------------------------------------------------------------------------------- */

static int attach_cgroup(int cmd, int prog, int cgroup)
{
	union bpf_attr attr = { 0 };

	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_INET_EGRESS;
	attr.attach_flags = cmd == BPF_PROG_ATTACH ? BPF_F_ALLOW_MULTI : 0;
	return do_bpf(cmd, &attr, 20);
}

static int case_prog_attach(void)
{
	int cgroup = open(cgroup_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	int prog = load_one(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, "bw_attach");
	char ino[24];
	bool entry = abi32;

	snprintf(ino, sizeof(ino), "%llu", (unsigned long long)inode_of(cgroup));
	expect_str("way", "prog_attach");
	expect_str("request", "prog_attach");
	expect_str("operation", "attach");
	expect_str("attach_type", "cgroup_inet_egress");
	expect_str("target_kind", "cgroup");
	expect_str("target", ino);
	expect_prog(prog);
	r = attach_cgroup(BPF_PROG_ATTACH, prog, cgroup);
	if (!r) {
		abi32 = false;
		attach_cgroup(BPF_PROG_DETACH, prog, cgroup);
		abi32 = entry;
	}
	return status(r);
}

static int case_prog_detach(void)
{
	int cgroup = open(cgroup_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int prog = load_one(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, "bw_detach");
	bool entry = abi32;

	abi32 = false;
	if (attach_cgroup(BPF_PROG_ATTACH, prog, cgroup) < 0)
		return errno;
	abi32 = entry;
	expect_str("way", "prog_attach");
	expect_str("request", "prog_detach");
	expect_str("operation", "detach");
	expect_prog(prog);
	prepared();
	return status(attach_cgroup(BPF_PROG_DETACH, prog, cgroup));
}

static int case_raw_tracepoint(void)
{
	int prog = load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, "bw_rawtp"), fd;
	union bpf_attr attr = { 0 };

	if (prog < 0)
		prog = load_one(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, "bw_rawtp");
	attr.raw_tracepoint.name = (uintptr_t)low_copy("sched_process_exit", 19);
	attr.raw_tracepoint.prog_fd = (uint32_t)prog;
	expect_str("way", "raw_tracepoint");
	expect_str("request", "raw_tracepoint_open");
	expect_str("target_kind", "tracepoint");
	expect_str("target", "sched_process_exit");
	expect_prog(prog);
	fd = do_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, 16);
	if (fd >= 0)
		expect_link(fd, "raw_tracepoint");
	return status(fd);
}

static int case_test_run(void)
{
	int prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_run");
	union bpf_attr attr = { 0 };

	attr.test.prog_fd = (uint32_t)prog;
	attr.test.data_size_in = 64;
	attr.test.data_in = (uintptr_t)low_alloc(64);
	attr.test.repeat = 1;
	expect_str("way", "test_run");
	expect_str("request", "prog_test_run");
	expect_str("operation", "run");
	expect_prog(prog);
	return status(do_bpf(BPF_PROG_TEST_RUN, &attr, 48));
}

static int pin(int fd, const char *path)
{
	union bpf_attr attr = { .pathname = (uintptr_t)low_copy(path, strlen(path) + 1), .bpf_fd = (uint32_t)fd };

	return do_bpf(BPF_OBJ_PIN, &attr, 16);
}

static const char *pin_path(void)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/bwattach-%d", pin_dir, getpid());
	unlink(path);
	return path;
}

static int case_pin(void)
{
	int prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_pin"), r;
	const char *path = pin_path();

	expect_str("way", "pin");
	expect_str("request", "obj_pin");
	expect_str("operation", "pin");
	expect_str("target_kind", "path");
	expect_str("target", path);
	expect_prog(prog);
	r = pin(prog, path);
	unlink(path);
	return status(r);
}

static int case_pin_get(void)
{
	int prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_get"), r;
	const char *path = pin_path();
	union bpf_attr attr = { .pathname = (uintptr_t)low_copy(path, strlen(path) + 1) };
	bool entry = abi32;

	abi32 = false;
	if (pin(prog, path) < 0)
		return errno;
	abi32 = entry;
	expect_str("way", "pin_get");
	expect_str("request", "obj_get");
	expect_str("operation", "open");
	expect_str("target", path);
	prepared();
	r = do_bpf(BPF_OBJ_GET, &attr, 16);
	if (r >= 0)
		expect_prog(prog);
	unlink(path);
	return status(r);
}

static int by_id(int cmd, uint32_t id, const char *name)
{
	union bpf_attr attr = { .prog_id = id };
	char text[24];

	snprintf(text, sizeof(text), "%u", id);
	expect_str("way", "fd_by_id");
	expect_str("request", name);
	expect_str("operation", "open");
	expect_str("target_kind", "id");
	expect_str("target", text);
	return do_bpf(cmd, &attr, 12);
}

static int case_prog_by_id(void)
{
	int prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_byid"), r;
	struct bpf_prog_info i = { 0 };

	info(prog, &i, sizeof(i));
	r = by_id(BPF_PROG_GET_FD_BY_ID, i.id, "prog_get_fd_by_id");
	if (r >= 0)
		expect_prog(prog);
	return status(r);
}

static int case_map_by_id(void)
{
	int map = map_create(BPF_MAP_TYPE_HASH, 4, 8, 16, "bw_map"), r;
	struct bpf_map_info i = { 0 };

	info(map, &i, sizeof(i));
	r = by_id(BPF_MAP_GET_FD_BY_ID, i.id, "map_get_fd_by_id");
	if (r >= 0) {
		expect_u64("map_id", i.id);
		expect_str("map_type", "hash");
	}
	return status(r);
}

static int case_link_by_id(void)
{
	int link = cgroup_link(), r;
	uint32_t prog, id;

	if (link < 0)
		return status(link);
	id = link_id(link, &prog);
	prepared();
	r = by_id(BPF_LINK_GET_FD_BY_ID, id, "link_get_fd_by_id");
	if (r >= 0)
		expect_u64("link_id", id);
	return status(r);
}

static int case_sk_msg(void)
{
	int map = map_create(BPF_MAP_TYPE_SOCKMAP, 4, 4, 4, "bw_sockmap");
	int prog = load_one(BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT, "bw_skmsg");
	struct bpf_map_info i = { 0 };
	union bpf_attr attr = { 0 };
	char text[24];

	info(map, &i, sizeof(i));
	attr.target_fd = (uint32_t)map;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_SK_MSG_VERDICT;
	snprintf(text, sizeof(text), "%u", i.id);
	expect_str("way", "prog_attach");
	expect_str("request", "prog_attach");
	expect_str("attach_type", "sk_msg_verdict");
	expect_str("target_kind", "map");
	expect_str("target", text);
	expect_u64("map_id", i.id);
	expect_prog(prog);
	return status(do_bpf(BPF_PROG_ATTACH, &attr, 20));
}

/* ---- programs in the place of others, and tables of functions ------------------------------------------------------------ */

static int btf_load(struct btf *btf)
{
	union bpf_attr attr = { 0 };
	uint32_t size;
	const void *raw = btf__raw_data(btf, &size);

	attr.btf = (uintptr_t)raw;
	attr.btf_size = size;
	return (int)syscall(SYS_bpf, BPF_BTF_LOAD, &attr, sizeof(attr));
}

/* An XDP program with types, and the descriptor of these; @ret_func: the type of its only function, "bw_main". */
static int load_typed(uint32_t type, int target, const char *name, int *ret_btf, uint32_t *ret_func)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2 /* XDP_PASS */ },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct btf *btf = btf__new_empty();
	int i32 = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), ctx = btf__add_struct(btf, "xdp_md", 4), proto;
	struct bpf_func_info where = { 0 };
	union bpf_attr attr = { .prog_type = type, .insns = (uintptr_t)pass, .insn_cnt = 2 };

	btf__add_field(btf, "data", i32, 0, 0);
	ctx = btf__add_ptr(btf, ctx);
	proto = btf__add_func_proto(btf, i32);
	btf__add_func_param(btf, "ctx", ctx);
	*ret_func = where.type_id = (uint32_t)btf__add_func(btf, "bw_main", BTF_FUNC_GLOBAL, proto);
	*ret_btf = btf_load(btf);
	attr.license = (uintptr_t) "GPL";
	attr.prog_btf_fd = (uint32_t)*ret_btf;
	attr.func_info_rec_size = sizeof(where);
	attr.func_info = (uintptr_t)&where;
	attr.func_info_cnt = 1;
	if (target >= 0) {
		attr.attach_prog_fd = (uint32_t)target;
		attr.attach_btf_id = *ret_func;
	}
	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int case_freplace(void)
{
	int types, fd, target, prog;
	struct bpf_prog_info i = { 0 };
	union bpf_attr attr = { 0 };
	uint32_t func;
	char text[40];

	target = load_typed(BPF_PROG_TYPE_XDP, -1, "bw_replaced", &types, &func);
	prog = target < 0 ? -1 : load_typed(BPF_PROG_TYPE_EXT, target, "bw_freplace", &types, &func);
	if (prog < 0)
		return status(prog);
	info(target, &i, sizeof(i));
	snprintf(text, sizeof(text), "%u bw_main", i.id);
	attr.raw_tracepoint.prog_fd = (uint32_t)prog;
	expect_str("way", "raw_tracepoint");
	expect_str("request", "raw_tracepoint_open");
	expect_str("target_kind", "program");
	expect_str("target", text);
	expect_u64("target_prog_id", i.id);
	expect_prog(prog);
	fd = do_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, 16);
	if (fd >= 0)
		expect_link(fd, "tracing");
	return status(fd);
}

/* Where in the kernel's @type its member is, in bytes; and its number. */
static int member(const struct btf *btf, const char *type, const char *name, uint32_t *ret_offset)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t = btf__type_by_id(btf, (uint32_t)id);

	for (int i = 0; id > 0 && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), name)) {
			*ret_offset = btf_member_bit_offset(t, (uint32_t)i) / 8;
			return i;
		}
	return -1;
}

/* A map of struct_ops of the kernel's @type, and in @ret_value what is to be put into it: the table's name alone. */
static int ops_map(const char *type, const char *name, bool as_link, char **ret_value, uint32_t *ret_data)
{
	const struct btf *btf = kernel_btf();
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_STRUCT_OPS, .key_size = 4, .max_entries = 1 };
	struct btf *own = btf__new_empty();
	char value_type[80];
	uint32_t at;
	int id;

	snprintf(value_type, sizeof(value_type), "bpf_struct_ops_%s", type);
	id = btf ? btf__find_by_name_kind(btf, value_type, BTF_KIND_STRUCT) : -1;
	if (id < 0 || member(btf, value_type, "data", ret_data) < 0 || member(btf, type, "name", &at) < 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	attr.value_size = btf__type_by_id(btf, (uint32_t)id)->size;
	attr.btf_vmlinux_value_type_id = (uint32_t)id;
	/* The kernel insists on types of the loader's as well, whatever they are. */
	btf__add_int(own, "int", 4, BTF_INT_SIGNED);
	attr.btf_fd = (uint32_t)btf_load(own);
	attr.map_flags = as_link ? 1u << 13 /* BPF_F_LINK */ : 0;
	snprintf(attr.map_name, sizeof(attr.map_name), "%s", name);
	*ret_value = low_alloc(attr.value_size);
	strcpy(*ret_value + *ret_data + at, name);
	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* Puts a function that returns 0 into the table. */
static int ops_function(const char *type, const char *name, char *value, uint32_t data)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_STRUCT_OPS, .insns = (uintptr_t)nothing, .insn_cnt = 2 };
	uint32_t offset;
	int fd, n = member(kernel_btf(), type, name, &offset);

	attr.attach_btf_id = (uint32_t)btf__find_by_name_kind(kernel_btf(), type, BTF_KIND_STRUCT);
	attr.expected_attach_type = (uint32_t)n;
	attr.license = (uintptr_t) "GPL";
	snprintf(attr.prog_name, sizeof(attr.prog_name), "bw_%s", name);
	fd = n < 0 ? -1 : (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	*(uint64_t *)(void *)(value + data + offset) = (uint64_t)fd;
	return fd;
}

static int update(int map, uint32_t key, const void *value, bool by_entry)
{
	union bpf_attr attr = { .map_fd = (uint32_t)map };

	attr.key = (uintptr_t)low_copy(&key, sizeof(key));
	attr.value = (uintptr_t)value;
	return by_entry ? do_bpf(BPF_MAP_UPDATE_ELEM, &attr, 32) : (int)syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

static void expect_update(const char *kind, const char *format, int map)
{
	struct bpf_map_info i = { 0 };
	char text[32];

	info(map, &i, sizeof(i));
	snprintf(text, sizeof(text), format, i.id);
	expect_str("way", "map_update");
	expect_str("request", "map_update_elem");
	expect_str("operation", "attach");
	expect_str("target_kind", kind);
	expect_str("target", text);
	expect_u64("map_id", i.id);
}

static const char congestion[] = "tcp_congestion_ops";

static int congestion_map(bool as_link, char **ret_value)
{
	uint32_t data;
	int map = ops_map(congestion, as_link ? "bw_cc_link" : "bw_cc", as_link, ret_value, &data);

	if (map >= 0 && (ops_function(congestion, "ssthresh", *ret_value, data) < 0 || ops_function(congestion, "undo_cwnd", *ret_value, data) < 0 ||
			 ops_function(congestion, "cong_avoid", *ret_value, data) < 0))
		return -1;
	return map;
}

static int case_struct_ops(void)
{
	char *value;
	int map = congestion_map(false, &value), r;
	union bpf_attr attr = { .map_fd = (uint32_t)map };

	if (map < 0)
		return status(map);
	expect_update("struct_ops", "map %u", map);
	expect_str("map_type", "struct_ops");
	r = update(map, 0, value, true);
	/* It would stay without this process. */
	attr.key = (uintptr_t)low_alloc(4);
	if (!r)
		syscall(SYS_bpf, BPF_MAP_DELETE_ELEM, &attr, sizeof(attr));
	return status(r);
}

static int ops_link(int map)
{
	union bpf_attr attr = { .link_create = { .prog_fd = (uint32_t)map, .attach_type = 44 /* BPF_STRUCT_OPS */ } };
	struct bpf_map_info i = { 0 };
	char text[32];
	int fd;

	info(map, &i, sizeof(i));
	snprintf(text, sizeof(text), "map %u", i.id);
	expect_str("way", "link");
	expect_str("request", "link_create");
	expect_str("attach_type", "struct_ops");
	expect_str("target_kind", "struct_ops");
	expect_str("target", text);
	expect_u64("map_id", i.id);
	fd = do_bpf(BPF_LINK_CREATE, &attr, 64);
	if (fd >= 0)
		expect_link(fd, "struct_ops");
	return fd;
}

static int case_struct_ops_link(void)
{
	char *value;
	int map = congestion_map(true, &value);

	if (map < 0)
		return status(map);
	/* Only prepares: the kernel takes it into use by the link. */
	if (update(map, 0, value, false) < 0)
		return status(-1);
	prepared();
	return status(ops_link(map));
}

/* A scheduler that leaves everything to the kernel's defaults; gone with its link. */
static int case_sched_ext(void)
{
	char *value;
	uint32_t data;
	int map = ops_map("sched_ext_ops", "bw_sched", true, &value, &data);

	if (map < 0)
		return status(map);
	if (update(map, 0, value, false) < 0)
		return status(-1);
	prepared();
	return status(ops_link(map));
}

static int case_prog_array(void)
{
	int map = map_create(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, "bw_tails"), prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_tail");

	expect_update("map", "%u", map);
	expect_str("map_type", "prog_array");
	expect_prog(prog);
	return status(update(map, 1, low_copy(&prog, sizeof(prog)), true));
}

static int case_devmap(void)
{
	int map = map_create(BPF_MAP_TYPE_DEVMAP_HASH, 4, 8, 4, "bw_devs"), prog = load_one(BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, "bw_dev");
	uint32_t value[2] = { ifindex, (uint32_t)prog };

	expect_update("map", "%u", map);
	expect_str("map_type", "devmap_hash");
	expect_prog(prog);
	return status(update(map, 1, low_copy(value, sizeof(value)), true));
}

static int case_cpumap(void)
{
	int map = map_create(BPF_MAP_TYPE_CPUMAP, 4, 8, 1, "bw_cpus"), prog = load_one(BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, "bw_cpu");
	uint32_t value[2] = { 64, (uint32_t)prog };

	expect_update("map", "%u", map);
	expect_str("map_type", "cpumap");
	expect_prog(prog);
	return status(update(map, 0, low_copy(value, sizeof(value)), true));
}

/* ---- network namespaces, netkit, tokens ------------------------------------------------------------------------------------ */

static uint64_t own_netns(int *ret_fd)
{
	*ret_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return inode_of(*ret_fd);
}

static int case_flow_dissector(void)
{
	int ns, prog = load_one(BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, "bw_flow"), r;
	union bpf_attr attr = { 0 };
	char ino[24];

	snprintf(ino, sizeof(ino), "%llu", (unsigned long long)own_netns(&ns));
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_FLOW_DISSECTOR;
	expect_str("way", "prog_attach");
	expect_str("request", "prog_attach");
	expect_str("operation", "attach");
	expect_str("attach_type", "flow_dissector");
	expect_str("target_kind", "network_namespace");
	expect_str("target", ino);
	expect_prog(prog);
	r = do_bpf(BPF_PROG_ATTACH, &attr, 20);
	if (!r)
		syscall(SYS_bpf, BPF_PROG_DETACH, &attr, sizeof(attr));
	return status(r);
}

static int case_link_flow_dissector(void)
{
	int ns, prog = load_one(BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, "bw_flow");
	char ino[24];

	snprintf(ino, sizeof(ino), "%llu", (unsigned long long)own_netns(&ns));
	expect_str("target_kind", "network_namespace");
	expect_str("target", ino);
	return status(link_create(prog, (uint32_t)ns, BPF_FLOW_DISSECTOR, "flow_dissector", "netns"));
}

/* ---- ioctl() ----------------------------------------------------------------------------------------------------------------- */

static int set_bpf(int perf, int prog)
{
	expect_str("way", "perf_ioctl");
	expect_str("request", "perf_event_ioc_set_bpf");
	expect_str("operation", "attach");
	expect_prog(prog);
	return do_ioctl(perf, PERF_EVENT_IOC_SET_BPF, (unsigned long)prog);
}

static int case_perf_tracepoint(void)
{
	int id = read_number("/sys/kernel/tracing/events/sched/sched_process_exit/id"), perf;

	if (id < 0)
		id = read_number("/sys/kernel/debug/tracing/events/sched/sched_process_exit/id");
	if (id < 0)
		return SKIP;
	perf = perf_open(PERF_TYPE_TRACEPOINT, (uint64_t)id, 0, 0);
	if (perf < 0)
		return errno;
	expect_str("target_kind", "tracepoint");
	expect_str("target", "sched:sched_process_exit");
	return status(set_bpf(perf, load_one(BPF_PROG_TYPE_TRACEPOINT, 0, "bw_tp")));
}

static int case_perf_kprobe(void)
{
	int type = read_number("/sys/bus/event_source/devices/kprobe/type"), perf;

	if (type < 0)
		return SKIP;
	perf = perf_open((uint32_t)type, 0, (uintptr_t) "vfs_rename", 0);
	if (perf < 0)
		return errno == ENOENT ? SKIP : errno;
	expect_str("target_kind", "kprobe");
	expect_str("target", "vfs_rename");
	return status(set_bpf(perf, load_one(BPF_PROG_TYPE_KPROBE, 0, "bw_kprobe")));
}

static int case_perf_uprobe(void)
{
	int type = read_number("/sys/bus/event_source/devices/uprobe/type"), perf;
	char path[256] = "", text[300];

	if (type < 0)
		return SKIP;
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		return errno;
	perf = perf_open((uint32_t)type, 1, (uintptr_t)path, 0x1000); /* config bit 0: on the return */
	if (perf < 0)
		return errno;
	snprintf(text, sizeof(text), "%s:0x1000", path);
	expect_str("target_kind", "uretprobe");
	expect_str("target", text);
	return status(set_bpf(perf, load_one(BPF_PROG_TYPE_KPROBE, 0, "bw_uprobe")));
}

static int case_perf_software(void)
{
	int perf = perf_open(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, 0, 0);

	if (perf < 0)
		return errno;
	expect_str("target_kind", "perf_event");
	expect_str("target", "type 1 config 0x3");
	return status(set_bpf(perf, load_one(BPF_PROG_TYPE_PERF_EVENT, 0, "bw_sw")));
}

static int case_tun(void)
{
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC), prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_tun");
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int *fd = low_alloc(4);

	if (tun < 0 || ioctl(tun, TUNSETIFF, &ifr) < 0)
		return SKIP;
	*fd = prog;
	expect_str("way", "tun_ioctl");
	expect_str("request", "tunsetsteeringebpf");
	expect_str("target_kind", "device");
	expect_prog(prog);
	return status(do_ioctl(tun, TUNSETSTEERINGEBPF, (unsigned long)fd));
}

/* ---- route netlink ----------------------------------------------------------------------------------------------------------- */

struct message {
	struct nlmsghdr h;
	char room[500];
};

static struct rtattr *put(struct message *m, int type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->h.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	m->h.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->h.nlmsg_len) + RTA_ALIGN(a->rta_len));
	return a;
}

static void put_end(struct message *m, struct rtattr *a)
{
	a->rta_len = (unsigned short)((char *)m + m->h.nlmsg_len - (char *)a);
}

static struct message *message(int type, int flags, const void *header, size_t len)
{
	struct message *m = low_alloc(sizeof(*m));

	m->h.nlmsg_type = (uint16_t)type;
	m->h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	m->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	memcpy(NLMSG_DATA(&m->h), header, len);
	return m;
}

/* 0 or -1 with errno, of the send itself or the kernel's answer. */
static int talk(struct message *m, bool by_entry)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), r = -1;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[1024];
	} reply;
	bool entry = abi32;

	abi32 = abi32 && by_entry;
	if (do_send_netlink(fd, m, m->h.nlmsg_len) >= 0) {
		if (recv(fd, &reply, sizeof(reply), 0) < 0)
			r = -1;
		else
			r = (int)answer(reply.e.error);
	}
	abi32 = entry;
	close(fd);
	return r;
}

static int xdp_message(int prog, bool by_entry)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex };
	struct message *m = message(RTM_SETLINK, 0, &header, sizeof(header));
	struct rtattr *nest = put(m, IFLA_XDP | NLA_F_NESTED, NULL, 0);
	uint32_t flags = XDP_FLAGS_SKB_MODE;

	put(m, IFLA_XDP_FD, &prog, sizeof(prog));
	put(m, IFLA_XDP_FLAGS, &flags, sizeof(flags));
	put_end(m, nest);
	return talk(m, by_entry);
}

static int case_netlink_xdp(void)
{
	int prog = load_one(BPF_PROG_TYPE_XDP, 0, "bw_nlxdp"), r;

	expect_str("way", "netlink_xdp");
	expect_str("request", "rtm_setlink");
	expect_str("operation", "attach");
	expect_str("attach_type", "xdp");
	expect_str("target_kind", "interface");
	expect_u64("ifindex", ifindex);
	expect_prog(prog);
	r = xdp_message(prog, true);
	if (!r)
		xdp_message(-1, false);
	return status(r);
}

static int clsact(int type)
{
	struct tcmsg header = { .tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_CLSACT, .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0) };
	struct message *m = message(type, type == RTM_NEWQDISC ? NLM_F_CREATE : 0, &header, sizeof(header));

	put(m, TCA_KIND, "clsact", 7);
	return talk(m, type == RTM_DELQDISC);
}

static int case_netlink_tc(void)
{
	struct tcmsg header = {
		.tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), .tcm_info = TC_H_MAKE(1 << 16, htons(3)),
	};
	int prog = load(BPF_PROG_TYPE_SCHED_CLS, 0, "bw_tc"), r;
	uint32_t fd = (uint32_t)prog, flags = TCA_BPF_FLAG_ACT_DIRECT;
	struct message *m;
	struct rtattr *nest;
	bool entry = abi32;

	if (clsact(RTM_NEWQDISC) < 0 && errno != EEXIST)
		return errno == ENOENT ? SKIP : errno;
	m = message(RTM_NEWTFILTER, NLM_F_CREATE, &header, sizeof(header));
	put(m, TCA_KIND, "bpf", 4);
	nest = put(m, TCA_OPTIONS, NULL, 0);
	put(m, TCA_BPF_FD, &fd, sizeof(fd));
	put(m, TCA_BPF_NAME, "bw", 3);
	put(m, TCA_BPF_FLAGS, &flags, sizeof(flags));
	put_end(m, nest);
	expect_str("way", "netlink_tc");
	expect_str("request", "rtm_newtfilter");
	expect_str("operation", "attach");
	expect_str("target_kind", "interface");
	expect_u64("ifindex", ifindex);
	expect_prog(prog);
	r = talk(m, true);
	abi32 = false;
	clsact(RTM_DELQDISC);
	abi32 = entry;
	return status(r);
}

static int case_netlink_qdisc_del(void)
{
	int r;

	if (clsact(RTM_NEWQDISC) < 0 && errno != EEXIST)
		return errno == ENOENT ? SKIP : errno;
	expect_str("way", "netlink_tc");
	expect_str("request", "rtm_delqdisc");
	expect_str("operation", "detach");
	expect_u64("ifindex", ifindex);
	prepared();
	r = clsact(RTM_DELQDISC);
	return status(r);
}

static int case_netlink_lwt(void)
{
	struct rtmsg header = {
		.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_LINK, .rtm_type = RTN_UNICAST,
	};
	int prog = load(BPF_PROG_TYPE_LWT_XMIT, 0, "bw_lwt"), r;
	struct message *m = message(RTM_NEWROUTE, NLM_F_CREATE, &header, sizeof(header)), *del;
	uint32_t dst = htonl(0xc6336407), fd = (uint32_t)prog, oif = ifindex; /* 198.51.100.7: for documentation */
	uint16_t type = 6;						       /* LWTUNNEL_ENCAP_BPF */
	struct rtattr *nest, *inner;

	if (prog < 0)
		return status(prog);
	put(m, RTA_DST, &dst, sizeof(dst));
	put(m, RTA_OIF, &oif, sizeof(oif));
	put(m, RTA_ENCAP_TYPE, &type, sizeof(type));
	nest = put(m, RTA_ENCAP | NLA_F_NESTED, NULL, 0);
	inner = put(m, 3 | NLA_F_NESTED, NULL, 0); /* LWT_BPF_XMIT */
	put(m, 1, &fd, sizeof(fd));		   /* LWT_BPF_PROG_FD */
	put(m, 2, "bw", 3);
	put_end(m, inner);
	put_end(m, nest);
	expect_str("way", "netlink_lwt");
	expect_str("request", "rtm_newroute");
	expect_str("operation", "attach");
	expect_str("target_kind", "route");
	expect_prog(prog);
	r = talk(m, true);
	if (!r) {
		del = message(RTM_DELROUTE, 0, &header, sizeof(header));
		put(del, RTA_DST, &dst, sizeof(dst));
		put(del, RTA_OIF, &oif, sizeof(oif));
		talk(del, false);
	}
	return r < 0 && (errno == ENODEV || errno == ENETUNREACH) ? SKIP : status(r);
}

/* A pair of interfaces to which programs belong, and to nothing else; gone with this process's end of it. */
static int case_netkit(void)
{
	struct ifinfomsg header = { 0 };
	char name[IFNAMSIZ];
	struct message *m;
	struct rtattr *nest;
	unsigned int index;
	int r;

	snprintf(name, sizeof(name), "bwnk%d", getpid());
	m = message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	put(m, IFLA_IFNAME, name, strlen(name) + 1);
	nest = put(m, IFLA_LINKINFO, NULL, 0);
	put(m, IFLA_INFO_KIND, "netkit", 7);
	put_end(m, nest);
	if (talk(m, false) < 0)
		return errno == ENOENT ? SKIP : status(-1);
	index = if_nametoindex(name);
	expect_str("target_kind", "interface");
	expect_u64("ifindex", index);
	r = status(link_create(load(BPF_PROG_TYPE_SCHED_CLS, 0, "bw_netkit"), index, 54, "netkit_primary", "netkit"));
	header.ifi_index = (int)index;
	talk(message(RTM_DELLINK, 0, &header, sizeof(header)), false);
	return r;
}

/* A delegation: the file system is made in a user namespace of its own, and given its powers by a process outside. */
static int case_token(void)
{
	const char cmds[] = "delegate_cmds", any[] = "any";
	union bpf_attr attr = { 0 };
	struct {
		struct cmsghdr h;
		int fd;
	} control = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int pair[2], fs, mnt, root, fd;
	char text[40];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	if (!fork()) {
		/* Outside: the descriptor comes, and is configured. */
		if (recvmsg(pair[1], &msg, 0) == 1 && control.h.cmsg_len == CMSG_LEN(sizeof(int)))
			byte = syscall(431, control.fd, 1 /* FSCONFIG_SET_STRING */, cmds, any, 0) < 0 ||
			       syscall(431, control.fd, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0;
		if (write(pair[1], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return errno;
	fs = (int)syscall(430 /* fsopen */, "bpf", 0);
	control.fd = fs;
	byte = 1;
	if (fs < 0 || sendmsg(pair[0], &msg, 0) != 1 || read(pair[0], &byte, 1) != 1 || byte)
		return SKIP; /* before 6.9 it knows of no delegation */
	mnt = (int)syscall(432 /* fsmount */, fs, 0, 0);
	root = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno;
	((uint32_t *)&attr)[1] = (uint32_t)root;
	snprintf(text, sizeof(text), "inode %llu", (unsigned long long)inode_of(root));
	expect_str("way", "token");
	expect_str("request", "token_create");
	expect_str("operation", "delegate");
	expect_str("target_kind", "bpffs");
	expect_str("target", text);
	fd = do_bpf(36, &attr, 8);
	return status(fd);
}

/* ---- sockets ----------------------------------------------------------------------------------------------------------------- */

/* "udp and the payload begins with 0x7255": the shape of a magic packet. */
static struct sock_filter magic[] = {
	{ BPF_LD | BPF_H | BPF_ABS, 0, 0, 12 },	   { BPF_JMP | BPF_JEQ | BPF_K, 0, 7, 0x800 },
	{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 23 },	   { BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 17 },
	{ BPF_LDX | BPF_B | BPF_MSH, 0, 0, 14 },   { BPF_LD | BPF_H | BPF_IND, 0, 0, 22 },
	{ BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0x7255 }, { BPF_RET | BPF_K, 0, 0, 0xffff },
	{ BPF_RET | BPF_K, 0, 0, 0 },		   { BPF_RET | BPF_K, 0, 0, 0 },
};

static void *classic(void)
{
	struct sock_filter *f = low_copy(magic, sizeof(magic));
	struct {
		uint16_t len;
		uint32_t filter;
	} *compat = low_alloc(8);
	struct sock_fprog *prog = low_alloc(sizeof(*prog));

	if (abi32) {
		compat->len = sizeof(magic) / sizeof(magic[0]);
		compat->filter = (uint32_t)(uintptr_t)f;
		return compat;
	}
	prog->len = sizeof(magic) / sizeof(magic[0]);
	prog->filter = f;
	return prog;
}

static int option(int fd, int name, const char *text, const char *way, const char *operation, const void *value, socklen_t len)
{
	expect_str("way", way);
	expect_str("request", text);
	expect_str("operation", operation);
	expect_str("target_kind", "socket");
	return do_setsockopt(fd, SOL_SOCKET, name, value, len);
}

static int case_classic_filter(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return errno;
	expect_str("target", "packet raw protocol 0x0");
	r = option(fd, SO_ATTACH_FILTER, "so_attach_filter", "classic_filter", "attach", classic(), abi32 ? 8 : sizeof(struct sock_fprog));
	if (!r) {
		expect_u64("filter_length", sizeof(magic) / sizeof(magic[0]));
		expect(",\"filter_findings\":[\"payload\",\"magic_packet\"],\"technique\":\"T31\"");
	}
	return status(r);
}

static int case_reuseport_classic(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, r;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	r = option(fd, SO_ATTACH_REUSEPORT_CBPF, "so_attach_reuseport_cbpf", "classic_filter", "attach", classic(),
		   abi32 ? 8 : sizeof(struct sock_fprog));
	if (!r)
		expect_u64("filter_length", sizeof(magic) / sizeof(magic[0]));
	return status(r);
}

static int case_socket_filter(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_sock");
	int r = option(fd, SO_ATTACH_BPF, "so_attach_bpf", "socket_filter", "attach", low_copy(&prog, sizeof(prog)), sizeof(prog));

	if (r >= 0)
		expect_prog(prog);
	return status(r);
}

static int case_reuseport_bpf(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_reuse"), one = 1, r;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	r = option(fd, SO_ATTACH_REUSEPORT_EBPF, "so_attach_reuseport_ebpf", "socket_filter", "attach", low_copy(&prog, sizeof(prog)),
		   sizeof(prog));
	if (r >= 0)
		expect_prog(prog);
	return status(r);
}

static int case_filter_detach(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_sockd");

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)) < 0)
		return errno;
	prepared();
	return status(option(fd, SO_DETACH_FILTER, "so_detach_filter", "filter_detach", "detach", low_copy(&prog, sizeof(prog)), sizeof(prog)));
}

static int case_fanout(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(3)), prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_fanout");
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(3), .sll_ifindex = (int)ifindex };
	int group = 0x4242 | PACKET_FANOUT_EBPF << 16;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group, sizeof(group)) < 0)
		return status(-1);
	expect_str("way", "classic_filter");
	expect_str("request", "packet_fanout_data");
	return status(do_setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, low_copy(&prog, sizeof(prog)), sizeof(prog)));
}

/* ---- descriptors that are handed over ------------------------------------------------------------------------------------------ */

static int case_scm_rights(void)
{
	int pair[2], prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_passed"), r;
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { low_alloc(1), 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	memcpy(CMSG_DATA(&control.h), &prog, sizeof(prog));
	if (sendmsg(pair[0], &msg, 0) < 0)
		return errno;
	expect_str("way", "fd_passed");
	expect_str("operation", "receive");
	expect_prog(prog);
	if (abi32) {
		uint32_t *iov32 = low_alloc(8), *msg32 = low_alloc(28);

		iov32[0] = (uint32_t)(uintptr_t)low_alloc(1);
		iov32[1] = 1;
		msg32[2] = (uint32_t)(uintptr_t)iov32;
		msg32[3] = 1;
		msg32[4] = (uint32_t)(uintptr_t)low_alloc(64);
		msg32[5] = 64;
		r = (int)answer(call32(372, pair[1], (long)msg32, 0, 0, 0));
		return r < 0 ? errno : msg32[5] ? 0 : EPERM;
	}
	memset(&control, 0, sizeof(control));
	msg.msg_controllen = sizeof(control);
	r = (int)recvmsg(pair[1], &msg, 0);
	/* A descriptor that is refused is left out, without an error. */
	return r < 0 ? errno : control.h.cmsg_len ? 0 : EPERM;
}

static int case_pidfd_getfd(void)
{
	int prog = load_one(BPF_PROG_TYPE_SOCKET_FILTER, 0, "bw_getfd"), pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0), r;

	if (pidfd < 0)
		return SKIP;
	expect_str("way", "fd_passed");
	expect_str("operation", "receive");
	expect_prog(prog);
	if (abi32)
		r = (int)answer(call32(438, pidfd, prog, 0, 0, 0));
	else
		r = (int)syscall(SYS_pidfd_getfd, pidfd, prog, 0);
	return r < 0 ? errno : 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} cases[] = {
	{ "link_cgroup", case_link_cgroup },
	{ "link_xdp", case_link_xdp },
	{ "link_tcx", case_link_tcx },
	{ "link_netns", case_link_netns },
	{ "link_netfilter", case_link_netfilter },
	{ "link_perf", case_link_perf },
	{ "link_kprobe_multi", case_link_kprobe_multi },
	{ "link_uprobe_multi", case_link_uprobe_multi },
	{ "link_iter", case_link_iter },
	{ "iter_create", case_iter_create },
	{ "fentry", case_fentry },
	{ "fexit", case_fexit },
	{ "fmod_ret", case_fmod_ret },
	{ "lsm", case_lsm },
	{ "freplace", case_freplace },
	{ "struct_ops", case_struct_ops },
	{ "struct_ops_link", case_struct_ops_link },
	{ "sched_ext", case_sched_ext },
	{ "prog_array", case_prog_array },
	{ "devmap", case_devmap },
	{ "cpumap", case_cpumap },
	{ "flow_dissector", case_flow_dissector },
	{ "link_flow_dissector", case_link_flow_dissector },
	{ "netkit", case_netkit },
	{ "token", case_token },
	{ "link_update", case_link_update },
	{ "link_detach", case_link_detach },
	{ "link_by_id", case_link_by_id },
	{ "prog_attach", case_prog_attach },
	{ "prog_detach", case_prog_detach },
	{ "prog_attach_sockmap", case_sk_msg },
	{ "raw_tracepoint", case_raw_tracepoint },
	{ "test_run", case_test_run },
	{ "pin", case_pin },
	{ "pin_get", case_pin_get },
	{ "prog_by_id", case_prog_by_id },
	{ "map_by_id", case_map_by_id },
	{ "perf_tracepoint", case_perf_tracepoint },
	{ "perf_kprobe", case_perf_kprobe },
	{ "perf_uprobe", case_perf_uprobe },
	{ "perf_software", case_perf_software },
	{ "tun", case_tun },
	{ "netlink_xdp", case_netlink_xdp },
	{ "netlink_tc", case_netlink_tc },
	{ "netlink_qdisc_del", case_netlink_qdisc_del },
	{ "netlink_lwt", case_netlink_lwt },
	{ "classic_filter", case_classic_filter },
	{ "reuseport_classic", case_reuseport_classic },
	{ "socket_filter", case_socket_filter },
	{ "reuseport_bpf", case_reuseport_bpf },
	{ "filter_detach", case_filter_detach },
	{ "packet_fanout_data", case_fanout },
	{ "scm_rights", case_scm_rights },
	{ "pidfd_getfd", case_pidfd_getfd },
};

/* Each case in a process of its own: what it leaves goes with it, and its events are told apart by its number. */
static void run(const char *name, int (*fn)(void))
{
	const char *abi = abi32 ? "ia32" : "64-bit";
	pid_t pid;
	int r;

	fflush(stdout);
	pid = fork();
	if (pid) {
		waitpid(pid, &r, 0);
		if (!WIFEXITED(r) || WEXITSTATUS(r))
			printf("%s\t%s\tdied\t{}\n", name, abi);
		return;
	}
	low_used = 0;
	expect("{\"loader_tgid\":%d", getpid());
	r = fn();
	expect("}");
	if (r == SKIP)
		printf("%s\t%s\tskip\t%s\n", name, abi, expected);
	else
		printf("%s\t%s\t%d\t%s\n", name, abi, r, expected);
	fflush(stdout);
	_exit(0);
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------------ */

/* Is @member (\"key\":value) in the line? Values are scalars and lists without nested commas; the guard writes no blanks. */
static bool has_member(const char *line, const char *member, size_t len)
{
	for (const char *at = line; (at = memmem(at, strlen(at), member, len)); at++)
		if (at[len] == ',' || at[len] == '}')
			return true;
	return false;
}

/* The first member that @line lacks, or NULL. @len: its length. */
static const char *missing_member(const char *line, const char *json, size_t *len)
{
	const char *at = json + 1;

	while (*at && *at != '}') {
		int depth = 0;
		bool quoted = false;
		const char *end = at;

		for (; *end && (quoted || depth || (*end != ',' && *end != '}')); end++) {
			quoted ^= *end == '"';
			depth += !quoted && *end == '[' ? 1 : !quoted && *end == ']' ? -1 : 0;
		}
		*len = (size_t)(end - at);
		if (!has_member(line, at, *len))
			return at;
		at = *end == ',' ? end + 1 : end;
	}
	return NULL;
}

struct lines {
	char **line;
	size_t n;
};

static int read_lines(const char *path, struct lines *ret)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (!f)
		return -1;
	while ((n = getline(&line, &cap, f)) > 0) {
		char **more = realloc(ret->line, (ret->n + 1) * sizeof(*more));

		if (!more)
			abort();
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		ret->line = more;
		ret->line[ret->n++] = strdup(line);
	}
	fclose(f);
	free(line);
	return 0;
}

/* What the guard said about one case: see above. 1: wrong. */
static int judge(const struct lines *events, const char *name, const char *abi, const char *result, const char *json)
{
	const char *way = strstr(json, ",\"way\""), *best = NULL, *lacks = NULL;
	char process[64] = "", way_member[64] = "", request[80] = "";
	const char *at = strstr(json, ",\"request\"");
	size_t len = 0;

	snprintf(process, sizeof(process), "%.*s", (int)strcspn(json + 1, ",}"), json + 1);
	if (way)
		snprintf(way_member, sizeof(way_member), "%.*s", (int)strcspn(way + 1, ",}"), way + 1);
	if (at)
		snprintf(request, sizeof(request), "%.*s", (int)strcspn(at + 1, ",}"), at + 1);
	if (!strcmp(result, "skip")) {
		printf("%s\t%s\tabsent\n", name, abi);
		return 0;
	}
	for (size_t i = 0; i < events->n; i++) {
		const char *line = events->line[i];

		if (!has_member(line, process, strlen(process)) || !has_member(line, way_member, strlen(way_member)) ||
		    !strstr(line, "\"kind\":\"attach\"") || (request[0] && !has_member(line, request, strlen(request))))
			continue;
		best = line;
		lacks = missing_member(line, json, &len);
		if (!lacks)
			break;
	}
	if (!best) {
		printf("%s\t%s\tblind\n", name, abi);
		return 0;
	}
	if (lacks) {
		printf("wrong\t%s\t%s\t%.*s\t%s\n", name, abi, (int)len, lacks, best);
		return 1;
	}
	if (strstr(best, "\"action\":\"denied\"")) {
		if (!strcmp(result, "0")) {
			printf("wrong\t%s\t%s\tsays denied, and it went through\t%s\n", name, abi, best);
			return 1;
		}
		printf("%s\t%s\trefused\n", name, abi);
	} else if (strcmp(result, "0")) {
		printf("wrong\t%s\t%s\tfailed with errno %s\t%s\n", name, abi, result, best);
		return 1;
	} else {
		printf("%s\t%s\t%s\n", name, abi, strstr(best, "\"action\":\"would-deny\"") ? "answered" : "seen");
	}
	return 0;
}

static int check(const char *expected_path, const char *events_path)
{
	struct lines want = { 0 }, events = { 0 };
	int wrong = 0;

	if (read_lines(expected_path, &want) < 0 || read_lines(events_path, &events) < 0) {
		perror("bwattach --check");
		return 3;
	}
	for (size_t i = 0; i < want.n; i++) {
		char *rest = want.line[i], *name = strsep(&rest, "\t"), *abi = strsep(&rest, "\t"), *result = strsep(&rest, "\t");

		if (!rest || !strcmp(result, "died")) {
			printf("wrong\t%s\tdied\n", name);
			wrong++;
			continue;
		}
		wrong += judge(&events, name, abi, result, rest);
	}
	return wrong ? 1 : 0;
}

int main(int argc, char **argv)
{
	bool named = false;

	if (argc == 4 && !strcmp(argv[1], "--check"))
		return check(argv[2], argv[3]);
	low = mmap(NULL, LOW_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED) {
		perror("bwattach: memory below 4 GiB");
		return 3;
	}
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--abi32"))
			abi32 = true;
		else if (!strcmp(argv[i], "--dir") && i + 1 < argc)
			pin_dir = argv[++i];
		else if (!strcmp(argv[i], "--cgroup") && i + 1 < argc)
			cgroup_dir = argv[++i];
		else if (!strcmp(argv[i], "--wait") && i + 1 < argc)
			wait_dir = argv[++i];
		else if (!strcmp(argv[i], "--ifindex") && i + 1 < argc)
			ifindex = (unsigned int)strtoul(argv[++i], NULL, 10);
		else
			named = true;
	}
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		bool wanted = !named;

		for (int i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], cases[k].name);
		if (wanted)
			run(cases[k].name, cases[k].run);
	}
	return 0;
}
