// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T21: containers as they start: cgroup, namespace and the first program's name.
#include "kernel_types.h"

LICENSE;

struct event {
	u64 cgroup;
	u32 mntns, pid;
	char comm[16];
	char file[64];
};
RINGBUF(starts, 1 << 16);
HASH(seen_ns, u32, u8, 8192);

SEC("raw_tp/sched_process_exec")
int container_start(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *t = (void *)ctx->args[0];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	u32 ns = BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum);
	struct event *e;
	u8 one = 1;

	if (bpf_map_update_elem(&seen_ns, &ns, &one, BPF_NOEXIST))
		return 0;
	e = bpf_ringbuf_reserve(&starts, sizeof(*e), 0);
	if (!e)
		return 0;
	e->cgroup = bpf_get_current_cgroup_id();
	e->mntns = ns;
	e->pid = tgid();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_probe_read_kernel_str(e->file, sizeof(e->file), BPF_CORE_READ(bprm, filename));
	bpf_ringbuf_submit(e, 0);
	return 0;
}
