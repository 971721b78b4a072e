// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: a runtime security sensor: paths of opened files filtered by a configured prefix map, then reported.
#include "kernel_types.h"

LICENSE;

struct prefix_key {
	u32 prefixlen;
	char path[32];
};
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 256);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_key);
	__type(value, u32);
} watched SEC(".maps");
struct event {
	u32 pid, rule;
	char comm[16];
	char path[32];
};
RINGBUF(sensor_events, 1 << 18);

SEC("tracepoint/syscalls/sys_enter_openat")
int sensor_open(struct tp_enter *ctx)
{
	struct prefix_key k = { .prefixlen = 256 };
	struct event *e;
	u32 *rule;

	bpf_probe_read_user_str(k.path, sizeof(k.path), (void *)ctx->args[1]);
	rule = bpf_map_lookup_elem(&watched, &k);
	if (!rule)
		return 0;
	e = bpf_ringbuf_reserve(&sensor_events, sizeof(*e), 0);
	if (!e)
		return 0;
	e->pid = tgid();
	e->rule = *rule;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	__builtin_memcpy(e->path, k.path, sizeof(e->path));
	bpf_ringbuf_submit(e, 0);
	return 0;
}
