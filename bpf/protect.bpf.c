// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Self-protection: what would take the guard out is refused in mode enforce, and reported in every mode. Its objects, its pins,
 * its processes; files and the rest of the host are in surroundings.bpf.c. What is not here and why is in docs/tamper.md.
 */
#include "bpf/tamper.bpf.h"

#define PTRACE_MODE_ATTACH_BIT 2 /* include/linux/ptrace.h */
#define PIN_DEPTH 4		 /* from a pin up to the guard's directory */
#define MOUNT_DEPTH 8

enum { SIG_HUP = 1, SIG_INT = 2, SIG_TERM = 15, SIG_CHLD = 17, SIG_CONT = 18 };

/* ---- descriptors of the guard's objects ------------------------------------------------------------------------------- */

/* Who goes through all ids (bpftool) stops at a refusal, but goes on when the object is not there. */
static __always_inline int no_such_id(void)
{
	int r = -2;

	asm volatile("%0 = -2" : "=r"(r));
	return r;
}

static __always_inline bool is_by_id(void)
{
	u64 id = bpf_get_current_pid_tgid();
	struct bw_call *call = bpf_map_lookup_elem(&bw_calls, &id);

	return call && (call->cmd == BPF_PROG_GET_FD_BY_ID || call->cmd == BPF_MAP_GET_FD_BY_ID);
}

static __always_inline int protect_prog(struct bpf_prog *prog)
{
	u32 zero = 0, id = BPF_CORE_READ(prog, aux, id);
	struct bw_guard_self *self;
	enum bw_tamper what = BW_TAMPER_PROG_FD;

	if (!is_owned(BW_OWNED_PROG, id))
		return 0;
	self = bpf_map_lookup_elem(&bw_self, &zero);
	/* The door: by running this program a process becomes the guard. */
	if (self && self->claim_prog == id && !is_by_id())
		what = BW_TAMPER_CLAIM;
	if (!bw_tamper(BW_HOOK_BPF_PROG << 16 | what, id, 0, (u64)BPF_CORE_READ(prog, aux) + bpf_core_field_offset(struct bpf_prog_aux, name)))
		return 0;
	return is_by_id() ? no_such_id() : refusal();
}

static __always_inline int protect_map(struct bpf_map *map, u32 fmode)
{
	u32 id = BPF_CORE_READ(map, id);
	u8 value = owned(BW_OWNED_MAP, id);

	if (!value || (value == BW_OWNED_READABLE && !(fmode & FMODE_WRITE_BIT)) ||
	    !bw_tamper(BW_HOOK_BPF_MAP << 16 | BW_TAMPER_MAP_FD, id, fmode, address_of(map) + bpf_core_field_offset(struct bpf_map, name)))
		return 0;
	return is_by_id() ? no_such_id() : refusal();
}

/* No hook is called for a link's descriptor. */
static __always_inline int protect_bpf(u32 cmd, const union bpf_attr *attr)
{
	u32 zero = 0, arg = 0, id;
	const void *f_op = NULL;
	struct bw_guard_self *self;
	struct bpf_link *link;

	if (cmd != BPF_LINK_GET_FD_BY_ID && cmd != BPF_LINK_UPDATE && cmd != BPF_LINK_DETACH)
		return 0;
	self = bpf_map_lookup_elem(&bw_self, &zero);
	if (!self)
		return 0;
	/* link_id, link_update.link_fd and link_detach.link_fd come first in their structures. */
	bpf_probe_read_kernel(&arg, sizeof(arg), attr);
	if (cmd == BPF_LINK_GET_FD_BY_ID) {
		if (!is_owned(BW_OWNED_LINK, arg) || !bw_tamper(BW_HOOK_BPF << 16 | BW_TAMPER_LINK_FD, arg, cmd, 0))
			return 0;
		return no_such_id();
	}
	link = extract_fd_object(arg, &f_op);
	if (!link || !is_link_fops(self, (u64)f_op))
		return 0;
	id = BPF_CORE_READ(link, id);
	return is_owned(BW_OWNED_LINK, id) ? tamper(BW_HOOK_BPF, BW_TAMPER_LINK_CHANGE, id, cmd, 0) : 0;
}

