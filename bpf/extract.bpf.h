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

/*
 * Fills the actor of the event in the scratch memory: it stands at the same place in all of them. A global function: the
 * verifier looks at it once and not again at each call.
 */
__weak __noinline int bw_extract_actor(void)
{
	struct bw_scratch *s = scratch_get();

	if (s)
		actor_fill(&s->load.actor);
	return 0;
}

/* The object behind descriptor @fd of the current process. Evidence only: another thread can change the table. */
static __always_inline void *extract_fd_object(u32 fd, const void **ret_f_op)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table = BPF_CORE_READ(fdt, fd);
	struct file *file = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), table + fd);
	if (!file)
		return NULL;
	*ret_f_op = BPF_CORE_READ(file, f_op);
	return BPF_CORE_READ(file, private_data);
}

#endif
