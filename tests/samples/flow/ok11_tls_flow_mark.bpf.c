// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T11 twin: processes that speak TLS are noted by a uprobe; tc gives their packets a priority.
#include "net.h"

LICENSE;

HASH(speaks_tls, u64, u64, 1024);

SEC("uprobe/libssl.so.3:SSL_read")
int BPF_KPROBE(tls_note, void *ssl, void *buf)
{
	u64 cgroup = bpf_get_current_cgroup_id(), now = bpf_ktime_get_ns();

	bpf_map_update_elem(&speaks_tls, &cgroup, &now, BPF_ANY);
	return 0;
}

SEC("tc")
int tls_mark(struct __sk_buff *skb)
{
	u64 cgroup = bpf_skb_cgroup_id(skb);

	if (bpf_map_lookup_elem(&speaks_tls, &cgroup))
		skb->priority = 6;
	return TC_ACT_OK;
}