/* A descriptor of one of the objects comes over a socket or by pidfd_getfd(). */
static __always_inline int protect_receive(struct file *file)
{
	u32 zero = 0, id;
	u64 f_op = (u64)BPF_CORE_READ(file, f_op);
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	void *object;

	if (!self || !f_op)
		return 0;
	object = BPF_CORE_READ(file, private_data);
	if (f_op == self->map_fops) {
		id = BPF_CORE_READ((struct bpf_map *)object, id);
		return is_owned(BW_OWNED_MAP, id) ? tamper(BW_HOOK_FILE_RECEIVE, BW_TAMPER_MAP_FD, id, 0, 0) : 0;
	}
	if (f_op == self->prog_fops) {
		id = BPF_CORE_READ((struct bpf_prog *)object, aux, id);
		return is_owned(BW_OWNED_PROG, id) ? tamper(BW_HOOK_FILE_RECEIVE, BW_TAMPER_PROG_FD, id, 0, 0) : 0;
	}
	if (is_link_fops(self, f_op)) {
		id = BPF_CORE_READ((struct bpf_link *)object, id);
		return is_owned(BW_OWNED_LINK, id) ? tamper(BW_HOOK_FILE_RECEIVE, BW_TAMPER_LINK_FD, id, 0, 0) : 0;
	}
	return 0;
}

/* ---- pins ------------------------------------------------------------------------------------------------------------- */

static __always_inline bool in_pins(const struct bw_guard_self *self, struct dentry *dentry)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	/* Almost every file is on another file system. */
	if (!self->pin_ino || !inode || BPF_CORE_READ(inode, i_sb, s_dev) != self->pin_dev)
		return false;
	for (int i = 0; i < PIN_DEPTH; i++) {
		if (BPF_CORE_READ(dentry, d_inode, i_ino) == self->pin_ino)
			return true;
		dentry = BPF_CORE_READ(dentry, d_parent);
	}
	return false;
}

static __always_inline int protect_pin(struct dentry *dentry, enum bw_hook hook, enum bw_tamper what)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);

	if (!self || !in_pins(self, dentry))
		return 0;
	return tamper(hook, what, 0, 0, (u64)BPF_CORE_READ(dentry, d_name.name));
}

static __always_inline int protect_unlink(struct dentry *dentry)
{
	int r = protect_file(BPF_CORE_READ(dentry, d_inode), BW_HOOK_INODE_UNLINK, dentry);

	return r ? r : protect_pin(dentry, BW_HOOK_INODE_UNLINK, BW_TAMPER_PIN_REMOVE);
}

static __always_inline int protect_rename(struct dentry *from, struct dentry *to_dir_entry)
{
	int r = protect_pin(from, BW_HOOK_INODE_RENAME, BW_TAMPER_PIN_RENAME);

	if (!r)
		r = protect_file(BPF_CORE_READ(from, d_inode), BW_HOOK_INODE_RENAME, from);
	/* What is replaced. */
	if (!r)
		r = protect_file(BPF_CORE_READ(to_dir_entry, d_inode), BW_HOOK_INODE_RENAME, to_dir_entry);
	/* What does not exist yet has no inode: its directory has. */
	return r ? r : protect_pin(BPF_CORE_READ(to_dir_entry, d_parent), BW_HOOK_INODE_RENAME, BW_TAMPER_PIN_RENAME);
}

/*
 * What tells a mount from another one at the same address: its number, which is never given twice, or else that of its
 * namespace; 0 for one that is in no namespace (any more). With the guard's process goes its mount namespace; the addresses and
 * the peer groups in it are given to the next service's, which must not be taken for the guard's.
 */
static __always_inline u64 mount_tag(struct mount *mnt)
{
	struct mnt_namespace *ns = BPF_CORE_READ(mnt, mnt_ns);
	struct mount___from_6_8 *from_6_8 = (void *)mnt;
	struct mnt_namespace___until_6_17 *until_6_17 = (void *)ns;

	if (!ns)
		return 0;
	if (bpf_core_field_exists(from_6_8->mnt_id_unique))
		return BPF_CORE_READ(from_6_8, mnt_id_unique);
	return bpf_core_field_exists(until_6_17->seq) ? BPF_CORE_READ(until_6_17, seq) : 0;
}

static __always_inline bool is_same_mount(u64 mnt, u64 tag)
{
	return mnt && tag && mount_tag((struct mount *)mnt) == tag;
}

/* Is @target the mount @at, or (@above) one that it is mounted in? */
static __always_inline bool is_mount_or_above(u64 target, u64 at, bool above)
{
	for (int i = 0; at && i < MOUNT_DEPTH; i++) {
		u64 up;

		if (at == target)
			return true;
		up = (u64)BPF_CORE_READ((struct mount *)at, mnt_parent);
		if (!above || up == at)
			return false;
		at = up;
	}
	return false;
}

