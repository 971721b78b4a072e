/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_TAMPER_BPF_H
#define BW_TAMPER_BPF_H
/*
 * Layer 4: attempts against the guard: what is its, who it is, and the report. Exempt are the guard, its children, and process 1,
 * which must be able to stop services and to shut the host down.
 */
#include "bpf/emit.bpf.h"

#define FMODE_WRITE_BIT 2 /* include/linux/fs.h */

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

/* The others are reported: they are the administrator's business as well, or there is no hook that could refuse. */
static __always_inline bool is_refused(u32 what)
{
	return what != BW_TAMPER_STOP && what < BW_TAMPER_SEEN;
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
	deny = conf && conf->flags & BW_CONF_VALID && conf->mode != BW_MODE_OBSERVE && is_refused(what);
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
	else if (what == BW_TAMPER_CLAIM || !is_refused(what))
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

/* ---- files of the guard's --------------------------------------------------------------------------------------------- */

static __always_inline u8 file_kind(struct inode *inode)
{
	struct bw_file_key key = {};
	u8 *kind;

	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	kind = bpf_map_lookup_elem(&bw_files, &key);
	return kind ? *kind : 0;
}

/* What is removed, replaced or written. Its socket and its history stay; the rest is the administrator's to change. */
static __always_inline int protect_file(struct inode *inode, enum bw_hook hook, struct dentry *dentry)
{
	u8 kind = inode ? file_kind(inode) : 0;

	if (!kind)
		return 0;
	return tamper(hook, kind == BW_FILE_STATE ? BW_TAMPER_STATE : BW_TAMPER_FILE, 0, kind, (u64)BPF_CORE_READ(dentry, d_name.name));
}

#endif
