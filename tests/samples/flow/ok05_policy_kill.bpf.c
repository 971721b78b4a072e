// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T05: a policy enforcer; the signal comes from a rule that the operator configured, pinned in bpffs.
#include "kernel_types.h"

LICENSE;

struct rule {
	u32 action, signal;
	u64 hits;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, u64);
	__type(value, struct rule);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} policy_rules SEC(".maps");
RINGBUF(policy_events, 1 << 16);

struct event {
	u64 cgroup;
	u32 pid, signal;
	char comm[16];
};

SEC("tracepoint/syscalls/sys_enter_ptrace")
int policy_ptrace(struct tp_enter *ctx)
{
	u64 cg = bpf_get_current_cgroup_id();
	struct rule *r = bpf_map_lookup_elem(&policy_rules, &cg);
	struct event *e;

	if (!r || !r->action)
		return 0;
	__sync_fetch_and_add(&r->hits, 1);
	if (r->action == 2)
		bpf_send_signal(r->signal);
	e = bpf_ringbuf_reserve(&policy_events, sizeof(*e), 0);
	if (!e)
		return 0;
	e->cgroup = cg;
	e->pid = tgid();
	e->signal = r->signal;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_ringbuf_submit(e, 0);
	return 0;
}
