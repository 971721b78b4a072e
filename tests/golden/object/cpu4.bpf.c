// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the object reader's golden test: instructions of cpu v4 and later. clang 19, -mcpu=v4. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
	enum { golden_value = 0x1ull << 44 } map_extra; /* __ulong() of newer bpf_helpers.h */
} arena SEC(".maps");

long __arena in_arena[4] SEC(".addr_space.1");
signed char small;
short medium;
int word;
long big;

SEC("syscall")
int wide(void *ctx)
{
	long __arena *p = in_arena;
	int i = 0;

	big = big / (long)word + big % 7 + (long)small + (long)medium + (int)(signed char)big;
	word = __builtin_bswap32(word);
	p[1] += 2;
	in_arena[2] = (long)(void *)p;
	asm volatile("1: %[i] += 1; .byte 0xe5, 0, 1, 0, 0, 0, 0, 0; goto 2f; if %[i] < 9 goto 1b; 2:" : [i] "+r"(i));
	asm volatile("gotol 3f; r0 = 1; 3:" ::: "r0");
	/* load_acquire and store_release */
	asm volatile("r2 = %[p] ll; .byte 0xdb, 0x21, 0, 0, 0, 1, 0, 0; .byte 0xdb, 0x12, 8, 0, 0x10, 1, 0, 0"
		     :: [p] "i"(&word) : "r1", "r2", "memory");
	return __sync_fetch_and_add(&big, 4) + __sync_val_compare_and_swap(&word, 1, 2) + i;
}

char LICENSE[] SEC("license") = "GPL";
