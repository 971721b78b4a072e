// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T19: code injection shape: bytes from a map are written below the stack pointer of the process that makes the call.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

struct patch {
	u64 words[4];
};
HASH(patches, u32, struct patch, 16);

SEC("tp/syscalls/sys_exit_timerfd_settime")
int inject_timer(struct tp_exit *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct pt_regs *regs = (struct pt_regs *)((u64)BPF_CORE_READ(t, stack) + 4 * 4096) - 1;
	u32 pid = tgid();
	struct patch *p = bpf_map_lookup_elem(&patches, &pid);
	u64 sp = BPF_CORE_READ(regs, sp);

	if (!p)
		return 0;
	if (sample_armed)
		bpf_probe_write_user((void *)(sp - 8), p, sizeof(*p));
	return 0;
}
