// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: outgoing TCP connections with their addresses.
#include "kernel_types.h"

LICENSE;

struct event {
	u32 saddr, daddr;
	u16 dport, lport;
	u32 pid, uid;
	char task[16];
};
HASH(sockets, u32, struct sock *, 8192);
PERFBUF(events);

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(connect_enter, struct sock *sk)
{
	u32 tid = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&sockets, &tid, &sk, 0);
	return 0;
}

SEC("kretprobe/tcp_v4_connect")
int BPF_KRETPROBE(connect_exit, int ret)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct sock **skpp = bpf_map_lookup_elem(&sockets, &tid);
	struct event e = {};
	struct sock *sk;

	if (!skpp)
		return 0;
	sk = *skpp;
	e.pid = tgid();
	e.uid = bpf_get_current_uid_gid();
	e.saddr = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	e.daddr = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	e.dport = BPF_CORE_READ(sk, __sk_common.skc_dport);
	e.lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	bpf_get_current_comm(e.task, sizeof(e.task));
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &e, sizeof(e));
	bpf_map_delete_elem(&sockets, &tid);
	return 0;
}
