// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Self-protection: what would take the guard out is refused in mode enforce, and reported in every mode. Exempt are the
 * guard, its children, and process 1, which must be able to stop services and to shut the host down. What is not here and
 * why is in docs/tamper.md.
 */
#include "bpf/emit.bpf.h"

#define PTRACE_MODE_ATTACH_BIT 2 /* include/linux/ptrace.h */
#define FMODE_WRITE_BIT 2	 /* include/linux/fs.h */
#define PIN_DEPTH 4		 /* from a pin up to the guard's directory */
#define MOUNT_DEPTH 8

enum { SIG_HUP = 1, SIG_INT = 2, SIG_TERM = 15, SIG_CHLD = 17, SIG_CONT = 18 };

/* Descriptors, links: (enum bw_owned_kind << 32 | id) of what belongs to the guard. */
static __always_inline u8 owned(enum bw_owned_kind kind, u32 id)
{
	u64 key = (u64)kind << 32 | id;
	u8 *value = bpf_map_lookup_elem(&bw_owned, &key);

	return value ? *value : 0;
}

static __always_inline bool is_owned(enum bw_owned_kind kind, u32 id)
{
	return owned(kind, id) != 0;
}

static __always_inline bool is_task_guard(struct task_struct *task, const struct bw_guard_self *self)
{
	return self->tgid && BPF_CORE_READ(task, tgid) == (int)self->tgid &&
	       BPF_CORE_READ(task, group_leader, start_boottime) == self->start_ns;
}

/* The guard, or a process it has forked: the worker, who compiles policies, the canary. */
static __always_inline bool is_task_ours(struct task_struct *task, const struct bw_guard_self *self)
{
	return is_task_guard(task, self) || is_task_guard(BPF_CORE_READ(task, group_leader, real_parent), self);
}

/*
 * May this process become the guard? While one runs, and after it was killed, only the same executable; after it has ended in
 * order any (an upgrade). Whoever is root can run that executable: the point is that it shows.
 */
static __always_inline bool may_claim(const struct bw_guard_self *self)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct inode *inode;

	if (!self->protect || self->released || !self->exe_ino)
		return true;
	inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
	return BPF_CORE_READ(inode, i_ino) == self->exe_ino && BPF_CORE_READ(inode, i_sb, s_dev) == self->exe_dev;
}

/*
 * Reports an attempt; 1: refuse. The first, second, fourth, ... of a kind by a process are reported, so that a loop cannot
 * fill the buffer. @hook and @what: enum bw_hook << 16 | enum bw_tamper.
 */
__weak __noinline int bw_tamper(u32 hook_what, u32 object, u32 detail, u64 name)
{
	u32 zero = 0, slot, what = hook_what & 0xffff;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct bw_policy_conf *conf;
	struct bw_tamper_key key = {};
	struct bw_scratch *s;
	u64 *seen, count = 1;
	bool deny;

	if (!self || !self->protect)
		return 0;
	key.tgid = (u32)(bpf_get_current_pid_tgid() >> 32);
	if (key.tgid == 1 || is_task_ours(task, self))
		return 0;
	slot = self->active & 1;
	conf = bpf_map_lookup_elem(&bw_conf, &slot);
	deny = conf && conf->flags & BW_CONF_VALID && conf->mode != BW_MODE_OBSERVE && what != BW_TAMPER_STOP;
	if (what == BW_TAMPER_CLAIM && may_claim(self))
		deny = false;
	else if (deny)
		stat_add(BW_STAT_TAMPERS_DENIED, 1);
	key.what = what;
	key.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	seen = bpf_map_lookup_elem(&bw_tampers, &key);
	if (seen)
		count = *seen + 1;
	bpf_map_update_elem(&bw_tampers, &key, &count, BPF_ANY);
	if (count & (count - 1))
		return deny;
	s = scratch_get();
	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return deny;
	}
	__builtin_memset(&s->tamper, 0, sizeof(s->tamper));
	event_begin(&s->tamper.hdr, BW_EVENT_TAMPER, sizeof(s->tamper), (enum bw_hook)(hook_what >> 16));
	bw_extract_actor();
	s->tamper.what = what;
	s->tamper.object = object;
	s->tamper.detail = detail;
	s->tamper.count = count;
	if (name)
		bpf_probe_read_kernel_str(s->tamper.name, sizeof(s->tamper.name), (void *)name);
	if (deny)
		s->tamper.action = BW_ACTION_DENIED;
	else if (what == BW_TAMPER_CLAIM || what == BW_TAMPER_STOP)
		s->tamper.action = BW_ACTION_ALLOWED;
	else
		s->tamper.action = BW_ACTION_WOULD_DENY;
	event_emit(&s->tamper.hdr, sizeof(s->tamper), true);
	return deny;
}

