// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Self-protection: what the guard stands on. Control files of its cgroup and under /proc, the switch that its programs need, its own
 * files; and what goes around every hook: modules, kexec, memory devices, the clock. docs/tamper.md has the rows.
 */
#include "bpf/tamper.bpf.h"

#define CGROUP2_MAGIC 0x63677270 /* include/uapi/linux/magic.h */
#define PROC_MAGIC    0x9fa0
#define CGROUP_DEPTH  8 /* from the guard's cgroup up */

/* ---- files that are opened for writing -------------------------------------------------------------------------------- */

/* At most 16 bytes with its end, the rest is 0: compared as words. */
struct name16 {
	u64 word[2];
};

/* What the guard says a file of that name does, on the file systems of control files. */
static __always_inline enum bw_control control_of(const struct name16 *name)
{
	for (u32 i = 0; i < BW_CONTROL_NAMES; i++)
		if (bw_control_names[i].control && name->word[0] == bw_control_names[i].word[0] && name->word[1] == bw_control_names[i].word[1])
			return (enum bw_control)bw_control_names[i].control;
	return BW_CONTROL_NONE;
}

/* The task that a file below /proc/PID is about; NULL: none. */
static __always_inline struct task_struct *proc_task(struct inode *inode)
{
	u64 in_proc = address_of(inode) - bpf_core_field_offset(struct proc_inode, vfs_inode);
	struct pid *pid = BPF_CORE_READ((struct proc_inode *)in_proc, pid);
	u64 node;

	if (!pid)
		return NULL;
	/* The first list is that of the one thread with this number: PIDTYPE_PID. */
	bpf_probe_read_kernel(&node, sizeof(node), (void *)pid + bpf_core_field_offset(struct pid, tasks));
	return node ? (void *)(node - bpf_core_field_offset(struct task_struct, pid_links)) : NULL;
}

static __always_inline int protect_proc(struct inode *inode, const struct name16 *name, u64 text, const struct bw_guard_self *self)
{
	struct task_struct *task = proc_task(inode);

	if (task)
		return is_task_ours(task, self) ? tamper(BW_HOOK_FILE_OPEN, BW_TAMPER_PROC, BPF_CORE_READ(task, tgid), 0, text) : 0;
	return control_of(name) == BW_CONTROL_SYSCTL ? tamper(BW_HOOK_FILE_OPEN, BW_TAMPER_SYSCTL, 0, 0, text) : 0;
}

/* Steps from the guard's cgroup up to the one with number @id: 0, 1, ...; -1: it is not above. */
static __always_inline int cgroup_above(const struct bw_guard_self *self, u64 id)
{
	u64 at = self->cgroup;

	for (int i = 0; at && i < CGROUP_DEPTH; i++) {
		if (BPF_CORE_READ((struct cgroup *)at, kn, id) == id)
			return i;
		at = (u64)BPF_CORE_READ((struct cgroup *)at, self.parent);
		if (at)
			at -= bpf_core_field_offset(struct cgroup, self);
	}
	return -1;
}

static __always_inline int protect_cgroup(struct dentry *dentry, const struct name16 *name, u64 text, const struct bw_guard_self *self)
{
	enum bw_control control = control_of(name);
	bool limit = control == BW_CONTROL_CGROUP_LIMIT;
	int steps;

	if (control != BW_CONTROL_CGROUP && !limit)
		return 0;
	/* Limits of what is above are for whoever runs that; they share the host out. */
	steps = cgroup_above(self, BPF_CORE_READ(dentry, d_parent, d_inode, i_ino));
	if (steps < 0 || (limit && steps))
		return 0;
	return tamper(BW_HOOK_FILE_OPEN, BW_TAMPER_CGROUP, 0, (u32)steps, text);
}

/* Far from the fast path: most files are opened for reading. */
static __noinline int protect_write(struct file *file)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	unsigned long magic = BPF_CORE_READ(inode, i_sb, s_magic);
	const unsigned char *text = BPF_CORE_READ(dentry, d_name.name);
	struct name16 name = {};

	if (!self || !self->tgid)
		return 0;
	if (magic == PROC_MAGIC || magic == CGROUP2_MAGIC) {
		bpf_probe_read_kernel_str(&name, sizeof(name), text);
		return magic == PROC_MAGIC ? protect_proc(inode, &name, (u64)text, self) : protect_cgroup(dentry, &name, (u64)text, self);
	}
	/* Who reads the history (SQLite) opens it for writing as well. */
	return file_kind(inode) == BW_FILE_STATE ? 0 : protect_file(inode, BW_HOOK_FILE_OPEN, dentry);
}

