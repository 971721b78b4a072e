// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T19: a distributed tracer's uprobe on a named Go function that writes a bounded traceparent header.
#include "sample.h"

LICENSE;

#define TP_LEN 55
struct span {
	u8 trace_id[16], span_id[8];
};
HASH(spans, u64, struct span, 4096);
RINGBUF(span_events, 1 << 16);
const volatile u64 io_writer_buf_ptr_pos = 0, io_writer_n_pos = 24;

static __always_inline void hex(char *out, const u8 *in, int n)
{
	for (int i = 0; i < n; i++) {
		u8 hi = in[i] >> 4, lo = in[i] & 15;

		out[2 * i] = hi < 10 ? '0' + hi : 'a' + hi - 10;
		out[2 * i + 1] = lo < 10 ? '0' + lo : 'a' + lo - 10;
	}
}

SEC("uprobe//usr/local/bin/app:net/http.Header.writeSubset")
int write_traceparent(struct pt_regs *ctx)
{
	char tp[TP_LEN] = "00-00000000000000000000000000000000-0000000000000000-01";
	u64 key = ctx->r14, n = 0;
	void *writer = (void *)ctx->cx, *buf = NULL;
	struct span *s = bpf_map_lookup_elem(&spans, &key);

	if (!s)
		return 0;
	hex(tp + 3, s->trace_id, 16);
	hex(tp + 36, s->span_id, 8);
	bpf_probe_read_user(&buf, sizeof(buf), writer + io_writer_buf_ptr_pos);
	bpf_probe_read_user(&n, sizeof(n), writer + io_writer_n_pos);
	if (n > 4096 - TP_LEN)
		return 0;
	bpf_probe_write_user(buf + n, tp, sizeof(tp));
	n += sizeof(tp);
	bpf_probe_write_user(writer + io_writer_n_pos, &n, sizeof(n));
	bpf_ringbuf_output(&span_events, s, sizeof(*s), 0);
	return 0;
}
