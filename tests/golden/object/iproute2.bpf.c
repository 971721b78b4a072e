// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the object reader's golden test: struct bpf_elf_map and tail-call sections of iproute2. clang 14, no -g. */
#define SEC(name) __attribute__((section(name), used))

struct bpf_elf_map {
	unsigned int type, size_key, size_value, max_elem, flags, id, pinning, inner_id, inner_idx;
};

struct bpf_elf_map SEC("maps") jumps = { .type = 3, .size_key = 4, .size_value = 4, .max_elem = 8, .id = 2, .pinning = 1 };
struct bpf_elf_map SEC("maps") outer = { .type = 12, .size_key = 4, .size_value = 4, .max_elem = 8, .id = 5, .inner_id = 7 };
struct bpf_elf_map SEC("maps") inner = { .type = 2, .size_key = 4, .size_value = 8, .max_elem = 1, .id = 7, .pinning = 2 };

static void (*tail_call)(void *ctx, void *map, unsigned int index) = (void *)12;
static void *(*map_lookup)(void *map, const void *key) = (void *)1;

SEC("2/0x1") int tail_a(void *skb)
{
	unsigned int key = 0;

	return map_lookup(&outer, &key) != 0;
}

SEC("2/3") int tail_b(void *skb)
{
	return 1;
}

SEC("classifier") int entry(void *skb)
{
	tail_call(skb, &jumps, 1);
	return -1;
}

SEC("action/mark") int mark(void *skb)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
