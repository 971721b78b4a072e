// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T10: how long PAM takes and whether it succeeds; no argument is followed.
#include "sample.h"

LICENSE;

struct event {
	u32 pid;
	int ret;
	u64 ns;
	char comm[16];
};
HASH(t0, u64, u64, 256);
RINGBUF(events, 1 << 14);

SEC("uprobe/libpam.so.0:pam_authenticate")
int pam_begin(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();

	bpf_map_update_elem(&t0, &id, &now, BPF_ANY);
	return 0;
}

SEC("uretprobe/libpam.so.0:pam_authenticate")
int BPF_KRETPROBE(pam_end, int ret)
{
	u64 id = bpf_get_current_pid_tgid(), *then = bpf_map_lookup_elem(&t0, &id);
	struct event *e;

	if (!then)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (e) {
		e->pid = tgid();
		e->ret = ret;
		e->ns = bpf_ktime_get_ns() - *then;
		bpf_get_current_comm(e->comm, sizeof(e->comm));
		bpf_ringbuf_submit(e, 0);
	}
	bpf_map_delete_elem(&t0, &id);
	return 0;
}
