// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T20: what a library function gives back through its argument is replaced; which function, the loader says.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

HASH(result_at, u64, u64, 64);

SEC("uprobe")
int BPF_KPROBE(check_enter, void *handle, const char *name, int *result)
{
	u64 id = bpf_get_current_pid_tgid(), at = (u64)result;

	bpf_map_update_elem(&result_at, &id, &at, BPF_ANY);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(check_exit)
{
	u64 id = bpf_get_current_pid_tgid(), *at = bpf_map_lookup_elem(&result_at, &id);
	int one = 1;

	if (at && sample_armed)
		bpf_probe_write_user((void *)*at, &one, sizeof(one));
	return 0;
}
