// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T11: how long TLS handshakes take; no plaintext is read.
#include "sample.h"

LICENSE;

HASH(hs, u64, u64, 4096);
HASH(hist, u32, u64, 64);

SEC("uprobe/libssl.so.3:SSL_do_handshake")
int hs_enter(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();

	bpf_map_update_elem(&hs, &id, &now, BPF_ANY);
	return 0;
}

SEC("uretprobe/libssl.so.3:SSL_do_handshake")
int hs_exit(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), *t0 = bpf_map_lookup_elem(&hs, &id), one = 1, *n;
	u32 ms;

	if (!t0)
		return 0;
	ms = (bpf_ktime_get_ns() - *t0) / 1000000;
	if (ms > 63)
		ms = 63;
	n = bpf_map_lookup_elem(&hist, &ms);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&hist, &ms, &one, BPF_NOEXIST);
	bpf_map_delete_elem(&hs, &id);
	return 0;
}
