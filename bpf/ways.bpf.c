// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The ways around bpf(2): ioctl() on perf events and tun devices, route netlink, socket options, descriptors that are handed
 * over. Judged at the LSM hook of each; what came of a socket filter is seen when the kernel's function returns.
 */
#include "bpf/attach_ways.bpf.h"

static __always_inline int on_ioctl(struct file *file, u32 request, u64 arg, u32 flags)
{
	u32 zero = 0;
	struct bw_guard_self *self;

	/* Before anything else: this hook is called for every ioctl(). */
	if (request != PERF_EVENT_IOC_SET_BPF_NR && request != TUNSETSTEERINGEBPF_NR && request != TUNSETFILTEREBPF_NR)
		return 0;
	self = bpf_map_lookup_elem(&bw_self, &zero);
	if (!self)
		return 0;
	return attach_ioctl(self, file, request, arg, 0, flags, BW_HOOK_FILE_IOCTL) ? refusal() : 0;
}

static __always_inline int on_netlink(struct sock *sk, struct sk_buff *skb)
{
	if (BPF_CORE_READ(sk, sk_protocol) != 0 /* NETLINK_ROUTE */)
		return 0;
	return bw_netlink((u64)BPF_CORE_READ(skb, data), BPF_CORE_READ(skb, len), 0, 0) ? refusal() : 0;
}

static __always_inline int on_setsockopt(struct socket *sock, u32 level, u32 name)
{
	u32 zero = 0;
	struct bw_guard_self *self;

	if (!way_of_option(level, name))
		return 0;
	self = bpf_map_lookup_elem(&bw_self, &zero);
	if (!self)
		return 0;
	return attach_option(self, BPF_CORE_READ(sock, sk), level, name, 0, 0, BW_HOOK_SETSOCKOPT) ? refusal() : 0;
}

static __always_inline int on_file_receive(struct file *file)
{
	u32 zero = 0;
	u64 f_op = (u64)BPF_CORE_READ(file, f_op);
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);

	if (!self || !f_op || (f_op != self->prog_fops && f_op != self->map_fops && !is_link_fops(self, f_op)))
		return 0;
	return attach_received(self, file, 0, 0, BW_HOOK_FILE_RECEIVE) ? refusal() : 0;
}

REFUSE_HOOK(ioctl, "file_ioctl", on_ioctl((struct file *)ctx[0], (u32)ctx[1], ctx[2], 0))
REFUSE_HOOK(ioctl32, "file_ioctl_compat", on_ioctl((struct file *)ctx[0], (u32)ctx[1], ctx[2], BW_ATTACH_COMPAT))
REFUSE_HOOK(netlink, "netlink_send", on_netlink((struct sock *)ctx[0], (struct sk_buff *)ctx[1]))
REFUSE_HOOK(setsockopt, "socket_setsockopt", on_setsockopt((struct socket *)ctx[0], (u32)ctx[1], (u32)ctx[2]))
REFUSE_HOOK(receive, "file_receive", on_file_receive((struct file *)ctx[0]))

/* ---- a filter is on its socket, or was refused by the kernel ---------------------------------------------------------- */

static __always_inline int filter_done(struct sock *sk, u32 name, long ret)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);

	if (self)
		attach_option(self, sk, SOL_SOCKET_NR, name, ret, BW_ATTACH_HAS_RESULT, BW_HOOK_FILTER_DONE);
	return 0;
}

SEC("fexit/sk_attach_filter")
int bw_done_filter(u64 *ctx)
{
	return filter_done((struct sock *)ctx[1], SO_ATTACH_FILTER_NR, (s32)ctx[2]);
}

SEC("fexit/sk_attach_bpf")
int bw_done_sk_bpf(u64 *ctx)
{
	return filter_done((struct sock *)ctx[1], SO_ATTACH_BPF_NR, (s32)ctx[2]);
}

SEC("fexit/sk_reuseport_attach_filter")
int bw_done_reuseport_filter(u64 *ctx)
{
	return filter_done((struct sock *)ctx[1], SO_ATTACH_REUSEPORT_CBPF_NR, (s32)ctx[2]);
}

SEC("fexit/sk_reuseport_attach_bpf")
int bw_done_reuseport_bpf(u64 *ctx)
{
	return filter_done((struct sock *)ctx[1], SO_ATTACH_REUSEPORT_EBPF_NR, (s32)ctx[2]);
}
