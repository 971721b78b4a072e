// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Cuts a cgroup off from addresses, or from everything but some (auditor/block/cgroup.c; docs/remediation.md). Each block is an
 * instance of its own. Everything here expires by itself: a block nobody looks after any more ends in time.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/block.h"

#define ETH_P_IP   0x0800
#define ETH_P_IPV6 0x86dd

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, BW_BLOCK_ENTRIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bw_block_key);
	__type(value, bw_block_until);
} bw_block_list SEC(".maps");

const volatile __u32 bw_block_mode = 0;
/* Of an isolation as a whole, CLOCK_BOOTTIME in ns. */
const volatile __u64 bw_block_until_ns = 0;
/* What was refused, for whoever looks. */
__u64 bw_block_refused = 0;

static __always_inline int judge(struct bw_block_key *key)
{
	__u64 now = bpf_ktime_get_boot_ns();
	bw_block_until *until;
	int listed, allowed;

	key->prefix_len = 128;
	until = bpf_map_lookup_elem(&bw_block_list, key);
	listed = until && now < *until;
	if (bw_block_mode == BW_BLOCK_OTHERS)
		allowed = listed || now >= bw_block_until_ns;
	else
		allowed = !listed;
	if (!allowed)
		__sync_fetch_and_add(&bw_block_refused, 1);
	return allowed;
}

static __always_inline void set_v4(struct bw_block_key *key, __u32 address)
{
	__builtin_memset(key->address, 0, sizeof(key->address));
	key->address[10] = key->address[11] = 0xff;
	__builtin_memcpy(key->address + 12, &address, sizeof(address));
}

/* @v4, @v6: where the address of the other side is in the header. What is no IP is not for sockets of a cgroup. */
static __always_inline int packet(struct __sk_buff *skb, __u32 v4, __u32 v6)
{
	struct bw_block_key key = {};
	__u32 address;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, v4, &address, sizeof(address)) < 0)
			return bw_block_mode != BW_BLOCK_OTHERS;
		set_v4(&key, address);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes(skb, v6, key.address, sizeof(key.address)) < 0)
			return bw_block_mode != BW_BLOCK_OTHERS;
	} else {
		return bw_block_mode != BW_BLOCK_OTHERS;
	}
	return judge(&key);
}

SEC("cgroup_skb/ingress")
int bw_block_in(struct __sk_buff *skb)
{
	return packet(skb, 12, 8);
}

SEC("cgroup_skb/egress")
int bw_block_out(struct __sk_buff *skb)
{
	return packet(skb, 16, 24);
}

/* Without these a connection attempt would time out instead of failing at once. */
SEC("cgroup/connect4")
int bw_block_connect4(struct bpf_sock_addr *ctx)
{
	struct bw_block_key key = {};

	set_v4(&key, ctx->user_ip4);
	return judge(&key);
}

SEC("cgroup/connect6")
int bw_block_connect6(struct bpf_sock_addr *ctx)
{
	struct bw_block_key key = {};
	__u32 words[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	__builtin_memcpy(key.address, words, sizeof(words));
	return judge(&key);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