static __always_inline int protect_open(struct file *file)
{
	return BPF_CORE_READ(file, f_mode) & FMODE_WRITE_BIT ? protect_write(file) : 0;
}

/* ---- what goes around every hook --------------------------------------------------------------------------------------- */

static __always_inline int see_kernel_file(struct file *file, u32 id)
{
	u64 name = file ? (u64)BPF_CORE_READ(file, f_path.dentry, d_name.name) : 0;

	if (id == bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE) ||
	    (bpf_core_enum_value_exists(enum kernel_read_file_id, READING_MODULE_COMPRESSED) &&
	     id == bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE_COMPRESSED)))
		return tamper(BW_HOOK_KERNEL_LOAD, BW_TAMPER_MODULE, 0, 0, name);
	if (id == bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE))
		return tamper(BW_HOOK_KERNEL_LOAD, BW_TAMPER_KERNEL, 0, BW_KERNEL_KEXEC, name);
	return 0;
}

static __always_inline int see_kernel_data(u32 id)
{
	if (id == bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
		return tamper(BW_HOOK_KERNEL_LOAD, BW_TAMPER_MODULE, 0, 0, 0);
	if (id == bpf_core_enum_value(enum kernel_load_data_id, LOADING_KEXEC_IMAGE))
		return tamper(BW_HOOK_KERNEL_LOAD, BW_TAMPER_KERNEL, 0, BW_KERNEL_KEXEC, 0);
	return 0;
}

/* Called for harmless things as well. */
static __always_inline int see_locked_down(u32 what)
{
	u32 detail = 0;

	if (what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_DEV_MEM))
		detail = BW_KERNEL_DEV_MEM;
	else if (what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_IOPORT))
		detail = BW_KERNEL_IOPORT;
	else if (what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_MSR))
		detail = BW_KERNEL_MSR;
	else if (what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_HIBERNATION))
		detail = BW_KERNEL_HIBERNATION;
	else if (what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_KCORE))
		detail = BW_KERNEL_KCORE;
	return detail ? tamper(BW_HOOK_LOCKED_DOWN, BW_TAMPER_KERNEL, 0, detail, 0) : 0;
}

REFUSE_HOOK(own_open, "file_open", protect_open((struct file *)ctx[0]))
REFUSE_HOOK(own_read, "kernel_read_file", see_kernel_file((struct file *)ctx[0], (u32)ctx[1]))
REFUSE_HOOK(own_load, "kernel_load_data", see_kernel_data((u32)ctx[0]))
REFUSE_HOOK(own_lockdown, "locked_down", see_locked_down((u32)ctx[0]))

/* The hook and its function have different names. */
SEC("lsm/settime") int bw_lsm_own_settime(u64 *ctx)
{
	return tamper(BW_HOOK_SETTIME, BW_TAMPER_CLOCK, 0, 0, 0);
}

SEC("fmod_ret/security_settime64") int bw_mod_own_settime(u64 *ctx)
{
	return tamper(BW_HOOK_SETTIME, BW_TAMPER_CLOCK, 0, 0, 0);
}

/* No hook is asked before a process is put into another cgroup. */
SEC("raw_tp/cgroup_attach_task")
int bw_cgroup_move(u64 *ctx)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct cgroup *to = (struct cgroup *)ctx[0];
	struct task_struct *task = (struct task_struct *)ctx[2];
	u64 from;

	if (!self || !is_task_ours(task, self))
		return 0;
	from = self->cgroup;
	if (from && is_task_guard(task, self) && BPF_CORE_READ((struct cgroup *)from, root) == BPF_CORE_READ(to, root))
		self->cgroup = (u64)to; /* of the same hierarchy */
	bw_tamper((u32)BW_HOOK_CGROUP_MOVE << 16 | BW_TAMPER_MOVE, BPF_CORE_READ(task, tgid), 0, ctx[1]);
	return 0;
}