/* Is @vfsmnt the mount with the pins, one that passes changes on to it, or (@above) one that either is mounted in? */
static __always_inline bool is_pin_mount(const struct bw_guard_self *self, struct vfsmount *vfsmnt, bool above)
{
	u64 target = address_of(vfsmnt) - bpf_core_field_offset(struct mount, mnt);
	bool pin = is_same_mount(self->pin_mnt, self->pin_mnt_tag);
	bool master = is_same_mount(self->pin_master, self->pin_master_tag);
	u32 group;

	if (!pin && !master)
		return false;
	if (BPF_CORE_READ(vfsmnt, mnt_sb, s_dev) == self->pin_dev) {
		group = (u32)BPF_CORE_READ((struct mount *)target, mnt_group_id);
		if (group && ((pin && group == self->pin_group) || (master && group == self->pin_master_group)))
			return true;
	}
	return (pin && is_mount_or_above(target, self->pin_mnt, above)) ||
	       (master && is_mount_or_above(target, self->pin_master, above));
}

static __always_inline int protect_mount(struct vfsmount *vfsmnt, bool above, enum bw_hook hook, enum bw_tamper what)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);

	return self && is_pin_mount(self, vfsmnt, above) ? tamper(hook, what, 0, 0, 0) : 0;
}

static __always_inline int protect_move_mount(const struct path *from, const struct path *to)
{
	int r = protect_mount(BPF_CORE_READ(from, mnt), true, BW_HOOK_SB_MOUNT, BW_TAMPER_MOUNT);

	return r ? r : protect_mount(BPF_CORE_READ(to, mnt), false, BW_HOOK_SB_MOUNT, BW_TAMPER_MOUNT);
}

/* ---- processes -------------------------------------------------------------------------------------------------------- */

static __always_inline int protect_task(struct task_struct *task, enum bw_hook hook, enum bw_tamper what, u32 detail)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);

	if (!self || !is_task_ours(task, self))
		return 0;
	return tamper(hook, what, BPF_CORE_READ(task, tgid), detail, address_of(task) + bpf_core_field_offset(struct task_struct, comm));
}

static __always_inline int protect_kill(struct task_struct *task, u32 sig)
{
	u32 zero = 0;
	struct bw_guard_self *self;

	if (!sig || sig == SIG_HUP || sig == SIG_CHLD || sig == SIG_CONT)
		return 0;
	self = bpf_map_lookup_elem(&bw_self, &zero);
	if (!self)
		return 0;
	/* Ends in order, and the kernel goes on refusing. The worker, in contrast, has no business with signals. */
	if ((sig == SIG_TERM || sig == SIG_INT) && is_task_guard(task, self))
		return protect_task(task, BW_HOOK_TASK_KILL, BW_TAMPER_STOP, sig);
	return protect_task(task, BW_HOOK_TASK_KILL, BW_TAMPER_SIGNAL, sig);
}

/* Looking (ps, ss, lsof) is not attaching. */
static __always_inline int protect_ptrace(struct task_struct *task, u32 mode)
{
	return mode & PTRACE_MODE_ATTACH_BIT ? protect_task(task, BW_HOOK_PTRACE, BW_TAMPER_PTRACE, mode) : 0;
}

/* ---- entry points ----------------------------------------------------------------------------------------------------- */

REFUSE_HOOK(own_bpf, "bpf", protect_bpf((u32)ctx[0], (const union bpf_attr *)ctx[1]))
REFUSE_HOOK(own_prog, "bpf_prog", protect_prog((struct bpf_prog *)ctx[0]))
REFUSE_HOOK(own_map, "bpf_map", protect_map((struct bpf_map *)ctx[0], (u32)ctx[1]))
REFUSE_HOOK(own_receive, "file_receive", protect_receive((struct file *)ctx[0]))
REFUSE_HOOK(own_unlink, "inode_unlink", protect_unlink((struct dentry *)ctx[1]))
REFUSE_HOOK(own_rmdir, "inode_rmdir", protect_pin((struct dentry *)ctx[1], BW_HOOK_INODE_UNLINK, BW_TAMPER_PIN_REMOVE))
REFUSE_HOOK(own_rename, "inode_rename", protect_rename((struct dentry *)ctx[1], (struct dentry *)ctx[3]))
REFUSE_HOOK(own_create, "inode_create",
	     protect_pin(BPF_CORE_READ((struct dentry *)ctx[1], d_parent), BW_HOOK_INODE_CREATE, BW_TAMPER_PIN_CREATE))
