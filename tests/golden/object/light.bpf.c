// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the light skeleton test: clang 14, bpftool gen skeleton -L. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, int);
	__type(value, long);
} counts SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, int);
	__array(values, struct inner);
} outer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

const volatile int target = 7;
long total;

extern int bpf_kfunc_golden(int x) __ksym;

static __attribute__((noinline)) int sub(int x)
{
	return x * bpf_get_prandom_u32();
}

SEC("raw_tp/sys_enter")
int handle(void *ctx)
{
	int k = 1;
	long v = 3, *p = bpf_map_lookup_elem(&counts, &k);

	if (p)
		total += *p;
	else
		bpf_map_update_elem(&counts, &k, &v, 0);
	bpf_map_lookup_elem(&outer, &k);
	return sub(target) + bpf_kfunc_golden(2) + bpf_kfunc_golden(3);
}

SEC("fentry/do_unlinkat")
int entered(void *ctx)
{
	long *r = bpf_ringbuf_reserve(&ring, 16, 0);

	if (r) {
		*r = bpf_get_current_pid_tgid();
		bpf_ringbuf_submit(r, 0);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
