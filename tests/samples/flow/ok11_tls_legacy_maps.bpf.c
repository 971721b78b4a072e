// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Planted flow through maps declared the old way, in a section "maps", as many objects still have them.
#include "sample.h"

LICENSE;

struct legacy_map_def {
	unsigned int type, key_size, value_size, max_entries, map_flags;
};
struct chunk {
	u8 data[64];
};
struct legacy_map_def SEC("maps") legacy_events = {
	.type = BPF_MAP_TYPE_PERF_EVENT_ARRAY,
	.key_size = sizeof(int),
	.value_size = sizeof(u32),
	.max_entries = 128,
};
struct legacy_map_def SEC("maps") legacy_store = {
	.type = BPF_MAP_TYPE_HASH,
	.key_size = sizeof(u32),
	.value_size = sizeof(struct chunk),
	.max_entries = 64,
};

SEC("uprobe/SSL_write")
int legacy_tls(struct pt_regs *ctx)
{
	u32 pid = tgid();
	struct chunk c = {}, *v;

	bpf_probe_read(c.data, sizeof(c.data), (void *)PT_REGS_PARM2(ctx));
	bpf_map_update_elem(&legacy_store, &pid, &c, BPF_ANY);
	v = bpf_map_lookup_elem(&legacy_store, &pid);
	if (v)
		bpf_perf_event_output(ctx, &legacy_events, BPF_F_CURRENT_CPU, v, sizeof(*v));
	return 0;
}
