// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Dual-use twin of T20: the text and duration of database queries.
#include "sample.h"

LICENSE;

struct query {
	u64 ts;
	u32 pid, len;
	char text[128];
};
HASH(running, u64, struct query, 1024);
RINGBUF(queries, 1 << 18);

SEC("uprobe//usr/lib/postgresql/15/bin/postgres:exec_simple_query")
int BPF_KPROBE(sql_begin, const char *text)
{
	u64 id = bpf_get_current_pid_tgid();
	struct query q = {};

	q.ts = bpf_ktime_get_ns();
	q.pid = id >> 32;
	q.len = bpf_probe_read_user_str(q.text, sizeof(q.text), text);
	bpf_map_update_elem(&running, &id, &q, BPF_ANY);
	return 0;
}

SEC("uretprobe//usr/lib/postgresql/15/bin/postgres:exec_simple_query")
int sql_end(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct query *q = bpf_map_lookup_elem(&running, &id);

	if (!q)
		return 0;
	q->ts = bpf_ktime_get_ns() - q->ts;
	bpf_ringbuf_output(&queries, q, sizeof(*q), 0);
	bpf_map_delete_elem(&running, &id);
	return 0;
}
