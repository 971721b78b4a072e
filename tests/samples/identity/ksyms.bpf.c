// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 6.1
/* Typed kernel symbols: per-CPU variables, by BTF id; a weak one that no kernel has. Debian's 5.10 has no variables in its BTF. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct rq {
	unsigned int nr_running;
	int cpu;
} __attribute__((preserve_access_index));

extern const struct rq runqueues __ksym;
extern const int bpf_prog_active __ksym __weak;
extern const int no_such_variable __ksym __weak;

__u64 running;

SEC("raw_tracepoint/sys_enter")
int ksyms(void *ctx)
{
	const struct rq *rq = bpf_per_cpu_ptr(&runqueues, 0);

	if (rq)
		running += rq->nr_running + (unsigned int)rq->cpu;
	if (&bpf_prog_active)
		running += *(const unsigned int *)bpf_this_cpu_ptr(&bpf_prog_active);
	if (&no_such_variable)
		running++;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
