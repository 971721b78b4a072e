// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
};

struct inner first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { [1] = &first },
};

SEC("socket")
int map_in_map(struct __sk_buff *skb)
{
	__u32 which = skb->len & 1, zero = 0;
	void *map = bpf_map_lookup_elem(&outer, &which);
	__u64 *value = map ? bpf_map_lookup_elem(map, &zero) : 0;

	if (value)
		*value += skb->len;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
