// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 6.1
/* Callbacks: addresses of subprograms, as arguments of bpf_loop (5.17) and bpf_for_each_map_elem (5.13). */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bpf_map;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

static long add(__u32 i, void *ctx)
{
	*(__u64 *)ctx += i;
	return 0;
}

static long twice(__u32 i, void *ctx)
{
	*(__u64 *)ctx += 2 * i;
	return i > 5;
}

static long sum(struct bpf_map *map, __u32 *key, __u64 *value, __u64 *total)
{
	*total += *value;
	return 0;
}

SEC("xdp")
int callbacks_loop(struct xdp_md *ctx)
{
	__u64 total = 0;

	bpf_loop(10, add, &total, 0);
	bpf_loop(20, twice, &total, 0);
	return total > 100 ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int callbacks_for_each(struct xdp_md *ctx)
{
	__u64 total = 0;

	bpf_for_each_map_elem(&counts, sum, &total, 0);
	bpf_loop(3, add, &total, 0);
	return total ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
