// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * System calls and their arguments. Source: the prototypes in include/linux/syscalls.h.
 */
#include <string.h>

#include "auditor/sources_table.h"
#include "common/cleanup.h"

static const struct syscall {
	const char *name;
	int nr; /* x86-64 */
	struct bw_arg args[6];
} syscalls[] = {
	{ "read", 0, { N("fd"), U(BUF, "buf"), N("count") } },
	{ "write", 1, { N("fd"), U(BUF, "buf"), N("count") } },
	{ "open", 2, { U(NAME, "filename"), N("flags"), N("mode") } },
	{ "close", 3, { N("fd") } },
	{ "stat", 4, { U(NAME, "filename"), U(BUF, "statbuf") } },
	{ "newstat", 4, { U(NAME, "filename"), U(BUF, "statbuf") } },
	{ "fstat", 5, { N("fd"), U(BUF, "statbuf") } },
	{ "newfstat", 5, { N("fd"), U(BUF, "statbuf") } },
	{ "lstat", 6, { U(NAME, "filename"), U(BUF, "statbuf") } },
	{ "newlstat", 6, { U(NAME, "filename"), U(BUF, "statbuf") } },
	{ "poll", 7, { U(MEM, "fds"), N("nfds"), N("timeout") } },
	{ "ioctl", 16, { N("fd"), N("cmd"), U(BUF, "arg") } },
	{ "pread64", 17, { N("fd"), U(BUF, "buf"), N("count"), N("pos") } },
	{ "pwrite64", 18, { N("fd"), U(BUF, "buf"), N("count"), N("pos") } },
	{ "readv", 19, { N("fd"), P(BUF, "vec"), N("vlen") } },
	{ "writev", 20, { N("fd"), P(BUF, "vec"), N("vlen") } },
	{ "access", 21, { U(NAME, "filename"), N("mode") } },
	{ "pipe", 22, { U(BUF, "fildes") } },
	{ "connect", 42, { N("fd"), U(S(PACKET_HEADER), "uservaddr"), N("addrlen") } },
	{ "accept", 43, { N("fd"), U(S(PACKET_HEADER), "upeer_sockaddr"), U(MEM, "upeer_addrlen") } },
	{ "sendto", 44, { N("fd"), U(BUF, "buff"), N("len"), N("flags"), U(S(PACKET_HEADER), "addr"), N("addr_len") } },
	{ "recvfrom", 45, { N("fd"), U(BUF, "ubuf"), N("size"), N("flags"), U(S(PACKET_HEADER), "addr"), U(MEM, "addr_len") } },
	{ "sendmsg", 46, { N("fd"), P(BUF, "msg"), N("flags") } },
	{ "recvmsg", 47, { N("fd"), P(BUF, "msg"), N("flags") } },
	{ "bind", 49, { N("fd"), U(S(PACKET_HEADER), "umyaddr"), N("addrlen") } },
	{ "setsockopt", 54, { N("fd"), N("level"), N("optname"), U(BUF, "optval"), N("optlen") } },
	{ "getsockopt", 55, { N("fd"), N("level"), N("optname"), U(BUF, "optval"), U(MEM, "optlen") } },
	{ "execve", 59, { U(NAME, "filename"), P(S(EXEC_ARGS), "argv"), P(S(ENVIRONMENT), "envp") } },
	{ "kill", 62, { N("pid"), N("sig") } },
	{ "newuname", 63, { U(BUF, "name") } },
	{ "uname", 63, { U(BUF, "name") } },
	{ "getdents", 78, { N("fd"), U(BUF, "dirent"), N("count") } },
	{ "getcwd", 79, { U(NAME, "buf"), N("size") } },
	{ "chdir", 80, { U(NAME, "filename") } },
	{ "rename", 82, { U(NAME, "oldname"), U(NAME, "newname") } },
	{ "mkdir", 83, { U(NAME, "pathname"), N("mode") } },
	{ "rmdir", 84, { U(NAME, "pathname") } },
	{ "creat", 85, { U(NAME, "pathname"), N("mode") } },
	{ "link", 86, { U(NAME, "oldname"), U(NAME, "newname") } },
	{ "unlink", 87, { U(NAME, "pathname") } },
	{ "symlink", 88, { U(NAME, "oldname"), U(NAME, "newname") } },
	{ "readlink", 89, { U(NAME, "path"), U(NAME, "buf"), N("bufsiz") } },
	{ "chmod", 90, { U(NAME, "filename"), N("mode") } },
	{ "chown", 92, { U(NAME, "filename"), N("user"), N("group") } },
	{ "ptrace", 101, { N("request"), N("pid"), U(MEM, "addr"), U(MEM, "data") } },
	{ "syslog", 103, { N("type"), U(BUF, "buf"), N("len") } },
	{ "statfs", 137, { U(NAME, "pathname"), U(BUF, "buf") } },
	{ "prctl", 157, { N("option"), U(MEM, "arg2"), U(MEM, "arg3"), U(MEM, "arg4"), U(MEM, "arg5") } },
	{ "mount", 165, { U(NAME, "dev_name"), U(NAME, "dir_name"), U(NAME, "type"), N("flags"), U(BUF, "data") } },
	{ "umount", 166, { U(NAME, "name"), N("flags") } },
	{ "init_module", 175, { U(BUF, "umod"), N("len"), U(BUF, "uargs") } },
	{ "setxattr", 188, { U(NAME, "pathname"), U(NAME, "name"), U(S(FILE_CONTENT), "value"), N("size"), N("flags") } },
	{ "getxattr", 191, { U(NAME, "pathname"), U(NAME, "name"), U(S(FILE_CONTENT), "value"), N("size") } },
	{ "listxattr", 194, { U(NAME, "pathname"), U(NAME, "list"), N("size") } },
	{ "getdents64", 217, { N("fd"), U(BUF, "dirent"), N("count") } },
	{ "mq_timedsend", 242, { N("mqdes"), U(BUF, "u_msg_ptr"), N("msg_len"), N("msg_prio"), U(MEM, "u_abs_timeout") } },
	{ "mq_timedreceive", 243, { N("mqdes"), U(BUF, "u_msg_ptr"), N("msg_len"), U(MEM, "u_msg_prio"), U(MEM, "t") } },
	{ "add_key", 248, { U(NAME, "_type"), U(NAME, "_description"), U(S(CREDENTIALS), "_payload"), N("plen"), N("ringid") } },
	{ "request_key", 249, { U(NAME, "_type"), U(NAME, "_description"), U(S(CREDENTIALS), "_callout_info"), N("destringid") } },
	{ "keyctl", 250, { N("option"), U(S(CREDENTIALS), "arg2"), U(S(CREDENTIALS), "arg3"), U(S(CREDENTIALS), "arg4"),
			   U(S(CREDENTIALS), "arg5") } },
	{ "openat", 257, { N("dfd"), U(NAME, "filename"), N("flags"), N("mode") } },
	{ "mkdirat", 258, { N("dfd"), U(NAME, "pathname"), N("mode") } },
	{ "newfstatat", 262, { N("dfd"), U(NAME, "filename"), U(BUF, "statbuf"), N("flag") } },
	{ "fstatat", 262, { N("dfd"), U(NAME, "filename"), U(BUF, "statbuf"), N("flag") } },
	{ "unlinkat", 263, { N("dfd"), U(NAME, "pathname"), N("flag") } },
	{ "renameat", 264, { N("olddfd"), U(NAME, "oldname"), N("newdfd"), U(NAME, "newname") } },
	{ "linkat", 265, { N("olddfd"), U(NAME, "oldname"), N("newdfd"), U(NAME, "newname"), N("flags") } },
	{ "symlinkat", 266, { U(NAME, "oldname"), N("newdfd"), U(NAME, "newname") } },
	{ "readlinkat", 267, { N("dfd"), U(NAME, "pathname"), U(NAME, "buf"), N("bufsiz") } },
	{ "fchmodat", 268, { N("dfd"), U(NAME, "filename"), N("mode") } },
	{ "faccessat", 269, { N("dfd"), U(NAME, "filename"), N("mode") } },
	{ "vmsplice", 278, { N("fd"), P(BUF, "uiov"), N("nr_segs"), N("flags") } },
	{ "timerfd_settime", 286, { N("ufd"), N("flags"), U(MEM, "utmr"), U(MEM, "otmr") } },
	{ "accept4", 288, { N("fd"), U(S(PACKET_HEADER), "upeer_sockaddr"), U(MEM, "upeer_addrlen"), N("flags") } },
	{ "pipe2", 293, { U(BUF, "fildes"), N("flags") } },
	{ "preadv", 295, { N("fd"), P(BUF, "vec"), N("vlen") } },
	{ "pwritev", 296, { N("fd"), P(BUF, "vec"), N("vlen") } },
	{ "recvmmsg", 299, { N("fd"), P(BUF, "mmsg"), N("vlen"), N("flags"), U(MEM, "timeout") } },
	{ "sendmmsg", 307, { N("fd"), P(BUF, "mmsg"), N("vlen"), N("flags") } },
	{ "process_vm_readv", 310, { N("pid"), P(BUF, "lvec"), N("liovcnt"), P(BUF, "rvec"), N("riovcnt"), N("flags") } },
	{ "process_vm_writev", 311, { N("pid"), P(BUF, "lvec"), N("liovcnt"), P(BUF, "rvec"), N("riovcnt"), N("flags") } },
	{ "finit_module", 313, { N("fd"), U(BUF, "uargs"), N("flags") } },
	{ "renameat2", 316, { N("olddfd"), U(NAME, "oldname"), N("newdfd"), U(NAME, "newname"), N("flags") } },
	{ "getrandom", 318, { U(BUF, "buf"), N("count"), N("flags") } },
	{ "memfd_create", 319, { U(NAME, "uname"), N("flags") } },
	{ "bpf", 321, { N("cmd"), U(BUF, "uattr"), N("size") } },
	{ "execveat", 322, { N("fd"), U(NAME, "filename"), P(S(EXEC_ARGS), "argv"), P(S(ENVIRONMENT), "envp"), N("flags") } },
	{ "preadv2", 327, { N("fd"), P(BUF, "vec"), N("vlen") } },
	{ "pwritev2", 328, { N("fd"), P(BUF, "vec"), N("vlen") } },
	{ "statx", 332, { N("dfd"), U(NAME, "filename"), N("flags"), N("mask"), U(BUF, "buffer") } },
	{ "openat2", 437, { N("dfd"), U(NAME, "filename"), U(MEM, "how"), N("usize") } },
	{ "faccessat2", 439, { N("dfd"), U(NAME, "filename"), N("mode"), N("flags") } },
};

static const struct syscall *syscall_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(syscalls); i++)
		if (strlen(syscalls[i].name) == len && !memcmp(syscalls[i].name, name, len))
			return &syscalls[i];
	return NULL;
}

const char *bw_syscall_name(int64_t nr)
{
	for (size_t i = 0; nr >= 0 && i < ARRAY_SIZE(syscalls); i++)
		if (syscalls[i].nr == nr)
			return syscalls[i].name;
	return NULL;
}

bool bw_syscall_arg(const char *name, size_t len, int i, struct bw_arg *ret)
{
	const struct syscall *s = syscall_find(name, len);

	if (i < 0) {
		*ret = (struct bw_arg)N("ret");
		return true;
	}
	if (!s || i > 5 || !s->args[i].name)
		return false;
	*ret = s->args[i];
	return true;
}
