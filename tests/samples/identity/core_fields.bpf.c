// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* CO-RE: offsets, sizes and existence of fields that moved between the kernels of the matrix. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct mm_struct {
	unsigned long start_code, end_code;
} __attribute__((preserve_access_index));

struct nsproxy {
	void *net_ns;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid, tgid;
	unsigned int flags;
	__u64 start_time;
	char comm[16];
	struct task_struct *real_parent;
	struct mm_struct *mm;
	struct nsproxy *nsproxy;
} __attribute__((preserve_access_index));

/* The field was renamed in 5.14. */
struct task_struct___old {
	volatile long state;
} __attribute__((preserve_access_index));

struct task_struct___new {
	unsigned int __state;
} __attribute__((preserve_access_index));

struct sample {
	__u64 a, b, c;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sample);
} out SEC(".maps");

SEC("raw_tracepoint/sys_enter")
int core_fields(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct sample *s;
	__u32 key = 0;

	s = bpf_map_lookup_elem(&out, &key);
	if (!s)
		return 0;
	s->a = BPF_CORE_READ(task, start_time);
	s->b = BPF_CORE_READ(task, real_parent, tgid);
	s->c = BPF_CORE_READ(task, mm, end_code) - BPF_CORE_READ(task, mm, start_code);
	BPF_CORE_READ_STR_INTO(&s->comm, task, comm);
	if (bpf_core_field_exists(((struct task_struct___new *)0)->__state))
		s->a += BPF_CORE_READ((struct task_struct___new *)task, __state);
	else
		s->a += BPF_CORE_READ((struct task_struct___old *)task, state);
	s->b += bpf_core_type_size(struct task_struct);
	s->b += bpf_core_field_offset(struct task_struct, comm);
	return 0;
}

SEC("raw_tracepoint/sys_exit")
int core_chain(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, real_parent, real_parent, nsproxy, net_ns) != 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
