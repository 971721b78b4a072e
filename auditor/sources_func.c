// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Functions whose arguments hold something: of libraries and of the kernel. Source: their headers.
 */
#include <string.h>

#include "auditor/sources_table.h"
#include "common/cleanup.h"

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
	{ "*passphrase*", -2, U(S(CREDENTIALS), "passphrase") },
	{ "*private_key*", -2, U(S(CREDENTIALS), "key") },
	{ "*PrivateKey*", -2, U(S(CREDENTIALS), "key") },
	{ "sshkey_private*", -2, U(S(CREDENTIALS), "key") },
	{ "sshkey_*serialize*", -2, U(S(CREDENTIALS), "key") },
	/* git's credential.h, Kerberos' krb5.h, libsecret, clients of databases, OpenLDAP's ldap.h */
	{ "credential_*", -2, U(S(CREDENTIALS), "credential") },
	{ "krb5_get_init_creds*", -2, U(S(CREDENTIALS), "password") },
	{ "krb5_*keytab*", -2, U(S(CREDENTIALS), "key") },
	{ "secret_password_*", -2, U(S(CREDENTIALS), "password") },
	{ "secret_value_*", -2, U(S(CREDENTIALS), "password") },
	{ "mysql_real_connect", 3, U(S(CREDENTIALS), "password") },
	{ "PQconnect*", -2, U(S(CREDENTIALS), "connection string") },
	{ "PQsetdbLogin", 6, U(S(CREDENTIALS), "password") },
	{ "ldap_simple_bind*", -2, U(S(CREDENTIALS), "password") },
	{ "ldap_sasl_bind*", -2, U(S(CREDENTIALS), "password") },
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

uint32_t bw_user_func_classes(const struct bw_attach *a)
{
	uint32_t classes = 0;

	if (a->target != BW_TARGET_USER)
		return 0;
	for (size_t k = 0; k < ARRAY_SIZE(user_funcs); k++)
		if (bw_glob(user_funcs[k].name, a->name, a->name_len))
			classes |= user_funcs[k].meaning.classes;
	return classes;
}

bool bw_user_func_arg(const struct bw_attach *a, int i, struct bw_arg *ret)
{
	return table_arg(user_funcs, ARRAY_SIZE(user_funcs), a, i, ret);
}

bool bw_kernel_func_arg(const struct bw_attach *a, int i, struct bw_arg *ret)
{
	return table_arg(kernel_funcs, ARRAY_SIZE(kernel_funcs), a, i, ret);
}
