/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ACTOR_BPF_H
#define BW_ACTOR_BPF_H
/*
 * Layer 1: who does it. Needs no map: the guard's programs and the API probes share it. Failed reads leave zeros.
 */
#include "bpf/kernel.bpf.h"
#include "bpf/event.h"

#define BW_PATH_COMPONENTS 24
#define BW_PATH_COMPONENT_LEN 64

/*
 * The path of @file, leaf first, crossing mounts up to the root of the mount tree. Longer components, more components or
 * a longer path set *truncated.
 */
static __noinline int extract_path(struct bw_actor *a, struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfsmnt = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mnt = (void *)vfsmnt - bpf_core_field_offset(struct mount, mnt);
	u32 off = 0;

	if (!a)
		return 0;
	a->path_truncated = 1;
	for (int i = 0; i < BW_PATH_COMPONENTS; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		const unsigned char *name;
		long n;

		if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root) || dentry == parent) {
			struct mount *up = BPF_CORE_READ(mnt, mnt_parent);

			if (up == mnt) {
				a->path_truncated = 0;
				break;
			}
			dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
			mnt = up;
			continue;
		}
		if (off > BW_PATH_LEN - BW_PATH_COMPONENT_LEN)
			break;
		name = BPF_CORE_READ(dentry, d_name.name);
		/* Says it again in a form that older verifiers keep track of: a mask the compiler cannot remove. */
		asm volatile("" : "+r"(off));
		off &= BW_PATH_LEN - 1;
		n = bpf_probe_read_kernel_str(a->path + off, BW_PATH_COMPONENT_LEN, name);
		if (n <= 0 || n >= BW_PATH_COMPONENT_LEN)
			break;
		off += (u32)n;
		dentry = parent;
	}
	a->path_len = (u16)off;
	return 0;
}

/* The process that runs now, but for the path of its executable; returns that file. */
static __always_inline struct file *actor_facts(struct bw_actor *a)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 id = bpf_get_current_pid_tgid();
	u64 ids = bpf_get_current_uid_gid();
	struct file *exe;
	u32 level = 0;
	struct pid *pid;
	u64 upid;

	a->pid = (u32)id;
	a->tgid = (u32)(id >> 32);
	a->uid = (u32)ids;
	a->gid = (u32)(ids >> 32);
	a->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	a->ppid = (u32)BPF_CORE_READ(task, real_parent, tgid);
	a->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(a->comm, sizeof(a->comm));
	a->user_ns = BPF_CORE_READ(task, cred, user_ns, ns.inum);
	a->mnt_ns = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	a->net_ns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	/* task_active_pid_ns(): the namespace of the innermost number of its struct pid. */
	pid = BPF_CORE_READ(task, thread_pid);
	level = BPF_CORE_READ(pid, level);
	upid = (u64)pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
	a->pid_ns = BPF_CORE_READ((struct upid *)upid, ns, ns.inum);
	a->path_len = 0;
	a->path_truncated = 0;
	exe = BPF_CORE_READ(task, mm, exe_file);
	a->exe_ino = 0;
	a->exe_dev = 0;
	if (exe) {
		a->exe_ino = BPF_CORE_READ(exe, f_inode, i_ino);
		a->exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
	}
	return exe;
}

#define NSEC 1000000000ULL
#define NSEC_BITS 0x3fffffff /* from 6.13 on the highest bit says that somebody has looked at the time */

/* When the inode was last changed (contents, name, links, owner, mode), in ns since 1970; 0 where that cannot be read. */
static __always_inline u64 inode_changed_ns(struct inode *inode)
{
	struct inode___until_6_5 *old = (void *)inode;
	struct inode___until_6_10 *middle = (void *)inode;
	struct inode___from_6_11 *now = (void *)inode;

	if (bpf_core_field_exists(now->i_ctime_sec))
		return (u64)BPF_CORE_READ(now, i_ctime_sec) * NSEC + (BPF_CORE_READ(now, i_ctime_nsec) & NSEC_BITS);
	if (bpf_core_field_exists(middle->__i_ctime))
		return (u64)BPF_CORE_READ(middle, __i_ctime.tv_sec) * NSEC + (u64)BPF_CORE_READ(middle, __i_ctime.tv_nsec);
	if (bpf_core_field_exists(old->i_ctime))
		return (u64)BPF_CORE_READ(old, i_ctime.tv_sec) * NSEC + (u64)BPF_CORE_READ(old, i_ctime.tv_nsec);
	return 0;
}

static __always_inline void actor_fill(struct bw_actor *a)
{
	struct file *exe = actor_facts(a);

	if (exe)
		extract_path(a, exe);
}

#endif
