// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Kernel structures and their fields: the first row that fits counts.
 */
#include <string.h>

#include "auditor/sources_table.h"
#include "common/cleanup.h"

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
