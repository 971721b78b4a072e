// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What attach points hand to programs. Sources: the system calls' prototypes in include/linux/syscalls.h, the layout of
 * syscall tracepoints in kernel/trace/trace_syscalls.c, arch/x86/include/asm/ptrace.h, and the libraries' headers.
 * Over 800 lines because most of it is tables, which are easier to check in one place.
 */
#include "auditor/sources.h"

#include <ctype.h>
#include <string.h>

#include "common/cleanup.h"

#define S(x) BW_SRC_BIT(BW_SRC_##x)

bool bw_glob(const char *p, const char *s, size_t len)
{
	const char *star = NULL;
	size_t i = 0, mark = 0;

	for (;;) {
		if (*p == '*') {
			star = ++p;
			mark = i;
		} else if (i < len && *p == s[i]) {
			p++;
			i++;
		} else if (i == len && !*p) {
			return true;
		} else if (star && mark < len) {
			p = star;
			i = ++mark;
		} else {
			return false;
		}
	}
}

/* ---- system calls -------------------------------------------------------------------------------------------------- */

#define U(c, n) { BW_ARG_USER_PTR, c, n, "" }
#define P(c, n) { BW_ARG_POINTERS, c, n, "" }
#define N(n) { BW_ARG_NUMBER, S(PROCESS_METADATA), n, "" }
#define BUF S(SYSCALL_BUFFER)
#define NAME S(FILE_NAME)
#define MEM S(USER_MEMORY)

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

/* ---- functions ------------------------------------------------------------------------------------------------------ */

/* One argument of functions by name (with *). arg -1: the return value; -2: every argument and what they lead to. */
struct func_arg {
	const char *name;
	int arg;
	struct bw_arg meaning;
};
#define K(c, n) { BW_ARG_KERNEL_PTR, c, n, "" }
#define T(t) { BW_ARG_STRUCT, 0, "", t }
#define V(c, n) { BW_ARG_NUMBER, c, n, "" }

static const struct func_arg user_funcs[] = {
	/* TLS: OpenSSL, BoringSSL and wolfSSL; GnuTLS; NSS; mbed TLS; s2n; rustls' C interface; Go */
	{ "SSL_read*", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "SSL_peek*", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "SSL_write*", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "ssl_read*", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "ssl_write*", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "ssl3_read*", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "ssl3_write*", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "BIO_read", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "BIO_write", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "wolfSSL_read", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "wolfSSL_write", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "gnutls_record_recv*", 1, U(S(TLS_PLAINTEXT), "data") },
	{ "gnutls_record_send*", 1, U(S(TLS_PLAINTEXT), "data") },
	{ "PR_Read", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "PR_Write", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "PR_Recv", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "PR_Send", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "mbedtls_ssl_read", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "mbedtls_ssl_write", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "s2n_recv", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "s2n_send", 1, U(S(TLS_PLAINTEXT), "buf") },
	{ "*rustls_connection_read", -2, U(S(TLS_PLAINTEXT), "buf") },
	{ "*rustls_connection_write", -2, U(S(TLS_PLAINTEXT), "buf") },
	{ "*crypto/tls.*", -2, U(S(TLS_PLAINTEXT), "buf") },
	{ "*net/http*", -2, U(S(TLS_PLAINTEXT), "buf") },
	{ "*SSL_SESSION_get_master_key", -2, U(S(CREDENTIALS) | S(TLS_PLAINTEXT), "secret") },
	{ "*ssl_log_secret*", -2, U(S(CREDENTIALS) | S(TLS_PLAINTEXT), "secret") },
	{ "*nss_keylog*", -2, U(S(CREDENTIALS) | S(TLS_PLAINTEXT), "secret") },
	{ "*tls13_*secret*", -2, U(S(CREDENTIALS) | S(TLS_PLAINTEXT), "secret") },
	{ "*tls13_*key*", -2, U(S(CREDENTIALS) | S(TLS_PLAINTEXT), "secret") },
	{ "*master_secret*", -2, U(S(CREDENTIALS) | S(TLS_PLAINTEXT), "secret") },
	{ "*keylog*", -2, U(S(CREDENTIALS) | S(TLS_PLAINTEXT), "secret") },
	{ "*nspr*", -2, U(S(TLS_PLAINTEXT), "buf") },
	/* logins */
	{ "pam_*", -2, U(S(CREDENTIALS), "authtok") },
	{ "_pam_*", -2, U(S(CREDENTIALS), "authtok") },
	{ "crypt", -2, U(S(CREDENTIALS), "key") },
	{ "crypt_r*", -2, U(S(CREDENTIALS), "key") },
	{ "*getpass*", -2, U(S(CREDENTIALS), "password") },
	{ "*crypt_verify*", -2, U(S(CREDENTIALS), "password") },
	{ "*auth_password*", -2, U(S(CREDENTIALS), "password") },
	{ "*authpassword*", -2, U(S(CREDENTIALS), "password") },
	{ "*userauth_passwd*", -2, U(S(CREDENTIALS), "password") },
	{ "*check_password*", -2, U(S(CREDENTIALS), "password") },
	{ "*verify_password*", -2, U(S(CREDENTIALS), "password") },
	{ "EVP_*Init*", -2, U(S(CREDENTIALS), "key") },
	{ "EVP_PKEY_*", -2, U(S(CREDENTIALS), "key") },
	{ "AES_set_*key", -2, U(S(CREDENTIALS), "key") },
	{ "getsp*", -2, U(S(CREDENTIALS), "shadow entry") },
	/* what people type */
	{ "readline*", -1, U(S(KEYSTROKES), "line") },
	{ "readline*", -2, U(S(KEYSTROKES), "line") },
	{ "zleread*", -2, U(S(KEYSTROKES), "line") },
	{ "zleentry*", -2, U(S(KEYSTROKES), "line") },
	{ "rl_*", -2, U(S(KEYSTROKES), "line") },
	{ "el_gets", -2, U(S(KEYSTROKES), "line") },
	{ "*linenoise*", -2, U(S(KEYSTROKES), "line") },
	{ "fgets*", 0, U(S(KEYSTROKES), "line") },
	/* names, environment, input and output of the C library */
	{ "getaddrinfo", 0, U(S(DNS), "node") },
	{ "gethostbyname*", 0, U(S(DNS), "name") },
	{ "getenv", 0, U(S(ENVIRONMENT), "name") },
	{ "getenv", -1, U(S(ENVIRONMENT), "value") },
	{ "secure_getenv", -1, U(S(ENVIRONMENT), "value") },
	{ "setenv", -2, U(S(ENVIRONMENT), "value") },
	{ "putenv", -2, U(S(ENVIRONMENT), "value") },
	{ "read", 1, U(BUF, "buf") },
	{ "write", 1, U(BUF, "buf") },
	{ "send", 1, U(BUF, "buf") },
	{ "recv", 1, U(BUF, "buf") },
	{ "fread", 0, U(S(FILE_CONTENT), "ptr") },
	{ "fwrite", 0, U(S(FILE_CONTENT), "ptr") },
	{ "fopen*", 0, U(NAME, "path") },
	{ "open*", 0, U(NAME, "path") },
};

