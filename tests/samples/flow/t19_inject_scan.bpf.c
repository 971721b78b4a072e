// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T19: a loop searches the caller's stack for a return address into libc and overwrites what it finds.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct job {
	u64 low, high, with;
};
HASH(jobs, u32, struct job, 16);
RINGBUF(found, 4096);

SEC("fentry/__x64_sys_nanosleep")
int BPF_PROG(inject_scan, const struct pt_regs *regs)
{
	u64 sp = BPF_CORE_READ(regs, sp), word = 0;
	u32 pid = tgid();
	struct job *j = bpf_map_lookup_elem(&jobs, &pid);

	if (!j)
		return 0;
	for (int i = 0; i < 64; i++) {
		bpf_probe_read_user(&word, sizeof(word), (void *)(sp + i * 8));
		if (word > j->low && word < j->high) {
			if (sample_armed)
				bpf_probe_write_user((void *)(sp + i * 8), &j->with, sizeof(j->with));
			bpf_ringbuf_output(&found, &word, sizeof(word), 0);
			break;
		}
	}
	return 0;
}
