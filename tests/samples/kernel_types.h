/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel structures, only the fields the samples read; CO-RE relocates each access. */
#ifndef SAMPLE_KERNEL_TYPES_H
#define SAMPLE_KERNEL_TYPES_H

#include "sample.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	u32 hash;
	u32 len;
	const unsigned char *name;
};
struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};
struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	s64 i_size;
};
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};
struct path {
	void *mnt;
	struct dentry *dentry;
};
struct file {
	struct inode *f_inode;
	struct path f_path;
	unsigned int f_mode;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
typedef struct {
	u32 val;
} kuid_t;
typedef struct {
	u64 val;
} kernel_cap_t;
struct key {
	s32 serial;
};
struct cred {
	kuid_t uid;
	kuid_t euid;
	kernel_cap_t cap_effective;
	struct key *session_keyring;
};
struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end, start_stack;
	unsigned long total_vm;
};
struct ns_common {
	unsigned int inum;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct nsproxy {
	struct mnt_namespace *mnt_ns;
};
struct task_struct {
	int pid;
	int tgid;
	unsigned int __state;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	struct mm_struct *mm;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	u64 start_time;
	int exit_code;
	void *stack;
};
struct linux_binprm {
	struct file *file;
	const char *filename;
	int argc;
	unsigned long p;
};
struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
};
struct sock {
	struct sock_common __sk_common;
	u16 sk_protocol;
};
struct tcp_sock {
	u32 srtt_us;
	u32 snd_cwnd;
	u64 bytes_acked;
};
struct sk_buff {
	unsigned int len;
	unsigned int data_len;
	u16 protocol;
	u16 transport_header;
	u16 network_header;
	unsigned char *head;
	unsigned char *data;
	struct sock *sk;
};
struct iovec {
	void *iov_base;
	u64 iov_len;
};
struct msghdr {
	void *msg_name;
	int msg_namelen;
};
struct audit_buffer {
	struct sk_buff *skb;
};
struct bpf_prog_aux {
	u32 id;
	char name[16];
	u64 load_time;
};
struct bpf_prog {
	u32 len;
	struct bpf_prog_aux *aux;
};
struct bpf_map {
	u32 id;
	char name[16];
	u32 max_entries;
};
struct bpf_link {
	u32 id;
	struct bpf_prog *prog;
};
struct seq_file {
	u64 size;
};
struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__bpf_prog {
	struct bpf_iter_meta *meta;
	struct bpf_prog *prog;
};
struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	u32 uid;
};
struct request {
	unsigned int __data_len;
	u64 start_time_ns;
	unsigned int cmd_flags;
};
struct oom_control {
	struct task_struct *chosen;
	unsigned long totalpages;
};
struct tty_struct {
	int index;
	char name[64];
};
struct input_dev {
	const char *name;
};
struct input_handle {
	struct input_dev *dev;
};
struct input_value {
	u16 type;
	u16 code;
	s32 value;
};

#pragma clang attribute pop

#endif