static const struct func_arg kernel_funcs[] = {
	{ "vfs_read", 1, U(S(FILE_CONTENT), "buf") },
	{ "vfs_write", 1, U(S(FILE_CONTENT), "buf") },
	{ "__vfs_read", 1, U(S(FILE_CONTENT), "buf") },
	{ "__vfs_write", 1, U(S(FILE_CONTENT), "buf") },
	{ "vfs_readv", 1, P(S(FILE_CONTENT), "vec") },
	{ "vfs_writev", 1, P(S(FILE_CONTENT), "vec") },
	{ "kernel_read", 1, K(S(FILE_CONTENT), "buf") },
	{ "kernel_write", 1, K(S(FILE_CONTENT), "buf") },
	{ "__kernel_read", 1, K(S(FILE_CONTENT), "buf") },
	{ "ksys_read", 1, U(BUF, "buf") },
	{ "ksys_write", 1, U(BUF, "buf") },
	{ "ksys_pread64", 1, U(BUF, "buf") },
	{ "ksys_pwrite64", 1, U(BUF, "buf") },
	{ "do_sys_open*", 1, U(NAME, "filename") },
	{ "do_filp_open", 1, T("filename") },
	{ "do_faccessat", 1, U(NAME, "filename") },
	{ "vfs_statx", 1, U(NAME, "filename") },
	{ "vfs_fstatat", 1, U(NAME, "filename") },
	{ "do_readlinkat", 1, U(NAME, "pathname") },
	{ "do_unlinkat", 1, T("filename") },
	{ "do_execve*", 0, T("filename") },
	{ "do_execveat_common*", 1, T("filename") },
	{ "getname*", 0, U(NAME, "filename") },
	{ "user_path_at*", 1, U(NAME, "name") },
	{ "filldir*", 1, K(NAME, "name") },
	{ "iterate_dir", 0, T("file") },
	{ "__x64_sys_*", 0, { BW_ARG_PTREGS, 0, "regs", "pt_regs" } },
	{ "tty_write", 1, U(S(TTY), "buf") },
	{ "tty_read", 1, U(S(TTY), "buf") },
	{ "pty_write", 1, K(S(TTY), "buf") },
	{ "n_tty_write", 2, K(S(TTY), "buf") },
	{ "n_tty_read", 2, K(S(TTY), "buf") },
	{ "n_tty_receive_*", 1, K(S(TTY) | S(KEYSTROKES), "cp") },
	{ "tty_insert_flip_string*", 1, K(S(TTY) | S(KEYSTROKES), "chars") },
	{ "tty_ldisc_receive_buf", 1, K(S(TTY) | S(KEYSTROKES), "p") },
	{ "tty_receive_*", -2, K(S(TTY) | S(KEYSTROKES), "buf") },
	{ "*_write_room", -2, K(S(TTY), "tty") },
	{ "con_write", 1, K(S(TTY), "buf") },
	{ "do_con_write", 1, K(S(TTY), "buf") },
	{ "uart_write", 1, K(S(TTY), "buf") },
	{ "serial8250_*", -2, K(S(TTY), "buf") },
	{ "tty_*", -2, K(S(TTY), "tty") },
	{ "pty_*", -2, K(S(TTY), "tty") },
	{ "input_handle_event*", -2, V(S(KEYSTROKES), "event") },
	{ "input_event*", -2, V(S(KEYSTROKES), "event") },
	{ "input_repeat_key", -2, V(S(KEYSTROKES), "key") },
	{ "input_inject_event", -2, V(S(KEYSTROKES), "event") },
	{ "input_pass_*", -2, V(S(KEYSTROKES), "event") },
	{ "input_to_handler", -2, V(S(KEYSTROKES), "event") },
	{ "evdev_*", -2, V(S(KEYSTROKES), "event") },
	{ "kbd_*", -2, V(S(KEYSTROKES), "key") },
	{ "atkbd_*", -2, V(S(KEYSTROKES), "key") },
	{ "hid_*report*", -2, K(S(KEYSTROKES), "report") },
	{ "hid_irq_in", -2, K(S(KEYSTROKES), "report") },
	{ "usb_kbd_*", -2, K(S(KEYSTROKES), "report") },
	{ "vt_do_kd*", -2, V(S(KEYSTROKES), "key") },
	{ "*_sendmsg*", 1, T("msghdr") },
	{ "*_recvmsg*", 1, T("msghdr") },
	{ "security_socket_sendmsg", 1, T("msghdr") },
	{ "security_socket_recvmsg", 1, T("msghdr") },
	{ "tcp_sendmsg*", 0, T("sock") },
	{ "tcp_recvmsg*", 0, T("sock") },
	{ "udp_sendmsg", 0, T("sock") },
	{ "udp_recvmsg", 0, T("sock") },
	{ "*copy_from_iter*", 0, K(BUF, "addr") },
	{ "*copy_to_iter*", 0, K(BUF, "addr") },
	{ "skb_copy_datagram_iter", 0, T("sk_buff") },
	{ "ip_rcv*", 0, T("sk_buff") },
	{ "ipv6_rcv", 0, T("sk_buff") },
	{ "tcp_v4_rcv", 0, T("sk_buff") },
	{ "tcp_v6_rcv", 0, T("sk_buff") },
	{ "udp_rcv", 0, T("sk_buff") },
	{ "icmp_rcv", 0, T("sk_buff") },
	{ "*dev_queue_xmit", 0, T("sk_buff") },
	{ "dev_hard_start_xmit", 0, T("sk_buff") },
	{ "*netif_receive_skb*", 0, T("sk_buff") },
	{ "*netif_rx*", 0, T("sk_buff") },
	{ "napi_gro_receive", 1, T("sk_buff") },
	{ "kfree_skb*", 0, T("sk_buff") },
	{ "consume_skb", 0, T("sk_buff") },
	{ "tcp_rcv_*", 1, T("sk_buff") },
	{ "tcp_v4_do_rcv", 1, T("sk_buff") },
	{ "nf_hook_slow", 0, T("sk_buff") },
	{ "ip_output", 2, T("sk_buff") },
	{ "ip_local_out", 2, T("sk_buff") },
	{ "ip_queue_xmit", 1, T("sk_buff") },
	{ "__ip_queue_xmit", 1, T("sk_buff") },
	{ "commit_creds", 0, T("cred") },
	{ "keyctl_read_key", 1, U(S(CREDENTIALS), "buffer") },
	{ "*keyctl_read*", -2, K(S(CREDENTIALS), "key") },
	{ "user_read", -2, K(S(CREDENTIALS), "key") },
	{ "key_*", -2, K(S(CREDENTIALS), "key") },
	{ "security_key_*", -2, K(S(CREDENTIALS), "key") },
	{ "*_setkey*", -2, K(S(CREDENTIALS), "key") },
	{ "*crypto_*", -2, K(S(CREDENTIALS), "buffer") },
	{ "audit_log_end", 0, T("audit_buffer") },
	{ "audit_log*", -2, K(S(KERNEL_MEMORY), "record") },
	{ "copy_strings*", -2, P(S(EXEC_ARGS), "argv") },
	{ "load_elf_binary", 0, T("linux_binprm") },
	{ "*bprm_*", 0, T("linux_binprm") },
	{ "security_inode_*", -2, K(NAME, "dentry") },
	{ "security_file_open", 0, T("file") },
	{ "security_file_permission", 0, T("file") },
	{ "file_open", 0, T("file") },
	{ "file_permission", 0, T("file") },
	{ "vfs_open", 0, T("path") },
	{ "vfs_read", 0, T("file") },
	{ "vfs_write", 0, T("file") },
	{ "vfs_unlink", 2, T("dentry") },
};

