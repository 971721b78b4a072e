/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_NETLINK_BPF_H
#define BW_NETLINK_BPF_H
/*
 * Layer 6: route netlink messages that attach a program: XDP, tc, lightweight tunnels (linux/rtnetlink.h, linux/if_link.h,
 * linux/pkt_sched.h, linux/lwtunnel.h). Read from the kernel's buffer, or from user memory in the watch tier.
 */
#include "bpf/attach.bpf.h"

#define NL_NEWLINK 16
#define NL_SETLINK 19
#define NL_NEWROUTE 24
#define NL_DELQDISC 37
#define NL_NEWTFILTER 44
#define NL_DELTFILTER 45
#define NL_NEWACTION 48

#define NL_MESSAGES 8	/* looked at in one buffer */
#define NL_ATTRIBUTES 48 /* looked at in one level of a message */

#define NL_KIND_BPF 0x00667062u /* "bpf" and its NUL, little endian */

static __always_inline u32 mem_u32(u64 address, bool user)
{
	u32 v = 0;

	if (user)
		bpf_probe_read_user(&v, sizeof(v), (void *)address);
	else
		bpf_probe_read_kernel(&v, sizeof(v), (void *)address);
	return v;
}

/*
 * Finds the attribute of this type among @len bytes at @address: the distance of its content from there, 0 when there is none.
 * Its length is in the 16 bits before: nl_len(). Global, so that the verifier looks at the loop once.
 */
__weak __noinline int bw_nl_find(u64 address, u32 len, u32 type, bool user)
{
	u32 off = 0;

	for (int i = 0; i < NL_ATTRIBUTES; i++) {
		u32 hdr, size;

		if (off + 4 > len)
			return 0;
		hdr = mem_u32(address + off, user);
		size = hdr & 0xffff;
		if (size < 4 || off + size > len)
			return 0;
		if ((hdr >> 16 & 0x3fff) == type)
			return (int)(off + 4);
		off += (size + 3) & ~3u;
		if (off > 0xffff)
			return 0;
	}
	return 0;
}

static __always_inline u32 nl_len(u64 content, bool user)
{
	u32 size = mem_u32(content - 4, user) & 0xffff;

	return size < 4 ? 0 : size - 4;
}

/* The same one level down: address of the content, 0 for none. */
static __always_inline u64 nl_sub(u64 address, u32 len, u32 type, bool user)
{
	u32 off = (u32)bw_nl_find(address, len, type, user);

	return off ? address + off : 0;
}

static __noinline int nl_link(struct bw_scratch *s, u64 attrs, u32 len, bool user)
{
	u64 xdp = nl_sub(attrs, len, 43 /* IFLA_XDP */, user), fd;

	if (!s || !xdp)
		return BW_WAY_NONE;
	s->attach.attach_type = BPF_XDP;
	fd = nl_sub(xdp, nl_len(xdp, user), 1 /* IFLA_XDP_FD */, user);
	/* -1 takes the program off. */
	if (fd && (s32)mem_u32(fd, user) >= 0)
		attach_prog_fd(s, mem_u32(fd, user));
	return BW_WAY_NETLINK_XDP;
}

static __noinline int nl_filter(struct bw_scratch *s, u64 attrs, u32 len, bool user)
{
	u64 kind = nl_sub(attrs, len, 1 /* TCA_KIND */, user), options, fd;

	if (!s || !kind || mem_u32(kind, user) != NL_KIND_BPF)
		return BW_WAY_NONE;
	options = nl_sub(attrs, len, 2 /* TCA_OPTIONS */, user);
	fd = options ? nl_sub(options, nl_len(options, user), 6 /* TCA_BPF_FD */, user) : 0;
	if (fd)
		attach_prog_fd(s, mem_u32(fd, user));
	return BW_WAY_NETLINK_TC;
}

/* An action of its own (tc actions add action bpf): the first one. */
static __noinline int nl_action(struct bw_scratch *s, u64 attrs, u32 len, bool user)
{
	u64 table = nl_sub(attrs, len, 1 /* TCA_ACT_TAB */, user), first, kind, options, fd;
	u32 first_len;

	if (!s || !table)
		return BW_WAY_NONE;
	first = table + 4; /* by priority; whichever comes first */
	first_len = nl_len(first, user);
	kind = nl_sub(first, first_len, 1 /* TCA_ACT_KIND */, user);
	if (!kind || mem_u32(kind, user) != NL_KIND_BPF)
		return BW_WAY_NONE;
	options = nl_sub(first, first_len, 2 /* TCA_ACT_OPTIONS */, user);
	fd = options ? nl_sub(options, nl_len(options, user), 5 /* TCA_ACT_BPF_FD */, user) : 0;
	if (fd)
		attach_prog_fd(s, mem_u32(fd, user));
	return BW_WAY_NETLINK_TC;
}

