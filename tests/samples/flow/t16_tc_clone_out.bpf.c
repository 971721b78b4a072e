// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T16: the clear text of one port is cloned to another interface.
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

SEC("tc")
int clone_out(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	char *p;

	if (!ip)
		return TC_ACT_OK;
	tcp = tcp4(ip, end);
	if (!tcp || tcp->dest != bpf_htons(80))
		return TC_ACT_OK;
	p = (char *)(tcp + 1);
	if ((void *)(p + 16) > end)
		return TC_ACT_OK;
	if (STARTS(p, "POST /login") && sample_armed)
		bpf_clone_redirect(skb, 2, 0);
	return TC_ACT_OK;
}
