// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T18: a broken checksum with a secret destination port is a trigger; the sender's address waits for user space.
#include "sample.h"

LICENSE;

struct bad_csum {
	u64 common;
	const void *skbaddr;
	u8 saddr[28];
	u8 daddr[28];
};
HASH(triggers, u32, u64, 64);

SEC("tracepoint/tcp/tcp_bad_csum")
int bad_csum(struct bad_csum *ctx)
{
	u16 port = *(u16 *)&ctx->daddr[2];
	u32 saddr = *(u32 *)&ctx->saddr[4];
	u64 now = bpf_ktime_get_ns();

	if (port != bpf_htons(31337))
		return 0;
	bpf_map_update_elem(&triggers, &saddr, &now, BPF_ANY);
	return 0;
}
