// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Dual-use twin of T12: what a chosen terminal shows, for support and training.
#include "kernel_types.h"

LICENSE;

struct event {
	int count;
	char buf[256];
};
RINGBUF(tty_events, 1 << 18);
const volatile int target_tty = 1;

SEC("kprobe/tty_write_message")
int BPF_KPROBE(tty_watch, struct tty_struct *tty, const char *msg)
{
	struct event *e;

	if (BPF_CORE_READ(tty, index) != target_tty)
		return 0;
	e = bpf_ringbuf_reserve(&tty_events, sizeof(*e), 0);
	if (!e)
		return 0;
	e->count = bpf_probe_read_kernel_str(e->buf, sizeof(e->buf), msg);
	bpf_ringbuf_submit(e, 0);
	return 0;
}
