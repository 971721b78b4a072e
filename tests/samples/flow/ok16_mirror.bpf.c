// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T16 twin: one service's packets are mirrored, as they are, to the port of a monitor.
#include "net.h"

LICENSE;

const volatile u32 monitor_port;

SEC("tc")
int mirror(struct __sk_buff *skb)
{
	u16 port = 0;

	if (!bpf_skb_load_bytes(skb, 34, &port, sizeof(port)) && port == bpf_htons(5432))
		bpf_clone_redirect(skb, monitor_port, 0);
	return TC_ACT_OK;
}
