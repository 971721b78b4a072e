// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near misses: reserved records that are filled and discarded; records and dynptrs that are submitted are the positives.
#include "sample.h"

LICENSE;

RINGBUF(out_discard, 4096);
RINGBUF(out_submit, 4096);
RINGBUF(out_dyn, 4096);
RINGBUF(out_dyn_submit, 4096);
struct rec {
	char text[64];
};

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(discarded, void *ssl, const void *buf)
{
	struct rec *r = bpf_ringbuf_reserve(&out_discard, sizeof(*r), 0);

	if (!r)
		return 0;
	bpf_probe_read_user(r->text, sizeof(r->text), buf);
	bpf_ringbuf_discard(r, 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(sometimes_submitted, void *ssl, const void *buf)
{
	struct rec *r = bpf_ringbuf_reserve(&out_submit, sizeof(*r), 0);

	if (!r)
		return 0;
	bpf_probe_read_user(r->text, sizeof(r->text), buf);
	if (r->text[0] == 'G')
		bpf_ringbuf_discard(r, 0);
	else
		bpf_ringbuf_submit(r, 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(dyn_discarded, void *ssl, const void *buf)
{
	struct bpf_dynptr d;
	char text[32] = {};

	bpf_probe_read_user(text, sizeof(text), buf);
	bpf_ringbuf_reserve_dynptr(&out_dyn, sizeof(text), 0, &d);
	bpf_dynptr_write(&d, 0, text, sizeof(text), 0);
	bpf_ringbuf_discard_dynptr(&d, 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(dyn_submitted, void *ssl, const void *buf)
{
	struct bpf_dynptr d;
	char text[32] = {};

	bpf_probe_read_user(text, sizeof(text), buf);
	bpf_ringbuf_reserve_dynptr(&out_dyn_submit, sizeof(text), 0, &d);
	bpf_dynptr_write(&d, 0, text, sizeof(text), 0);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(dyn_slice_submitted, void *ssl, const void *buf)
{
	struct bpf_dynptr d;
	char *p;

	bpf_ringbuf_reserve_dynptr(&out_dyn_submit, 32, 0, &d);
	p = bpf_dynptr_data(&d, 0, 32);
	if (p)
		bpf_probe_read_user(p, 32, buf);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}
