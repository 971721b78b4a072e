// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near miss: one program keeps plaintext in a field of a map value, another puts out the neighbouring field.
#include "sample.h"

LICENSE;

struct state {
	u64 started;
	u32 calls, pad;
	char text[64];
};
HASH(states, u32, struct state, 1024);
RINGBUF(out, 4096);
RINGBUF(out_text, 4096);

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(keep_text, void *ssl, const void *buf)
{
	u32 pid = tgid();
	struct state fresh = { .started = bpf_ktime_get_ns() }, *s;

	bpf_map_update_elem(&states, &pid, &fresh, BPF_NOEXIST);
	s = bpf_map_lookup_elem(&states, &pid);
	if (!s)
		return 0;
	s->calls++;
	bpf_probe_read_user(s->text, sizeof(s->text), buf);
	return 0;
}

SEC("uretprobe/libssl.so.3:SSL_write")
int put_time(struct pt_regs *ctx)
{
	u32 pid = tgid();
	struct state *s = bpf_map_lookup_elem(&states, &pid);

	if (s)
		bpf_ringbuf_output(&out, s, offsetof(struct state, text), 0);
	return 0;
}

SEC("uretprobe/libssl.so.3:SSL_write")
int put_text(struct pt_regs *ctx)
{
	u32 pid = tgid();
	struct state *s = bpf_map_lookup_elem(&states, &pid);

	if (s)
		bpf_ringbuf_output(&out_text, s->text, sizeof(s->text), 0);
	return 0;
}
