/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_KERNEL_BPF_H
#define BW_KERNEL_BPF_H
/*
 * Layer 0: the kernel types used here, each with only the members used. CO-RE relocates the accesses to the running
 * kernel; "___" suffixes are flavours of the same type in other kernel versions.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct user_namespace {
	struct ns_common ns;
};

struct pid_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct hlist_head {
	void *first;
};

struct hlist_node {
	void *next;
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[4];
	struct upid numbers[1];
};

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t uid;
	kuid_t gid;
	struct user_namespace *user_ns;
};

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
};

struct inode {
	u16 i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
};

/* The time of the last change has had three names. */
struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};

struct inode___until_6_5 {
	struct timespec64 i_ctime;
};

struct inode___until_6_10 {
	struct timespec64 __i_ctime;
};

struct inode___from_6_11 {
	s64 i_ctime_sec;
	u32 i_ctime_nsec;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct inode *d_inode;
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mnt_namespace;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
	int mnt_group_id;
	struct mount *mnt_master;
};

struct mount___from_6_8 {
	u64 mnt_id_unique;
};

struct mnt_namespace___until_6_17 {
	u64 seq;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file_operations {
	void *release;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	const void *f_op;
	void *private_data;
	unsigned int f_mode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct mm_struct {
	struct file *exe_file;
};

struct thread_info {
	u32 status;
};

struct kernfs_node {
	const char *name;
	u64 id;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup_root;

struct cgroup {
	struct cgroup_subsys_state self;
	int level; /* 0: the root */
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct sched_entity {
	u64 sum_exec_runtime;
};

struct task_struct {
	struct sched_entity se;
	struct thread_info thread_info;
	int pid;
	int tgid;
	u64 start_boottime;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct mm_struct *mm;
	struct nsproxy *nsproxy;
	struct pid *thread_pid;
	const struct cred *cred;
	char comm[16];
	struct files_struct *files;
	struct css_set *cgroups;
	struct hlist_node pid_links[4];
};

/* fs/proc/internal.h */
struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};

struct bpf_prog;

struct bpf_prog_aux {
	u32 id;
	u32 attach_btf_id;
	char name[16];
	const char *attach_func_name;
	struct bpf_prog *dst_prog;
	struct bpf_prog *linked_prog; /* dst_prog until 5.10 */
};

struct sock_fprog_kern {
	u16 len;
	void *filter;
};

struct bpf_prog {
	enum bpf_prog_type type;
	enum bpf_attach_type expected_attach_type;
	u32 len;
	u8 tag[8];
	struct bpf_prog_aux *aux;
	struct sock_fprog_kern *orig_prog; /* of a classic filter: as it was given */
	struct bpf_insn insnsi[0];
};

struct bpf_link {
	u32 id;
	enum bpf_link_type type;
	struct bpf_prog *prog;
};

struct bpf_map {
	enum bpf_map_type map_type;
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u32 map_flags;
	u32 id;
	char name[16];
};

struct bpf_array {
	struct bpf_map map;
	char value[0];
};

struct pt_regs___x86 {
	unsigned long bx;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long r10;
	unsigned long r8;
	unsigned long ax;
	unsigned long orig_ax;
};

/* Numbers differ from kernel to kernel. */
enum kernel_read_file_id { READING_MODULE = 2, READING_KEXEC_IMAGE, READING_MODULE_COMPRESSED = 7 /* 7.x */ };
enum kernel_load_data_id { LOADING_MODULE = 2, LOADING_KEXEC_IMAGE };
enum lockdown_reason {
	LOCKDOWN_DEV_MEM = 2,
	LOCKDOWN_HIBERNATION = 5,
	LOCKDOWN_IOPORT = 7,
	LOCKDOWN_MSR,
	LOCKDOWN_KCORE = 18,
};

#pragma clang attribute pop

#endif
