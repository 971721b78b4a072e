// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T23: a tracing program feeds a tc program, but with process names for flow records, and nothing enters a packet.
#include "kernel_types.h"
#include "net.h"

LICENSE;

struct owner {
	u32 pid, pad;
	char comm[16];
};
struct conn {
	__be32 daddr;
	u16 sport, pad;
};
HASH(owners, struct conn, struct owner, 16384);
struct record {
	struct conn c;
	struct owner o;
	u32 len;
};
RINGBUF(records, 1 << 18);

SEC("kprobe/tcp_connect")
int BPF_KPROBE(remember_owner, struct sock *sk)
{
	struct conn c = {};
	struct owner o = {};

	c.daddr = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	c.sport = BPF_CORE_READ(sk, __sk_common.skc_num);
	o.pid = tgid();
	bpf_get_current_comm(o.comm, sizeof(o.comm));
	bpf_map_update_elem(&owners, &c, &o, BPF_ANY);
	return 0;
}

SEC("tc")
int flow_with_owner(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = ipv4(data, end);
	struct tcphdr *tcp;
	struct conn c = {};
	struct owner *o;
	struct record *r;

	if (!ip)
		return TC_ACT_UNSPEC;
	tcp = tcp4(ip, end);
	if (!tcp || !tcp->syn)
		return TC_ACT_UNSPEC;
	c.daddr = ip->daddr;
	c.sport = bpf_ntohs(tcp->source);
	o = bpf_map_lookup_elem(&owners, &c);
	if (!o)
		return TC_ACT_UNSPEC;
	r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);
	if (!r)
		return TC_ACT_UNSPEC;
	r->c = c;
	r->o = *o;
	r->len = skb->len;
	bpf_ringbuf_submit(r, 0);
	return TC_ACT_UNSPEC;
}
