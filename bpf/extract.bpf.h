/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_EXTRACT_BPF_H
#define BW_EXTRACT_BPF_H
/*
 * Layer 2: reads facts out of kernel structures. Failed reads leave zeros.
 */
#include "bpf/actor.bpf.h"
#include "bpf/maps.bpf.h"

/*
 * The address as a plain number. The verifier restricts arithmetic on pointers whose type it knows; read back through
 * memory, it is a number that only probe reads can use.
 */
static __always_inline u64 address_of(const void *p)
{
	u64 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), &p);
	return v;
}

/* How much of an attribute union of @size bytes is kept. The mask says to older verifiers what the comparison says to us. */
static __always_inline u32 attr_size(u32 size)
{
	if (size > BW_ATTR_LEN)
		size = BW_ATTR_LEN;
	asm volatile("" : "+r"(size));
	return size & (2 * BW_ATTR_LEN - 1);
}

#define TS_COMPAT 2 /* arch/x86/include/asm/thread_info.h */

/* Did the system call come through the 32-bit entry? */
static __always_inline bool is_compat(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

/*
 * extract_path() one step at a time: s->walk_dentry, s->walk_mnt. Returns 1 at the end. Global and with its state in memory, so that the verifier looks at it once per program and not once per step and path.
 */
__weak __noinline int bw_path_step(void)
{
	struct bw_scratch *s = scratch_get();
	struct dentry *dentry, *parent;
	const unsigned char *name;
	struct mount *mnt, *up;
	struct bw_actor *a;
	u32 off;
	long n;

	if (!s)
		return 1;
	a = &s->load.actor;
	dentry = (void *)s->walk_dentry;
	mnt = (void *)s->walk_mnt;
	parent = BPF_CORE_READ(dentry, d_parent);
	if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root) || dentry == parent) {
		up = BPF_CORE_READ(mnt, mnt_parent);
		if (up == mnt) {
			a->path_truncated = 0;
			return 1;
		}
		s->walk_dentry = (u64)BPF_CORE_READ(mnt, mnt_mountpoint);
		s->walk_mnt = (u64)up;
		return 0;
	}
	off = a->path_len;
	if (off > BW_PATH_LEN - BW_PATH_COMPONENT_LEN)
		return 1;
	name = BPF_CORE_READ(dentry, d_name.name);
	/* Says it again in a form that older verifiers keep track of: a mask the compiler cannot remove. */
	asm volatile("" : "+r"(off));
	off &= BW_PATH_LEN - 1;
	n = bpf_probe_read_kernel_str(a->path + off, BW_PATH_COMPONENT_LEN, name);
	if (n <= 0 || n >= BW_PATH_COMPONENT_LEN)
		return 1;
	a->path_len = (u16)(off + (u32)n);
	s->walk_dentry = (u64)parent;
	return 0;
}

/*
 * Fills the actor of the event in the scratch memory: it stands at the same place in all of them. A global function: the
 * verifier looks at it once and not again at each call.
 */
__weak __noinline int bw_extract_actor(void)
{
	struct bw_scratch *s = scratch_get();
	struct file *exe;

	if (!s)
		return 0;
	s->exe_changed_ns = 0;
	exe = actor_facts(&s->load.actor);
	if (!exe)
		return 0;
	s->exe_changed_ns = inode_changed_ns(BPF_CORE_READ(exe, f_inode));
	s->walk_dentry = (u64)BPF_CORE_READ(exe, f_path.dentry);
	s->walk_mnt = (u64)BPF_CORE_READ(exe, f_path.mnt) - bpf_core_field_offset(struct mount, mnt);
	s->load.actor.path_truncated = 1;
	for (int i = 0; i < BW_PATH_COMPONENTS; i++)
		if (bw_path_step())
			break;
	return 0;
}

/* A hook that refuses, as two programs of which the guard loads the one the host can attach: LSM, or return of its function. */
#define REFUSE_HOOK(name, hook, ...)                                                                                             \
	SEC("lsm/" hook) int bw_lsm_##name(u64 *ctx)                                                                             \
	{                                                                                                                        \
		return __VA_ARGS__;                                                                                              \
	}                                                                                                                        \
	SEC("fmod_ret/security_" hook) int bw_mod_##name(u64 *ctx)                                                               \
	{                                                                                                                        \
		return __VA_ARGS__;                                                                                              \
	}

/* Does a file with these operations stand for a link? */
static __always_inline bool is_link_fops(const struct bw_guard_self *self, u64 f_op)
{
	if (!f_op || !self->link_fops)
		return false;
	return f_op == self->link_fops || (u64)BPF_CORE_READ((struct file_operations *)f_op, release) == self->link_release;
}

/* The file behind descriptor @fd of the current process, or NULL. Evidence only: another thread can change the table. */
static __always_inline struct file *extract_fd_file(u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table = BPF_CORE_READ(fdt, fd);
	struct file *file = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), table + fd);
	return file;
}

/* The object behind that. */
static __always_inline void *extract_fd_object(u32 fd, const void **ret_f_op)
{
	struct file *file = extract_fd_file(fd);

	if (!file)
		return NULL;
	*ret_f_op = BPF_CORE_READ(file, f_op);
	return BPF_CORE_READ(file, private_data);
}

/* Remembers what is known about @prog for when it is attached. */
static __always_inline void program_note(struct bw_scratch *s, struct bpf_prog *prog)
{
	u64 aux = (u64)BPF_CORE_READ(prog, aux);

	__builtin_memcpy(s->program.digest, s->load.digest, sizeof(s->program.digest));
	__builtin_memcpy(s->program.helpers, s->load.helpers, sizeof(s->program.helpers));
	s->program.entry = s->load.entry;
	s->program.reason = s->load.reason;
	bpf_map_update_elem(&bw_programs, &aux, &s->program, BPF_ANY);
}

static __always_inline int refusal(void)
{
	int r = -1;

	/* 6.12's verifier rejects what clang makes of "cond ? -1 : 0": keep the constant out of its sight. */
	asm volatile("%0 = -1" : "=r"(r));
	return r;
}

/* The file behind descriptor @fd of the current process, or NULL. */
static __always_inline struct file *file_of_fd(u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table = BPF_CORE_READ(fdt, fd);
	struct file *file = NULL;

	if (fd < BPF_CORE_READ(fdt, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), table + fd);
	return file;
}

#endif
