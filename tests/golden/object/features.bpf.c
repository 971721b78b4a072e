// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the object reader's golden test: what libbpf-style objects are made of. clang 14, both byte orders. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct task_struct___golden {
	int pid;
	struct task_struct___golden *group_leader;
	char comm[16];
} __attribute__((preserve_access_index));

struct key {
	unsigned int a, b;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct key);
	__type(value, unsigned long long[4]);
} counts SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 8);
} inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, unsigned int);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [3] = &inner_b, [1] = &inner_a } };

int tail_one(void *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps") = { .values = { [1] = (void *)&tail_one } };

static struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

const volatile unsigned int limit = 7;
unsigned long long total;
int initialised = 5;
static int hidden_static = 9;
int custom SEC(".data.custom") = 11;
const char *const names[] = { "alpha", "beta" };

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF_JIT __kconfig __weak;
extern const void bpf_prog_fops __ksym;
extern const int bpf_prog_active __ksym __weak;
extern int bpf_kfunc_golden(int x) __ksym __weak;

static __attribute__((noinline)) int local_sub(int x)
{
	return x * 3 + hidden_static++;
}

__attribute__((noinline)) int global_sub(int x)
{
	return local_sub(x) + initialised;
}

static int callback(unsigned int i, void *ctx)
{
	*(unsigned int *)ctx += i;
	return 0;
}

SEC("kprobe/do_unlinkat+0x4")
int probe(void *ctx)
{
	struct task_struct___golden *t = (void *)bpf_get_current_task();
	struct key k = { .a = BPF_CORE_READ(t, group_leader, pid) };
	unsigned long long *v = bpf_map_lookup_elem(&counts, &k);
	unsigned int sum = 0;

	if (bpf_core_field_exists(t->comm))
		k.b = bpf_core_type_size(struct task_struct___golden);
	if (v && k.b < limit)
		*v += global_sub(k.a);
	bpf_loop(limit, callback, &sum, 0);
	total += sum + LINUX_KERNEL_VERSION + CONFIG_BPF_JIT;
	if (bpf_kfunc_golden)
		total += bpf_kfunc_golden(custom);
	return (long)&bpf_prog_fops + (&bpf_prog_active ? bpf_prog_active : 0);
}

SEC("?fentry.s/do_unlinkat")
int sleeper(void *ctx)
{
	long *r = bpf_ringbuf_reserve(&events, 8, 0);
	unsigned int zero = 0;

	if (r) {
		*r = (long)names[total & 1];
		bpf_ringbuf_submit(r, 0);
	}
	bpf_map_lookup_elem(&outer, &zero);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_read+16")
int tail_zero(void *ctx)
{
	bpf_tail_call(ctx, &jumps, 1);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_read+16")
int tail_one(void *ctx)
{
	return local_sub(1);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
unsigned int VERSION SEC("version") = 0x60100;