/* ---- what a program is attached to ------------------------------------------------------------------------------------ */

enum { T_SOCKET_FILTER = 1, T_KPROBE, T_SCHED_CLS, T_SCHED_ACT, T_TRACEPOINT, T_XDP, T_PERF_EVENT, T_CGROUP_SKB, T_CGROUP_SOCK,
       T_LWT_IN, T_LWT_OUT, T_LWT_XMIT, T_SOCK_OPS, T_SK_SKB, T_CGROUP_DEVICE, T_SK_MSG, T_RAW_TP, T_CGROUP_SOCK_ADDR,
       T_LWT_SEG6LOCAL, T_LIRC, T_SK_REUSEPORT, T_FLOW_DISSECTOR, T_CGROUP_SYSCTL, T_RAW_TP_W, T_CGROUP_SOCKOPT, T_TRACING,
       T_STRUCT_OPS, T_EXT, T_LSM, T_SK_LOOKUP, T_SYSCALL, T_NETFILTER };

static bool has(const char *s, const char *word)
{
	return strstr(s, word) != NULL;
}

static bool starts(const char *s, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !memcmp(s, prefix, n);
}

/* Takes "__x64_sys_read", "sys_read", "__se_sys_read", "ksys_read" apart; 0: not a system call's function. */
static enum bw_target_kind syscall_symbol(const char *s, size_t len, const char **ret, size_t *ret_len)
{
	static const struct {
		const char *prefix;
		enum bw_target_kind kind;
	} prefixes[] = {
		{ "__x64_sys_", BW_TARGET_WRAPPER },	{ "__ia32_sys_", BW_TARGET_WRAPPER },
		{ "__arm64_sys_", BW_TARGET_WRAPPER },	{ "__ia32_compat_sys_", BW_TARGET_WRAPPER },
		{ "__s390x_sys_", BW_TARGET_WRAPPER },	{ "__riscv_sys_", BW_TARGET_WRAPPER },
		{ "__se_sys_", BW_TARGET_SYSCALL },	{ "__do_sys_", BW_TARGET_SYSCALL },
		{ "sys_", BW_TARGET_SYSCALL },		{ "SyS_", BW_TARGET_SYSCALL },
		{ "SYSC_", BW_TARGET_SYSCALL },		{ "compat_sys_", BW_TARGET_SYSCALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (starts(s, len, prefixes[i].prefix)) {
			*ret = s + strlen(prefixes[i].prefix);
			*ret_len = len - strlen(prefixes[i].prefix);
			return prefixes[i].kind;
		}
	return BW_TARGET_NONE;
}

/*
 * Programs with a bare SEC("uprobe") are attached by their loader to what only it knows; most are named after it. Finds the
 * longest name of the tables inside the program's name, without regard to case and underscores around it.
 */
static bool guess_user_target(const char *name, const char **ret, size_t *ret_len)
{
	static const char *const known[] = {
		"SSL_write_ex2", "SSL_write_ex", "SSL_read_ex", "SSL_peek_ex", "SSL_write", "SSL_read", "SSL_peek",
		"gnutls_record_send", "gnutls_record_recv", "PR_Write", "PR_Read", "PR_Send", "PR_Recv", "readline",
		"pam_get_authtok", "pam_authenticate", "pam_sm_authenticate", "pam_set_item", "pam_get_item", "getaddrinfo",
		"gethostbyname", "mbedtls_ssl_read", "mbedtls_ssl_write", "wolfSSL_read", "wolfSSL_write", "s2n_send", "s2n_recv",
		"crypto/tls.", "zleread", "getenv", "keylog", "master_secret",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcasestr(name, known[i])) {
			*ret = known[i];
			*ret_len = strlen(known[i]);
			return true;
		}
	if (strcasestr(name, "gotls") || strcasestr(name, "go_tls") || strcasestr(name, "go_crypto_tls")) {
		*ret = "crypto/tls.";
		*ret_len = strlen(*ret);
		return true;
	}
	if (strcasestr(name, "ssl") || strcasestr(name, "tls")) {
		bool out = strcasestr(name, "write") || strcasestr(name, "send");

		if (out || strcasestr(name, "read") || strcasestr(name, "recv")) {
			*ret = out ? "SSL_write" : "SSL_read";
			*ret_len = strlen(*ret);
			return true;
		}
	}
	return false;
}

static bool is_internal(const char *s, size_t len)
{
	static const char *const names[] = { "*sys_bpf", "__sys_bpf*", "security_bpf*", "bpf_prog_*", "bpf_map_*", "bpf_link_*",
					     "bpf_obj_*", "bpf_check", "bpf_get_prog*", "bpf", "bpf_prog", "bpf_map", "bpf_btf_*",
					     "*btf_get_*", "bpf_task_fd_query*", "map_get_next_*", "bpf_iter_*" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (bw_glob(names[i], s, len))
			return true;
	return false;
}

static void attach_tracepoint(const struct bw_prog *p, struct bw_attach *a)
{
	const char *t = a->name, *sys;

	a->ctx = BW_CTX_TP;
	sys = strstr(t, "sys_enter");
	if (sys && (has(t, "syscalls/") || sys == t)) {
		a->ctx = BW_CTX_TP_ENTER;
		a->target = BW_TARGET_SYSCALL;
		a->name = sys[9] == '_' ? sys + 10 : "";
	}
	sys = strstr(t, "sys_exit");
	if (sys && (has(t, "syscalls/") || sys == t)) {
		a->ctx = BW_CTX_TP_EXIT;
		a->target = BW_TARGET_SYSCALL;
		a->ret = true;
		a->name = sys[8] == '_' ? sys + 9 : "";
	}
	if (!*t) {
		/* Bare SEC("tp"): the program's name may say it (tracepoint__syscalls__sys_enter_read). */
		sys = strstr(p->name, "sys_enter_");
		if (sys) {
			a->ctx = BW_CTX_TP_ENTER;
			a->target = BW_TARGET_SYSCALL;
			a->name = sys + 10;
			a->guessed = true;
		}
		sys = strstr(p->name, "sys_exit_");
		if (sys) {
			a->ctx = BW_CTX_TP_EXIT;
			a->target = BW_TARGET_SYSCALL;
			a->ret = true;
			a->name = sys + 9;
			a->guessed = true;
		}
	}
	a->name_len = strlen(a->name);
}

static void attach_function(const struct bw_object *o, const struct bw_prog *p, struct bw_attach *a)
{
	const char *rule = p->def.rule, *colon;
	enum bw_target_kind k;

	if (starts(rule, strlen(rule), "uprobe") || starts(rule, strlen(rule), "uretprobe") || starts(rule, strlen(rule), "usdt")) {
		a->target = BW_TARGET_USER;
		/* "path:symbol", "path:provider:name" of USDT; a Go symbol may contain dots, slashes and parentheses. */
		colon = strrchr(a->name, ':');
		if (colon) {
			a->name = colon + 1;
			a->name_len = strlen(a->name);
		}
		if (!a->name_len)
			a->guessed = guess_user_target(p->name, &a->name, &a->name_len);
		return;
	}
	if (starts(rule, strlen(rule), "ksyscall") || starts(rule, strlen(rule), "kretsyscall")) {
		a->target = BW_TARGET_SYSCALL;
		return;
	}
	a->target = BW_TARGET_KERNEL;
	if (!a->name_len && p->def.prog_type == T_KPROBE) {
		/* Bare SEC("kprobe"): may also be a uprobe. */
		if (guess_user_target(p->name, &a->name, &a->name_len)) {
			a->target = BW_TARGET_USER;
			a->guessed = true;
			return;
		}
	}
	k = syscall_symbol(a->name, a->name_len, &a->name, &a->name_len);
	if (k != BW_TARGET_NONE)
		a->target = k;
}

static bool table_arg(const struct func_arg *t, size_t n, const struct bw_attach *a, int i, struct bw_arg *ret)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t k = 0; k < n; k++)
			if (t[k].arg == (pass ? -2 : i) && bw_glob(t[k].name, a->name, a->name_len)) {
				*ret = t[k].meaning;
				return true;
			}
	return false;
}

static uint32_t user_target_classes(const struct bw_attach *a)
{
	uint32_t classes = 0;

	if (a->target != BW_TARGET_USER)
		return 0;
	for (size_t k = 0; k < ARRAY_SIZE(user_funcs); k++)
		if (bw_glob(user_funcs[k].name, a->name, a->name_len))
			classes |= user_funcs[k].meaning.classes;
	return classes;
}

static void attach_arg(const struct bw_attach *a, int i, struct bw_arg *ret)
{
	*ret = (struct bw_arg){ BW_ARG_UNKNOWN, 0, "", "" };
	switch (a->target) {
	case BW_TARGET_WRAPPER:
		if (i == 0)
			*ret = (struct bw_arg){ BW_ARG_PTREGS, 0, "regs", "pt_regs" };
		else
			*ret = (struct bw_arg)N("ret");
		break;
	case BW_TARGET_SYSCALL:
		if (!bw_syscall_arg(a->name, a->name_len, i, ret))
			*ret = (struct bw_arg){ BW_ARG_UNKNOWN, S(USER_MEMORY), "", "" };
		break;
	case BW_TARGET_USER:
		/* Only the first few functions are listed by argument; everything a probed function points to is user memory. */
		if (!table_arg(user_funcs, ARRAY_SIZE(user_funcs), a, i, ret))
			*ret = (struct bw_arg){ BW_ARG_USER_PTR, S(USER_MEMORY), "", "" };
		break;
	case BW_TARGET_RAW_SYS_ENTER:
	case BW_TARGET_RAW_SYS_EXIT:
		if (i == 0)
			*ret = (struct bw_arg){ BW_ARG_PTREGS, 0, "regs", "pt_regs" };
		else
			*ret = (struct bw_arg)N("id");
		break;
	default:
		table_arg(kernel_funcs, ARRAY_SIZE(kernel_funcs), a, i, ret);
		break;
	}
	if (i == -1 && !*ret->name)
		ret->name = "return value";
}

static uint32_t tracepoint_classes(const struct bw_attach *a)
{
	static const struct {
		const char *name;
		uint32_t classes;
	} t[] = {
		{ "sched/sched_process_exec", S(FILE_NAME) | S(PROCESS_METADATA) },
		{ "sched/*", S(PROCESS_METADATA) },
		{ "task/*", S(PROCESS_METADATA) },
		{ "signal/*", S(PROCESS_METADATA) },
		{ "cgroup/*", S(PROCESS_METADATA) },
		{ "oom/*", S(PROCESS_METADATA) },
		{ "block/*", S(PROCESS_METADATA) },
		{ "irq/*", S(PROCESS_METADATA) },
		{ "power/*", S(PROCESS_METADATA) },
		{ "timer/*", S(PROCESS_METADATA) },
		{ "module/*", S(PROCESS_METADATA) },
		{ "fib*", S(PACKET_HEADER) },
		{ "net/*", S(PACKET_HEADER) },
		{ "skb/*", S(PACKET_HEADER) },
		{ "sock/*", S(PACKET_HEADER) },
		{ "tcp/*", S(PACKET_HEADER) },
		{ "udp/*", S(PACKET_HEADER) },
		{ "xdp/*", S(PACKET_HEADER) },
		{ "qdisc/*", S(PACKET_HEADER) },
		{ "neigh/*", S(PACKET_HEADER) },
		{ "raw_syscalls/*", S(PROCESS_METADATA) },
		{ "exceptions/*", S(PROCESS_METADATA) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (bw_glob(t[i].name, a->name, a->name_len))
			return t[i].classes;
	return S(KERNEL_MEMORY);
}

void bw_attach_of(const struct bw_object *o, const struct bw_prog *p, struct bw_attach *a)
{
	const char *rule = p->def.rule ? p->def.rule : "";

	*a = (struct bw_attach){ .name = p->def.target ? p->def.target : "", .ret = p->def.ret };
	a->name_len = strlen(a->name);
	if (o->btf && bw_btf_find(o->btf, BW_BTF_STRUCT, "user_pt_regs"))
		a->arm64 = true;
	switch (p->def.prog_type) {
	case T_KPROBE:
		a->ctx = BW_CTX_PTREGS;
		attach_function(o, p, a);
		break;
	case T_TRACEPOINT:
		attach_tracepoint(p, a);
		break;
	case T_RAW_TP:
	case T_RAW_TP_W:
		a->ctx = BW_CTX_ARGS;
		break;
	case T_TRACING:
		a->ctx = starts(rule, strlen(rule), "iter") ? BW_CTX_ITER : BW_CTX_ARGS;
		if (a->ctx == BW_CTX_ARGS && !starts(rule, strlen(rule), "tp_btf"))
			attach_function(o, p, a);
		break;
	case T_LSM:
	case T_STRUCT_OPS:
	case T_EXT:
		a->ctx = BW_CTX_ARGS;
		a->target = BW_TARGET_KERNEL;
		if (p->def.prog_type == T_STRUCT_OPS && p->struct_ops >= 0) {
			a->name = o->struct_ops[p->struct_ops].members[p->member].name;
			a->name_len = strlen(a->name);
		}
		break;
	case T_SOCKET_FILTER:
	case T_SCHED_CLS:
	case T_SCHED_ACT:
	case T_SK_SKB:
	case T_FLOW_DISSECTOR:
		a->ctx = BW_CTX_SKB;
		a->network = true;
		a->stream = p->def.prog_type == T_SK_SKB;
		break;
	case T_CGROUP_SKB:
	case T_LWT_IN:
	case T_LWT_OUT:
	case T_LWT_XMIT:
	case T_LWT_SEG6LOCAL:
		a->ctx = BW_CTX_SKB;
		a->network = a->l3 = true;
		break;
	case T_NETFILTER:
		a->ctx = BW_CTX_NETFILTER;
		a->network = a->l3 = true;
		break;
	case T_XDP:
		a->ctx = BW_CTX_XDP;
		a->network = true;
		break;
	case T_SK_MSG:
		a->ctx = BW_CTX_SK_MSG;
		a->network = true;
		break;
	case T_SK_REUSEPORT:
		a->ctx = BW_CTX_SK_REUSEPORT;
		a->network = true;
		break;
	case T_SOCK_OPS:
		a->ctx = BW_CTX_SOCK_OPS;
		a->network = true;
		break;
	case T_CGROUP_SOCK:
	case T_CGROUP_SOCK_ADDR:
	case T_SK_LOOKUP:
		a->ctx = BW_CTX_SOCK;
		break;
	case T_CGROUP_SOCKOPT:
		a->ctx = BW_CTX_SOCKOPT;
		break;
	case T_CGROUP_SYSCTL:
		a->ctx = BW_CTX_SYSCTL;
		break;
	case T_PERF_EVENT:
		a->ctx = BW_CTX_PERF;
		break;
	case T_SYSCALL:
		a->ctx = BW_CTX_SYSCALL;
		break;
	case T_LIRC:
		a->ctx = BW_CTX_LIRC;
		break;
	default:
		break;
	}
	if (a->ctx == BW_CTX_ARGS && a->target != BW_TARGET_SYSCALL && a->target != BW_TARGET_WRAPPER) {
		if (bw_glob("sys_enter", a->name, a->name_len) || (!a->name_len && has(p->name, "sys_enter")))
			a->target = BW_TARGET_RAW_SYS_ENTER;
		else if (bw_glob("sys_exit", a->name, a->name_len) || (!a->name_len && has(p->name, "sys_exit")))
			a->target = BW_TARGET_RAW_SYS_EXIT;
	}
	if (a->target == BW_TARGET_KERNEL || a->target == BW_TARGET_NONE)
		a->internal = is_internal(a->name, a->name_len) && p->def.prog_type != T_STRUCT_OPS && a->ctx != BW_CTX_TP;
	else if (a->target == BW_TARGET_SYSCALL || a->target == BW_TARGET_WRAPPER)
		a->internal = a->name_len == 3 && !memcmp(a->name, "bpf", 3);
	a->user_classes = user_target_classes(a);
	a->record_classes = tracepoint_classes(a);
	for (int i = -1; i < BW_ATTACH_ARGS - 1; i++)
		attach_arg(a, i, &a->args[i + 1]);
}

void bw_attach_arg(const struct bw_attach *a, int i, struct bw_arg *ret)
{
	if (i >= -1 && i < BW_ATTACH_ARGS - 1)
		*ret = a->args[i + 1];
	else
		attach_arg(a, i, ret);
}

/* ---- kernel structures ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *type, *path; /* globs; the first row that fits counts */
	uint32_t classes, pointee;
	bool user;
} fields[] = {
	{ "mm_struct", "*.arg_*", S(PROCESS_METADATA), S(EXEC_ARGS), true },
	{ "mm_struct", "*.env_*", S(PROCESS_METADATA), S(ENVIRONMENT), true },
	{ "mm_struct", "*.start_stack", S(PROCESS_METADATA), S(EXEC_ARGS) | S(ENVIRONMENT), true },
	{ "linux_binprm", "*.filename", S(FILE_NAME), S(FILE_NAME), false },
	{ "linux_binprm", "*.interp", S(FILE_NAME), S(FILE_NAME), false },
	{ "linux_binprm", "*.p", S(PROCESS_METADATA), S(EXEC_ARGS) | S(ENVIRONMENT), true },
	{ "linux_binprm", "*.buf*", S(FILE_CONTENT), 0, false },
	{ "sk_buff", "*.data", S(KERNEL_POINTER), S(PACKET_HEADER) | S(PACKET_PAYLOAD), false },
	{ "sk_buff", "*.head", S(KERNEL_POINTER), S(PACKET_HEADER) | S(PACKET_PAYLOAD), false },
	{ "msghdr", "*.msg_name", S(PACKET_HEADER), S(PACKET_HEADER), false },
	{ "msghdr", "*", S(PROCESS_METADATA), S(SYSCALL_BUFFER), true },
	{ "iov_iter", "*", S(PROCESS_METADATA), S(SYSCALL_BUFFER), true },
	{ "iovec", "*", S(PROCESS_METADATA), S(SYSCALL_BUFFER), true },
	{ "kvec", "*", S(PROCESS_METADATA), S(SYSCALL_BUFFER), false },
	{ "user_msghdr", "*", S(PROCESS_METADATA), S(SYSCALL_BUFFER), true },
	{ "seq_file", "*.buf", S(KERNEL_POINTER), S(FILE_CONTENT), false },
	{ "filename", "*.name", S(FILE_NAME), S(FILE_NAME), false },
	{ "filename", "*.uptr", S(FILE_NAME), S(FILE_NAME), true },
	{ "qstr", "*.name", S(FILE_NAME), S(FILE_NAME), false },
	{ "dentry", "*.d_name*", S(FILE_NAME), S(FILE_NAME), false },
	{ "dentry", "*.d_*name*", S(FILE_NAME), S(FILE_NAME), false },
	/* A number of include/uapi/linux/magic.h: those of cgroup2, ext4 and others look like words. */
	{ "super_block", "*.s_magic", 0, 0, false },
	{ "kernfs_node", "*.name", S(PROCESS_METADATA), S(PROCESS_METADATA), false },
	{ "*", "*.d_name*", S(FILE_NAME), S(FILE_NAME), false },
	{ "*", "*.d_iname*", S(FILE_NAME), S(FILE_NAME), false },
	{ "task_struct", "*.stack", S(KERNEL_POINTER), S(KERNEL_MEMORY), false },
	{ "task_struct", "*.cred*", S(KERNEL_POINTER), 0, false },
	{ "sock_common", "*", S(PACKET_HEADER), 0, false },
};

static const struct {
	const char *type;
	uint32_t classes;
} structs[] = {
	{ "cred", S(CREDENTIALS) }, { "key", S(CREDENTIALS) }, { "key_*", S(CREDENTIALS) }, { "user_key_payload", S(CREDENTIALS) },
	{ "keyring*", S(CREDENTIALS) }, { "crypto_*", S(CREDENTIALS) }, { "tls_*", S(CREDENTIALS) },
	{ "task_struct", S(PROCESS_METADATA) }, { "mm_struct", S(PROCESS_METADATA) }, { "signal_struct", S(PROCESS_METADATA) },
	{ "pid", S(PROCESS_METADATA) }, { "upid", S(PROCESS_METADATA) }, { "nsproxy", S(PROCESS_METADATA) },
	{ "*namespace", S(PROCESS_METADATA) }, { "mnt_namespace", S(PROCESS_METADATA) }, { "ns_common", S(PROCESS_METADATA) },
	{ "cgroup*", S(PROCESS_METADATA) }, { "css_set", S(PROCESS_METADATA) }, { "kernfs_*", S(PROCESS_METADATA) },
	{ "files_struct", S(PROCESS_METADATA) }, { "fdtable", S(PROCESS_METADATA) }, { "file", S(PROCESS_METADATA) },
	{ "inode", S(PROCESS_METADATA) }, { "super_block", S(PROCESS_METADATA) }, { "mount", S(PROCESS_METADATA) },
	{ "vfsmount", S(PROCESS_METADATA) }, { "path", S(PROCESS_METADATA) }, { "new_utsname", S(PROCESS_METADATA) },
	{ "uts_*", S(PROCESS_METADATA) }, { "rq", S(PROCESS_METADATA) }, { "sched_*", S(PROCESS_METADATA) },
	{ "request*", S(PROCESS_METADATA) }, { "gendisk", S(PROCESS_METADATA) }, { "bio", S(PROCESS_METADATA) },
	{ "linux_binprm", S(PROCESS_METADATA) }, { "thread_info", S(PROCESS_METADATA) }, { "oom_control", S(PROCESS_METADATA) },
	{ "kernel_siginfo", S(PROCESS_METADATA) }, { "vm_area_struct", S(PROCESS_METADATA) }, { "seq_file", S(PROCESS_METADATA) },
	{ "bpf_iter_meta", S(PROCESS_METADATA) }, { "pt_regs", S(PROCESS_METADATA) }, { "user_pt_regs", S(PROCESS_METADATA) },
	{ "dentry", S(FILE_NAME) }, { "qstr", S(FILE_NAME) }, { "filename", S(FILE_NAME) }, { "nameidata", S(FILE_NAME) },
	{ "linux_dirent*", S(FILE_NAME) }, { "unix_address", S(FILE_NAME) },
	{ "page", S(FILE_CONTENT) }, { "folio", S(FILE_CONTENT) }, { "address_space", S(FILE_CONTENT) },
	{ "sk_buff", S(PACKET_HEADER) }, { "sock*", S(PACKET_HEADER) }, { "*_sock", S(PACKET_HEADER) },
	{ "bpf_sock*", S(PACKET_HEADER) }, { "bpf_tcp_sock", S(PACKET_HEADER) }, { "*hdr", S(PACKET_HEADER) },
	{ "in6_addr", S(PACKET_HEADER) }, { "net_device", S(PACKET_HEADER) }, { "net", S(PROCESS_METADATA) },
	{ "nf_conn*", S(PACKET_HEADER) }, { "flowi*", S(PACKET_HEADER) }, { "inet_*", S(PACKET_HEADER) },
	{ "tcp_*", S(PACKET_HEADER) }, { "udp_*", S(PACKET_HEADER) }, { "xdp_*", S(PACKET_HEADER) },
	{ "tty_*", S(TTY) }, { "ktermios", S(TTY) }, { "vc_data", S(TTY) },
	{ "input_value", S(KEYSTROKES) }, { "input_event", S(KEYSTROKES) }, { "input_dev", S(PROCESS_METADATA) },
	{ "hid_*", S(KEYSTROKES) }, { "input_handle*", S(PROCESS_METADATA) },
	{ "msghdr", S(PROCESS_METADATA) }, { "iov_iter", S(PROCESS_METADATA) }, { "iovec", S(PROCESS_METADATA) },
};

uint32_t bw_struct_classes(const char *type)
{
	size_t len = strlen(type);

	for (size_t i = 0; i < ARRAY_SIZE(structs); i++)
		if (bw_glob(structs[i].type, type, len))
			return structs[i].classes;
	return S(KERNEL_MEMORY);
}

void bw_field_of(const char *type, const char *path, struct bw_field *ret)
{
	size_t len = strlen(type), path_len = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (bw_glob(fields[i].type, type, len) && bw_glob(fields[i].path, path, path_len)) {
			*ret = (struct bw_field){ fields[i].classes, fields[i].pointee, fields[i].user };
			return;
		}
	*ret = (struct bw_field){ bw_struct_classes(type), 0, false };
}

/* ---- registers -------------------------------------------------------------------------------------------------------- */

int bw_ptregs_role(const struct bw_attach *a, const char *field, int64_t off, bool syscall)
{
	static const struct {
		const char *name;
		int off, role;
	} x86[] = {
		{ "di", 112, 0 }, { "si", 104, 1 }, { "dx", 96, 2 }, { "cx", 88, 3 }, { "r8", 72, 4 }, { "r9", 64, 5 },
		{ "ax", 80, BW_REG_RET }, { "sp", 152, BW_REG_STACK }, { "bp", 32, BW_REG_STACK }, { "ip", 128, BW_REG_STACK },
		{ "orig_ax", 120, BW_REG_SYSNR }, { "r10", 56, 3 },
	};
	const char *dot = strrchr(field, '.');

	if (a->arm64) {
		if (off >= 0 && off < 48 && !(off % 8))
			return (int)(off / 8);
		return off == 64 ? BW_REG_SYSNR : off == 248 || off == 256 ? BW_REG_STACK : BW_REG_OTHER;
	}
	for (size_t i = 0; i < ARRAY_SIZE(x86); i++) {
		bool here = off == x86[i].off;

		if (dot) {
			const char *n = dot + 1;

			here = !strcmp(n, x86[i].name) || (n[0] == 'r' && !strcmp(n + 1, x86[i].name));
		}
		if (!here)
			continue;
		if (x86[i].role == 3 && syscall != (x86[i].off == 56))
			return BW_REG_OTHER;
		return x86[i].role;
	}
	return BW_REG_OTHER;
}
