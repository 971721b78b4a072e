// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near miss: plaintext is looked at in per-CPU scratch, which is cleared before the record is put out.
#include "sample.h"

LICENSE;

struct scratch {
	u32 hits, pad;
	char text[128];
};
PERCPU(scratch, struct scratch);
RINGBUF(out, 4096);

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(scratch_cleared, void *ssl, const void *buf)
{
	u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&scratch, &zero);

	if (!s)
		return 0;
	bpf_probe_read_user(s->text, sizeof(s->text), buf);
	for (int i = 0; i < 64; i++)
		if (s->text[i] == '=')
			s->hits++;
	__builtin_memset(s->text, 0, sizeof(s->text));
	bpf_ringbuf_output(&out, s, sizeof(*s), 0);
	return 0;
}
