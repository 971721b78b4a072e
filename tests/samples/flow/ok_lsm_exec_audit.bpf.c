// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: an execution audit in LSM hooks: credentials change, file, uid; observes only.
#include "kernel_types.h"

LICENSE;

struct event {
	u32 pid, uid, euid;
	u64 ino;
	char path[128];
};
RINGBUF(exec_audit, 1 << 16);

SEC("lsm/bprm_check_security")
int BPF_PROG(exec_audit_hook, struct linux_binprm *bprm, int ret)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	struct event *e = bpf_ringbuf_reserve(&exec_audit, sizeof(*e), 0);

	if (!e)
		return ret;
	e->pid = tgid();
	e->uid = BPF_CORE_READ(t, cred, uid.val);
	e->euid = BPF_CORE_READ(t, cred, euid.val);
	e->ino = BPF_CORE_READ(bprm, file, f_inode, i_ino);
	bpf_probe_read_kernel_str(e->path, sizeof(e->path), BPF_CORE_READ(bprm, filename));
	bpf_ringbuf_submit(e, 0);
	return ret;
}
