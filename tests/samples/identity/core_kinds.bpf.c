// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* CO-RE: enumerators, types that may be absent, bit fields, and accesses that libbpf poisons. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum bpf_func_id___core {
	BPF_FUNC_loop___core = 1,	      /* 5.17 */
	BPF_FUNC_ringbuf_output___core = 1,  /* 5.8 */
	BPF_FUNC_never_was___core = 1,
};

enum bpf_map_type___core {
	BPF_MAP_TYPE_ARENA___core = 1, /* 6.9 */
};

struct bpf_arena {
	int dummy;
}; /* 6.9 */

struct sock {
	unsigned int sk_userlocks : 4;
	unsigned int sk_padding : 1;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
	int no_such_field;
} __attribute__((preserve_access_index));

__u64 result;

SEC("raw_tracepoint/sys_enter")
int core_enums(void *ctx)
{
	__u64 r = 0;

	if (bpf_core_enum_value_exists(enum bpf_func_id___core, BPF_FUNC_loop___core))
		r += bpf_core_enum_value(enum bpf_func_id___core, BPF_FUNC_loop___core);
	r += bpf_core_enum_value(enum bpf_func_id___core, BPF_FUNC_ringbuf_output___core);
	if (bpf_core_enum_value_exists(enum bpf_func_id___core, BPF_FUNC_never_was___core))
		r += 1000;
	if (bpf_core_enum_value_exists(enum bpf_map_type___core, BPF_MAP_TYPE_ARENA___core))
		r += 2000;
	if (bpf_core_type_exists(struct bpf_arena))
		r += 4000;
	result = r;
	return 0;
}

SEC("raw_tracepoint/sys_exit")
int core_poisoned(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct sock *sk = (void *)task;

	/* Dead for the verifier where the field is absent: everywhere. */
	if (bpf_core_field_exists(task->no_such_field))
		result = BPF_CORE_READ(task, no_such_field);
	result += BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks);
	return BPF_CORE_READ(task, pid);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
