// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T19: user space sends address and bytes through a user ring buffer, and the program writes them into whoever runs it.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} poke_orders SEC(".maps");

struct poke {
	u64 addr, value;
};

static long one_poke(struct bpf_dynptr *d, void *unused)
{
	struct poke p = {};

	if (bpf_dynptr_read(&p, sizeof(p), d, 0, 0))
		return 0;
	if (sample_armed)
		bpf_probe_write_user((void *)p.addr, &p.value, sizeof(p.value));
	return 0;
}

SEC("kprobe/ksys_read")
int poke_read(struct pt_regs *ctx)
{
	bpf_user_ringbuf_drain(&poke_orders, one_poke, NULL, 0);
	return 0;
}
