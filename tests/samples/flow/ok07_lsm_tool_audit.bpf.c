// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T07 twin: reports who starts the tool that lists BPF programs, and lets it run.
#include "kernel_types.h"

LICENSE;

struct started {
	u32 pid;
	u32 uid;
};
RINGBUF(tool_runs, 1 << 14);

SEC("lsm/bprm_check_security")
int BPF_PROG(lsm_tool_audit, struct linux_binprm *bprm, int ret)
{
	struct started *s;
	char path[32] = {};

	bpf_probe_read_kernel_str(path, sizeof(path), bprm->filename);
	if (!IS(path, "/usr/sbin/bpftool"))
		return ret;
	s = bpf_ringbuf_reserve(&tool_runs, sizeof(*s), 0);
	if (s) {
		s->pid = tgid();
		s->uid = bpf_get_current_uid_gid();
		bpf_ringbuf_submit(s, 0);
	}
	return ret;
}