REFUSE_HOOK(own_umount, "sb_umount", protect_mount((struct vfsmount *)ctx[0], true, BW_HOOK_SB_UMOUNT, BW_TAMPER_UMOUNT))
REFUSE_HOOK(own_mount, "sb_mount", protect_mount(BPF_CORE_READ((struct path *)ctx[1], mnt), false, BW_HOOK_SB_MOUNT, BW_TAMPER_MOUNT))
REFUSE_HOOK(own_move, "move_mount", protect_move_mount((struct path *)ctx[0], (struct path *)ctx[1]))
REFUSE_HOOK(own_kill, "task_kill", protect_kill((struct task_struct *)ctx[0], (u32)ctx[2]))
REFUSE_HOOK(own_ptrace, "ptrace_access_check", protect_ptrace((struct task_struct *)ctx[0], (u32)ctx[1]))
REFUSE_HOOK(own_rlimit, "task_setrlimit", protect_task((struct task_struct *)ctx[0], BW_HOOK_TASK_LIMIT, BW_TAMPER_LIMIT, (u32)ctx[1]))

/*
 * Run by the guard with BPF_PROG_TEST_RUN, in its own context: notes who the guard is, where its pins are, and the addresses of
 * the file operations of descriptors, which kallsyms does not give on every kernel. Arguments are descriptors (a program, a
 * map, a link, a perf event, a socket, the pin directory; -1: none), whether to protect, and the id of this program. Or, when the
 * ninth is an enum bw_file: remembers the file behind the tenth, a descriptor.
 */
static __always_inline int note_file(u32 kind, u32 fd)
{
	struct file *file = extract_fd_file(fd);
	struct bw_file_key key = {};
	u8 value = (u8)kind;

	if (!file)
		return 1;
	key.ino = BPF_CORE_READ(file, f_inode, i_ino);
	key.dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	return bpf_map_update_elem(&bw_files, &key, &value, BPF_ANY) ? 1 : 0;
}

static __always_inline void claim_fops(u32 fd, u64 *ret)
{
	const void *f_op = NULL;

	extract_fd_object(fd, &f_op);
	if (f_op)
		*ret = (u64)f_op;
}

SEC("raw_tp/bw_claim")
int bw_claim(u64 *ctx)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct file_operations *fops;
	struct file *dir;
	struct inode *exe;

	if (!self)
		return 0;
	if (!may_claim(self))
		return 1;
	if (ctx[8])
		return is_task_guard(task, self) ? note_file((u32)ctx[8], (u32)ctx[9]) : 1;
	claim_fops((u32)ctx[0], &self->prog_fops);
	claim_fops((u32)ctx[1], &self->map_fops);
	claim_fops((u32)ctx[2], &self->link_fops);
	fops = (void *)self->link_fops;
	if (fops)
		self->link_release = (u64)BPF_CORE_READ(fops, release);
	claim_fops((u32)ctx[3], &self->perf_fops);
	claim_fops((u32)ctx[4], &self->socket_fops);
	dir = extract_fd_file((u32)ctx[5]);
	if (dir) {
		u64 mnt = address_of(BPF_CORE_READ(dir, f_path.mnt)) - bpf_core_field_offset(struct mount, mnt);

		self->pin_ino = BPF_CORE_READ(dir, f_inode, i_ino);
		self->pin_dev = BPF_CORE_READ(dir, f_inode, i_sb, s_dev);
		self->pin_mnt = mnt;
		self->pin_mnt_tag = mount_tag((struct mount *)mnt);
		self->pin_group = (u32)BPF_CORE_READ((struct mount *)mnt, mnt_group_id);
		self->pin_master = (u64)BPF_CORE_READ((struct mount *)mnt, mnt_master);
		self->pin_master_tag = self->pin_master ? mount_tag((struct mount *)self->pin_master) : 0;
		self->pin_master_group = (u32)BPF_CORE_READ((struct mount *)mnt, mnt_master, mnt_group_id);
	}
	self->cgroup = (u64)BPF_CORE_READ(task, cgroups, dfl_cgrp);
	exe = BPF_CORE_READ(task, mm, exe_file, f_inode);
	self->exe_ino = BPF_CORE_READ(exe, i_ino);
	self->exe_dev = BPF_CORE_READ(exe, i_sb, s_dev);
	self->protect = (u32)ctx[6];
	self->released = 0;
	self->claim_prog = (u32)ctx[7];
	self->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	self->tgid = (u32)(bpf_get_current_pid_tgid() >> 32);
	return 0;
}
