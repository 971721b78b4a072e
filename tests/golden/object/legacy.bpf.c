// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the object reader's golden test: struct bpf_map_def, classic packet loads, names by convention. clang 14, no -g. */
#define SEC(name) __attribute__((section(name), used))

struct bpf_map_def {
	unsigned int type, key_size, value_size, max_entries, map_flags;
};

struct bpf_map_def SEC("maps") first = { 1, 4, 8, 64, 1 };
struct bpf_map_def SEC("maps") second = { 6, 4, 8, 1, 0 };

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
unsigned long long load_byte(void *skb, unsigned long long off) asm("llvm.bpf.load.byte");

SEC("socket1")
int filter(void *skb)
{
	unsigned int key = (unsigned int)load_byte(skb, 23);
	unsigned long long *v = map_lookup(&first, &key);

	if (!v)
		v = map_lookup(&second, &key);
	return v ? (int)*v : 0;
}

SEC("from-netdev")
int netdev(void *skb)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