static __always_inline int tamper(enum bw_hook hook, enum bw_tamper what, u32 object, u32 detail, u64 name)
{
	return bw_tamper((u32)hook << 16 | what, object, detail, name) ? refusal() : 0;
}

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
	if (!link || (u64)f_op != self->link_fops)
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
	if (f_op == self->link_fops) {
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

static __always_inline int protect_rename(struct dentry *from, struct dentry *to_dir_entry)
{
	int r = protect_pin(from, BW_HOOK_INODE_RENAME, BW_TAMPER_PIN_RENAME);

	/* What does not exist yet has no inode: its directory has. */
	return r ? r : protect_pin(BPF_CORE_READ(to_dir_entry, d_parent), BW_HOOK_INODE_RENAME, BW_TAMPER_PIN_RENAME);
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
	u32 group;

	if (!self->pin_mnt)
		return false;
	if (BPF_CORE_READ(vfsmnt, mnt_sb, s_dev) == self->pin_dev) {
		group = (u32)BPF_CORE_READ((struct mount *)target, mnt_group_id);
		if (group && (group == self->pin_group || group == self->pin_master_group))
			return true;
	}
	return is_mount_or_above(target, self->pin_mnt, above) || is_mount_or_above(target, self->pin_master, above);
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

#define PROTECT_HOOK(name, hook, ...)                                                                                            \
	SEC("lsm/" hook) int bw_lsm_##name(u64 *ctx)                                                                             \
	{                                                                                                                        \
		return __VA_ARGS__;                                                                                              \
	}                                                                                                                        \
	SEC("fmod_ret/security_" hook) int bw_mod_##name(u64 *ctx)                                                               \
	{                                                                                                                        \
		return __VA_ARGS__;                                                                                              \
	}

PROTECT_HOOK(own_bpf, "bpf", protect_bpf((u32)ctx[0], (const union bpf_attr *)ctx[1]))
PROTECT_HOOK(own_prog, "bpf_prog", protect_prog((struct bpf_prog *)ctx[0]))
PROTECT_HOOK(own_map, "bpf_map", protect_map((struct bpf_map *)ctx[0], (u32)ctx[1]))
PROTECT_HOOK(own_receive, "file_receive", protect_receive((struct file *)ctx[0]))
PROTECT_HOOK(own_unlink, "inode_unlink", protect_pin((struct dentry *)ctx[1], BW_HOOK_INODE_UNLINK, BW_TAMPER_PIN_REMOVE))
PROTECT_HOOK(own_rmdir, "inode_rmdir", protect_pin((struct dentry *)ctx[1], BW_HOOK_INODE_UNLINK, BW_TAMPER_PIN_REMOVE))
PROTECT_HOOK(own_rename, "inode_rename", protect_rename((struct dentry *)ctx[1], (struct dentry *)ctx[3]))
PROTECT_HOOK(own_create, "inode_create",
	     protect_pin(BPF_CORE_READ((struct dentry *)ctx[1], d_parent), BW_HOOK_INODE_CREATE, BW_TAMPER_PIN_CREATE))
PROTECT_HOOK(own_umount, "sb_umount", protect_mount((struct vfsmount *)ctx[0], true, BW_HOOK_SB_UMOUNT, BW_TAMPER_UMOUNT))
PROTECT_HOOK(own_mount, "sb_mount", protect_mount(BPF_CORE_READ((struct path *)ctx[1], mnt), false, BW_HOOK_SB_MOUNT, BW_TAMPER_MOUNT))
PROTECT_HOOK(own_move, "move_mount", protect_move_mount((struct path *)ctx[0], (struct path *)ctx[1]))
PROTECT_HOOK(own_kill, "task_kill", protect_kill((struct task_struct *)ctx[0], (u32)ctx[2]))
PROTECT_HOOK(own_ptrace, "ptrace_access_check", protect_ptrace((struct task_struct *)ctx[0], (u32)ctx[1]))
PROTECT_HOOK(own_rlimit, "task_setrlimit", protect_task((struct task_struct *)ctx[0], BW_HOOK_TASK_LIMIT, BW_TAMPER_LIMIT, (u32)ctx[1]))

/*
 * Run by the guard with BPF_PROG_TEST_RUN, in its own context: notes who the guard is, where its pins are, and the addresses of
 * the file operations of descriptors, which kallsyms does not give on every kernel. Arguments are descriptors (a program, a
 * map, a link, a perf event, a socket, the pin directory; -1: none), whether to protect, and the id of this program.
 */
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
	struct file *dir;
	struct inode *exe;

	if (!self)
		return 0;
	if (!may_claim(self))
		return 1;
	claim_fops((u32)ctx[0], &self->prog_fops);
	claim_fops((u32)ctx[1], &self->map_fops);
	claim_fops((u32)ctx[2], &self->link_fops);
	claim_fops((u32)ctx[3], &self->perf_fops);
	claim_fops((u32)ctx[4], &self->socket_fops);
	dir = extract_fd_file((u32)ctx[5]);
	if (dir) {
		u64 mnt = address_of(BPF_CORE_READ(dir, f_path.mnt)) - bpf_core_field_offset(struct mount, mnt);

		self->pin_ino = BPF_CORE_READ(dir, f_inode, i_ino);
		self->pin_dev = BPF_CORE_READ(dir, f_inode, i_sb, s_dev);
		self->pin_mnt = mnt;
		self->pin_group = (u32)BPF_CORE_READ((struct mount *)mnt, mnt_group_id);
		self->pin_master = (u64)BPF_CORE_READ((struct mount *)mnt, mnt_master);
		self->pin_master_group = (u32)BPF_CORE_READ((struct mount *)mnt, mnt_master, mnt_group_id);
	}
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
