// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T11 twin: plaintext is searched for the end of the headers, of which there is one per request: counted.
#include "sample.h"

LICENSE;

PERCPU(request_scratch, u8[512]);
ARRAY(requests, u64, 1);

SEC("uprobe/libssl.so.3:SSL_write")
int BPF_KPROBE(tls_method_scan, void *ssl, const void *buf, int num)
{
	u32 zero = 0, n = num;
	u8 *s = bpf_map_lookup_elem(&request_scratch, &zero);
	u64 *count = bpf_map_lookup_elem(&requests, &zero);
	bool hit = false;

	CLAMP(n, 512);
	if (!s || !count || bpf_probe_read_user(s, n, buf))
		return 0;
	for (int i = 0; i < 500 && !hit; i++)
		hit = s[i] == '\r' && s[i + 1] == '\n' && s[i + 2] == '\r' && s[i + 3] == '\n';
	if (hit)
		__sync_fetch_and_add(count, 1);
	__builtin_memset(s, 0, 512);
	return 0;
}