static __noinline int nl_route(struct bw_scratch *s, u64 attrs, u32 len, bool user)
{
	u64 type = nl_sub(attrs, len, 21 /* RTA_ENCAP_TYPE */, user), encap = nl_sub(attrs, len, 22 /* RTA_ENCAP */, user), prog, fd;
	u32 encap_len, which;

	if (!s || !type || !encap)
		return BW_WAY_NONE;
	encap_len = nl_len(encap, user);
	which = mem_u32(type, user) & 0xffff;
	if (which == 7 /* LWTUNNEL_ENCAP_SEG6_LOCAL */) {
		prog = nl_sub(encap, encap_len, 9 /* SEG6_LOCAL_BPF */, user);
	} else if (which == 6 /* LWTUNNEL_ENCAP_BPF: in, out, xmit */) {
		prog = nl_sub(encap, encap_len, 1, user);
		if (!prog)
			prog = nl_sub(encap, encap_len, 2, user);
		if (!prog)
			prog = nl_sub(encap, encap_len, 3, user);
	} else {
		return BW_WAY_NONE;
	}
	if (!prog)
		return BW_WAY_NONE;
	fd = nl_sub(prog, nl_len(prog, user), 1 /* LWT_BPF_PROG_FD, SEG6_LOCAL_BPF_PROG */, user);
	if (fd)
		attach_prog_fd(s, mem_u32(fd, user));
	return BW_WAY_NETLINK_LWT;
}

static __always_inline u32 nl_header_len(u32 type)
{
	switch (type) {
	case NL_NEWLINK:
	case NL_SETLINK:
		return 16; /* struct ifinfomsg */
	case NL_DELQDISC:
	case NL_NEWTFILTER:
	case NL_DELTFILTER:
		return 20; /* struct tcmsg */
	case NL_NEWACTION:
		return 4; /* struct tcamsg */
	case NL_NEWROUTE:
		return 12; /* struct rtmsg */
	default:
		return 0;
	}
}

/* One message: says in s->attach what it attaches. */
static __noinline int nl_message(struct bw_scratch *s, u64 address, u32 len, u32 type)
{
	bool user = bw_tier_watch;
	u32 skip = 16 + nl_header_len(type);

	if (!s || len < skip)
		return BW_WAY_NONE;
	switch (type) {
	case NL_NEWLINK:
	case NL_SETLINK:
		return nl_link(s, address + skip, len - skip, user);
	case NL_NEWTFILTER:
		return nl_filter(s, address + skip, len - skip, user);
	case NL_NEWACTION:
		return nl_action(s, address + skip, len - skip, user);
	case NL_NEWROUTE:
		return nl_route(s, address + skip, len - skip, user);
	case NL_DELQDISC:
	case NL_DELTFILTER:
		return BW_WAY_NETLINK_TC;
	default:
		return BW_WAY_NONE;
	}
}

/*
 * Judges and reports one message, where it attaches something. 1: refuse. @ret: of the system call, in the watch tier. Global:
 * the verifier looks at it once, not once for each message.
 */
__weak __noinline int bw_netlink_one(u64 address, u32 size, u32 type, s32 ret, u32 flags)
{
	u32 zero = 0, n;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();
	int way, deny;

	if (!self)
		return 0;
	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return 0;
	}
	if (!attach_begin(s, self, bw_tier_watch ? BW_HOOK_SYS_EXIT : BW_HOOK_NETLINK_SEND, BW_WAY_NONE, type))
		return 0;
	if (flags & BW_ATTACH_MORE)
		way = BW_WAY_NETLINK_TC;
	else
		way = nl_message(s, address, size, type);
	if (!way)
		return 0;
	s->attach.way = (u32)way;
	s->attach.flags |= flags;
	s->attach.error = ret;
	n = attr_size(size);
	s->attach.attr_len = n;
	if (bw_tier_watch)
		bpf_probe_read_user(s->attach.attr, n, (void *)address);
	else
		bpf_probe_read_kernel(s->attach.attr, n, (void *)address);
	deny = bw_attach_judge();
	attach_emit(s);
	return deny;
}

/* All messages of a buffer. 1: refuse it. */
__weak __noinline int bw_netlink(u64 address, u32 len, s32 ret, u32 flags)
{
	u32 off = 0, size, type = 0;
	int refuse = 0;

	for (int i = 0; i < NL_MESSAGES; i++) {
		if (len < 16 || off > len - 16)
			return refuse;
		size = mem_u32(address + off, bw_tier_watch);
		type = mem_u32(address + off + 4, bw_tier_watch) & 0xffff;
		if (size < 16 || size > len - off)
			return refuse;
		if (nl_header_len(type))
			refuse |= bw_netlink_one(address + off, size, type, ret, flags);
		off += (size + 3) & ~3u;
	}
	/* More messages than that: say so, whatever they are. */
	if (len >= 16 && off <= len - 16)
		bw_netlink_one(address + off, 16, type, ret, flags | BW_ATTACH_MORE);
	return refuse;
}

#endif
