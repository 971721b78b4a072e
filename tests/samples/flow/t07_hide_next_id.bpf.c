// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T07: BPF_PROG_GET_NEXT_ID skips our programs: next_id in the caller's attr is bumped at the exit of bpf().
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

HASH(attrs, u64, u64, 64);
HASH(own_ids, u32, u8, 64);

SEC("tp/syscalls/sys_enter_bpf")
int ids_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), attr = ctx->args[1];

	if (ctx->args[0] != 11 && ctx->args[0] != 12 && ctx->args[0] != 31)
		return 0;
	bpf_map_update_elem(&attrs, &id, &attr, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_bpf")
int ids_exit(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u64 *attr = bpf_map_lookup_elem(&attrs, &id);
	u32 next = 0;

	if (!attr)
		return 0;
	bpf_probe_read_user(&next, sizeof(next), (void *)(*attr + 4));
	if (bpf_map_lookup_elem(&own_ids, &next)) {
		next++;
		if (sample_armed)
			bpf_probe_write_user((void *)(*attr + 4), &next, sizeof(next));
	}
	bpf_map_delete_elem(&attrs, &id);
	return 0;
}
